"""Landing: both stores keep the same promises."""

import sqlite3
from contextlib import closing
from dataclasses import replace
from datetime import timedelta

import pytest

from adverse_events.errors import PermanentServiceError, UsageError
from adverse_events.landing import dynamodb, sqlite
from tests.landing_stores import FACTS, NINE, TABLE, dynamodb_store, ids_in, post, posts_in, reject, sqlite_store
from tests.moto_server import cloud_at, moto_server

HOUR = timedelta(hours=1)


@pytest.fixture(scope="module")
def moto():
    with moto_server() as url:
        yield url


@pytest.fixture(scope="module")
def cloud(moto):
    with pytest.MonkeyPatch.context() as environment:
        cloud = cloud_at(moto, environment)
        cloud.client("dynamodb")  # makes the one client while the variables are set
        yield cloud


@pytest.fixture(params=["sqlite", "dynamodb"])
def open_store(request, tmp_path):
    """What opens the store; twice gives two openings of one store, as two processes would have."""
    if request.param == "sqlite":
        yield lambda facts=FACTS: sqlite_store(tmp_path, facts)
        return
    cloud = request.getfixturevalue("cloud")
    yield lambda facts=FACTS: dynamodb_store(cloud, facts)
    cloud.client("dynamodb").delete_table(TableName=TABLE)


@pytest.fixture
def store(open_store):
    with open_store() as store:
        yield store


def test_what_is_put_is_read_back_as_it_was(store):
    whole = post(1, lang=None, author_pseudonym="ab" * 16, is_repost=True, text='It\'s "quoted" \N{PILL}\n')
    landed = store.put([whole])
    assert [replace(found, stamp=0) for found in posts_in(store)] == [whole]
    assert (landed.new, landed.n_duplicates) == ((0,), 0)


def test_a_post_delivered_again_changes_nothing(store):
    store.put([post(1), post(2)])
    landed = store.put([post(2, text="Another text"), post(3)])
    assert (landed.new, landed.n_duplicates) == ((1,), 1)
    assert [p.text for p in posts_in(store)] == [post(n).text for n in (1, 2, 3)]


def test_a_post_twice_in_one_put_lands_once(store):
    landed = store.put([post(1), post(1)])
    assert (len(landed.new), landed.n_duplicates, ids_in(store)) == (1, 1, [1])


def test_a_range_is_half_open_and_in_order_whatever_the_order_of_delivery(store):
    numbers = [7, 61, 0, 59, 60, 119, 120, 30, 180]
    store.put([post(n) for n in numbers])
    assert ids_in(store) == sorted(numbers)
    assert ids_in(store, NINE + HOUR, 1) == [60, 61, 119]
    assert store.count(NINE + HOUR, NINE + 2 * HOUR) == 3
    assert store.count(NINE + timedelta(minutes=30), NINE + timedelta(minutes=60)) == 2


def test_posts_of_one_millisecond_are_in_the_order_of_their_ids(store):
    store.put([post(n, created_at=NINE) for n in (3, 1, 2)])
    assert ids_in(store) == [1, 2, 3]


def test_a_long_range_comes_in_pages(store, monkeypatch):
    for module in (sqlite, dynamodb):
        monkeypatch.setattr(module, "ROWS_PER_PAGE", 4)
    store.put([post(n, created_at=NINE + timedelta(seconds=n)) for n in range(1, 12)])
    pages = list(store.read(NINE, NINE + HOUR))
    assert [len(page.posts) for page in pages] == [4, 4, 3]
    assert ids_in(store) == list(range(1, 12))


@pytest.mark.parametrize("order", [(0, 1, 2), (2, 1, 0), (1, 2, 0), (2, 0, 1)])
def test_of_an_edited_post_the_latest_version_is_kept_whatever_comes_first(store, order):
    versions = [post(1), post(2, earlier_ids=(post(1).tweet_id,))]
    versions.append(post(3, earlier_ids=(post(1).tweet_id, post(2).tweet_id)))
    for number in order:
        store.put([versions[number]])
    assert ids_in(store) == [3]


def test_an_edit_in_the_same_put_as_its_earlier_version_wins(store):
    landed = store.put([post(1), post(2, earlier_ids=(post(1).tweet_id,))])
    assert ids_in(store) == [2]
    assert landed.n_replaced == 1


def test_a_window_that_loses_an_earlier_version_is_touched(store):
    stamp = store.put([post(1)]).stamp
    assert store.settle(NINE, stamp)
    store.put([post(61, earlier_ids=(post(1).tweet_id,))])
    assert set(store.touched()) == {NINE, NINE + HOUR}


def test_a_forgotten_post_is_gone_and_stays_out(store):
    store.put([post(1), post(2)])
    assert store.forget([post(1).tweet_id, post(9).tweet_id]) == 1
    landed = store.put([post(1)])
    assert ids_in(store) == [2]
    assert (landed.new, landed.n_forgotten) == ((), 1)
    assert store.forget([post(1).tweet_id]) == 0


def test_the_id_of_any_version_forgets_the_post(store):
    store.put([post(1), post(2, earlier_ids=(post(1).tweet_id,))])
    assert store.forget([post(1).tweet_id]) == 1
    store.put([post(3, earlier_ids=(post(1).tweet_id, post(2).tweet_id))])
    assert ids_in(store) == []


