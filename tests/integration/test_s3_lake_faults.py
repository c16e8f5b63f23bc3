"""What a lake in a bucket survives: faults of the network and the service, kills, two writers at once."""

import random
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from threading import Event

import pytest

from adverse_events.aws.settings import AwsSettings
from adverse_events.errors import PermanentServiceError, TransientServiceError
from adverse_events.lake import LocalLake
from adverse_events.lake.parts import PartSize
from adverse_events.lake.s3.lake import S3Lake
from adverse_events.lake.s3.lease import LeaseTerms
from tests.faulty_service import cut_answer, lost_answer, refusal, reset
from tests.lake_process import writer
from tests.moto_server import (
    BUCKET,
    REGION,
    aws_environment,
    cloud_at,
    objects_in,
)
from tests.staged_batches import LAKE, PROVENANCE, coded_row, data_files, hours, random_batch, stage

ROOT = Path(__file__).parents[2]
URL = f"s3://{BUCKET}/lake"
SIZE = PartSize(rows_per_part=40, row_group_rows=20)
LOCK = "lake/_locks/event_date=2026-03-01.json"
FAULTS = [refusal(503, "SlowDown"), refusal(500, "InternalError"), reset, lost_answer, cut_answer]


def open_lake(cloud, lifetime_s=20.0):
    terms = LeaseTerms(lifetime_s, patience_s=40.0, poll_s=0.05)
    return S3Lake.open(cloud, URL, **LAKE, part_size=SIZE, lease_terms=terms)


def objects(cloud):
    """Every data object of the lake and its marker, by key."""
    found = objects_in(cloud, prefix="lake/")
    return {key: data for key, data in found.items() if not key.startswith(("receipts/", "_locks/"))}


def check_receipts_tell_the_truth(cloud):
    present = {key: len(data) for key, data in objects(cloud).items()}
    receipts = open_lake(cloud).receipts().to_pylist()
    for receipt in receipts:
        partition = f"{receipt['window_start']:event_date=%Y-%m-%d/event_time=%H%M/}"
        of_window = {key: size for key, size in present.items() if partition in key}
        assert of_window == {part["key"]: part["n_bytes"] for part in receipt["parts"]}
    return receipts


def local_objects(tmp_path, batch, provenance=PROVENANCE):
    """What the lake must hold after an undisturbed write of `batch`."""
    lake = LocalLake.open(tmp_path / f"local-{provenance.model_version}", **LAKE, part_size=SIZE)
    lake.write(batch, provenance)
    return data_files(lake.root)


def test_with_one_request_in_twenty_failing_the_objects_are_the_same(cloud, moto, trouble, monkeypatch, tmp_path):
    """Refused, broken off before and after the deed, answers cut short; first writes and rewrites."""
    patient = cloud_at(moto, monkeypatch, AwsSettings(region=REGION, max_attempts=6))
    batches = [random_batch(tmp_path / str(seed), seed=seed, n_windows=12) for seed in (1, 2)]
    trouble.fail_at_random(0.05, FAULTS, seed=20260301)
    trouble.requests.clear()

    for batch in batches:
        open_lake(patient).write(batch, PROVENANCE)

    n_requests = len(trouble.requests)
    trouble.rules.clear()
    assert objects(cloud) == local_objects(tmp_path, batches[1])
    assert len(check_receipts_tell_the_truth(cloud)) == 12
    assert n_requests > 70


