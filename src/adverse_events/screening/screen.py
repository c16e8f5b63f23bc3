"""Screening a batch: which posts go on, which are screened out and why, which contradict each other."""

from __future__ import annotations

from bisect import bisect_right
from collections import Counter
from dataclasses import asdict, replace
from itertools import accumulate, groupby
from typing import TYPE_CHECKING, Annotated, Self

import pyarrow as pa
import pyarrow.compute as pc
from pydantic import BaseModel, Field, StringConstraints

from adverse_events.errors import ContractError
from adverse_events.screening.duplicates import DuplicateIndex, Duplicates, Fate
from adverse_events.screening.language import judge_language
from adverse_events.staging import REJECTED, SCREENED, Batch, StagedWriter, Tally, read_staged

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from datetime import datetime
    from pathlib import Path

    from adverse_events.screening.drugs import DrugLexicon

REPOST, OTHER_LANGUAGE, NO_DRUG_MENTION = "repost", "other_language", "no_drug_mention"
MENTIONS = SCREENED.field("drug_mentions").type
CONFLICT = Fate.CONFLICTING_DUPLICATE_ID.name.lower()

LanguageCode = Annotated[str, StringConstraints(pattern="^[a-z]{2,3}$")]


class ScreeningSettings(BaseModel, frozen=True, extra="forbid"):
    """Which posts are worth scoring."""

    languages: tuple[LanguageCode, ...] = Field(
        ("en",), description="Languages kept, ISO 639-1 codes; an empty list keeps every language."
    )
    min_language_confidence: float = Field(
        0.5,
        ge=0,
        le=1,
        description="Probability, 0-1, from which a guessed language screens a post out; unused where the source "
        "names the language.",
    )
    keep_reposts: bool = Field(False, description="Keep reposts of other posts.")  # noqa: FBT003 - a default
    require_drug_mention: bool = Field(True, description="Screen out posts that name no drug.")  # noqa: FBT003 - a default
    near_duplicates: bool = Field(True, description="Screen out posts worded nearly like an earlier one.")  # noqa: FBT003 - a default
    near_duplicate_similarity: float = Field(
        0.8, ge=0.6, le=1, description="Lowest Jaccard similarity of words and word pairs that is a near duplicate."
    )


def screen(batch: Batch, settings: ScreeningSettings, lexicon: DrugLexicon) -> Batch:
    """Screen the rows of `batch`.

    Args:
        batch: Rows as `staging.TWEETS`.
        settings: What to keep.
        lexicon: Finds the drugs.

    Returns:
        The batch with rows as `staging.SCREENED`, rows of conflicting ids among its rejects, and every row that
        came in counted in exactly one place of its window's tally. Memory is a hundred bytes a row of the
        largest window, plus some chunks.

    Raises:
        ContractError: Rows of a window that is not the batch's, or windows out of order.
    """
    screened, rejects = batch.folder / "screened.arrow", batch.folder / "rejects-screening.arrow"
    passed = batch.folder / "screening-window.arrow"
    by_start = {window.start: window for window in batch.windows}
    tallies = dict(batch.tallies)
    with StagedWriter(screened, SCREENED) as output, StagedWriter(rejects, REJECTED) as refused:
        for start, chunks in groupby(_by_window(read_staged(batch.rows)), key=lambda piece: piece[0]):
            window = by_start.pop(start, None)
            if window is None:
                raise ContractError(
                    "screening", f"rows of window {start:%Y-%m-%dT%H:%MZ} are not the batch's to screen"
                )
            index = DuplicateIndex(near=settings.near_duplicates, min_similarity=settings.near_duplicate_similarity)
            counts: Counter[str] = Counter()
            with StagedWriter(passed, SCREENED) as survivors:
                for _, chunk in chunks:
                    survivors.write(_apply_cheap_screens(chunk, settings, lexicon, index, counts))
            with _StagedRows(passed) as rows:
                duplicates = index.find(rows)
                _settle(rows, duplicates, output, refused)
            passed.unlink()  # never truncated: a mapped file that shrinks ends the process
            counts.update({fate.name.lower(): int((duplicates.fates == fate).sum()) for fate in Fate if fate})
            tallies[window] = tallies.get(window, Tally()).plus(
                screened_out={reason: n for reason, n in counts.items() if n and reason != CONFLICT},
                rejected={CONFLICT: counts[CONFLICT]} if counts[CONFLICT] else {},
            )
    if refused.n_rows:
        return replace(batch, rows=screened, rejects=(*batch.rejects, rejects), tallies=tallies)
    rejects.unlink()
    return replace(batch, rows=screened, tallies=tallies)


def _by_window(chunks: Iterator[pa.RecordBatch]) -> Iterator[tuple[datetime, pa.RecordBatch]]:
    """Cut `chunks` where one window ends and the next begins."""
    for chunk in chunks:
        runs = pc.run_end_encode(chunk.column("window_start"))
        begin = 0
        for start, end in zip(runs.values.to_pylist(), runs.run_ends.to_pylist(), strict=True):
            yield start, chunk.slice(begin, end - begin)
            begin = end


