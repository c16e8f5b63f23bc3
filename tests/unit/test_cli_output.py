"""What the command line writes: files whole or not at all, results that harm neither terminal nor parser."""

import logging
import math
from collections import Counter
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path

import pytest

from ade.ask import plain
from ade.files import check_not_input, written
from ade.rows import refused_line, text_rows
from ade.terminal import WaitingHandler, printable, progress
from adverse_events.errors import UsageError


def test_a_file_appears_only_when_all_of_it_is_written(tmp_path):
    target = tmp_path / "new" / "out.jsonl"
    with written(target) as out:
        out.write("one\n")
        assert not target.exists()
    assert target.read_text() == "one\n"
    assert [path.name for path in target.parent.iterdir()] == ["out.jsonl"]


def test_a_run_that_fails_leaves_the_old_file_and_nothing_else(tmp_path):
    target = tmp_path / "out.jsonl"
    target.write_text("old\n")
    with pytest.raises(UnicodeEncodeError), written(target) as out:
        out.writelines(["first\n", "half \ud83d\n"])
    assert target.read_text() == "old\n"
    assert list(tmp_path.iterdir()) == [target]


def test_a_device_is_written_and_not_replaced():
    with written(Path("/dev/null")) as out:
        out.write("gone\n")
    assert Path("/dev/null").is_char_device()


def test_the_input_is_never_overwritten(tmp_path):
    source = tmp_path / "in.csv"
    source.write_text("text\na\n")
    with pytest.raises(UsageError, match="is the input itself"):
        check_not_input(tmp_path / "." / "in.csv", source)


def test_a_folder_is_no_file_to_write(tmp_path):
    with pytest.raises(UsageError, match="is a folder"), written(tmp_path):
        pass


def test_control_characters_of_a_post_do_not_reach_the_terminal():
    assert printable("a\x1b[31mb\nc\u202ed\ud800") == "a·[31mb c·d·"


def test_values_of_a_result_become_plain_json():
    moment = datetime(2026, 3, 1, 5, tzinfo=UTC)
    row = {"at": [moment, date(2026, 3, 1)], "sum": Decimal(4), "share": Decimal("0.5"), "nan": math.nan, "raw": b"a"}
    assert plain(row) == {
        "at": ["2026-03-01T05:00:00+00:00", "2026-03-01"],
        "sum": 4,
        "share": 0.5,
        "nan": None,
        "raw": "YQ==",
    }


def test_rejected_rows_are_counted_by_reason():
    assert refused_line(Counter(null_text=2, bad_text=1)) == "3 rejected (1 bad_text, 2 null_text)"
    assert refused_line(Counter()) == "0 rejected"


def test_nothing_is_drawn_where_nobody_watches(capsys):
    with progress(quiet=False) as advance:
        advance("classify", 10)
    assert capsys.readouterr() == ("", "")


def test_rows_are_counted_from_one_and_the_unreadable_keep_their_place(tmp_path):
    """A line that is no JSON, a null, a number and half a character each get a reason, never a gap."""
    lines = [
        '{"text": "one"}',
        "{broken",
        '{"text": null}',
        '{"text": 5}',
        '{"text": "half \\ud83d"}',
        '{"text": "six"}',
    ]
    source = tmp_path / "posts.jsonl"
    source.write_text("\n\n".join(lines))
    rows = list(text_rows(source, "text", max_characters=100))
    assert [row.number for row in rows] == [1, 2, 3, 4, 5, 6]
    assert [row.error for row in rows] == [None, "malformed_json", "null_text", "bad_text", "lone_surrogate", None]
    assert [row.text for row in rows if row.error is None] == ["one", "six"]


def test_the_whole_text_of_a_long_post_is_preferred(tmp_path):
    source = tmp_path / "posts.jsonl"
    source.write_text('{"id": "1", "text": "cut…", "note_tweet": {"text": "cut no more"}}\n')
    (row,) = text_rows(source, "text", max_characters=100)
    assert row.text == "cut no more"


def test_waiting_is_noted_once_in_a_while_and_steers_no_terminal(capsys):
    """A hundred requests that wait for the same reason are one line."""
    handler = WaitingHandler()
    for number in range(100):
        text = f"s3 PutObject at \x1b[31mhere: no answer; try {number} of 6 follows"
        handler.handle(logging.makeLogRecord({"msg": text}))
    (line,) = capsys.readouterr().err.splitlines()
    assert line == "s3 PutObject at ·[31mhere: no answer; try 0 of 6 follows"
