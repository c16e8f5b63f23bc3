"""Where labelled texts come from, and what their columns are called."""

from __future__ import annotations

from pathlib import Path
from typing import Self

from pydantic import BaseModel, Field

from adverse_events.errors import UsageError

HUB = "hub:"
SUFFIXES = (".csv", ".tsv", ".jsonl", ".ndjson", ".parquet")


class CorpusSource(BaseModel, frozen=True, extra="forbid"):
    """One corpus: a file per split, or one file that is split by document.

    A location is a path, or ``hub:DATASET[/CONFIG]`` for a dataset that the ``datasets`` library loads.
    """

    name: str = Field(pattern=r"^[A-Za-z0-9_.-]+$", description="Short name; scores are reported under it.")
    train: str = Field(description="Texts to train on.")
    validation: str | None = Field(None, description="Texts to choose on; held out of train, by group, when unset.")
    test: str | None = Field(None, description="Texts to report on, if any.")
    text_column: str = Field("text", description="Column that holds the text.")
    label_column: str = Field("label", description="Column that holds the class.")
    group_column: str | None = Field(
        None, description="Column that names the document or review; the first known one when unset."
    )
    label_map: dict[str, str] = Field(default_factory=dict, description="Class by value of the label column.")
    origin: str | None = Field(None, description="Who made it, from what, and what a positive means; for the card.")
    licence: str | None = Field(None, description="What it may be used for; for the card.")

    @classmethod
    def of(cls, spec: str, *, with_test: bool = False, **columns: object) -> Self:
        """Make a source of what a user writes: ``PATH``, ``NAME=PATH``, ``hub:DATASET`` or ``NAME=hub:DATASET``.

        A folder holds one file a split, named train, validation and test; its test file is left alone unless
        `with_test`, so that nothing is chosen on it by accident.

        Raises:
            UsageError: No such file, or a folder without a train file.
        """
        name, _, location = spec.rpartition("=")
        if location.startswith(HUB):
            return cls(name=name or location[len(HUB) :].rstrip("/").rsplit("/", 1)[-1], train=location, **columns)
        path = Path(location)
        if path.is_dir():
            return cls(name=name or path.resolve().name, **_folder(path, with_test=with_test), **columns)
        if not path.is_file():
            msg = f"{path} does not exist; name a file, a folder with a train file, or {HUB}DATASET"
            raise UsageError(msg)
        return cls(name=name or path.stem, train=str(path), **columns)


def _folder(folder: Path, *, with_test: bool) -> dict[str, str]:
    found = {}
    for split in ("train", "validation", *(("test",) if with_test else ())):
        files = [path for path in sorted(folder.iterdir()) if path.stem == split and path.suffix in SUFFIXES]
        if len(files) > 1:
            msg = f"{folder} holds {' and '.join(path.name for path in files)}; keep one file a split"
            raise UsageError(msg)
        if files:
            found[split] = str(files[0])
    if "train" not in found:
        msg = f"{folder} holds no train file ({', '.join(f'train{suffix}' for suffix in SUFFIXES)})"
        raise UsageError(msg)
    return found
