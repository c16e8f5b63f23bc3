"""The monitor: what it measures, what it tells, and what it keeps to itself."""

import math
from datetime import UTC, datetime, timedelta

import pytest

from adverse_events.lake.query import LocalReader
from adverse_events.monitoring import MonitorSettings, Stretch, measure, newest, psi, watch
from adverse_events.windows import Window
from tests.report_lake import WEEK, assessment, make_lake, write_undated, write_window

NOW = datetime(2026, 3, 8, tzinfo=UTC)


def stretch(days=7, end=NOW, **changes):
    """Return a stretch of 700 inputs a week, 600 of them assessed, 60 positive."""
    start = end - timedelta(days=days)
    whole = {
        "start": start,
        "end": end,
        "n_windows": days * 24,
        "first_window": start,
        "rows_in": 100 * days,
        "rows_assessed": 600,
        "rows_positive": 60,
        "rows_rejected": 7,
        "n_units": 90,
        "seconds": 0.1 * days,
        "scores": (400, 60, 40, 20, 20, 10, 10, 20, 10, 10),
        "languages": {"en": 600},
        "drugs": {"sertraline": 300, "ibuprofen": 200, "metformin": 100},
        "models": ("starter-1",),
        "coders": ("lay-3",),
    }
    return Stretch(**(whole | changes))


REFERENCE = stretch(days=28, end=NOW - timedelta(days=7))


def crossed(current, reference=REFERENCE, **limits):
    return [crossing.what for crossing in watch(current, reference, MonitorSettings(**limits)).crossings]


def test_days_like_those_before_are_within_all_bounds():
    watched = watch(stretch(), REFERENCE, MonitorSettings())
    assert (watched.crossings, watched.notes) == ((), ())
    assert watched.values["volume"] == pytest.approx(1)
    assert watched.values["positives"] == pytest.approx(0.1)
    assert watched.values["cost"] == pytest.approx(1000 * 90 * 0.0005 / 700)


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"scores": (100, 60, 40, 20, 20, 10, 10, 20, 160, 160)}, ["scores"]),
        ({"languages": {"en": 300, "": 300}}, ["languages"]),
        ({"drugs": {"sertraline": 60, "ibuprofen": 40, "a new one": 500}}, ["drugs"]),
        ({"rows_positive": 120}, ["positives"]),
        ({"rows_positive": 20}, ["positives"]),
        ({"rows_in": 140}, ["volume"]),
        ({"rows_in": 2800}, ["volume"]),
        ({"rows_rejected": 70}, ["rejects"]),
        ({"seconds": 1.5}, ["time"]),
    ],
)
def test_each_bound_is_told_by_itself(changes, told):
    assert crossed(stretch(**changes)) == told


def test_silence_is_told():
    gone = stretch(rows_in=0, rows_assessed=0, rows_positive=0, rows_rejected=0, n_windows=0, first_window=None)
    assert crossed(gone) == ["volume"]
    # After some weeks there is nothing to hold it against; it is silence all the same.
    assert crossed(gone, gone) == ["volume"]


def test_a_lake_younger_than_the_reference_is_not_taken_for_a_flood():
    young = REFERENCE.model_copy(update={"first_window": REFERENCE.end - timedelta(days=7), "rows_in": 700})
    assert crossed(stretch(), young) == []


def test_cost_is_judged_where_a_bound_is_set():
    assert crossed(stretch(n_units=9_000)) == []
    assert crossed(stretch(n_units=9_000), max_usd=0.5) == ["cost"]


def test_a_change_that_chance_explains_is_not_told():
    few = stretch(rows_assessed=40, rows_positive=7)
    assert crossed(few, least_posts=40) == []
    assert crossed(stretch(rows_assessed=400, rows_positive=70), least_posts=40) == ["positives"]


