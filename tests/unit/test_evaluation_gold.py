"""The gold set: its marks, its codes, its make-up, and its phrases staying where the freeze put them."""

import csv
import sys
from bisect import bisect_left
from collections import Counter
from pathlib import Path

import pytest

from adverse_events.coding.evaluation.baselines import PACKAGE, vocabulary
from adverse_events.coding.evaluation.freeze import freeze
from adverse_events.coding.evaluation.gold import read_gold
from adverse_events.coding.evaluation.shipped import GOLD, MANIFEST, PROBE, load_shipped
from adverse_events.coding.evaluation.splits import (
    DEV,
    MET,
    SEEN,
    UNLISTED,
    UNSEEN,
    Manifest,
    held_by,
    known_condition,
    normal_form,
    phrase_hash,
    read_manifest,
)
from adverse_events.coding.lexicon import FOLDER, load_lexicon
from adverse_events.errors import ContractError
from adverse_events.privacy import mask_text

HEADER = "post,reviewed,text\n"


@pytest.fixture(scope="module")
def shipped():
    return load_shipped()


@pytest.fixture(scope="module")
def lexicon():
    return load_lexicon()


def _read(tmp_path, *texts, header=HEADER):
    path = tmp_path / "mine.csv"
    rows = [f'p{number},yes,"{text}"\n' for number, text in enumerate(texts, 1)]
    path.write_text(header + "".join(rows), encoding="utf-8")
    return read_gold(path)


def _mentions(posts):
    return [mention for post in posts for mention in post.mentions]


def test_a_mark_becomes_a_span_of_the_text_without_marks(tmp_path):
    (post,) = _read(tmp_path, "no [hives|L50.9/L50.*|ADE/UNKNOWN|NEGATION PAST_HISTORY?] yet 😬 [so \\[tired\\]|-|ADE]")
    assert post.text == "no hives yet 😬 so [tired]"
    hives, tired = post.mentions
    assert post.text[hives.begin : hives.end] == hives.text == "hives"
    assert post.text[tired.begin : tired.end] == tired.text == "so [tired]"
    assert (hives.codes, hives.roles) == (("L50.9", "L50.*"), ("ADE", "UNKNOWN"))
    assert (hives.traits, hives.optional_traits) == ({"NEGATION"}, {"PAST_HISTORY"})
    assert tired.is_nil
    assert not hives.is_nil


@pytest.mark.parametrize(
    ("codes", "code", "level", "is_accepted"),
    [
        ("R11.0", "R11.0", "full", True),
        ("R11.0", "R11.10", "full", False),
        ("R11.0", "R11.10", "category", True),
        ("R11.0", "K59.00", "category", False),
        ("R11.0", "R42", "chapter", True),
        ("H81.*", "H81", "full", True),
        ("H81.*", "H81.10", "full", True),
        ("G47.0*", "G47.19", "full", False),
        ("H53.8", "H60.00", "chapter", False),
        ("D50.9", "C80.1", "chapter", False),
        ("-/R53.81", "R53.81", "full", True),
        ("-", "R53.81", "chapter", False),
    ],
)
def test_a_code_is_accepted_as_written_by_wildcard_category_or_chapter(tmp_path, codes, code, level, is_accepted):
    (post,) = _read(tmp_path, f"[it|{codes}|ADE]")
    assert post.mentions[0].accepts(code, level) is is_accepted


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("[dizzy|R42]", "2 parts"),
        ("[dizzy|R42|ADE|NEGATION|x]", "5 parts"),
        ("[dizzy|R4|ADE]", "not an ICD-10-CM code"),
        ("[dizzy|dizziness|ADE]", "not an ICD-10-CM code"),
        ("[dizzy||ADE]", "not an ICD-10-CM code"),
        ("[dizzy|R42|SIDE_EFFECT]", "role 'SIDE_EFFECT' is not one of ADE"),
        ("[dizzy|R42|ADE/ADE]", "given twice"),
        ("[dizzy|R42|ADE|DENIED]", "trait 'DENIED' is not one of"),
        ("[dizzy|R42|ADE|NEGATION NEGATION?]", "given twice"),
        ("[ dizzy|R42|ADE]", "begins or ends with a space"),
        ("[|R42|ADE]", "empty"),
        ("so [dizzy|R42|ADE", "not closed"),
        ("so dizzy|R42|ADE]", "stands where no mark can"),
        ("[so [dizzy|R42|ADE]]", "stands where no mark can"),
    ],
)
def test_a_mark_that_cannot_be_used_is_refused_with_file_and_line_and_no_word_of_the_post(tmp_path, text, why):
    with pytest.raises(ContractError, match=why) as refused:
        _read(tmp_path, "fine", f"secretword {text}")
    assert "mine.csv" in str(refused.value)
    assert "line 3" in str(refused.value)
    assert "secretword" not in str(refused.value)


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (b"", "line 1: columns are missing"),
        (b"text\nhello\n", "expected post, reviewed, text"),
        (HEADER.encode(), "holds no posts"),
        (b"post,reviewed,text\np1,yes,a\np1,yes,b\n", "line 3: post p1 is listed twice"),
        (b"post,reviewed,text\np1,yes,a, b\n", "line 2: 4 cells"),
        (b"post,reviewed,text\np1,perhaps,a\n", "line 2: reviewed is neither"),
        (b"post,reviewed,text\n,yes,a\n", "line 2: the post has no name"),
        (b'post,reviewed,text\np1,yes,"a\n', "line 2: .*mend its quotes"),
        (b"post,reviewed,text\np1,yes,caf\xe9\n", "is not UTF-8"),
    ],
)
def test_a_file_that_cannot_be_used_is_refused_with_the_remedy(tmp_path, content, why):
    path = tmp_path / "mine.csv"
    path.write_bytes(content)
    with pytest.raises(ContractError, match=why):
        read_gold(path)


