"""A small lake to report on, written straight from the table declarations; every post is made up.

A post is written with its spans marked: ``[=surface|ingredient]`` is a drug, ``[!surface|R51.9]`` an adverse
event, ``[?surface|I10]`` an indication, ``[~surface|R21]`` a negated mention, ``[+surface|R63.0]`` a benefit.
"""

from __future__ import annotations

import random
import re
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.parquet as pq

from adverse_events.lake import layout
from adverse_events.lake.marker import Marker
from adverse_events.tables import ASSESSMENTS, RECEIPTS, REJECTS, SCHEMA_VERSION, Table, conform
from adverse_events.windows import Window

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

WEEK = datetime(2026, 3, 2, tzinfo=UTC)
MISSING_HOURS = range(100, 106)
"""Hours of the sample week without a window."""

IN_FORCE = {
    "model_version": "starter-1",
    "lexicon_version": "drugs-7",
    "coder_version": "lay-3",
    "icd10cm_release": "2026-04",
    "code_version": "0.1.0",
    "ade_threshold": 0.5,
    "privacy_mode": "signal",
    "keep_text": "masked",
}

SERIOUS_EVERY, SPECIAL_EVERY = 9, 7
"""Of the sample week's positives, every how many tell a seriousness criterion and a special situation."""

INJECTION = "</script><script>window.injected=1</script><img src=x onerror=window.injected=1>"

CODES = {
    "F90.9": "Attention-deficit hyperactivity disorder, unspecified type",
    "G47.00": "Insomnia, unspecified",
    "I10": "Essential (primary) hypertension",
    "M79.10": "Myalgia, unspecified site",
    "R00.0": "Tachycardia, unspecified",
    "R04.0": "Epistaxis",
    "R05.8": "Other specified cough",
    "R10.9": "Unspecified abdominal pain",
    "R11.0": "Nausea",
    "R11.10": "Vomiting, unspecified",
    "R12": "Heartburn",
    "R19.7": "Diarrhea, unspecified",
    "R21": "Rash and other nonspecific skin eruption",
    "R40.0": "Somnolence",
    "R42": "Dizziness and giddiness",
    "R51.9": "Headache, unspecified",
    "R61": "Generalized hyperhidrosis",
    "R63.0": "Anorexia",
}

POSTS = (
    "Day 3 on [=sertraline|sertraline] and this [!headache|R51.9] just will not leave 😩",
    "😴😴 [=Zoloft|sertraline] makes me so [!sleepy|R40.0] I missed my stop twice, at least [~no nausea|R11.0]",
    "took [=ozempic|semaglutide] on friday, [!threw up|R11.10] all weekend. 0/10",
    "Week two of [=Wegovy|semaglutide] 💉 down 2 kg [+less hungry|R63.0] but the [!heartburn|R12] is brutal",
    "[=lisinopril|lisinopril] for my [?blood pressure|I10] gave me the [!dry cough|R05.8] everyone warned me about",
    "does anybody else get [!night sweats|R61] from [=venlafaxine|venlafaxine]? third t-shirt tonight 👩‍🔬",
    "started [=atorvastatin|atorvastatin] a month ago, now [!my legs ache|M79.10] on every stair",
    "[=methylphenidate|methylphenidate] = finally some focus for the [?ADHD|F90.9], also = [!zero appetite|R63.0] 🫀",
    "[=ibuprofen|ibuprofen] plus [=warfarin|warfarin] was a mistake, [!nosebleed|R04.0] for an hour",
    "[=prednisone|prednisone] day 5: [!wide awake|G47.00] at 4am reorganising the spice rack 🌶️",
    "my skin since [=amoxicillin|amoxicillin]: [!rash|R21] from neck to knees @user",
    "that [=gabapentin|gabapentin] [!fog|]… lost my keys, found them in the fridge",
)

RARE_POSTS = (
    f"{INJECTION} [=aspirin|aspirin] and now my [!stomach hurts|R10.9]",
    "منذ بدأت [=metformin|metformin] وأنا أعاني من [!diarrhea|R19.7] كل يوم",
    f"[=naproxen|naproxen] and [!ar{'g' * 160}h my gut|R10.9]",
    '=HYPERLINK("x") [=tramadol|tramadol] and I feel [!dizzy|R42]',
)

