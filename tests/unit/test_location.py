"""Profile texts and places become country, region and city; what may be several places is unknown."""

import json
from pathlib import Path

import pyarrow.ipc
import pytest

from adverse_events.location.gazetteer import Gazetteer, folded
from adverse_events.location.locator import Locator
from adverse_events.location.reading import NOWHERE, Found, read_place, read_profile
from adverse_events.privacy import IdentityKey, PrivacySettings
from adverse_events.source.archive import Archive, ArchiveSettings
from adverse_events.source.spool import spool

PROFILES = [
    line.split("\t")
    for line in (Path(__file__).parent / "profiles.tsv").read_text(encoding="utf-8").splitlines()
    if not line.startswith("#")
]
WORD = "quokkaville"


@pytest.fixture(scope="module")
def names():
    return Gazetteer.load()


def found_in(text, names):
    place = read_profile(text, names)
    return [place.country or "", place.region or "", place.city or ""]


def test_profiles_are_read_as_a_careful_reader_reads_them(names):
    """Precision is what counts: a wrong place is worse than none."""
    said = [(found_in(text, names), gold) for text, *gold in PROFILES]
    assert len(PROFILES) >= 200
    for level in range(3):
        claims = [(claim[level], gold[level]) for claim, gold in said if claim[level]]
        known = [gold[level] for _, gold in said if gold[level]]
        n_right = sum(claim == gold for claim, gold in claims)
        assert n_right / len(claims) >= 0.98, level
        assert n_right / len(known) >= 0.95, level


def test_profiles_written_after_the_rules_are_mostly_read_right(names):
    rows = [line.split("\t") for line in (Path(__file__).parent / "profiles_unseen.tsv").read_text().splitlines()[1:]]
    said = [(found_in(text, names)[0], gold) for text, gold, *_ in rows]
    n_right = sum(bool(claim) and claim == gold for claim, gold in said)
    assert n_right / sum(bool(claim) for claim, _ in said) >= 0.9
    assert n_right / sum(bool(gold) for _, gold in said) >= 0.88


def test_no_place_is_claimed_where_there_is_none(names):
    wrong = [text for text, *gold in PROFILES if not any(gold) and any(found_in(text, names))]
    assert wrong == []


@pytest.mark.parametrize("text", ["Columbus", "Springfield", "Kansas City", "LA"])
def test_a_name_of_several_places_in_one_country_is_that_country_and_no_more(text, names):
    assert read_profile(text, names) == Found("US")


@pytest.mark.parametrize("text", ["Georgia", "Birmingham", "Cambridge", "London | Paris", "🇮🇪🇺🇸", "Ontario, CA"])
def test_a_name_of_places_in_several_countries_is_unknown(text, names):
    assert read_profile(text, names) == NOWHERE


def test_texts_of_any_kind_are_read_without_an_error(names):
    for text in ("", ",", ",,,,", "|", "\0", "🏴󠁧󠁢󠁳󠁣󠁴", "x" * 10_000, ", TX", "\ud83d", "٣٤", "--", "a, b, c, d, e, f"):
        read_profile(text, names)


def test_a_post_s_own_place_is_read_with_its_country(names):
    assert read_place("US", "Austin, TX", names) == Found("US", "US-TX", "Austin")
    assert read_place("GB", "London, England", names) == Found("GB", "GB-ENG", "London")
    assert read_place("US", "Georgia, USA", names) == Found("US", "US-GA")
    assert read_place("FR", "Paris", names) == Found("FR", None, "Paris")
    assert read_place("US", "Paris", names).country == "US"
    assert read_place("", "nowhere at all", names) == NOWHERE
    assert read_place("DE", "ein Café am See", names) == Found("DE")


def test_the_post_s_place_wins_over_the_profile_and_each_text_is_read_once(names, monkeypatch):
    asked = []
    locator = Locator(names)
    original = Locator._read_profile
    monkeypatch.setattr(Locator, "_read_profile", lambda self, text: asked.append(text) or original(self, text))
    locator = Locator(names)
    found = locator.locate([("US", "Austin, TX", "Berlin"), *[(None, None, "Berlin")] * 50, (None, None, None)])

    assert found[0] == Found("US", "US-TX", "Austin")
    assert set(found[1:51]) == {Found("DE", None, "Berlin")}
    assert found[51] == NOWHERE
    assert asked == ["Berlin"]


def test_names_are_folded_alike():
    assert folded("Saint-Étienne") == folded("st etienne")
    assert folded("Coeur d'Alene") == folded("coeur dalene")


PAGE = {
    "data": [
        {"id": "1", "author_id": "7", "text": "on ozempic", "created_at": "2026-03-01T00:00:01Z"},
        {
            "id": "2",
            "author_id": "8",
            "text": "on ozempic too",
            "created_at": "2026-03-01T00:00:02Z",
            "geo": {"place_id": "p"},
        },
    ],
    "includes": {
        "users": [{"id": "7", "location": f"Athens, GA | {WORD}"}, {"id": "8", "location": "Berlin"}, "odd"],
        "places": [{"id": "p", "country_code": "US", "full_name": "Austin, TX"}],
    },
}
FLAT = {"text": "on ozempic", "created_at": "2026-03-01T00:00:03Z", "user_location": f"Leeds, UK | {WORD}"}


def spooled(folder, mode):
    source = folder / "posts"
    source.mkdir()
    (source / "page.jsonl").write_text(json.dumps(PAGE) + "\n")
    (source / "flat.jsonl").write_text(json.dumps(FLAT) + "\n")
    return spool(
        Archive(ArchiveSettings(path=str(source))),
        folder=folder / "work",
        window_minutes=60,
        privacy=PrivacySettings(mode=mode),
        key=IdentityKey(b"0123456789abcdef"),
    )


def rows_of(spooled_rows):
    (batch,) = spooled_rows.batches
    with pyarrow.memory_map(str(batch.rows)) as file:
        return pyarrow.ipc.open_file(file).read_all().to_pylist()


def test_case_mode_stores_where_authors_are_and_not_what_they_wrote(tmp_path):
    rows = rows_of(spooled(tmp_path, "case"))
    places = [(row["author_country"], row["author_region"], row["author_city"]) for row in rows]
    assert places == [("US", "US-GA", "Athens"), ("US", "US-TX", "Austin"), ("GB", "GB-ENG", "Leeds")]
    written = b"".join(path.read_bytes() for path in (tmp_path / "work").rglob("*") if path.is_file())
    assert WORD.encode() not in written


def test_signal_mode_stores_neither_the_place_nor_the_profile_s_text(tmp_path):
    rows = rows_of(spooled(tmp_path, "signal"))
    assert {value for row in rows for name, value in row.items() if name.startswith("author_")} == {None}
    written = b"".join(path.read_bytes() for path in (tmp_path / "work").rglob("*") if path.is_file())
    assert not [word for word in (WORD, "Athens", "Austin", "Leeds") if word.encode() in written]
