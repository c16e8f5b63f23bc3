"""Checks of the parts in process: model, lexicons, the lake's folder, the key of ids."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from adverse_events import assembly
from adverse_events.assembly import live
from adverse_events.aws.doctor.protocol import Check
from adverse_events.classification.model_folder import read_manifest, starter_model
from adverse_events.errors import UsageError
from adverse_events.settings import identity_key_path
from adverse_events.source.files import find_files
from adverse_events.source.x.search_settings import PRODUCTS

if TYPE_CHECKING:
    from adverse_events.settings import Settings


def embedded_checks(settings: Settings) -> list[Check]:
    """Return the checks of what `settings` leave in this process or on this machine."""
    checks = [Check("drug lexicon", "load the drug lexicon", _drugs, "reinstall the package")]
    if not settings.endpoint.name:
        name = (settings.classifier.model or starter_model()).name
        remedy = "restore the model folder, or correct classifier.model"
        checks.append(Check("model", f"hash every file of {name}", lambda: _model(settings), remedy))
    # The coder's rules complete Comprehend Medical's answers too.
    checks.append(Check("condition lexicon", "load the condition lexicon", _conditions, "reinstall the package"))
    if not settings.lake.is_s3:
        lake = Path(settings.lake.path)
        remedy = "allow this user to write there, or correct lake.path"
        checks.append(Check("lake folder", f"write a file in {lake}", lambda: _writable(lake), remedy))
    if settings.privacy.identity_key or not settings.privacy.identity_key_secret:
        where = "the setting" if settings.privacy.identity_key else str(identity_key_path())
        remedy = "mend the key's file, or set privacy.identity_key"
        checks.append(Check("identity key", f"read the key of {where}", lambda: _key(settings), remedy))
    source = settings.source.path
    if settings.source.is_x:
        path = f"/2/tweets/search/{PRODUCTS[str(source)]}"
        checks.append(
            Check("X API", f"GET {path} for a word nobody writes", lambda: _search(settings, path), _X_REMEDY)
        )
    elif source and not source.startswith("s3://"):
        remedy = "correct source.path"
        checks.append(Check("source", f"find the files of {source}", lambda: _source(settings), remedy))
    return checks


_X_REMEDY = "do what the line above says; correct x.base_url, or the setting that holds the bearer token"

_NO_WORD = "adverseeventsdoctorqzx"
"""Posts are paid for, requests are not: a search that finds none costs nothing and proves the plan all the same."""


def _search(settings: Settings, path: str) -> str:
    patience = settings.x.model_copy(update={"max_attempts": 2, "longest_wait_s": 0})
    with live.client_for(patience, assembly.token_for(settings)) as client:
        client.get(path, {"query": _NO_WORD, "max_results": 10})
    n_queries = len(live.queries_for(settings))
    return f"answers; the drugs take {n_queries} {'query' if n_queries == 1 else 'queries'}"


def _drugs() -> str:
    return f"version {assembly.lexicon().version}"


def _conditions() -> str:
    coder = assembly.embedded_coder()
    return f"version {coder.coder_version}, ICD-10-CM {coder.icd10cm_release}"


def _model(settings: Settings) -> str:
    manifest = read_manifest(assembly.model_folder(settings))
    return f"{manifest.version}, {len(manifest.sha256)} files as promised"


def _writable(lake: Path) -> str:
    there = next(folder for folder in (lake.absolute(), *lake.absolute().parents) if folder.exists())
    if not there.is_dir():
        msg = f"{there} is not a folder"
        raise UsageError(msg)
    with tempfile.NamedTemporaryFile(dir=there, prefix=".doctor-"):
        return "writable" if there == lake.absolute() else f"will be created in {there}"


def _key(settings: Settings) -> str:
    privacy = settings.privacy
    if not privacy.identity_key and not identity_key_path().exists():
        return "none yet; the first run creates it, and other machines must be given the same one"
    return f"fingerprint {assembly.identity_key_for(settings).fingerprint}"


def _source(settings: Settings) -> str:
    source = settings.source
    if source.kind == "drop":
        assembly.check_source(settings)
        return "a drop folder"
    return f"{len(find_files(str(source.path), source.file_format))} files"
