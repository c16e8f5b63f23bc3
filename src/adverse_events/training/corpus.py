"""Labelled texts: read, cleaned of overlaps, split, and frozen to a manifest of hashes.

Every text passes through `privacy.mask_text`, as every post does before it is classified.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import pandas as pd

from adverse_events.errors import ContractError, UsageError
from adverse_events.privacy import mask_text

if TYPE_CHECKING:
    from pathlib import Path

SPLITS: Final = ("train", "validation")
GROUP_COLUMNS: Final = ("pmid", "drug_id", "group")
HELD_OUT_PARTS: Final = 10
"""Where a source has no validation file, one group in this many is held out of its train file."""


@dataclass(frozen=True)
class Source:
    """One corpus: a folder with ``train.csv`` and, where it has one, ``validation.csv``.

    Attributes:
        name: Short name; scores are reported under it.
        folder: Holds UTF-8 CSV files with the columns text and label (0 or 1). A column pmid,
            drug_id or group names the document, so that no document is on both sides of a split.
    """

    name: str
    folder: Path


def prepare(sources: list[Source], folder: Path) -> dict[str, object]:
    """Write ``train/NAME.csv`` and ``validation/NAME.csv`` under `folder`, and the manifest.

    Returns:
        The manifest: for each file its SHA-256, rows and positives; also written to
        ``manifest.json``. One corpus always gives one manifest.

    Raises:
        UsageError: A file or column that is missing.
        ContractError: A label that is not 0 or 1, or a single class.
    """
    frames = {source.name: _split(source) for source in sources}
    held_out = {_key(text) for split in frames.values() for text in split["validation"]["text"]}
    manifest: dict[str, object] = {}
    for name, split in frames.items():
        overlap = split["train"]["text"].map(_key).isin(held_out)
        split["train"] = split["train"][~overlap]
        for part in SPLITS:
            path = folder / part / f"{name}.csv"
            path.parent.mkdir(parents=True, exist_ok=True)
            split[part][["text", "label"]].to_csv(path, index=False, lineterminator="\n")
            manifest[f"{part}/{name}.csv"] = {
                "sha256": hashlib.sha256(path.read_bytes()).hexdigest(),
                "n_rows": len(split[part]),
                "n_positive": int(split[part]["label"].sum()),
            }
    (folder / "manifest.json").write_text(json.dumps(manifest, indent=2, sort_keys=True) + "\n")
    return manifest


def read_labelled(path: Path) -> pd.DataFrame:
    """Read one labelled CSV: columns text (str, masked) and label (0 or 1), and a group if it has one.

    Raises:
        UsageError: The file or a column is missing.
        ContractError: A label other than 0 and 1, or only one of them.
    """
    if not path.is_file():
        msg = f"{path} does not exist; a corpus folder holds train.csv with the columns text and label"
        raise UsageError(msg)
    frame = pd.read_csv(path, lineterminator="\n", dtype={"text": str}, keep_default_na=False)
    missing = {"text", "label"} - set(frame.columns)
    if missing:
        msg = f"{path} has no column {' or '.join(sorted(missing))}; it has {', '.join(frame.columns)}"
        raise UsageError(msg)
    labels = pd.to_numeric(frame["label"], errors="coerce")
    bad = frame.index[~labels.isin([0, 1])]
    if len(bad):
        raise ContractError(str(path), f"label is not 0 or 1 in row {bad[0] + 2}")
    if labels.nunique() < len(("negative", "positive")):
        raise ContractError(str(path), "every label is the same; a classifier needs both classes")
    frame["label"] = labels.astype(int)
    frame["text"] = frame["text"].map(mask_text)
    return frame[frame["text"].str.strip() != ""]


def _split(source: Source) -> dict[str, pd.DataFrame]:
    train = read_labelled(source.folder / "train.csv").drop_duplicates("text")
    validation_path = source.folder / "validation.csv"
    if validation_path.is_file():
        return {"train": train, "validation": read_labelled(validation_path).drop_duplicates("text")}
    groups = next((train[c] for c in GROUP_COLUMNS if c in train), train["text"])
    held_out = groups.astype(str).map(_is_held_out)
    return {"train": train[~held_out], "validation": train[held_out]}


def _is_held_out(group: str) -> bool:
    return int(hashlib.sha256(group.encode()).hexdigest(), 16) % HELD_OUT_PARTS == 0


def _key(text: str) -> str:
    return " ".join(text.casefold().split())
