"""Labelled texts to evaluate on: a file, or a split of a prepared corpus."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any

import pandas as pd

from adverse_events.corpus.manifest import CorpusManifest, sha256_of, verify
from adverse_events.corpus.overlap import Placed, refuse_overlap
from adverse_events.corpus.reading import read_labelled
from adverse_events.errors import UsageError
from adverse_events.evaluation.evaluate import ALL, LabelledTexts

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path


def read_data(
    path: Path,
    *,
    labels: Sequence[str],
    split: str = "validation",
    corpus: Path | None = None,
    source_column: str | None = None,
    **columns: Any,
) -> tuple[LabelledTexts, dict[str, Any]]:
    """Read what to evaluate on.

    Args:
        path: A labelled file, or a folder that `ade corpus` wrote.
        labels: The model's classes.
        split: Which split of a prepared corpus.
        corpus: Prepared corpus that the model was trained on: evaluation texts that occur in its training texts are
            refused. A prepared corpus at `path` is checked against itself.
        source_column: Column of the file that names the source of each text; ``source`` when None and there is one.
        **columns: As for `corpus.reading.read_labelled`.

    Returns:
        The texts, and the facts of where they came from (path, sha256, n_rows).

    Raises:
        UsageError: A missing file, split or column.
        ContractError: A file that cannot be used, or texts that were trained on.
    """
    is_corpus = path.is_dir()
    if is_corpus:
        frame, digest = _of_corpus(verify(path), path, split, labels)
    else:
        frame, digest = read_labelled(path, labels=labels, source_column=source_column, **columns), sha256_of(path)
        frame["source"] = frame["source"].where(frame["source"] != "", path.stem)
    sources = set(frame["source"])
    if ALL in sources and len(sources) > 1:
        msg = f"{path}: a source may not be called {ALL}, which means every source together; rename it"
        raise UsageError(msg)
    trained_on = corpus or (path if is_corpus and split != "train" else None)
    if trained_on is not None:
        _check_apart(frame, trained_on, path.name)
    facts = {"path": path.name, "sha256": digest, "n_rows": len(frame)}
    lists = (frame[name].tolist() for name in ("text", "label", "source", "group"))
    return LabelledTexts(*lists), facts


def _of_corpus(manifest: CorpusManifest, folder: Path, split: str, labels: Sequence[str]) -> tuple[pd.DataFrame, str]:
    names = [name for name in manifest.files if name.startswith(f"{split}/")]
    if not names:
        splits = sorted({name.split("/")[0] for name in manifest.files})
        msg = f"{folder} has no split {split}; it has {', '.join(splits)}"
        raise UsageError(msg)
    frames = []
    for name in names:
        frame = read_labelled(folder / name, labels=labels)
        frame["source"] = (folder / name).stem
        frames.append(frame)
    digest = hashlib.sha256("".join(manifest.files[name].sha256 for name in names).encode()).hexdigest()
    return pd.concat(frames, ignore_index=True), digest


def _check_apart(frame: pd.DataFrame, corpus: Path, name: str) -> None:
    manifest = CorpusManifest.read(corpus)
    for file in manifest.files:
        if file.startswith("train/"):
            train = read_labelled(corpus / file, labels=manifest.labels)
            refuse_overlap(Placed.of(train, file), Placed.of(frame, name), threshold=manifest.near_duplicate)
