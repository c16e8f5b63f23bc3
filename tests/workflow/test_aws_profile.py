"""The AWS profile over the wire: real boto3 against servers on this machine, chosen by settings alone."""

import hashlib
import itertools
import json
import os
import signal
import subprocess
import sys
import textwrap
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import stamina

from adverse_events import assembly
from adverse_events.errors import PermanentServiceError, TransientServiceError
from adverse_events.lake.query import LocalReader
from adverse_events.local_aws.comparison import assessments, compare
from adverse_events.local_aws.faults import Fault
from adverse_events.local_aws.stack import SERVICES, LocalAws
from adverse_events.sample import wire
from adverse_events.sample.generate import generate
from adverse_events.sample.week import sample_week
from adverse_events.settings import load_settings
from flows.backfill import backfill_adverse_events
from flows.detect import detect_adverse_events

CHECKOUT = Path(__file__).resolve().parents[2]
DAY = datetime(2026, 3, 3, tzinfo=UTC)
WHOLE, QUARTER = (DAY, DAY + timedelta(days=1)), (DAY, DAY + timedelta(hours=6))
HASTY = {"aws.max_attempts": 2}
"""For runs that are to fail: a refusal is not worth waiting for here."""

_names = (f"ade{number}" for number in itertools.count())


@pytest.fixture(scope="module")
def aws(tmp_path_factory):
    """One AWS for all tests; each works under names of its own."""
    with LocalAws(seed=11) as local, pytest.MonkeyPatch.context() as patch:
        # The key of every test, so that ids are the same in every lake.
        patch.setenv("XDG_CONFIG_HOME", str(tmp_path_factory.getbasetemp() / "config"))
        yield local


@pytest.fixture
def made(aws, monkeypatch):
    for name, value in aws.environment().items():
        monkeypatch.setenv(name, value)
    yield aws.provision(next(_names))
    aws.faults.clear()
    aws.counts.reset()


@pytest.fixture(scope="module")
def embedded(aws, tmp_path_factory):
    """The sample week on the embedded default."""
    lake = tmp_path_factory.mktemp("embedded") / "lake"
    detect_adverse_events.fn(source=str(sample_week()), lake=str(lake))
    return LocalReader(lake)


def detect(made, source=None, window_range=(None, None), **options):
    settings = options_of(made) | options
    start, end = window_range
    return detect_adverse_events.fn(
        source=str(source or sample_week()), lake=made.lake, start=start, end=end, options=settings
    )


def backfill(made, window_range, **options):
    start, end = window_range
    return backfill_adverse_events.fn(
        source=str(sample_week()), lake=made.lake, start=start, end=end, options=options_of(made) | options
    )


def options_of(made):
    return {name: value for name, value in made.settings().items() if name != "lake.path"}


def reader(made):
    return assembly.reader_for(load_settings(made.settings()))


def objects(aws, made):
    """Return every object of the lake but leases: key, version and time."""
    pages = aws.inside.client("s3").get_paginator("list_objects_v2").paginate(Bucket=made.bucket, Prefix="lake/")
    found = [item for page in pages for item in page.get("Contents", ())]
    return {item["Key"]: (item["ETag"], item["LastModified"]) for item in found if "/_locks/" not in item["Key"]}


def data(aws, made):
    """Return the bytes of the data objects, by key."""
    return {
        key: aws.inside.read(made.bucket, key)
        for key in objects(aws, made)
        if key.startswith(("lake/assessments/", "lake/rejects/"))
    }


def rows_between(rows, window_range):
    first, last = window_range
    kept = [
        row
        for row in rows.to_pylist()
        if f"{first:%Y-%m-%d %H%M}" <= f"{row['event_date']} {row['event_time']}" < f"{last:%Y-%m-%d %H%M}"
    ]
    assert kept
    return kept


def check_receipts(aws, made):
    """Every receipt vouches for objects that are there, whole."""
    with reader(made).connect() as connection:
        receipts = connection.sql("SELECT window_start, parts FROM receipts").fetchall()
    for _, parts in receipts:
        for part in parts:
            body = aws.inside.read(made.bucket, f"lake/{part['key']}")
            assert (len(body), hashlib.sha256(body).hexdigest()) == (part["n_bytes"], part["sha256"])
    return len(receipts)