def test_few_posts_are_not_compared_and_that_is_said():
    watched = watch(stretch(rows_assessed=499, rows_positive=300), REFERENCE, MonitorSettings())
    assert watched.crossings == ()
    assert "499 assessed posts, 500 are wanted" in watched.notes[0]


def test_another_model_is_named_beside_the_drift():
    watched = watch(stretch(models=("mine+1",)), REFERENCE, MonitorSettings())
    assert watched.notes == ("other models than before: mine+1, not starter-1",)


def test_the_index_is_that_of_the_textbooks():
    """Shares 0.5 and 0.5 become 0.6 and 0.4: 0.1 ln 1.2 - 0.1 ln 0.8; half a post among so many is nothing."""
    assert psi([5e6, 5e6], [6e6, 4e6]) == pytest.approx(0.1 * math.log(1.2) - 0.1 * math.log(0.8), abs=1e-6)
    assert psi([3, 5, 0], [3, 5, 0]) == 0
    assert math.isfinite(psi([10, 0], [0, 10]))
    assert psi([10, 90], [90, 10]) == pytest.approx(psi([90, 10], [10, 90]))


@pytest.fixture
def lake(tmp_path):
    """Two hours of one batch and one of another; a file with lines that have no time."""
    made = make_lake(tmp_path / "lake")
    post = "[=Zoloft|sertraline] and [=Zoloft|sertraline] again with [=advil|ibuprofen]: [!headache|R51.9]"
    batches = [[{"station": "classify", "seconds": 6.0}]] * 2 + [[{"station": "classify", "seconds": 2.0}]]
    for hour, (n, durations) in enumerate(zip((1, 3, 4), batches, strict=True)):
        at = WEEK + timedelta(hours=hour)
        rows = [
            assessment(post, at=at + timedelta(minutes=i), tweet_id=f"{hour}{i}", probability=0.97 if i else 0.01)
            for i in range(n)
        ]
        rows[0]["lang"] = None
        units = [{"service": "InferICD10CM", "n_units": n}]
        write_window(made, Window(at), rows, rejected={"null_text": 1}, durations=durations, billable_units=units)
    write_undated(made, "week.jsonl", 3)
    return LocalReader(made)


def test_a_stretch_is_counted_from_receipts_and_rows(lake):
    found = measure(lake, WEEK, WEEK + timedelta(hours=2))
    assert (found.n_windows, found.rows_in, found.rows_assessed, found.rows_positive) == (2, 6, 4, 2)
    assert (found.rows_rejected, found.n_units, found.first_window) == (2, 4, WEEK)
    assert found.scores == (2, 0, 0, 0, 0, 0, 0, 0, 2, 0)
    assert found.languages == {"": 2, "en": 2}
    assert found.drugs == {"ibuprofen": 4, "sertraline": 4}
    assert (found.models, found.coders) == (("starter-1",), ("lay-3",))


def test_a_batch_shares_its_time_among_its_windows(lake):
    whole = (WEEK, WEEK + timedelta(hours=3))
    parts = [
        measure(lake, WEEK + timedelta(hours=n), WEEK + timedelta(hours=n + 1), around=whole).seconds for n in range(3)
    ]
    assert parts == pytest.approx([6 * 2 / 6, 6 * 4 / 6, 2.0])
    assert measure(lake, *whole).seconds == pytest.approx(8.0)


def test_the_end_of_a_lake_is_that_of_its_last_window(lake, tmp_path):
    assert newest(lake) == WEEK + timedelta(hours=3)
    undated = make_lake(tmp_path / "undated")
    write_undated(undated, "week.jsonl", 3)
    assert newest(LocalReader(undated)) is None


def test_a_stretch_without_windows_is_empty(lake):
    found = measure(lake, NOW, NOW + timedelta(days=1))
    assert (found.rows_in, found.first_window, found.days_covered, found.seconds) == (0, None, 0.0, 0.0)
    (crossing,) = watch(found, found, MonitorSettings()).crossings
    assert crossing.detail == "no inputs in these days, nor in those before"
