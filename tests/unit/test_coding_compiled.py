"""The compiled lexicon: what the sources say, and used only where it is of them."""

import shutil

import pytest

from adverse_events.coding.compiled import COMPILED_FILE, compiled, read_compiled
from adverse_events.coding.embedded import EmbeddedCoder
from adverse_events.coding.lexicon import FOLDER, load_lexicon
from adverse_events.coding.lexicon_build import build_lexicon
from adverse_events.coding.lexicon_files import lexicon_sha256


@pytest.fixture
def copy(tmp_path):
    return shutil.copytree(FOLDER, tmp_path / "lexicon")


@pytest.fixture(scope="module")
def built():
    return build_lexicon(FOLDER)


def test_it_is_made_where_it_is_missing_and_says_what_its_sources_do(built):
    load_lexicon()
    assert (FOLDER / COMPILED_FILE).read_text(encoding="utf-8") == compiled(built)


def test_it_is_read_back_as_the_lexicon_it_was_made_from(built):
    read = read_compiled(FOLDER)
    for part in ("conditions", "forms", "idioms", "cues", "words", "causes", "sha256"):
        assert getattr(read, part) == getattr(built, part), part
    assert dict(read.starts) == dict(built.starts)
    assert read.spelling.variants == built.spelling.variants
    assert read.spelling.vocabulary == built.spelling.vocabulary


def test_an_edited_source_is_read_instead_of_what_was_compiled(copy):
    path = copy / "conditions.csv"
    path.write_text(f"{path.read_text(encoding='utf-8')}odd one,,,SYMPTOM,,general,no,wombly\n", encoding="utf-8")
    assert read_compiled(copy) is None
    (entity,) = EmbeddedCoder.load(copy).code(["feeling wombly"], [()])[0].entities
    assert entity.text == "wombly"


@pytest.mark.parametrize("broken", ['{"made_by": "other code"}', "{}", '{"made_by": "cut sho'])
def test_one_of_other_code_or_cut_short_is_not_used(copy, broken):
    (copy / COMPILED_FILE).write_text(broken, encoding="utf-8")
    assert read_compiled(copy) is None


def test_the_coder_needs_it_for_nothing_but_speed(copy):
    """The edited lexicon above has none of its own, and `coder_version` hashes the sources alone."""
    before = EmbeddedCoder.load(copy).coder_version
    (copy / COMPILED_FILE).write_text("{}", encoding="utf-8")
    assert lexicon_sha256(copy)[:12] in before
