"""Answers kept in a file: what is in it, who may read it, and what happens when it is damaged."""

import sqlite3
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import pytest

from adverse_events.coding.comprehend.cache import AnswerCache
from adverse_events.errors import ContractError, UsageError
from adverse_events.records import Concept, Entity, Trait

TEXT = "such terrible nausea"
NAUSEA = Entity(
    "nausea", 14, 20, 0.9123456789, (Trait("SYMPTOM", 0.87),), (Concept("R11.0", "Nausea", 0.8),), type="DX_NAME"
)


@pytest.fixture
def path(tmp_path):
    return tmp_path / "answers.sqlite"


def test_what_was_put_is_got_in_a_later_run(path):
    first = AnswerCache(path)
    first.put("InferICD10CM", "1.0", TEXT, [NAUSEA])
    first.put("InferICD10CM", "1.0", "nothing", [])
    first.close()
    again = AnswerCache(path)
    assert again.get("InferICD10CM", "1.0", TEXT) == (NAUSEA,)
    assert again.get("InferICD10CM", "1.0", "nothing") == ()
    again.close()


@pytest.mark.parametrize(
    "asked", [("DetectEntitiesV2", "1.0", TEXT), ("InferICD10CM", "1.1", TEXT), ("InferICD10CM", "1.0", TEXT + " ")]
)
def test_an_answer_is_for_one_operation_model_and_text(path, asked):
    cache = AnswerCache(path)
    cache.put("InferICD10CM", "1.0", TEXT, [NAUSEA])
    assert cache.get(*asked) is None
    cache.close()


def test_it_holds_no_word_of_a_post(path):
    cache = AnswerCache(path)
    cache.put("InferICD10CM", "1.0", "zorvexil makes my eyeballs wobble", [Entity("eyeballs wobble", 18, 33, 0.9)])
    cache.close()
    held = b"".join(file.read_bytes() for file in path.parent.iterdir())
    assert b"BeginOffset" in held
    assert not any(word in held for word in (b"zorvexil", b"eyeballs", b"wobble"))


def test_only_its_owner_may_read_it_and_its_journals(path):
    cache = AnswerCache(path)
    cache.put("InferICD10CM", "1.0", TEXT, [NAUSEA])
    modes = {file.name: file.stat().st_mode & 0o777 for file in path.parent.iterdir()}
    cache.close()
    assert len(modes) > 1
    assert set(modes.values()) == {0o600}


def test_its_folder_is_made(tmp_path):
    AnswerCache(tmp_path / "new" / "answers.sqlite").close()
    assert (tmp_path / "new" / "answers.sqlite").is_file()


def test_a_file_that_is_no_cache_is_named_and_left_alone(path):
    path.write_bytes(b"these are my notes, not a database" * 100)
    with pytest.raises(ContractError, match=r"answers\.sqlite.*delete it"):
        AnswerCache(path)
    assert path.read_bytes().startswith(b"these are my notes")


def test_a_damaged_file_is_named(path):
    cache = AnswerCache(path)
    for n in range(500):
        cache.put("InferICD10CM", "1.0", f"{TEXT} {n}", [NAUSEA])
    cache.close()
    whole = path.read_bytes()
    path.write_bytes(whole[:8192] + b"\xff" * (len(whole) - 8192))
    with pytest.raises(ContractError, match=r"answers\.sqlite.*delete it"):
        _read_all(AnswerCache(path))


def _read_all(cache):
    try:
        for n in range(500):
            cache.get("InferICD10CM", "1.0", f"{TEXT} {n}")
    finally:
        cache.close()


@pytest.mark.parametrize("value", ["{", "[1]", '[{"BeginOffset": 14}]', '{"Entities": 1}', "null"])
def test_a_damaged_answer_is_never_believed(path, value):
    cache = AnswerCache(path)
    cache.put("InferICD10CM", "1.0", TEXT, [NAUSEA])
    database = sqlite3.connect(path)
    with database:
        database.execute("UPDATE answers SET entities = ?", (value,))
    database.close()
    with pytest.raises(ContractError, match="delete it"):
        cache.get("InferICD10CM", "1.0", TEXT)
    cache.close()


def test_another_program_s_database_is_left_alone(path):
    database = sqlite3.connect(path)
    with database:
        database.execute("CREATE TABLE accounts (name TEXT)")
    database.close()
    before = path.read_bytes()
    with pytest.raises(UsageError, match="another program's"):
        AnswerCache(path)
    assert path.read_bytes() == before


def test_a_folder_is_refused(tmp_path):
    with pytest.raises(UsageError, match=r"cannot be opened as comprehend\.cache"):
        AnswerCache(tmp_path)


def test_several_threads_share_one_cache(path):
    cache = AnswerCache(path)

    def work(n):
        cache.put("InferICD10CM", "1.0", f"{TEXT} {n}", [NAUSEA])
        return cache.get("InferICD10CM", "1.0", f"{TEXT} {n}")

    with ThreadPoolExecutor(8) as pool:
        assert set(pool.map(work, range(200))) == {(NAUSEA,)}
    cache.close()


def test_several_processes_open_and_fill_one_cache_at_once(path):
    script = (
        "import sys; from pathlib import Path\n"
        "from adverse_events.coding.comprehend.cache import AnswerCache\n"
        "cache = AnswerCache(Path(sys.argv[1]))\n"
        "for n in range(100): cache.put('InferICD10CM', '1.0', f'{sys.argv[2]} {n}', [])\n"
    )
    writers = [subprocess.Popen([sys.executable, "-c", script, str(path), str(n)]) for n in range(4)]
    assert [writer.wait() for writer in writers] == [0] * 4
    cache = AnswerCache(path)
    assert all(cache.get("InferICD10CM", "1.0", f"{n} {m}") == () for n in range(4) for m in range(100))
    cache.close()