def test_the_week_over_the_wire_is_the_week_of_the_embedded_default(aws, made, embedded):
    """Assessments row for row in every column but coder_version, rejects and account too; and Athena sees them."""
    account = detect(made)

    comparison = compare(reader(made), embedded)
    assert comparison.is_equal, comparison
    assert comparison.n_rows == account.rows_assessed > 2000
    rejects = "SELECT reason, origin, row_number, payload_sha256 FROM rejects ORDER BY ALL"
    with reader(made).connect() as wired, embedded.connect() as local:
        assert wired.sql(rejects).fetchall() == local.sql(rejects).fetchall()
    question = "SELECT icd10cm_code, count(*) AS n FROM detected_events GROUP BY 1 ORDER BY 2 DESC, 1"
    assert reader(made).query(question).to_pylist() == embedded.query(question).to_pylist()
    assert account.billable_units.keys() == {"comprehendmedical:InferICD10CM"}
    check_receipts(aws, made)


def test_a_thousand_posts_of_one_hour_cost_a_fraction_of_a_request_per_post(aws, made, tmp_path):
    """The older sample asked the endpoint once per post, Comprehend twice per positive, and wrote an object each."""
    source = tmp_path / "hour.jsonl"
    posts = [
        wire.tweet(post) | {"created_at": f"2026-03-03T10:{number % 60:02d}:00.000Z"}
        for number, post in enumerate(generate(1000, 5))
    ]
    source.write_text("".join(f"{json.dumps(post)}\n" for post in posts))

    account = detect(made, source)

    assert account.rows_assessed > 600
    assert aws.counts.requests("sagemaker-runtime") <= account.rows_assessed / 30
    assert aws.counts.requests("comprehendmedical") <= account.rows_positive * 2 / 2 + 1  # one asks for the version
    assert len(objects(aws, made)) <= account.rows_assessed / 100


def test_faults_on_every_service_change_no_row(aws, made, embedded):
    aws.faults.everywhere(0.05, SERVICES)

    account = detect(made, window_range=WHOLE)

    aws.faults.clear()
    rows = assessments(reader(made)).to_pylist()
    assert rows == rows_between(assessments(embedded), WHOLE)
    assert len({row["tweet_id"] for row in rows}) == len(rows) == account.rows_assessed
    struck, kinds = (set(names) for names in zip(*aws.faults.done, strict=True))
    assert struck >= {"s3", "comprehendmedical"}
    assert len(kinds) >= 4
    assert aws.faults.done.total() >= 8
    check_receipts(aws, made)


def test_a_run_over_a_finished_range_leaves_every_object_as_it_is(aws, made):
    first = detect(made, window_range=QUARTER)
    before = objects(aws, made)

    again = detect(made, window_range=QUARTER)

    assert objects(aws, made) == before
    assert again.n_windows_unchanged == first.n_windows == 6


def test_a_run_killed_half_way_is_completed_by_the_next_one(aws, made, tmp_path):
    script = f"""
        from datetime import datetime
        from flows.detect import detect_adverse_events
        detect_adverse_events.fn(
            source={str(sample_week())!r}, lake={made.lake!r}, options={options_of(made)!r},
            start=datetime.fromisoformat({QUARTER[0].isoformat()!r}),
            end=datetime.fromisoformat({QUARTER[1].isoformat()!r}),
        )
    """
    aws.faults.set("s3", {Fault.SLOW: 1.0})
    process = subprocess.Popen([sys.executable, "-c", textwrap.dedent(script)], cwd=CHECKOUT, stderr=subprocess.DEVNULL)
    deadline = time.monotonic() + 60
    while not data(aws, made) and process.poll() is None and time.monotonic() < deadline:
        time.sleep(0.01)
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    aws.faults.clear()
    n_left, n_receipts = len(data(aws, made)), check_receipts(aws, made)
    aws.pass_time(60)  # the killed run's lease runs out

    detect(made, window_range=QUARTER)

    undisturbed = aws.provision(next(_names))
    detect(undisturbed, window_range=QUARTER)
    assert n_left > 0
    assert n_receipts < check_receipts(aws, made) == check_receipts(aws, undisturbed)
    assert data(aws, made) == data(aws, undisturbed)


@pytest.mark.parametrize(("service", "after"), [("sagemaker-runtime", 1), ("comprehendmedical", 5), ("s3", 20)])
def test_a_service_that_stays_down_fails_the_run_and_leaves_no_half_window(aws, made, embedded, service, after):
    aws.faults.take_down(service, after=after)

    with stamina.set_testing(True, attempts=2), pytest.raises(TransientServiceError, match=service):
        detect(made, window_range=QUARTER, **HASTY)

    aws.faults.clear()
    aws.pass_time(60)
    if objects(aws, made):
        check_receipts(aws, made)
    detect(made, window_range=QUARTER)
    assert assessments(reader(made)).to_pylist() == rows_between(assessments(embedded), QUARTER)