_SPAN = re.compile(r"\[([=!?~+])([^|\]]+)\|([^|\]]*)\]")
_ROLES = {"!": "ADE", "?": "INDICATION", "~": "ADE", "+": "BENEFIT"}


def assessment(marked: str, *, at: datetime, tweet_id: str, probability: float = 0.9, **changes: Any) -> dict[str, Any]:
    """Return one row of assessments for a post written with marks; positive from 0.5 on."""
    text, drugs, events = _read(marked)
    is_ade = probability >= IN_FORCE["ade_threshold"]
    row = {
        "tweet_id": tweet_id,
        "text": text,
        "created_at": at,
        "lang": "en",
        "source": "x",
        "drug_mentions": drugs,
        "ade_probability": probability,
        "is_ade": is_ade,
        "label": "Adverse_Event" if is_ade else "Not_AE",
        "events": events if is_ade else [],
        "seriousness": [],
        "special_situations": [],
        "n_duplicates": 0,
        "duplicate_tweet_ids": [],
        **{name: value for name, value in IN_FORCE.items() if name in ASSESSMENTS.schema.names},
    }
    return row | changes


def make_lake(folder: Path) -> Path:
    """Make `folder` an empty lake and return it."""
    folder.mkdir(parents=True, exist_ok=True)
    marker = Marker(
        schema_version=SCHEMA_VERSION,
        window_minutes=60,
        privacy_mode=IN_FORCE["privacy_mode"],
        key_fingerprint="made-up",
        created_by=IN_FORCE["code_version"],
    )
    (folder / layout.MARKER_KEY).write_text(marker.to_json())
    return folder


def write_window(
    lake: Path,
    window: Window,
    assessments: Sequence[Mapping[str, Any]],
    *,
    screened_out: Mapping[str, int] | None = None,
    rejected: Mapping[str, int] | None = None,
    **changes: Any,
) -> None:
    """Write a window's assessments and the receipt that accounts for them."""
    if assessments:
        _write(lake / layout.part_key("assessments", window, 0), assessments, ASSESSMENTS)
    _write(
        lake / layout.receipt_key(window),
        [receipt(window.start, window.end, assessments, screened_out or {}, rejected or {}) | changes],
        RECEIPTS,
    )


def write_undated(lake: Path, origin: str, n_rows: int) -> None:
    """Write the receipt and rejects of a file with lines whose time could not be read."""
    epoch = datetime(1970, 1, 1, tzinfo=UTC)
    reject = {"reason": "malformed_json", "detail": "not JSON", "source": "x", "origin": origin, "payload_sha256": "00"}
    _write(lake / layout.undated_part_key(origin), [reject] * n_rows, REJECTS)
    _write(
        lake / layout.undated_receipt_key(origin), [receipt(epoch, epoch, [], {}, {"malformed_json": n_rows})], RECEIPTS
    )


def write_sample_week(lake: Path, *, n_posts: int = 400, seed: int = 7) -> None:
    """Make a lake of a week of hourly windows with `n_posts` positives and three times as many negatives."""
    make_lake(lake)
    chance = random.Random(seed)  # noqa: S311 - a repeatable sample, not a secret
    rows: dict[Window, list[dict[str, Any]]] = {}
    marked = [*RARE_POSTS, *chance.choices(POSTS, weights=range(len(POSTS), 0, -1), k=n_posts - len(RARE_POSTS))]
    for index, post in enumerate([*marked, *chance.choices(POSTS, k=3 * n_posts)]):
        hour = _waking_hour(chance)
        at = WEEK + timedelta(hours=hour, seconds=chance.randrange(3600))
        is_positive = index < n_posts
        row = assessment(
            post,
            at=at,
            tweet_id=f"{chance.getrandbits(128):032x}",
            probability=round(chance.uniform(0.5, 0.995) if is_positive else chance.uniform(0.001, 0.49), 4),
            n_duplicates=chance.choice([0, 0, 0, 0, 0, 0, 1, 4]),
        )
        if is_positive and row["events"]:
            told = {key: row["events"][0][key] for key in ("text", "begin", "end")} | {"is_author": index % 2 == 0}
            row["seriousness"] = [{"criterion": "hospitalization", **told}] if index % SERIOUS_EVERY == 0 else []
            row["special_situations"] = [{"situation": "overdose", **told}] if index % SPECIAL_EVERY == 0 else []
        rows.setdefault(Window.containing(at), []).append(row)
    for hour in set(range(7 * 24)) - set(MISSING_HOURS):
        window = Window(WEEK + timedelta(hours=hour))
        screened_out = {"no_drug_mention": chance.randrange(20, 60), "language": chance.randrange(9), "repost": 5}
        write_window(
            lake,
            window,
            sorted(rows.get(window, []), key=lambda row: (row["created_at"], row["tweet_id"])),
            screened_out=screened_out | {"near_duplicate": chance.randrange(4)},
            rejected={"null_text": chance.randrange(2)},
        )
    write_undated(lake, "week.jsonl", 3)