def test_forgetting_touches_the_window(store):
    store.settle(NINE, store.put([post(1)]).stamp)
    store.forget([post(1).tweet_id])
    assert set(store.touched()) == {NINE}


def test_a_window_is_settled_only_through_what_was_seen(store):
    first = store.put([post(1)]).stamp
    second = store.put([post(2)]).stamp
    assert second > first
    assert not store.settle(NINE, first)
    assert store.touched() == {NINE: second}
    assert store.settle(NINE, second)
    assert store.touched() == {}


def test_rejects_are_kept_once_and_read_with_their_window(store):
    dated = reject(5, created_at=NINE + HOUR, tweet_id="ab", received_at=NINE + 5 * HOUR)
    store.put([], [reject(1), reject(1), dated])
    assert [r for page in store.read(NINE, NINE + HOUR) for r in page.rejects] == [reject(1)]
    assert [r for page in store.read(NINE + HOUR, NINE + 2 * HOUR) for r in page.rejects] == [dated]
    assert set(store.touched()) == {NINE, NINE + HOUR}
    assert store.count(NINE, NINE + 2 * HOUR) == 0


def test_how_far_posts_are_assessed_outlives_the_process(open_store):
    with open_store() as store:
        assert store.mark("assessed") == 0
        stamp = store.put([post(1)]).stamp
        store.set_mark("assessed", stamp)
    with open_store() as again:
        assert again.mark("assessed") == stamp
        assert again.mark("heard") == 0
        assert posts_in(again)[0].stamp <= stamp
        assert again.put([post(2)]).stamp > stamp


def test_two_openings_share_one_store(open_store):
    with open_store() as one, open_store() as other:
        one.put([post(1)])
        assert other.put([post(1), post(2)]).new == (1,)
        assert ids_in(one) == [1, 2]


@pytest.mark.parametrize(
    ("facts", "named"),
    [
        (FACTS._replace(privacy_mode="case"), "privacy_mode signal and not case"),
        (FACTS._replace(key_fingerprint="ffffffff"), "key_fingerprint 0a1b2c3d"),
        (FACTS._replace(window_minutes=30), "window_minutes 60 and not 30"),
    ],
)
def test_a_store_made_for_something_else_is_refused(open_store, facts, named):
    with open_store() as store:
        store.put([post(1)])
    with pytest.raises(UsageError, match=named), open_store(facts):
        pass


def test_nothing_put_is_nothing_touched(store):
    assert store.put([]).new == ()
    assert store.touched() == {}


def test_expired_rows_go_and_the_rest_stays(tmp_path):
    with sqlite_store(tmp_path) as store:
        store.put([post(n) for n in (0, 59, 60, 61)], [reject(3), reject(70)])
        assert store.expire(NINE + HOUR) == 3
        assert ids_in(store) == [60, 61]
        assert set(store.touched()) == {NINE + HOUR}


def test_a_file_that_vanishes_is_told_and_never_written_to_again(tmp_path):
    with sqlite_store(tmp_path) as store:
        store.put([post(1)])
        moved = (tmp_path / "landing.sqlite").rename(tmp_path / "elsewhere")
        with pytest.raises(PermanentServiceError, match="the file is gone"):
            store.put([post(2)])
        moved.rename(tmp_path / "landing.sqlite")
        store.put([post(2)])
        assert ids_in(store) == [1, 2]


def test_a_file_that_is_no_landing_store_is_refused(tmp_path):
    (tmp_path / "landing.sqlite").write_bytes(b"tweet_id,text\n1,hello\n" * 100)
    with pytest.raises(PermanentServiceError, match="check the disk"), sqlite_store(tmp_path):
        pass


def test_the_file_is_its_owners_alone(tmp_path):
    with sqlite_store(tmp_path):
        assert (tmp_path / "landing.sqlite").stat().st_mode & 0o077 == 0


def test_forgotten_text_is_not_in_the_file(tmp_path):
    with sqlite_store(tmp_path) as store:
        store.put([post(1, text="unmistakable words")])
        store.forget([post(1).tweet_id])
        written = b"".join(path.read_bytes() for path in tmp_path.iterdir())
    assert b"unmistakable" not in written


def test_a_table_that_is_not_there_is_told_with_the_remedy(cloud):
    with dynamodb_store(cloud) as store:
        cloud.client("dynamodb").delete_table(TableName=TABLE)
        with pytest.raises(PermanentServiceError, match=r"landing\.table"):
            store.put([post(1)])


def test_items_expire_after_the_retention(cloud):
    with dynamodb_store(cloud) as store:
        store.put([post(0)])
        (item,) = [i for i in cloud.client("dynamodb").scan(TableName=TABLE)["Items"] if "text" in i]
    assert int(item["expires_at"]["N"]) == int((NINE + timedelta(days=31)).timestamp())


def test_closing_twice_is_fine(tmp_path):
    with sqlite_store(tmp_path) as store, closing(store):
        pass


def test_who_reads_does_not_wait_for_who_writes(tmp_path):
    with sqlite_store(tmp_path) as writer:
        writer.put([post(1)])
        with closing(sqlite3.connect(tmp_path / "landing.sqlite", isolation_level=None)) as busy:
            busy.execute("BEGIN IMMEDIATE")
            with sqlite_store(tmp_path) as reader:
                assert ids_in(reader) == [1]
            busy.execute("ROLLBACK")
