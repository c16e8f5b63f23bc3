"""Staged batches for tests of the lake: made-up posts, the same for the same seed."""

from __future__ import annotations

import hashlib
import random
from collections import Counter
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from adverse_events.provenance import Provenance
from adverse_events.staging import CODED, REJECTED, Batch, StagedWriter, Tally
from adverse_events.windows import Window, windows_between

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

START = datetime(2026, 3, 1, tzinfo=UTC)

PROVENANCE = Provenance(
    model_version="toy-1",
    ade_threshold=0.5,
    lexicon_version="lexicon-1",
    coder_version="coder-1",
    icd10cm_release="2026",
    code_version="0.1.0",
    privacy_mode="signal",
    keep_text="masked",
    screening="{}",
    coding="{}",
)

LAKE = {"window_minutes": 60, "privacy_mode": "signal", "key_fingerprint": "a1b2c3d4"}
"""How every test opens its lake unless it is about opening."""


def hours(n: int, start: datetime = START) -> tuple[Window, ...]:
    """Return `n` consecutive windows of an hour."""
    return tuple(windows_between(start, start + timedelta(hours=n)))


def coded_row(window: Window, number: int, *, is_ade: bool = True) -> dict[str, Any]:
    """Return one coded post of `window`, schema `staging.CODED`."""
    text = f"[{number}] day {number % 9} on ozempic and this nausea will not stop, @user"
    drug, symptom = text.index("ozempic"), text.index("nausea")
    event = {
        "text": "nausea",
        "begin": symptom,
        "end": symptom + len("nausea"),
        "category": "MEDICAL_CONDITION",
        "type": "DX_NAME",
        "score": 0.9,
        "traits": [{"name": "SYMPTOM", "score": 0.8}],
        "role": "ADE",
        "icd10cm_code": "R11.0",
        "icd10cm_description": "Nausea",
        "icd10cm_score": 0.95,
        "cause_code": None,
        "is_event": True,
        "body_system": "digestive",
        "is_serious": False,
    }
    return {
        "tweet_id": hashlib.sha256(f"{window}{number}".encode()).hexdigest()[:32],
        "text": text,
        "created_at": window.start + timedelta(milliseconds=number),
        "lang": "en",
        "source": "x",
        "author_pseudonym": None,
        "drug_mentions": [{"mention": "ozempic", "begin": drug, "end": drug + 7, "ingredient": "semaglutide"}],
        "n_duplicates": 0,
        "duplicate_tweet_ids": [],
        "origin": "posts.jsonl",
        "row_number": number,
        "payload_sha256": hashlib.sha256(text.encode()).hexdigest(),
        "window_start": window.start,
        "ade_probability": 0.97 if is_ade else 0.02,
        "is_ade": is_ade,
        "label": "ADE" if is_ade else "Not_ADE",
        "is_truncated": False,
        "events": [event] if is_ade else [],
        "seriousness": [],
        "special_situations": [],
    }


def reject_row(window: Window | None, number: int, *, origin: str = "posts.jsonl") -> dict[str, Any]:
    """Return one staged reject, undated when `window` is None."""
    return {
        "reason": "malformed_json" if number % 2 else "null_text",
        "detail": "the line is not JSON; mend or remove it",
        "source": "x",
        "origin": origin,
        "row_number": number,
        "payload_sha256": hashlib.sha256(f"{origin}{number}".encode()).hexdigest(),
        "tweet_id": None,
        "created_at": None,
        "window_start": window.start if window else None,
    }


def stage(
    folder: Path,
    rows: Mapping[Window, list[dict[str, Any]]],
    rejects: list[dict[str, Any]] | None = None,
    *,
    rows_per_chunk: int = 4096,
) -> Batch:
    """Return a batch of the windows in `rows`, its files in `folder` and its tallies right."""
    folder.mkdir(parents=True, exist_ok=True)
    flat = [row for window_rows in rows.values() for row in window_rows]
    with StagedWriter(folder / "rows.arrow", CODED) as staged:
        for begin in range(0, len(flat), rows_per_chunk):
            staged.write_rows(flat[begin : begin + rows_per_chunk])
    stage_rejects(folder / "rejects.arrow", rejects or [])
    tallies = {}
    for window, window_rows in rows.items():
        refused = Counter(row["reason"] for row in rejects or [] if row["window_start"] == window.start)
        tallies[window] = Tally(len(window_rows) + refused.total() + 2, {"no_drug": 2}, dict(refused))
    return Batch(tuple(rows), folder / "rows.arrow", (folder / "rejects.arrow",), tallies, {"classify": 0.25})


def stage_rejects(path: Path, rejects: list[dict[str, Any]]) -> Path:
    """Write staged rejects to `path` and return it."""
    with StagedWriter(path, REJECTED) as staged:
        staged.write_rows(rejects)
    return path


def random_batch(folder: Path, *, seed: int, n_windows: int = 4, max_rows: int = 40) -> Batch:
    """Return a batch with some empty windows, some rejects, and row numbers that depend on `seed`."""
    draw = random.Random(seed)  # noqa: S311 - test data, not a secret
    rows, rejects = {}, []
    for window in hours(n_windows):
        n_rows = draw.choice((0, draw.randint(1, max_rows)))
        rows[window] = [coded_row(window, 1000 * seed + n, is_ade=n % 3 == 0) for n in range(n_rows)]
        rejects += [reject_row(window, 1000 * seed + n) for n in range(draw.choice((0, 0, 3)))]
    return stage(folder, rows, rejects)


def with_lost_row(batch: Batch) -> Batch:
    """Return `batch` with one more input in the tally of its last window than its rows account for."""
    last = batch.windows[-1]
    return replace(batch, tallies={**batch.tallies, last: batch.tallies[last].plus(rows_in=1)})


def data_files(lake: Path) -> dict[str, bytes]:
    """Return every visible file of a lake but the receipts, by key."""
    return {key: data for key, data in all_files(lake).items() if not key.startswith("receipts/")}


def all_files(lake: Path) -> dict[str, bytes]:
    """Return every file of a lake outside hidden folders, by key."""
    paths = (path for path in lake.rglob("*") if path.is_file())
    keys = {path.relative_to(lake).as_posix(): path for path in paths}
    return {key: path.read_bytes() for key, path in sorted(keys.items()) if not key.startswith(".")}