def _waking_hour(chance: random.Random) -> int:
    while True:
        hour = 24 * chance.choices(range(7), weights=[5, 6, 5, 7, 9, 8, 6])[0] + int(chance.triangular(0, 24, 20))
        if hour not in MISSING_HOURS:
            return hour


def _read(marked: str) -> tuple[str, list[dict[str, Any]], list[dict[str, Any]]]:
    text, drugs, events, last = "", [], [], 0
    for match in _SPAN.finditer(marked):
        mark, surface, key = match.groups()
        text += marked[last : match.start()]
        begin, end = len(text), len(text) + len(surface)
        text, last = text + surface, match.end()
        if mark == "=":
            drugs.append({"mention": surface, "begin": begin, "end": end, "ingredient": key})
        else:
            events.append(_event(mark, surface, begin, end, key))
    return text + marked[last:], drugs, events


def _event(mark: str, surface: str, begin: int, end: int, code: str) -> dict[str, Any]:
    return {
        "text": surface,
        "begin": begin,
        "end": end,
        "category": "MEDICAL_CONDITION",
        "type": "DX_NAME",
        "score": 0.9,
        "traits": [{"name": "NEGATION", "score": 0.95}] if mark == "~" else [],
        "role": _ROLES[mark],
        "icd10cm_code": code or None,
        "icd10cm_description": CODES.get(code),
        "icd10cm_score": 0.8 if code else None,
        "cause_code": None,
        "is_event": mark == "!",
    }


def receipt(
    start: datetime,
    end: datetime,
    assessments: Sequence[Mapping[str, Any]],
    screened_out: Mapping[str, int],
    rejected: Mapping[str, int],
) -> dict[str, Any]:
    n_screened_out, n_rejected = sum(screened_out.values()), sum(rejected.values())
    return {
        "window_start": start,
        "window_end": end,
        "rows_in": len(assessments) + n_screened_out + n_rejected,
        "rows_assessed": len(assessments),
        "rows_positive": sum(row["is_ade"] for row in assessments),
        "rows_screened_out": n_screened_out,
        "rows_rejected": n_rejected,
        "screened_out": [{"reason": reason, "n_rows": n} for reason, n in screened_out.items() if n],
        "rejected": [{"reason": reason, "n_rows": n} for reason, n in rejected.items() if n],
        "rows_uncoded": 0,
        "uncoded": [],
        "n_events": sum(event["is_event"] for row in assessments for event in row["events"]),
        "parts": [],
        "recipe_sha256": "0" * 64,
        "durations": [],
        "billable_units": [],
        "served_by": [],
        "rows_deleted": 0,
        "deleted": [],
        "rows_unrepresented": 0,
        "written_at": end + timedelta(minutes=5),
        "schema_version": SCHEMA_VERSION,
        **IN_FORCE,
    }


def _write(path: Path, rows: Sequence[Mapping[str, Any]], table: Table) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    known = [{name: row.get(name) for name in table.schema.names} for row in rows]
    pq.write_table(conform(pa.Table.from_pylist(known, schema=table.schema), table), path)
