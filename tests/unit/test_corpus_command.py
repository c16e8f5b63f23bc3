"""`ade corpus`, as it is typed."""

import json

import pytest
from typer.testing import CliRunner

from ade.app import app
from adverse_events.errors import ContractError, UsageError


@pytest.fixture
def posts(tmp_path):
    path = tmp_path / "posts.csv"
    lines = [f"drug number {n} left me dizzy {n},yes\ndrug number {n} is sold out again {n},no" for n in range(40)]
    path.write_text("\n".join(["body,verdict", *lines]) + "\n")
    return path


def _run(*words):
    return CliRunner().invoke(app, ["corpus", *map(str, words)])


OWN = ("--text-column", "body", "--label-column", "verdict", "--label-map", "yes=ADE,no=NOT_ADE")


def test_a_file_of_ones_own_becomes_a_corpus_that_can_be_checked(posts, tmp_path):
    out = tmp_path / "corpus"
    done = _run(posts, *OWN, "--output", out, "--origin", "posts=our help desk", "--licence", "posts=ours alone")
    assert done.exit_code == 0, done.output
    assert "left out" in done.output
    told = json.loads((out / "manifest.json").read_text())["sources"]["posts"]
    assert (told["origin"], told["licence"]) == ("our help desk", "ours alone")
    checked = _run("--check", out, "--json")
    assert checked.exit_code == 0
    assert json.loads(checked.stdout)["sources"]["posts"]["text_column"] == "body"
    (out / "train" / "posts.csv").write_text("text,label,group\n")
    assert isinstance(_run("--check", out).exception, ContractError)


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ((), "--output FOLDER is missing"),
        (("--output", "out"), "name at least one source"),
        (("absent.csv", "--output", "out"), "absent.csv does not exist"),
        (("POSTS", "--output", "out"), "no column text"),
        (("POSTS", *OWN, "--output", "out", "--origin", "post=ours"), "no source is called post; they are posts"),
        (("POSTS", *OWN, "--output", "out", "--licence", "ours"), "--licence says something about a source"),
        (("POSTS", *OWN[:-1], "yes:ADE", "--output", "out"), "is not VALUE=CLASS"),
        (("POSTS", *OWN, "--labels", "ADE", "--output", "out"), "two or more different classes"),
    ],
)
def test_what_cannot_be_done_is_said_before_anything_is_written(posts, tmp_path, monkeypatch, words, message):
    monkeypatch.chdir(tmp_path)
    done = _run(*(posts if word == "POSTS" else word for word in words))
    assert isinstance(done.exception, UsageError | ContractError)
    assert message in str(done.exception)
    assert not (tmp_path / "out").exists()
