"""What ``model.json`` says of a model folder, read without the rest of the project."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from .payload import ModelCard

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

MANIFEST = "model.json"


class ModelFolderError(Exception):
    """A folder that holds no model that can be served; names the file and the remedy."""


@dataclass(frozen=True)
class ModelFacts:
    """What serving needs to know of a model.

    Attributes:
        name: Short name of the model.
        labels: Class names in the order of the output columns; the last is the ADE class.
        max_length: Longest sequence the model sees, tokens.
        ade_threshold: Decision limit the model was released with, 0-1.
        sha256: SHA-256 of every file beside the manifest.
        thresholds: With more than two classes, the limit of each against all others, 0-1.
    """

    name: str
    labels: tuple[str, ...]
    max_length: int
    ade_threshold: float
    sha256: Mapping[str, str]
    thresholds: Mapping[str, float] = field(default_factory=dict)

    @classmethod
    def read(cls, folder: Path) -> ModelFacts:
        """Read the manifest of a model folder.

        Raises:
            ModelFolderError: No manifest, or a malformed one.
        """
        path = folder / MANIFEST
        try:
            said = json.loads(path.read_bytes())
            return cls(
                name=str(said["name"]),
                labels=tuple(map(str, said["labels"])),
                max_length=int(said["max_length"]),
                ade_threshold=float(said["ade_threshold"]),
                sha256={str(name): str(digest) for name, digest in said["sha256"].items()},
                thresholds={str(label): float(limit) for label, limit in said.get("thresholds", {}).items()},
            )
        except OSError as error:
            msg = f"{path} cannot be read ({error.strerror}); is the model archive in this folder?"
            raise ModelFolderError(msg) from error
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            msg = f"{path} is no manifest of a model ({type(error).__name__}: {error}); export the model again"
            raise ModelFolderError(msg) from error

    @property
    def version(self) -> str:
        """Name and the first digits of a hash over all files: what the embedded classifier calls this model."""
        together = "".join(self.sha256[name] for name in sorted(self.sha256))
        return f"{self.name}+{hashlib.sha256(together.encode()).hexdigest()[:12]}"

    @property
    def card(self) -> ModelCard:
        """What the server says of the model in its header."""
        return ModelCard(self.version, self.labels[-1], self.ade_threshold, tuple(sorted(self.thresholds.items())))

    def check_files(self, folder: Path) -> None:
        """Compare every file of the folder with its hash.

        Raises:
            ModelFolderError: A missing file, or one that is not the one the manifest names.
        """
        for name, expected in self.sha256.items():
            try:
                with (folder / name).open("rb") as file:
                    found = hashlib.file_digest(file, "sha256").hexdigest()
            except OSError as error:
                msg = f"{folder / name} cannot be read ({error.strerror}); export the model again"
                raise ModelFolderError(msg) from error
            if found != expected:
                msg = f"{folder / name} is not the file that {MANIFEST} names: it is corrupt; export the model again"
                raise ModelFolderError(msg)
