"""Posts by their ids, over HTTP: every id ends up somewhere, whatever happens on the way."""

import csv
import fcntl
import json

import pytest

from ade.__main__ import run
from adverse_events.errors import TransientServiceError, UsageError
from adverse_events.local_x.faults import Fault
from adverse_events.local_x.listener import LocalX
from adverse_events.local_x.state import TOKEN
from adverse_events.source.archive import Archive, ArchiveSettings
from adverse_events.source.x.fields import CASE, SIGNAL
from adverse_events.source.x.hydration import Hydration
from adverse_events.source.x.id_file import read_ids
from adverse_events.source.x.state import XState
from tests.x_server import add_posts, client_for


@pytest.fixture
def server():
    with LocalX() as running:
        running.ids = add_posts(running.state, 250)
        yield running


def hydrate(server, folder, ids, *, fields=SIGNAL, **options):
    path = folder / "ids.txt"
    path.write_text("\n".join(map(str, ids)) + "\n")
    options = {"max_posts_per_run": 0, **options}
    with (
        client_for(server, **options) as client,
        XState(folder / "state") as state,
        Hydration(
            client,
            client._settings,
            state,
            output=folder / "posts.jsonl",
            missing=folder / "missing.csv",
            fields=fields,
        ) as hydration,
    ):
        return hydration.run(read_ids(path))


def posts_in(folder):
    return [json.loads(line)["data"]["id"] for line in (folder / "posts.jsonl").read_text().splitlines()]


def missing_in(folder):
    with (folder / "missing.csv").open(newline="") as file:
        return {row["id"]: row["reason"] for row in csv.DictReader(file)}


def test_every_id_is_found_or_reported_with_its_reason(server, tmp_path):
    deleted, protected, *others = server.ids
    server.state.delete(deleted)
    server.state.protect(protected)
    account = hydrate(server, tmp_path, [*server.ids, others[0], "77", "1.5E+18", "nonsense", str(2**64)])
    assert posts_in(tmp_path) == others
    assert missing_in(tmp_path) | {"": ""} == {
        deleted: "not_found",
        protected: "not_authorized",
        "77": "not_found",
        "": "",
    }
    assert account.missing == {"not_found": 2, "not_authorized": 1, "bad_id": 3}
    assert (account.n_found, account.n_repeated, account.n_left) == (248, 1, 0)
    assert account.is_balanced
    assert server.state.asked["lookup"] == 3


def test_the_output_is_an_archive_that_detect_reads(server, tmp_path):
    hydrate(server, tmp_path, server.ids)
    (chunk,) = Archive(ArchiveSettings(path=str(tmp_path / "posts.jsonl"))).read()
    assert [tweet.tweet_id for tweet in chunk.tweets] == server.ids
    assert chunk.rejects == ()
    assert {tweet.author_id for tweet in chunk.tweets} == {None}


def test_in_case_mode_each_post_carries_its_own_author(server, tmp_path):
    hydrate(server, tmp_path, server.ids[:1], fields=CASE)
    line = json.loads((tmp_path / "posts.jsonl").read_text())
    assert line["data"]["author_id"] == line["includes"]["users"][0]["id"]
    assert line["includes"]["users"][0]["location"] == "Ohio"


def test_faults_lose_no_post_and_double_none(server, tmp_path):
    more = add_posts(server.state, 1000, hours=10)
    server.state.faults.everywhere(0.3, ("lookup",))
    account = hydrate(server, tmp_path, [*server.ids, *more], max_attempts=20)
    assert posts_in(tmp_path) == [*server.ids, *more]
    assert account.is_balanced


def test_a_run_that_fails_goes_on_where_it_stopped(server, tmp_path):
    server.state.delete(server.ids[0])
    server.state.faults.set("lookup", {Fault.SERVER_ERROR: 1.0}, after=1)
    with pytest.raises(TransientServiceError):
        hydrate(server, tmp_path, server.ids, max_attempts=2)
    server.state.faults.clear()
    account = hydrate(server, tmp_path, server.ids)
    assert posts_in(tmp_path) == server.ids[1:]
    assert (account.n_before, account.n_found) == (100, 150)
    assert server.state.served == 249


