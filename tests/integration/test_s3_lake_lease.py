"""Writers of one date take turns; a dead one is followed, a living one is waited for."""

import json
import threading
import time

import pytest

from adverse_events.errors import TransientServiceError
from adverse_events.lake.s3.lease import LeaseTerms, leased
from adverse_events.lake.s3.store import S3Store
from tests.faulty_service import refusal
from tests.moto_server import BUCKET

KEY = "_locks/event_date=2026-03-01.json"
MAX_ATTEMPTS = 6
TERMS = LeaseTerms(lifetime_s=1.5, patience_s=10.0, poll_s=0.02)


@pytest.fixture
def store(cloud):
    return S3Store(cloud, f"s3://{BUCKET}/lake")


def test_many_threads_hold_it_one_at_a_time_and_leave_nothing(store):
    inside, most = [], []

    def work():
        with leased(store, KEY, LeaseTerms(lifetime_s=20, patience_s=30, poll_s=0.02)):
            inside.append(1)
            most.append(len(inside))
            time.sleep(0.02)
            inside.pop()

    threads = [threading.Thread(target=work) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert most == [1] * 6
    assert store.list_between("_locks/") == {}


def test_leases_of_two_dates_are_held_at_once(store):
    with leased(store, KEY, TERMS), leased(store, "_locks/event_date=2026-03-02.json", TERMS) as other:
        other.check()


def test_a_living_holder_keeps_it_past_its_lifetime(store):
    with leased(store, KEY, TERMS) as lease:
        time.sleep(2.5)
        lease.check()
        impatient = LeaseTerms(lifetime_s=1.0, patience_s=0.3, poll_s=0.02)
        with pytest.raises(TransientServiceError) as caught, leased(store, KEY, impatient):
            pass

    message = str(caught.value)
    assert "held for 0.3 s" in message
    assert "renewed" in message
    assert f"aws s3 rm s3://{BUCKET}/lake/{KEY}" in message
    assert all(name in message for name in ("host", "process", "since"))


def test_a_dead_holders_lease_is_taken_over(store):
    store.put(KEY, json.dumps({"holder": "killed"}).encode(), replaces=None)

    started = time.monotonic()
    with leased(store, KEY, TERMS) as lease:
        lease.check()

    assert 0.5 < time.monotonic() - started < 8
    assert store.list_between("_locks/") == {}


def test_a_holder_that_cannot_renew_stops_by_itself(store, trouble):
    with leased(store, KEY, TERMS) as lease:
        trouble.fail("PUT", refusal(403, "ExpiredToken"))
        time.sleep(1.7)
        with pytest.raises(TransientServiceError, match=r"was not renewed within 1\.5 s"):
            lease.check()


def test_a_holder_whose_lease_was_taken_stops_and_leaves_it_to_the_other(store):
    with leased(store, KEY, TERMS) as lease:
        theirs = store.put(KEY, b"another", replaces=store.get(KEY).etag)
        time.sleep(0.6)
        with pytest.raises(TransientServiceError, match="another run may be writing"):
            lease.check()

    assert store.get(KEY).etag == theirs