@pytest.mark.parametrize(
    ("fault", "kind"),
    [
        (refusal(503, "SlowDown"), TransientServiceError),
        (reset, TransientServiceError),
        (refusal(400, "IncompleteBody"), PermanentServiceError),
        (refusal(400, "KMS.DisabledException"), PermanentServiceError),
        (refusal(400, "ExpiredToken"), PermanentServiceError),
    ],
    ids=["throttled", "reset", "truncated", "key disabled", "expired"],
)
def test_a_window_that_fails_for_good_has_no_receipt_and_a_rerun_completes_it(cloud, trouble, tmp_path, fault, kind):
    """The failure starts in the middle of a rewrite: earlier windows stand, no receipt vouches for partial data."""
    old, new = (random_batch(tmp_path / str(seed), seed=seed, n_windows=5) for seed in (1, 2))
    lake = open_lake(cloud)
    lake.write(old, PROVENANCE)
    trouble.fail("PUT", fault, containing=".parquet", after=4)

    with pytest.raises(kind, match=r"window 2026-03-01.* may be incomplete, and then has no receipt: run it again"):
        lake.write(new, PROVENANCE)

    trouble.rules.clear()
    assert 0 < len(check_receipts_tell_the_truth(cloud)) < 5
    missing, _ = lake.pending({w: new.tallies[w].rows_in for w in new.windows}, PROVENANCE.recipe_sha256)
    assert missing
    lake.write(new, PROVENANCE)
    assert objects(cloud) == local_objects(tmp_path, new)


def test_answers_that_are_always_cut_short_end_as_a_transient_error(cloud, trouble, tmp_path):
    """A lake that half of a receipt was read from would pass for damaged."""
    lake = open_lake(cloud)
    (window,) = hours(1)
    (receipt,) = lake.write(stage(tmp_path / "s", {window: [coded_row(window, 1)]}), PROVENANCE)

    trouble.fail("GET", cut_answer, containing="receipt.parquet")
    with pytest.raises(TransientServiceError, match=f"GetObject .*{receipt.key}: an answer that is cut short"):
        lake.pending({window: 3}, PROVENANCE.recipe_sha256)
    trouble.fail("GET", cut_answer, containing="list-type")
    with pytest.raises(TransientServiceError, match="ListObjectsV2"):
        lake.receipts()


def test_a_put_whose_answer_was_lost_counts_as_done(cloud, moto, trouble, monkeypatch, tmp_path):
    """botocore repeats it, S3 refuses the repetition because the object is there, and it is ours."""
    patient = cloud_at(moto, monkeypatch, AwsSettings(region=REGION, max_attempts=2))
    lake = open_lake(patient)
    (window,) = hours(1)
    batch = stage(tmp_path / "s", {window: [coded_row(window, 1)]})
    lost = []

    def once_per_object(request):
        if request.startswith("PUT") and request not in lost:
            lost.append(request)
            return lost_answer
        return None

    trouble.rules.append(once_per_object)
    lake.write(batch, PROVENANCE)

    assert len(lost) == 3
    assert len(check_receipts_tell_the_truth(cloud)) == 1


def test_a_deletion_that_fails_leaves_no_receipt_over_old_rows(cloud, trouble, tmp_path):
    lake = open_lake(cloud)
    (window,) = hours(1)
    rows = [coded_row(window, n) for n in range(90)]
    lake.write(stage(tmp_path / "a", {window: rows}), PROVENANCE)
    fewer = stage(tmp_path / "b", {window: rows[:10]})
    trouble.fail("DELETE", refusal(403, "AccessDenied"), containing="part-0002")

    with pytest.raises(PermanentServiceError, match=r"DeleteObject .*part-0002\.parquet: AccessDenied"):
        lake.write(fewer, PROVENANCE)

    assert lake.receipts().num_rows == 0
    trouble.rules.clear()
    lake.write(fewer, PROVENANCE)
    assert objects(cloud) == local_objects(tmp_path, fewer)


def one_of(candidates, cloud):
    """Check that each window holds what one of the writers would leave there."""
    left = objects(cloud)
    for window in hours(12):
        of_window = {key: data for key, data in left.items() if window.partition in key}
        assert of_window in [
            {key: data for key, data in each.items() if window.partition in key} for each in candidates
        ]


