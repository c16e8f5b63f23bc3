"""Make a corpus ready to train on: read, cleaned of overlaps, split by document, frozen."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd

from adverse_events.corpus.hub import load_splits
from adverse_events.corpus.keys import normalised
from adverse_events.corpus.manifest import FILE, CorpusManifest, Dropped, FrozenFile, Origin, sha256_of
from adverse_events.corpus.overlap import NEAR, Placed, clusters, overlapping
from adverse_events.corpus.reading import LABELS, check_classes, labelled, read_labelled
from adverse_events.corpus.source import HUB
from adverse_events.corpus.split import held_out
from adverse_events.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from adverse_events.corpus.source import CorpusSource

TRAIN, VALIDATION, TEST = "train", "validation", "test"


@dataclass
class _Cleaned:
    source: CorpusSource
    splits: dict[str, pd.DataFrame]
    origin: Origin
    dropped: Counter[str]


def prepare(
    sources: Sequence[CorpusSource],
    folder: Path,
    *,
    labels: Sequence[str] = LABELS,
    seed: int = 0,
    near_duplicate: float = NEAR,
    with_test: bool = False,
    drop_empty: bool = False,
) -> CorpusManifest:
    """Write ``train/NAME.csv``, ``validation/NAME.csv`` and, where there is one, ``test/NAME.csv``, and the manifest.

    A source without a validation file is split by document. A training text that is or nearly is an evaluation text
    of any source leaves the training texts; the evaluation texts stay as they are. One corpus gives the same bytes on
    every machine.

    Args:
        sources: One or more, with distinct names.
        folder: Where to write; must not hold another corpus.
        labels: Classes, two or more; the last is what is looked for.
        seed: Chooses another split; 0 is the one that everybody has.
        near_duplicate: Likeness (Jaccard of word pairs) at which two texts count as one, above 0 and at most 1.
        with_test: Where a source is one file to be split, hold out a test part too.
        drop_empty: Leave rows without a text out instead of refusing the file.

    Returns:
        The manifest written.

    Raises:
        UsageError: Two sources of one name, or a file or column that is missing.
        ContractError: A file that cannot be used, or a split without some class.
    """
    twice = [name for name, n in Counter(source.name for source in sources).items() if n > 1]
    if twice or not sources:
        msg = f"two sources are named {twice[0]}; name them apart: NAME=PATH" if twice else "name at least one source"
        raise UsageError(msg)
    if (folder / FILE).exists():
        msg = f"{folder} holds a prepared corpus already; choose another folder, or remove it first"
        raise UsageError(msg)
    cleaned = [
        _clean(source, labels, seed=seed, near=near_duplicate, with_test=with_test, drop_empty=drop_empty)
        for source in sources
    ]
    _take_out_evaluation_texts(cleaned, near_duplicate)
    for one in cleaned:
        for split, frame in one.splits.items():
            check_classes(frame, f"{one.source.name}, {split}", labels)
    manifest = CorpusManifest(
        labels=tuple(labels),
        seed=seed,
        near_duplicate=near_duplicate,
        sources={one.source.name: one.origin for one in cleaned},
        files={f"{split}/{one.source.name}.csv": _write(folder, split, one) for one in cleaned for split in one.splits},
        dropped={one.source.name: Dropped(**one.dropped) for one in cleaned},
    )
    (folder / FILE).write_text(manifest.model_dump_json(indent=2) + "\n", encoding="utf-8")
    return manifest


def _clean(
    source: CorpusSource, labels: Sequence[str], *, seed: int, near: float, with_test: bool, drop_empty: bool
) -> _Cleaned:
    dropped: Counter[str] = Counter()
    splits, origin = {}, {}
    for split, (frame, sha256, n_rows) in _read(source, labels, drop_empty=drop_empty).items():
        splits[split] = _distinct(frame, dropped)
        dropped["empty"] += n_rows - len(frame)
        origin[split] = sha256
    if VALIDATION not in splits:
        whole = splits[TRAIN]
        asked = with_test and TEST not in splits
        splits |= held_out(whole, clusters(whole, threshold=near), with_test=asked, seed=seed)
    group = source.group_column
    return _Cleaned(
        source,
        splits,
        Origin(
            files=origin,
            text_column=source.text_column,
            label_column=source.label_column,
            group_column=group,
            origin=source.origin,
            licence=source.licence,
        ),
        dropped,
    )


def _read(source: CorpusSource, labels: Sequence[str], *, drop_empty: bool) -> dict[str, tuple[pd.DataFrame, str, int]]:
    """Return by split: the rows, what names their origin, and how many rows there were."""
    options: dict[str, Any] = {
        "labels": labels,
        "text_column": source.text_column,
        "label_column": source.label_column,
        "group_column": source.group_column,
        "label_map": source.label_map,
        "drop_empty": drop_empty,
    }
    if source.train.startswith(HUB):
        tables = load_splits(source)
        if TRAIN not in tables:
            msg = f"{source.train} has no split train; it has {', '.join(tables)}"
            raise UsageError(msg)
        return {
            split: (labelled(table, f"{source.train} ({split})", **options), source.train.removeprefix(HUB), len(table))
            for split, table in tables.items()
            if split in {TRAIN, VALIDATION}
        }
    found = {TRAIN: source.train, VALIDATION: source.validation, TEST: source.test}
    result = {}
    for split, location in found.items():
        if location is not None:
            frame = read_labelled(Path(location), **options)
            n_rows = int(frame["row"].iloc[-1] - frame["row"].iloc[0] + 1)
            result[split] = (frame, sha256_of(Path(location)), max(n_rows, len(frame)))
    return result


def _distinct(frame: pd.DataFrame, dropped: Counter[str]) -> pd.DataFrame:
    keys = frame["text"].map(normalised)
    n_classes = frame.groupby(keys)["label"].transform("nunique")
    in_conflict = n_classes > 1
    dropped["conflicts"] += int(in_conflict.sum())
    kept = frame[~in_conflict]
    first = ~keys[~in_conflict].duplicated()
    dropped["duplicates"] += int((~first).sum())
    return kept[first]


def _take_out_evaluation_texts(cleaned: Sequence[_Cleaned], near: float) -> None:
    """Take what is evaluated on out of what is trained or chosen on: test first, then validation."""
    for split, below in ((TEST, (VALIDATION, TRAIN)), (VALIDATION, (TRAIN,))):
        held = pd.concat([one.splits[split] for one in cleaned if split in one.splits] or [pd.DataFrame()])
        if not len(held):
            continue
        evaluation = Placed.of(held, split)
        for one in cleaned:
            for lower in below:
                frame = one.splits[lower]
                hit = {i for i, _ in overlapping(Placed.of(frame, lower), evaluation, threshold=near)}
                one.dropped["in_evaluation"] += len(hit)
                one.splits[lower] = frame[[number not in hit for number in range(len(frame))]]


def _write(folder: Path, split: str, one: _Cleaned) -> FrozenFile:
    frame = one.splits[split]
    path = folder / split / f"{one.source.name}.csv"
    path.parent.mkdir(parents=True, exist_ok=True)
    frame[["text", "label", "group"]].to_csv(path, index=False, lineterminator="\n")
    groups = set(frame["group"]) - {""}
    counts = frame["label"].value_counts()
    by_label = {str(label): int(n) for label, n in sorted(counts.items())}
    return FrozenFile(sha256=sha256_of(path), n_rows=len(frame), by_label=by_label, n_groups=len(groups))