def test_a_file_saved_with_a_byte_order_mark_and_windows_line_ends_is_read(tmp_path):
    path = tmp_path / "mine.csv"
    path.write_bytes(b"\xef\xbb\xbfpost,reviewed,text\r\np1,no,[dizzy|R42|ADE] again\r\n")
    (post,) = read_gold(path)
    assert (post.text, post.is_reviewed) == ("dizzy again", False)


def test_every_code_of_the_gold_set_is_in_the_release_and_the_preferred_ones_are_codes_or_wildcards(shipped):
    known = sorted(vocabulary().codes)
    icd = sys.modules[PACKAGE]
    for mention in [*_mentions(shipped[0]), *_mentions(read_gold(PROBE))]:
        for code in mention.codes:
            if code.endswith("*"):
                stem = code.rstrip("*").rstrip(".")
                assert known[bisect_left(known, stem)].startswith(stem), code
            elif code != "-":
                assert icd.is_leaf(code), f"{code} has children: write {code}*"


def test_the_gold_set_holds_what_its_readme_promises(shipped):
    posts, manifest = shipped
    mentions = _mentions(posts)
    categories = {mention.codes[0][:3] for mention in mentions if not mention.is_nil}
    roles = Counter(mention.roles[0] for mention in mentions)
    traits = Counter(trait for mention in mentions for trait in mention.traits)
    splits = Counter(manifest.split_of(mention.text) for mention in mentions)
    assert len(mentions) >= 800
    assert len(categories) >= 150
    assert 0.18 <= sum(mention.is_nil for mention in mentions) / len(mentions) <= 0.25
    assert roles["INDICATION"] >= 120
    assert roles["BENEFIT"] >= 100
    assert roles["WITHDRAWAL"] >= 60
    assert roles["LACK_OF_EFFECT"] >= 50
    assert traits["NEGATION"] >= 120
    assert traits["HYPOTHETICAL"] >= 60
    assert traits["PERTAINS_TO_FAMILY"] >= 60
    assert traits["PAST_HISTORY"] >= 40
    assert splits[UNSEEN] + splits[MET] >= 250
    assert splits[UNLISTED] == 0
    assert sum(not post.mentions for post in posts) >= 40
    assert all(post.is_reviewed for post in posts)
    readme = (GOLD.parent / "README.md").read_text(encoding="utf-8")
    assert f"{len(posts):,} posts" in readme
    assert f"{len(mentions):,} mentions in {len(categories)} ICD-10-CM" in " ".join(readme.split())


def test_posts_of_the_gold_set_hold_nothing_that_signal_mode_would_mask(shipped):
    assert [post.post_id for post in shipped[0] if mask_text(post.text) != post.text] == []