@pytest.mark.parametrize(
    ("service", "after", "fault", "says"),
    [
        ("s3", 40, Fault.EXPIRED, "credentials have expired; renew them and run again"),
        ("comprehendmedical", 12, Fault.EXPIRED, "credentials have expired"),
        ("sagemaker-runtime", 3, Fault.SKEWED, "this machine's clock"),
        ("s3", 40, Fault.SKEWED, "this machine's clock differs from AWS's by minutes"),
    ],
)
def test_a_backfill_whose_credentials_or_clock_fail_half_way_is_completed_by_the_next(
    aws, made, embedded, service, after, fault, says
):
    """It fails at the first refusal, without asking again; what it had finished is not touched by the next."""
    options = {"rows_per_batch": 30}
    aws.faults.set(service, {fault: 1.0}, after=after)
    with pytest.raises(PermanentServiceError, match=says):
        backfill(made, QUARTER, **options)
    aws.faults.clear()
    aws.pass_time(60)  # a lease could not be given back
    stands = {key: seen for key, seen in objects(aws, made).items() if key.startswith("lake/receipts/")}
    n_finished = check_receipts(aws, made)

    backfill(made, QUARTER, **options)

    assert 0 < n_finished < check_receipts(aws, made)
    assert stands.items() <= objects(aws, made).items()
    assert assessments(reader(made)).to_pylist() == rows_between(assessments(embedded), QUARTER)


def test_a_bucket_that_is_not_there_is_named_before_a_catalog_of_another_lake(made):
    detect(made, window_range=QUARTER)
    with pytest.raises(PermanentServiceError, match=r"s3://nowhere-at-all/lake/.*404.*does not exist"):
        detect_adverse_events.fn(
            source=str(sample_week()),
            lake="s3://nowhere-at-all/lake",
            start=QUARTER[0],
            end=QUARTER[1],
            options=options_of(made),
        )


def test_the_week_in_windows_of_a_day_keeps_every_bar_and_its_rows(aws, made, tmp_path):
    """Objects follow the windows: of an hour, the same quiet week has 343 of them, 1 per 6.6 posts scored.

    The older sample asked the endpoint once per post, Comprehend twice per positive, and wrote an object each.
    """
    account = detect(made, window_minutes=1440)

    assert account.rows_assessed > 2000
    assert aws.counts.requests("sagemaker-runtime") <= account.rows_assessed / 30
    assert aws.counts.requests("comprehendmedical") <= account.rows_positive * 2 / 2
    assert len(objects(aws, made)) <= account.rows_assessed / 100
    detect_adverse_events.fn(source=str(sample_week()), lake=str(tmp_path), options={"window_minutes": 1440})
    comparison = compare(reader(made), LocalReader(tmp_path))
    assert comparison.is_equal, comparison


def test_a_catalog_that_stays_down_fails_the_run_while_the_data_stand(aws, made, embedded):
    aws.faults.take_down("glue", after=3)

    with stamina.set_testing(True, attempts=2), pytest.raises(TransientServiceError, match="glue"):
        detect(made, window_range=QUARTER, **HASTY)

    aws.faults.clear()
    assert check_receipts(aws, made) == 6 + 1  # one for the input whose time cannot be read
    assert assessments(reader(made)).to_pylist() == rows_between(assessments(embedded), QUARTER)


@pytest.mark.parametrize("status", ["Creating", "Failed"])
def test_an_endpoint_that_does_not_serve_is_refused_before_a_post_is_read(aws, made, status):
    aws.endpoints.put(made.endpoint, status, "the container did not answer /ping" if status == "Failed" else "")

    with pytest.raises(PermanentServiceError, match=status):
        detect(made, source="no such file", window_range=QUARTER)


def test_a_score_that_stays_no_number_rejects_its_post_and_no_other(aws, made, embedded):
    aws.faults.set("sagemaker-runtime", {Fault.NAN: 1.0}, after=1)  # asked what it is, the endpoint is well

    account = detect(made, window_range=QUARTER, **HASTY)

    n_without = account.rejected["invalid_probability"]
    found = assessments(reader(made)).to_pylist()
    expected = rows_between(assessments(embedded), QUARTER)
    assert n_without > 0
    assert len(found) == len(expected) - n_without
    assert all(row in expected for row in found)