def test_two_threads_with_different_recipes_leave_one_result_for_each_window(cloud, tmp_path):
    batch = random_batch(tmp_path / "s", seed=1, n_windows=12)
    recipes = [replace(PROVENANCE, model_version=f"toy-{n}") for n in (1, 2)]
    lakes = [open_lake(cloud) for _ in recipes]
    with ThreadPoolExecutor(2) as pool:
        for _ in range(2):
            list(pool.map(lambda lake, recipe: lake.write(batch, recipe), lakes, recipes))

    one_of([local_objects(tmp_path, batch, recipe) for recipe in recipes], cloud)
    assert len(check_receipts_tell_the_truth(cloud)) == 12


def test_a_writer_held_up_past_its_lease_is_refused_and_the_other_stands(cloud, trouble, tmp_path):
    """Its put arrives after another run took the date over and finished: S3 refuses it by its condition."""
    batch = stage(tmp_path / "s", {w: [coded_row(w, 1)] for w in hours(4)})
    first, second = (replace(PROVENANCE, model_version=f"toy-{n}") for n in (2, 3))
    lake = open_lake(cloud, lifetime_s=1.0)
    lake.write(batch, PROVENANCE)
    arrived, other_is_done = Event(), Event()

    def hold_up_the_first(app, environ, start_response):
        if not arrived.is_set():
            arrived.set()
            other_is_done.wait(20)
        return app(environ, start_response)

    trouble.fail("PUT", hold_up_the_first, containing="part-0000")
    with ThreadPoolExecutor(1) as pool:
        late = pool.submit(lake.write, batch, first)
        arrived.wait(20)
        cloud.client("s3").put_object(Bucket=BUCKET, Key=LOCK, Body=b"a dead run")
        open_lake(cloud, lifetime_s=1.0).write(batch, second)
        other_is_done.set()
        with pytest.raises(TransientServiceError, match="another run may be writing"):
            late.result()

    assert objects(cloud) == local_objects(tmp_path, batch, second)
    assert len(check_receipts_tell_the_truth(cloud)) == 4


@pytest.fixture(scope="module")
def tell(moto, tmp_path_factory):
    """A process that writes to the lake and can be killed while it does."""
    with writer(URL, tmp_path_factory.mktemp("staged"), aws_environment(moto)) as tell:
        yield tell


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory):
    """The objects that each of the writer's batches must leave."""
    folder = tmp_path_factory.mktemp("undisturbed")
    found = {}
    for seed in "12":
        lake = LocalLake.open(folder / f"local-{seed}", **LAKE, part_size=SIZE)
        lake.write(random_batch(folder / seed, seed=int(seed), n_windows=12, max_rows=200), PROVENANCE)
        found[seed] = data_files(lake.root)
    return found


def test_a_run_killed_at_any_moment_and_run_again_leaves_the_lake_of_an_undisturbed_run(cloud, tell, undisturbed):
    """The dead run's lease is taken over; what it left half done has no receipt."""
    draw = random.Random(20260301)  # noqa: S311 - moments of kills, not secrets
    outcomes = []
    n_steps = int(tell("steps 1"))

    for turn in range(6):
        step = draw.randint(n_steps // 4, int(0.9 * n_steps))
        outcomes.append(tell(f"kill {'21'[turn % 2]} {step} {draw.uniform(0, 0.01):.5f}"))
        check_receipts_tell_the_truth(cloud)
        if turn < 5:
            # So that the next kill meets a writer, not one that waits.
            cloud.client("s3").delete_object(Bucket=BUCKET, Key=LOCK)
    assert tell("write 2") == "done"

    assert outcomes.count("killed") >= 4
    assert objects(cloud) == undisturbed["2"]


def test_two_processes_that_write_the_same_windows_leave_one_result_for_each(cloud, tell, undisturbed):
    for _ in range(2):
        assert tell("race 1 2") == "done"

    one_of(undisturbed.values(), cloud)
    assert len(check_receipts_tell_the_truth(cloud)) == 12