def test_no_form_of_the_lexicon_is_an_unseen_phrase(shipped, lexicon):
    """Such a phrase says nothing any more of how the coder meets words it was not written for.

    Whoever had read it takes the form out again; if the work was independent, ``freeze --met`` scores it apart.
    """
    posts, manifest = shipped
    unseen = {mention.text for mention in _mentions(posts) if manifest.split_of(mention.text) == UNSEEN}
    found = set(held_by(lexicon, unseen).values())
    hashes = manifest.splits[UNSEEN]
    found |= {form.condition.name for key, form in lexicon.forms.items() if phrase_hash(key, manifest.salt) in hashes}
    with (FOLDER / "conditions.csv").open(encoding="utf-8", newline="") as file:
        rows = csv.DictReader(file)
        lines = [f"line {rows.line_num} ({row['condition']})" for row in rows if row["condition"] in found]
    message = f"{len(found)} conditions of conditions.csv or the official terms have a form that is an unseen phrase: "
    if found:
        pytest.fail(message + ", ".join(lines or sorted(found)))


def test_the_manifest_belongs_to_the_gold_file_beside_it(shipped, tmp_path):
    path = tmp_path / MANIFEST.name
    path.write_bytes(MANIFEST.read_bytes())
    freeze(GOLD, path)
    assert path.read_bytes() == MANIFEST.read_bytes()


def test_a_phrase_keeps_its_split_when_the_lexicon_and_the_gold_set_grow(tmp_path):
    gold, path = tmp_path / "gold.csv", tmp_path / "manifest.json"
    gold.write_text(f"{HEADER}p1,yes,[zibbly feet|R20.2|ADE]\np2,yes,[nausea|R11.0|ADE]\n", encoding="utf-8")
    first = freeze(gold, path)
    assert first.split_of("Nausea") == SEEN
    assert first.split_of("zibbly feet") in {DEV, UNSEEN}
    gold.write_text(
        f"{HEADER}p1,yes,[zibbly feet|R20.2|ADE]\np2,yes,[nausea|R11.0|ADE]\np3,yes,[wobbly gums|K06.8|ADE]\n",
        encoding="utf-8",
    )
    second = freeze(gold, path)
    assert second.split_of("zibbly feet") == first.split_of("zibbly feet")
    assert second.split_of("wobbly gums") in {DEV, UNSEEN}
    assert first.split_of("wobbly gums") == UNLISTED
    assert read_manifest(path) == second


def test_unseen_phrases_that_the_lexicon_came_to_hold_are_met_only_when_one_says_so(tmp_path, lexicon):
    gold, path = tmp_path / "gold.csv", tmp_path / "manifest.json"
    gold.write_text(f"{HEADER}p1,yes,[nausea|R11.0|ADE]\n", encoding="utf-8")
    frozen = freeze(gold, path)
    hidden = Manifest(
        frozen.salt, "", "", "", {**frozen.splits, SEEN: frozenset(), UNSEEN: frozen.splits[SEEN]}, frozenset()
    )
    path.unlink()
    _write(hidden, path)
    assert freeze(gold, path).split_of("nausea") == UNSEEN
    met = freeze(gold, path, with_met=True)
    assert met.split_of("nausea") == MET
    assert met.groups_of("nausea") == (MET, "fresh")


def _write(manifest, path):
    from adverse_events.coding.evaluation.splits import write_manifest  # noqa: PLC0415

    write_manifest(manifest, path)


@pytest.mark.parametrize(
    ("one", "other"),
    [("the Shakes", "shake"), ("can't sleep", "CANT sleep"), ("3 hrs sleep", "12 hrs sleep"), ("so tired", "tired")],
)
def test_phrases_that_differ_in_case_articles_plural_or_number_are_one(one, other):
    assert normal_form(one) == normal_form(other)
    assert normal_form(normal_form(one)) == normal_form(one)


def test_a_phrase_of_nothing_but_small_words_keeps_them():
    assert normal_form("this is so") != ""


def test_the_lexicon_is_read_as_the_coder_reads_it(lexicon):
    assert known_condition("Nausea!!", lexicon)
    assert known_condition("diarrhoea", lexicon) == known_condition("diarrhea", lexicon) is not None
    assert known_condition("zibbly feet", lexicon) is None


def test_a_damaged_manifest_is_refused(tmp_path):
    path = Path(tmp_path / "manifest.json")
    path.write_text("{}", encoding="utf-8")
    with pytest.raises(ContractError, match="cannot be read"):
        read_manifest(path)
