"""What comes into a registry, checked and copied."""

from __future__ import annotations

import re
import shutil
from pathlib import Path
from typing import TYPE_CHECKING

from adverse_events.classification.model_folder import MANIFEST, read_manifest
from adverse_events.errors import ContractError, UsageError
from adverse_events.lake.files import sync_all
from adverse_events.registry.evaluation import parse_evaluation
from adverse_events.registry.history import ALIASES

if TYPE_CHECKING:
    from adverse_events.classification.model_folder import ModelManifest
    from adverse_events.registry.evaluation import Evaluation

_VERSION = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*\+[0-9a-f]{12}")


def is_version(text: str) -> bool:
    """Return whether `text` is written as a version whose name can be a folder's: NAME+twelve hexadecimal digits."""
    return bool(_VERSION.fullmatch(text))


def is_reference(what: str | Path) -> bool:
    """Return whether `what` means something in a registry: an alias or a version, rather than a path."""
    return str(what) in ALIASES or is_version(str(what))


def checked_version(manifest: ModelManifest, folder: Path) -> str:
    """Return the version of the model in `folder`; its name and those of its files may leave no folder."""
    if not is_version(manifest.version):
        msg = f"{folder}: the model's name {manifest.name!r} cannot be a folder's; use letters, digits and . _ - only"
        raise UsageError(msg)
    for name in manifest.sha256:
        if name in {"", ".", "..", MANIFEST} or Path(name).name != name:
            raise ContractError(str(folder / MANIFEST), f"sha256: {name!r} is no name of a file beside it")
    return manifest.version


def checked_evaluation(content: bytes, version: str) -> Evaluation:
    """Read an evaluation of `version` that is to be kept."""
    found = parse_evaluation(content, "evaluation")
    if found.model.version != version:
        raise ContractError("evaluation", f"is of {found.model.version}, not of {version}; evaluate the model itself")
    if not re.fullmatch(r"[0-9a-f]+", found.data.sha256):
        raise ContractError("evaluation", "data.sha256 is no hexadecimal hash; write it with ade evaluate --json")
    return found


def copied(source: Path, manifest: ModelManifest, target: Path) -> Path:
    """Copy a model folder, check the copy (the source may have changed meanwhile) and write it through to the disk."""
    target.mkdir()
    for name in (MANIFEST, *manifest.sha256):
        shutil.copyfile(source / name, target / name)
    if read_manifest(target) != manifest:
        raise ContractError(str(source), "changed while it was copied; register it again")
    sync_all([*target.iterdir(), target])
    return target


def check_same(stored: Path, given: ModelManifest) -> None:
    """Refuse a model that differs from the one registered under its version."""
    # The version is a hash of the files alone: thresholds, labels and recipe stand in the manifest.
    if read_manifest(stored) != given:
        detail = f"another {MANIFEST} is registered under this version; export the model under another name"
        raise ContractError(stored.name, detail)
