"""What each station writes is what the next one reads, and no row is lost between any two."""

import json
from collections import Counter
from datetime import UTC, datetime, timedelta

import pyarrow as pa
import pyarrow.dataset as ds
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from adverse_events import assembly, staging
from adverse_events.accounting import RunAccount
from adverse_events.classification.classify import classify
from adverse_events.coding.code import code
from adverse_events.lake import LocalLake
from adverse_events.sample.week import N_POSTS, sample_week
from adverse_events.sample.week import START as MONDAY
from adverse_events.screening.screen import screen
from adverse_events.settings import load_settings
from adverse_events.source.spool import spool
from adverse_events.tables import ASSESSMENTS, RECEIPTS, REJECTS, conform


class Run:
    """The row's path on the core alone, keeping what stood between the stations."""

    def __init__(self, source, folder, **overrides):
        self.settings = load_settings({"source.path": str(source), "lake.path": str(folder / "lake"), **overrides})
        self.lake = assembly.lake_for(self.settings)
        self._provenance = assembly.provenance_for(self.settings)
        self._folder = folder

    def read(self, start=None, end=None):
        chosen = self.settings
        return spool(
            assembly.source_for(chosen),
            folder=self._folder / "spool",
            window_minutes=chosen.window_minutes,
            privacy=chosen.privacy,
            key=assembly.identity_key_for(chosen),
            start=start,
            end=end,
            rows_per_batch=chosen.rows_per_batch,
        )

    def stations(self, batch):
        """Yield the batch after each station, with the schema it has there."""
        yield batch, staging.TWEETS
        batch = screen(batch, self.settings.screening, assembly.lexicon())
        yield batch, staging.SCREENED
        batch = classify(batch, assembly.classifier_for(self.settings), self.settings.classifier)
        yield batch, staging.CLASSIFIED
        batch = code(batch, assembly.coder_for(self.settings), self.settings.coding)
        yield batch, staging.CODED

    def account(self, start=None, end=None):
        """Run all of it and return the closed account and all receipts."""
        spooled = self.read(start, end)
        windows = []
        for batch in spooled.batches:
            *_, (coded, _) = self.stations(batch)
            windows += self.lake.write(coded, self._provenance)
        undated = self.lake.write_undated(spooled.undated, self._provenance, spooled.origins)
        account = RunAccount.of(
            rows_read=spooled.rows_read,
            rows_out_of_range=spooled.rows_out_of_range,
            rows_not_due=0,
            windows=windows,
            undated=undated,
        )
        return account, [*windows, *undated]

    def stored(self, table):
        """Return the rows of a table as its files hold them."""
        files = sorted(str(path) for path in self.lake.root.glob(f"{table.name}/*/*/*.parquet"))
        return ds.dataset(files, schema=table.schema).to_table()


def rows_of(path):
    with pa.memory_map(str(path)) as file:
        return pa.ipc.open_file(file).read_all()


@pytest.fixture(scope="module")
def week(tmp_path_factory):
    """The sample week in batches of a few windows, and every station's output of the second batch."""
    run = Run(sample_week(), tmp_path_factory.mktemp("week"), rows_per_batch=300)
    spooled = run.read()
    return run, spooled, list(run.stations(spooled.batches[1]))


def test_every_station_keeps_to_the_schema_the_next_one_reads(week):
    _, spooled, stations = week
    assert len(spooled.batches) > 5
    for batch, schema in stations:
        rows = rows_of(batch.rows)
        assert rows.schema == schema
        assert rows.num_rows > 0
        assert [f.name for f in schema if not f.nullable and rows.column(f.name).null_count] == []
        assert all(rows_of(path).schema == staging.REJECTED for path in batch.rejects)


def test_stations_keep_the_windows_and_the_order_of_rows(week):
    _, _, stations = week
    [first, *later] = [batch for batch, _ in stations]
    before = rows_of(first.rows).column("payload_sha256").to_pylist()
    for batch in later:
        assert batch.windows == first.windows
        ids = rows_of(batch.rows).column("payload_sha256").to_pylist()
        position = {payload: index for index, payload in enumerate(before)}
        assert [position[payload] for payload in ids] == sorted(position[payload] for payload in ids)


def test_after_every_station_each_window_adds_up(week):
    _, _, stations = week
    for batch, _ in stations:
        left = Counter(rows_of(batch.rows).column("window_start").to_pylist())
        for window, tally in batch.tallies.items():
            tally.check(window, left[window.start])


