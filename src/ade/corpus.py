"""`ade corpus`: labelled texts made ready to train on, and a prepared corpus checked."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ade import terminal
from ade.exits import DONE
from adverse_events.corpus.manifest import verify
from adverse_events.corpus.prepare import prepare
from adverse_events.corpus.source import CorpusSource
from adverse_events.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from adverse_events.corpus.manifest import CorpusManifest


def make_corpus(
    specs: Sequence[str],
    output: Path,
    *,
    labels: Sequence[str],
    columns: dict[str, Any],
    told: dict[str, dict[str, str]],
    seed: int,
    near_duplicate: float,
    with_test: bool,
    drop_empty: bool,
    as_json: bool,
) -> int:
    """Prepare a corpus and print what is in it; returns the exit code.

    Args:
        specs: Sources, as `CorpusSource.of` reads them.
        output: Folder to write.
        labels: Classes; the last is what is looked for.
        columns: Fields of `CorpusSource` that all share.
        told: Further fields, origin and licence, by name of a source.
        seed: Chooses another split.
        near_duplicate: Likeness at which two texts count as one.
        with_test: Take test texts too.
        drop_empty: Leave rows without a text out.
        as_json: Print JSON.

    Raises:
        UsageError: A source or column that is missing, or a folder that holds a corpus already.
        ContractError: A file that cannot be used.
    """
    if not specs:
        msg = "name at least one source: a file, a folder with a train file, or hub:DATASET"
        raise UsageError(msg)
    sources = [CorpusSource.of(spec, with_test=with_test, **columns) for spec in specs]
    unknown = set().union(*told.values()) - {source.name for source in sources}
    if unknown:
        msg = f"no source is called {', '.join(sorted(unknown))}; they are {', '.join(one.name for one in sources)}"
        raise UsageError(msg)
    sources = [
        source.model_copy(update={field: by_name.get(source.name) for field, by_name in told.items()})
        for source in sources
    ]
    manifest = prepare(
        sources,
        output,
        labels=labels,
        seed=seed,
        near_duplicate=near_duplicate,
        with_test=with_test,
        drop_empty=drop_empty,
    )
    _show(manifest, as_json=as_json)
    if not as_json:
        terminal.show_line(f"{output.resolve()} is ready: {terminal.program()} train {output}")
    return DONE


def check_corpus(folder: Path, *, as_json: bool) -> int:
    """Check a prepared corpus against its manifest and print what is in it; returns the exit code.

    Raises:
        UsageError: There is no manifest.
        ContractError: A file is not the one that was frozen.
    """
    manifest = verify(folder)
    _show(manifest, as_json=as_json)
    if not as_json:
        terminal.show_line("every file is the one that was frozen")
    return DONE


def _show(manifest: CorpusManifest, *, as_json: bool) -> None:
    if as_json:
        terminal.show_json(manifest.model_dump(mode="json"))
        return
    rows = []
    for name, frozen in manifest.files.items():
        split, _, file = name.partition("/")
        counts = (frozen.by_label.get(label, 0) for label in manifest.labels)
        rows.append((file.removesuffix(".csv"), split, frozen.n_rows, *counts, frozen.n_groups))
    terminal.show_table(("source", "split", "texts", *manifest.labels, "documents"), rows)
    terminal.show_table(
        ("left out", "empty", "duplicates", "two classes", "evaluated on"),
        [
            (name, dropped.empty, dropped.duplicates, dropped.conflicts, dropped.in_evaluation)
            for name, dropped in manifest.dropped.items()
        ],
    )