@pytest.mark.parametrize("n_bytes", [1, 40])
def test_a_line_that_a_kill_cut_short_is_written_anew(server, tmp_path, n_bytes):
    hydrate(server, tmp_path, server.ids)
    for name in ("posts.jsonl", "missing.csv"):
        path = tmp_path / name
        path.write_bytes(path.read_bytes()[:-n_bytes])
    hydrate(server, tmp_path, server.ids)
    assert posts_in(tmp_path) == server.ids


def test_a_cap_stops_it_between_posts_and_says_what_is_left(server, tmp_path):
    account = hydrate(server, tmp_path, server.ids, max_posts_per_run=130)
    assert (account.n_found, account.n_left) == (130, 120)
    assert "x.max_posts_per_run (130)" in account.why_left
    assert account.is_balanced
    hydrate(server, tmp_path, server.ids)
    assert posts_in(tmp_path) == server.ids
    assert server.state.served == 250


def test_an_id_that_is_neither_sent_nor_refused_is_reported(server, tmp_path, monkeypatch):
    monkeypatch.setattr("adverse_events.local_x.lookup.missing", lambda _: {"title": "Unknown"})
    account = hydrate(server, tmp_path, ["77"])
    assert account.missing == {"not_answered": 1}


def test_two_runs_never_write_one_output(server, tmp_path):
    with (tmp_path / "posts.jsonl").open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        with pytest.raises(UsageError, match="another run writes it"):
            hydrate(server, tmp_path, server.ids)


@pytest.mark.parametrize(("name", "content"), [("posts.jsonl", "id,text\n1,hello\n"), ("missing.csv", "a,b\n1,2\n")])
def test_a_file_that_is_somebody_elses_is_not_written_over(server, tmp_path, name, content):
    (tmp_path / name).write_text(content)
    with pytest.raises(UsageError, match="name another --output"):
        hydrate(server, tmp_path, server.ids)
    assert (tmp_path / name).read_text() == content


@pytest.mark.parametrize(
    ("name", "content", "options"),
    [
        ("ids.txt", "tweet_id\n{0}\n\n{1}\r\n", []),
        ("ids", '"{0}"\n{1}', []),
        ("ids.csv", "label,tweet_id\nx,{0}\ny,{1}\n", []),
        ("ids.csv", "label,number\nx,{0}\ny,{1}\n", ["--id-column", "number"]),
        ("ids.jsonl", '{{"id": {0}}}\n{{"id": "{1}"}}\n', []),
    ],
)
def test_the_command_takes_ids_as_people_keep_them(server, tmp_path, monkeypatch, capsys, name, content, options):
    monkeypatch.setenv("ADE_X__BASE_URL", server.address)
    monkeypatch.setenv("ADE_X__BEARER_TOKEN", TOKEN)
    (tmp_path / name).write_text(content.format(*server.ids))
    output = tmp_path / "out.jsonl"
    assert run(["hydrate", str(tmp_path / name), "--output", str(output), "--json", *options]) == 0
    assert json.loads(capsys.readouterr().out)["n_found"] == 2
    assert output.stat().st_mode & 0o077 == 0


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["none.txt"], "no such file"),
        (["ids.csv"], "no column of ids"),
        (["ids.csv", "--id-column", "idd"], "no column 'idd'"),
        (["ids.csv", "--output", "posts.csv"], "end in .jsonl"),
        (["ids.csv", "--output", "posts.jsonl.gz"], "end in .jsonl"),
    ],
)
def test_careless_use_is_told_what_to_do(server, tmp_path, monkeypatch, capsys, arguments, told):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("ADE_X__BASE_URL", server.address)
    monkeypatch.setenv("ADE_X__BEARER_TOKEN", TOKEN)
    (tmp_path / "ids.csv").write_text("label,number\nx,1\n")
    assert run(["hydrate", *arguments]) == 2
    assert told in capsys.readouterr().err
    assert server.state.asked.total() == 0
