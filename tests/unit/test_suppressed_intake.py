"""What is on the suppression list is counted where it comes in, and goes no further."""

import json

import pyarrow.ipc
import pytest

from adverse_events.compliance.comply import hashed
from adverse_events.compliance.deletion_list import Deletion
from adverse_events.lake.suppression import Suppression
from adverse_events.privacy import IdentityKey, PrivacySettings
from adverse_events.source.archive import Archive, ArchiveSettings
from adverse_events.source.spool import spool

KEY = IdentityKey(b"0123456789abcdef")


def spooled(tmp_path, rows, *gone, mode="signal"):
    path = tmp_path / "posts.jsonl"
    path.write_text("\n".join(row if isinstance(row, str) else json.dumps(row) for row in rows))
    listed = hashed((Deletion(tweet_id, "deleted") for tweet_id in gone), KEY.tweet_hash, as_stored=False)
    return spool(
        Archive(ArchiveSettings(path=str(path))),
        folder=tmp_path / "work",
        window_minutes=60,
        privacy=PrivacySettings(mode=mode),
        key=KEY,
        suppression=Suppression().with_more(listed),
    )


def post(number, **more):
    return {"id": str(number), "text": f"on ozempic {number}", "created_at": "2026-03-01T00:30:00Z", **more}


def rows_of(batch):
    with pyarrow.memory_map(str(batch.rows)) as file:
        return pyarrow.ipc.open_file(file).read_all().to_pylist()


@pytest.mark.parametrize("mode", ["signal", "case"])
def test_a_suppressed_post_is_counted_as_deleted_and_not_staged(tmp_path, mode):
    (batch,) = spooled(tmp_path, [post(1), post(2)], "1", mode=mode).batches
    (tally,) = batch.tallies.values()
    assert (tally.rows_in, dict(tally.deleted)) == (2, {"deleted": 1})
    assert [row["text"] for row in rows_of(batch)] == ["on ozempic 2"]
    written = b"".join(path.read_bytes() for path in (tmp_path / "work").rglob("*") if path.is_file())
    assert b"on ozempic 1" not in written


def test_a_reject_of_a_suppressed_post_is_deleted_and_not_rejected(tmp_path):
    (batch,) = spooled(tmp_path, [post(1, text=""), post(2, text="")], "1").batches
    (tally,) = batch.tallies.values()
    assert (tally.rows_in, dict(tally.deleted), dict(tally.rejected)) == (2, {"deleted": 1}, {"empty_text": 1})


def test_a_window_of_deleted_posts_alone_is_written_too(tmp_path):
    """Else its old rows would stand."""
    (batch,) = spooled(tmp_path, [post(1)], "1").batches
    assert [tally.rows_in for tally in batch.tallies.values()] == [1]


def test_the_deletion_of_an_earlier_version_of_an_edited_post_takes_the_later_one_too(tmp_path):
    (batch,) = spooled(tmp_path, [post(5, edit_history_tweet_ids=["4", "5"]), post(6)], "4").batches
    assert [row["text"] for row in rows_of(batch)] == ["on ozempic 6"]