def test_a_station_changes_no_column_it_was_given(week):
    _, _, stations = week
    screened, classified, coded = [rows_of(batch.rows) for batch, _ in stations[1:]]
    assert classified.select(screened.column_names).equals(screened)
    assert coded.select(classified.column_names).equals(classified)


def test_offsets_point_into_the_text_of_their_row(week):
    _, _, stations = week
    n_events = 0
    for row in rows_of(stations[-1][0].rows).to_pylist():
        for mention in row["drug_mentions"]:
            assert row["text"][mention["begin"] : mention["end"]] == mention["mention"]
        for event in row["events"]:
            assert row["text"][event["begin"] : event["end"]] == event["text"]
        assert row["is_ade"] or not row["events"]
        n_events += len(row["events"])
    assert n_events > 0


def test_what_the_lake_holds_conforms_to_its_tables_and_to_the_account(tmp_path):
    run = Run(sample_week(), tmp_path)
    account, receipts = run.account(MONDAY, MONDAY + timedelta(days=1))
    assert account.rows_read > N_POSTS
    assert account.rows_out_of_range > account.rows_assessed > 0
    for table in (ASSESSMENTS, REJECTS, RECEIPTS):
        rows = run.stored(table)
        assert conform(rows, table).equals(rows)
    check_lake_agrees(run, account, receipts)
    assert set(run.stored(REJECTS).column("reason").to_pylist()) == set(account.rejected)


def check_lake_agrees(run, account, receipts):
    """Rows in the tables, sums of the receipts and the account of the run are one and the same."""
    stored = run.lake.receipts()
    total = {name: sum(stored.column(name).to_pylist()) for name in ("rows_in", "rows_assessed", "rows_rejected")}
    assert stored.num_rows == len(receipts)
    assert run.stored(ASSESSMENTS).num_rows == total["rows_assessed"] == account.rows_assessed
    assert run.stored(REJECTS).num_rows == total["rows_rejected"] == account.rows_rejected
    assert total["rows_in"] + account.rows_out_of_range == account.rows_read
    assert sum(run.stored(ASSESSMENTS).column("is_ade").to_pylist()) == account.rows_positive


START = datetime(2026, 3, 1, tzinfo=UTC)
TEXTS = (
    "sertraline keeps me awake all night",
    "Sertraline keeps me awake all night!!",
    "second week of metformin and the nausea will not stop",
    "desde que tomo ibuprofeno me duele mucho la cabeza todos los dias",
    "RT @someone: ozempic made me so dizzy",
    "a walk by the canal",
    "",
    None,
    7,
    "half a pair \ud83d",
)

posts = st.fixed_dictionaries(
    {"text": st.sampled_from(TEXTS)},
    optional={
        "id": st.one_of(st.integers(1, 6).map(str), st.sampled_from(["", None, "1.5E+18", 1.5])),
        "lang": st.sampled_from(["en", "es", "und", None]),
        "author_id": st.just("77"),
        "created_at": st.one_of(
            st.integers(-60, 240).map(lambda minutes: (START + timedelta(minutes=minutes)).isoformat()),
            st.sampled_from(["2026-03-01T00:30:00", "yesterday", "1900-01-01T00:00:00Z", None]),
        ),
    },
).map(json.dumps)
lines = st.lists(st.one_of(posts, posts, posts, st.sampled_from(["{broken", "[]", "12", '"text"', "{}"])), max_size=12)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(content=lines, is_ranged=st.booleans())
def test_no_row_of_any_archive_is_lost(tmp_path_factory, content, is_ranged):
    folder = tmp_path_factory.mktemp("archive")
    # One post that is good: a file without a single column is no archive at all.
    good = json.dumps({"id": "99", "text": TEXTS[2], "created_at": START.isoformat()})
    (folder / "posts.jsonl").write_text("\n".join([good, *content]) + "\n")
    run = Run(folder / "posts.jsonl", folder)
    span = (START, START + timedelta(hours=2)) if is_ranged else (None, None)

    account, receipts = run.account(*span)

    assert account.rows_read == len(content) + 1
    n_accounted = account.rows_out_of_range + account.rows_assessed + account.rows_screened_out + account.rows_rejected
    assert n_accounted == account.rows_read
    assert account.n_windows == 2 or not is_ranged
    check_lake_agrees(run, account, receipts)


def test_the_default_lake_is_a_local_one(tmp_path):
    assert isinstance(Run(sample_week(), tmp_path).lake, LocalLake)
