"""The manifest of a prepared corpus: what is in it, where it came from, and the hashes that freeze it."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Final, Self

from pydantic import BaseModel, Field, ValidationError

from adverse_events.errors import ContractError, UsageError

if TYPE_CHECKING:
    from pathlib import Path

FILE: Final = "manifest.json"


class Origin(BaseModel, frozen=True, extra="forbid"):
    """Where one source came from; files by name only, since paths mean nothing elsewhere."""

    files: dict[str, str] = Field(description="SHA-256 of what was read, by split; the dataset's name for a hub.")
    text_column: str
    label_column: str
    group_column: str | None
    origin: str | None = Field(None, description="Who made it and from what, in the words of who prepared it.")
    licence: str | None = Field(None, description="What it may be used for, in the same words.")


class FrozenFile(BaseModel, frozen=True, extra="forbid"):
    """One file of the prepared corpus."""

    sha256: str
    n_rows: int
    by_label: dict[str, int] = Field(description="Rows by class.")
    n_groups: int = Field(description="Documents; 0 where none are named.")


class Dropped(BaseModel, frozen=True, extra="forbid"):
    """Rows of one source that are not in the corpus, by reason."""

    empty: int = Field(0, description="Without a text.")
    duplicates: int = Field(0, description="The same text and class again.")
    conflicts: int = Field(0, description="The same text under two classes: nobody knows which is right.")
    in_evaluation: int = Field(0, description="Training texts that are, or nearly are, evaluation texts.")


class CorpusManifest(BaseModel, frozen=True, extra="forbid"):
    """What ``manifest.json`` says."""

    format: int = 1
    labels: tuple[str, ...] = Field(min_length=2, description="Classes; the last is what is looked for.")
    seed: int
    near_duplicate: float = Field(description="Likeness at which two texts count as one, 0-1.")
    sources: dict[str, Origin]
    files: dict[str, FrozenFile] = Field(description="By path below the corpus folder.")
    dropped: dict[str, Dropped] = Field(description="By source.")

    @classmethod
    def read(cls, folder: Path) -> Self:
        """Read the manifest of a prepared corpus, without checking its files.

        Raises:
            UsageError: There is none.
            ContractError: It is malformed.
        """
        path = folder / FILE
        if not path.is_file():
            msg = f"{folder} holds no {FILE}; prepare the corpus first (ade corpus)"
            raise UsageError(msg)
        try:
            return cls.model_validate_json(path.read_bytes())
        except ValidationError as error:
            first = error.errors()[0]
            where = ".".join(str(part) for part in first["loc"]) or "the file"
            raise ContractError(str(path), f"{where}: {first['msg']}; prepare the corpus again") from error


def verify(folder: Path) -> CorpusManifest:
    """Check that a prepared corpus is what its manifest froze.

    Raises:
        UsageError: There is no manifest.
        ContractError: A file is missing, was changed, or is not in the manifest.
    """
    manifest = CorpusManifest.read(folder)
    present = {
        str(path.relative_to(folder))
        for split in ("train", "validation", "test")
        for path in (folder / split).glob("*")
    }
    extra = sorted(present - set(manifest.files))
    if extra:
        raise ContractError(str(folder / extra[0]), f"{FILE} does not know it; remove it or prepare the corpus again")
    for name, frozen in sorted(manifest.files.items()):
        path = folder / name
        if not path.is_file():
            raise ContractError(str(path), f"{FILE} names it, but it is missing; prepare the corpus again")
        found = sha256_of(path)
        if found != frozen.sha256:
            detail = f"sha256 is {found[:12]}..., {FILE} promises {frozen.sha256[:12]}...; prepare the corpus again"
            raise ContractError(str(path), detail)
    return manifest


def sha256_of(path: Path) -> str:
    """Return the SHA-256 of a file, hex."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