def _apply_cheap_screens(
    chunk: pa.RecordBatch,
    settings: ScreeningSettings,
    lexicon: DrugLexicon,
    index: DuplicateIndex,
    counts: Counter[str],
) -> pa.Table:
    """Return the rows of `chunk` that need no look at others to be kept, and put them into `index`."""
    if not settings.keep_reposts:
        originals = chunk.filter(pc.invert(chunk.column("is_repost")))
        counts[REPOST] += chunk.num_rows - originals.num_rows
        chunk = originals
    texts = chunk.column("text").to_pylist()
    positions, langs, mentions = [], [], []
    for position, (text, lang) in enumerate(zip(texts, chunk.column("lang").to_pylist(), strict=True)):
        language, is_wanted = judge_language(
            text, lang, wanted=settings.languages, min_confidence=settings.min_language_confidence
        )
        if settings.languages and not is_wanted:
            counts[OTHER_LANGUAGE] += 1
            continue
        found = lexicon.find(text)
        if settings.require_drug_mention and not found:
            counts[NO_DRUG_MENTION] += 1
            continue
        positions.append(position)
        langs.append(language)
        mentions.append(found)
    kept = chunk.take(pa.array(positions, pa.int64()))
    index.add(
        kept.column("tweet_id").to_pylist(),
        [texts[position] for position in positions],
        [[mention.ingredient for mention in found] for found in mentions],
    )
    made = {
        "lang": pa.array(langs, pa.string()),
        "drug_mentions": pa.array([[asdict(mention) for mention in found] for found in mentions], MENTIONS),
        "n_duplicates": pa.array([0] * len(positions), pa.int32()),
        "duplicate_tweet_ids": pa.array([[]] * len(positions), pa.list_(pa.string())),
    }
    columns = [made[name] if name in made else kept.column(name) for name in SCREENED.names]
    return pa.Table.from_arrays(columns, schema=SCREENED)


def _settle(rows: _StagedRows, duplicates: Duplicates, output: StagedWriter, refused: StagedWriter) -> None:
    """Write the kept rows, each with its cluster, and the rows whose id contradicts another's."""
    clusters = duplicates.members()
    for first, chunk in rows.chunks():
        fates = duplicates.fates[first : first + chunk.num_rows]
        table = pa.Table.from_batches([chunk])
        kept = table.take(pa.array((fates == Fate.KEPT).nonzero()[0]))
        members = [clusters.get(first + offset, []) for offset in (fates == Fate.KEPT).nonzero()[0].tolist()]
        if any(members):
            ids = [[rows.value("tweet_id", position) for position in cluster] for cluster in members]
            kept = _with_clusters(kept, ids)
        output.write(kept)
        for offset in (fates == Fate.CONFLICTING_DUPLICATE_ID).nonzero()[0].tolist():
            other = rows.row(int(duplicates.stands_for[first + offset]))
            refused.write_rows([_reject(table.slice(offset, 1).to_pylist()[0], other)])


def _with_clusters(kept: pa.Table, ids: list[list[str]]) -> pa.Table:
    made = {
        "n_duplicates": pa.array([len(cluster) for cluster in ids], pa.int32()),
        "duplicate_tweet_ids": pa.array(ids, pa.list_(pa.string())),
    }
    columns = [made[name] if name in made else kept.column(name) for name in SCREENED.names]
    return pa.Table.from_arrays(columns, schema=SCREENED)


def _reject(row: Mapping[str, object], kept: Mapping[str, object]) -> dict[str, object]:
    where = f"{kept['origin']} row {kept['row_number']}" if kept["row_number"] else str(kept["origin"])
    return {
        "reason": CONFLICT,
        "detail": f"the same tweet_id has another text at {where}, which was kept; correct the id or remove one post",
        **{name: row[name] for name in REJECTED.names if name in row},
    }


class _StagedRows:
    """Random access to a staged file; a context manager. The file is mapped, not read."""

    def __init__(self, path: Path) -> None:
        self._source = pa.memory_map(str(path))
        reader = pa.ipc.open_file(self._source)
        self._chunks = [reader.get_batch(number) for number in range(reader.num_record_batches)]
        self._firsts = list(accumulate((chunk.num_rows for chunk in self._chunks), initial=0))

    def chunks(self) -> Iterator[tuple[int, pa.RecordBatch]]:
        """Yield each chunk with the position of its first row."""
        return zip(self._firsts, self._chunks, strict=False)

    def value(self, column: str, position: int) -> str:
        """Return one text value."""
        chunk, offset = self._locate(position)
        return str(chunk.column(column)[offset].as_py())

    def row(self, position: int) -> dict[str, object]:
        """Return one row."""
        chunk, offset = self._locate(position)
        row: dict[str, object] = chunk.slice(offset, 1).to_pylist()[0]
        return row

    def _locate(self, position: int) -> tuple[pa.RecordBatch, int]:
        number = bisect_right(self._firsts, position) - 1
        return self._chunks[number], position - self._firsts[number]

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._chunks.clear()
        self._source.close()
