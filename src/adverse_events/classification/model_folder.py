"""A released model on disk: its files, what they hash to, and how it was made."""

from __future__ import annotations

import hashlib
from importlib.resources import files
from pathlib import Path
from typing import Any

from pydantic import BaseModel, Field, ValidationError

from adverse_events.errors import ContractError, UsageError

MANIFEST = "model.json"


class ModelManifest(BaseModel, frozen=True, extra="forbid"):
    """What ``model.json`` says: enough to refuse a wrong file and to repeat the training."""

    name: str = Field(description="Short name of the model.")
    labels: tuple[str, ...] = Field(min_length=2, description="Class names in the order of the output columns.")
    max_length: int = Field(ge=8, description="Longest sequence the model sees, tokens.")
    ade_threshold: float = Field(ge=0, le=1, description="Decision limit, chosen on validation texts.")
    thresholds: dict[str, float] = Field(
        default_factory=dict, description="With more than two classes: the limit of each against all others."
    )
    temperature: float = Field(
        1.0, gt=0, description="What the logits are divided by; part of the graphs already, said here for the record."
    )
    sha256: dict[str, str] = Field(description="SHA-256 of every file beside this one.")
    recipe: dict[str, Any] = Field(description="Hyperparameters of the training run.")
    data: dict[str, Any] = Field(description="Corpus files: SHA-256, rows, positives.")
    scores: dict[str, Any] = Field(description="Scores by split and source, and agreement with float32.")

    @property
    def version(self) -> str:
        """Name and the first digits of a hash over all files."""
        together = "".join(self.sha256[name] for name in sorted(self.sha256))
        return f"{self.name}+{hashlib.sha256(together.encode()).hexdigest()[:12]}"


def starter_model() -> Path:
    """Return the folder of the model shipped in the package."""
    return Path(str(files("adverse_events.classification") / "starter"))


def read_manifest(folder: Path) -> ModelManifest:
    """Read and check a model folder.

    Raises:
        UsageError: The folder or a file is missing.
        ContractError: The manifest is malformed or a file is not the one it names.
    """
    path = folder / MANIFEST
    if not path.is_file():
        msg = f"{folder} holds no {MANIFEST}; point the model setting at an exported model folder"
        raise UsageError(msg)
    try:
        manifest = ModelManifest.model_validate_json(path.read_bytes())
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"]) or "the file"
        raise ContractError(str(path), f"{where}: {first['msg']}; export the model again") from error
    for name, expected in manifest.sha256.items():
        _check_file(folder / name, expected)
    return manifest


def _check_file(path: Path, expected: str) -> None:
    if not path.is_file():
        msg = f"{path} is missing; reinstall the package or export the model again"
        raise UsageError(msg)
    with path.open("rb") as file:
        found = hashlib.file_digest(file, "sha256").hexdigest()
    if found != expected:
        detail = f"sha256 is {found[:12]}..., {MANIFEST} promises {expected[:12]}...; the file is corrupt: restore it"
        raise ContractError(str(path), detail)
