"""Deletions in a lake on S3: the same objects as in a folder, and nothing comes back, whoever writes meanwhile."""

import pytest

from adverse_events.aws.settings import AwsSettings
from adverse_events.compliance.comply import comply
from adverse_events.errors import ServiceError
from adverse_events.lake import LocalLake, suppression
from adverse_events.lake.s3 import lake as s3_lake
from adverse_events.lake.s3.lake import S3Lake
from tests.deletions import WINDOWS, batch, listed, rejected, row, tweet_hash
from tests.faulty_service import Trouble
from tests.moto_server import BUCKET, REGION, cloud_at, forget_all, make_bucket, moto_server, objects_in
from tests.staged_batches import LAKE, PROVENANCE, data_files, stage, stage_rejects

URL = f"s3://{BUCKET}/pharma/lake"


@pytest.fixture(scope="module")
def trouble():
    return Trouble()


@pytest.fixture(scope="module")
def server(trouble):
    with moto_server(trouble) as url:
        yield url


@pytest.fixture
def cloud(server, monkeypatch):
    cloud = cloud_at(server, monkeypatch, AwsSettings(region=REGION, max_attempts=2))
    make_bucket(cloud)
    yield cloud
    forget_all(server)


@pytest.fixture
def lake(cloud, tmp_path):
    lake = S3Lake.open(cloud, URL, **LAKE)
    lake.write(batch(tmp_path / "staged"), PROVENANCE)
    return lake


def data_objects(cloud):
    objects = objects_in(cloud, prefix="pharma/lake/")
    return {key: data for key, data in objects.items() if key.startswith(("assessments/", "rejects/"))}


def all_ids(lake):
    return set(lake.stored_ids())


def test_a_deletion_leaves_the_objects_of_a_local_lake_byte_for_byte(lake, cloud, tmp_path):
    account = comply(lake, listed("a", "b2", "e", "f", "r", "s"))

    local = LocalLake.open(tmp_path / "local", **LAKE)
    local.write(batch(tmp_path / "again"), PROVENANCE)
    same = comply(local, listed("a", "b2", "e", "f", "r", "s"))
    left = {key: data for key, data in data_files(local.root).items() if key.startswith(("assessments/", "rejects/"))}
    assert data_objects(cloud) == left
    assert account == same
    assert [row_["rows_deleted"] for row_ in lake.receipts().to_pylist()] == [2, 1, 2]


def test_running_the_list_again_puts_nothing(lake, cloud):
    comply(lake, listed("a"))
    before = objects_in(cloud, prefix="pharma/lake/")
    assert comply(lake, listed("a")).n_new == 0
    assert objects_in(cloud, prefix="pharma/lake/") == before


def test_a_dry_run_puts_nothing(lake, cloud):
    before = objects_in(cloud, prefix="pharma/lake/")
    assert comply(lake, listed("a", "d"), dry_run=True).n_in_lake == 2
    assert objects_in(cloud, prefix="pharma/lake/") == before


def test_writing_the_windows_again_brings_nothing_back(lake, tmp_path):
    comply(lake, listed("a", "b2", "r"))
    receipts = lake.write(batch(tmp_path / "again"), PROVENANCE)

    assert not all_ids(lake) & {tweet_hash(name) for name in ("a", "b2", "r")}
    assert receipts[0].tally.deleted == {"deleted": 2}


def test_undated_rejects_go_too(lake, tmp_path):
    rejects = stage_rejects(tmp_path / "undated.arrow", [rejected(None, "u"), rejected(None, "v")])
    lake.write_undated(rejects, PROVENANCE, ["posts.jsonl"])
    comply(lake, listed("u"))

    assert tweet_hash("u") not in all_ids(lake)
    assert tweet_hash("v") in all_ids(lake)


def test_a_writer_that_was_under_way_looks_at_the_list_again_before_it_is_done(cloud, tmp_path, monkeypatch):
    lake = S3Lake.open(cloud, URL, **LAKE)
    original = S3Lake._put

    def interrupted(self, lease, prepared):
        monkeypatch.setattr(S3Lake, "_put", original)
        S3Lake.open(cloud, URL, **LAKE).suppress(listed("a"))
        return original(self, lease, prepared)

    monkeypatch.setattr(S3Lake, "_put", interrupted)
    (first, *_) = lake.write(batch(tmp_path / "staged"), PROVENANCE)

    assert tweet_hash("a") not in all_ids(lake)
    assert first.tally.deleted == {"deleted": 1}


def test_a_window_replaced_while_it_was_being_rewritten_keeps_its_new_posts(lake, cloud, tmp_path, monkeypatch):
    original = S3Lake._put

    def interrupted(self, lease, prepared):
        monkeypatch.setattr(S3Lake, "_put", original)
        more = stage(tmp_path / "more", {WINDOWS[1]: [row(1, "e"), row(1, "new")]})
        other = S3Lake.open(cloud, URL, **LAKE)
        monkeypatch.setattr(s3_lake, "leased", lambda *_: _Held(lease))
        other.write(more, PROVENANCE)
        monkeypatch.undo()
        return original(self, lease, prepared)

    monkeypatch.setattr(S3Lake, "_put", interrupted)
    comply(lake, listed("d"))

    assert tweet_hash("new") in all_ids(lake)
    assert tweet_hash("d") not in all_ids(lake)


class _Held:
    """Another writer of the same date, let in by a lease that was lost."""

    def __init__(self, lease):
        self.lease = lease

    def __enter__(self):
        return self.lease

    def __exit__(self, *_):
        return None


@pytest.mark.parametrize("n_puts_before", [0, 3, 6, 9])  # of eleven
def test_a_deletion_cut_off_anywhere_is_finished_by_the_same_command(lake, cloud, trouble, n_puts_before, tmp_path):
    names = ("a", "b2", "e", "f", "r", "s")
    left = [n_puts_before]
    original = lake._store.put

    def failing(key, content, **options):
        if not key.startswith("_locks/"):
            if not left[0]:
                raise ServiceError("s3", "PutObject", "cut off")
            left[0] -= 1
        return original(key, content, **options)

    lake._store.put = failing
    with pytest.raises(ServiceError):
        comply(lake, listed(*names))
    again = S3Lake.open(cloud, URL, **LAKE)
    comply(again, listed(*names))

    local = LocalLake.open(tmp_path / "local", **LAKE)
    local.write(batch(tmp_path / "again"), PROVENANCE)
    comply(local, listed(*names))
    expected = {
        key: data for key, data in data_files(local.root).items() if key.startswith(("assessments/", "rejects/"))
    }
    assert data_objects(cloud) == expected


def test_many_small_lists_become_one_object(lake, cloud, monkeypatch):
    monkeypatch.setattr(suppression, "MOST_FILES", 3)
    for number in range(5):
        lake.suppress(listed(f"n{number}"))
    keys = [key for key in objects_in(cloud, prefix="pharma/lake/") if key.startswith("_suppressed/")]
    assert len(keys) == 2
    assert len(lake.suppressed()) == 5
