"""What an evaluation counts: pairs, codes, abstentions, roles, curves, baselines, and checks on corpora of others."""

import json
from pathlib import Path

import pytest

from adverse_events import assembly
from adverse_events.coding.evaluation.bars import bars
from adverse_events.coding.evaluation.baselines import NO_LIMITS, ExactTerms, FuzzyTerms, Similarity, Vocabulary
from adverse_events.coding.evaluation.chapters import chapter_of
from adverse_events.coding.evaluation.compare import judge
from adverse_events.coding.evaluation.corpora import check_effects, check_reviews
from adverse_events.coding.evaluation.counts import ALL, HELD, count
from adverse_events.coding.evaluation.curve import Point, area, risk_coverage
from adverse_events.coding.evaluation.evaluation import evaluate
from adverse_events.coding.evaluation.figures import markdown, with_figures
from adverse_events.coding.evaluation.gold import read_gold
from adverse_events.coding.evaluation.page import render
from adverse_events.coding.evaluation.probe import probe
from adverse_events.coding.evaluation.result import WITHHELD
from adverse_events.coding.evaluation.scores import measure
from adverse_events.coding.evaluation.shipped import load_shipped
from adverse_events.coding.evaluation.splits import SEEN, SPLITS, UNLISTED, UNSEEN, Manifest, phrase_hash
from adverse_events.coding.select import CodingSettings
from adverse_events.errors import ContractError
from adverse_events.records import Coding, Concept, Entity, Trait

SETTINGS = CodingSettings()


class FixedCoder:
    """Answers each text with the entities it was given for it."""

    coder_version, icd10cm_release, served_by = "fixed", "2026-04", ""

    def __init__(self, answers):
        self.answers = answers

    def code(self, texts, drug_mentions):
        assert len(texts) == len(drug_mentions)
        return [Coding(tuple(self.answers.get(text, ()))) for text in texts]


def _posts(tmp_path, *texts):
    path = tmp_path / "gold.csv"
    path.write_text("post,reviewed,text\n" + "".join(f'p{n},yes,"{text}"\n' for n, text in enumerate(texts, 1)))
    return read_gold(path)


def _entity(text, words, *codes, score=0.95, role="ADE", traits=()):
    begin = text.index(words)
    concepts = tuple(Concept(code, code, score) for code in codes)
    marks = tuple(Trait(name, 0.9) for name in traits)
    return Entity(words, begin, begin + len(words), score, marks, concepts, role=role)


def _judged(tmp_path, marked, *found):
    """Judge the entities that `found` describes in the one post that `marked` is."""
    (post,) = _posts(tmp_path, marked)
    return judge(post, [_entity(post.text, *given[0], **given[1]) for given in found], SETTINGS)


def _scores(posts, group=ALL, manifest=None):
    return measure(count(posts, manifest or Manifest.empty(), SETTINGS)[group], is_whole=group in {ALL, HELD}, draws=20)


def _given(*args, **kwargs):
    return args, kwargs


def test_mention_and_entity_are_paired_by_the_longest_overlap(tmp_path):
    judged = _judged(
        tmp_path,
        "[pounding head|R51.9|ADE] and [sore throat|J02.9|ADE]",
        _given("head and sore", "R51.9"),
        _given("throat", "J02.9"),
    )
    assert [one.entity.text for one in judged.mentions] == ["head and sore", "throat"]
    assert [one.is_exact for one in judged.mentions] == [False, False]
    assert not judged.spurious


def test_an_entity_where_nothing_is_marked_is_spurious(tmp_path):
    judged = _judged(tmp_path, "so [dizzy|R42|ADE], sick beat", _given("dizzy", "R42"), _given("sick", "R11.0"))
    assert [entity.text for entity in judged.spurious] == ["sick"]
    assert _scores([judged])["span_precision"].value == 0.5
    assert _scores([judged])["spurious_codes_per_post"].value == 1


def test_a_second_entity_in_one_mention_is_a_fragment_only_if_its_code_is_acceptable(tmp_path):
    marked = "[cramps that made me double over|R10.9/R10.*|ADE]"
    same = _judged(tmp_path, marked, _given("cramps that made", "R10.9"), _given("over", "R10.84"))
    other = _judged(tmp_path, marked, _given("cramps that made", "R10.9"), _given("double", "H53.2"))
    assert [len(same.fragments), len(same.spurious)] == [1, 0]
    assert [len(other.fragments), len(other.spurious)] == [0, 1]


def test_an_entity_below_the_entity_limit_is_not_looked_at_and_a_concept_below_its_limit_is_no_code(tmp_path):
    judged = _judged(
        tmp_path,
        "[dizzy|R42|ADE], [sick|R11.0|ADE]",
        _given("dizzy", "R42", score=0.5),
        _given("sick", "R11.0", score=0.65),
    )
    assert [(one.entity is None, one.code) for one in judged.mentions] == [(True, None), (False, None)]


def test_codes_are_right_wrong_or_abstained_by_what_the_annotator_accepts(tmp_path):
    posts = [
        _judged(tmp_path, "[dizzy|R42|ADE]", _given("dizzy", "R42")),
        _judged(tmp_path, "[dizzy|R42|ADE]", _given("dizzy", "R55")),
        _judged(tmp_path, "[dizzy|R42|ADE]", _given("dizzy")),
        _judged(tmp_path, "[dizzy|R42/-|ADE]"),
        _judged(tmp_path, "[off|-|ADE]", _given("off", "R53.81")),
        _judged(tmp_path, "[awful|-/R53.81|ADE]", _given("awful", "R53.81")),
        _judged(tmp_path, "[weird|-|ADE]"),
    ]
    scores = _scores(posts)
    assert scores["coded"].value == 2 / 4
    assert scores["accuracy@1:full"].value == 1 / 4
    assert scores["accuracy@1:chapter"].value == 2 / 4
    assert scores["wrong_codes"].value == 2 / 7
    assert scores["nil_abstained"].value == 1 / 3
    assert scores["abstention_precision"].value == 2 / 3
    assert (scores["coded"].n, scores["wrong_codes"].n) == (4, 7)


def test_a_right_code_among_the_best_five_counts_there_only(tmp_path):
    (post,) = _posts(tmp_path, "[dizzy|R42|ADE]")
    codes = ["R55", "R51.9", "R42", "R11.0", "R61", "R21"]
    concepts = tuple(Concept(code, code, 0.9 - place / 100) for place, code in enumerate(codes))
    judged = judge(post, [Entity("dizzy", 0, 5, 0.9, (), concepts)], SETTINGS)
    assert judged.mentions[0].codes == tuple(codes[:5])
    scores = _scores([judged])
    assert (scores["accuracy@1:full"].value, scores["accuracy@5:full"].value) == (0, 1)


def test_a_role_is_scored_where_the_condition_is_asserted_and_any_accepted_one_is_right(tmp_path):
    posts = [
        _judged(tmp_path, "[sad|R45.2|ADE/UNKNOWN]", _given("sad", "R45.2", role="UNKNOWN")),
        _judged(tmp_path, "[sad|R45.2|INDICATION]", _given("sad", "R45.2", role="ADE")),
        _judged(tmp_path, "not [sad|R45.2|ADE|NEGATION]", _given("sad", "R45.2", role="BENEFIT", traits=["NEGATION"])),
    ]
    counts = count(posts, Manifest.empty(), SETTINGS)[ALL]
    assert counts.total("roles") == 2
    assert counts.total("role:UNKNOWN>UNKNOWN") == counts.total("role:INDICATION>ADE") == 1
    scores = _scores(posts)
    assert scores["role_f1_micro"].value == 0
    assert scores["role:UNKNOWN:f1"].value == 1
    assert scores["trait:NEGATION:f1"].value == 1


def test_an_optional_trait_is_right_with_and_without(tmp_path):
    marked = "no more [sneezing|R06.7|BENEFIT|NEGATION?]"
    for traits in ([], ["NEGATION"]):
        scores = _scores([_judged(tmp_path, marked, _given("sneezing", "R06.7", role="BENEFIT", traits=traits))])
        assert scores["trait:NEGATION:f1"].value is None
        assert scores["role:BENEFIT:f1"].value == 1


def test_an_event_that_was_not_found_is_missed_and_a_denied_one_is_a_false_alarm(tmp_path):
    posts = [
        _judged(tmp_path, "[dizzy|R42|ADE]"),
        _judged(tmp_path, "[dizzy|R42|ADE]", _given("dizzy", "R42")),
        _judged(tmp_path, "not [dizzy|R42|ADE|NEGATION]", _given("dizzy", "R42")),
    ]
    scores = _scores(posts)
    assert (scores["event_precision"].value, scores["event_recall"].value) == (0.5, 0.5)


def test_posts_without_any_condition_are_counted_when_they_get_a_code(tmp_path):
    posts = [_judged(tmp_path, "what a sick beat", _given("sick", "R11.0")), _judged(tmp_path, "refilled it")]
    assert _scores(posts)["posts_without_conditions_coded"].value == 0.5


def test_the_posts_held_back_are_those_the_manifest_does_not_show(tmp_path):
    posts = _posts(tmp_path, "[sad|R45.2|ADE]", "[sad|R45.2|ADE]")
    judged = [judge(post, [_entity(post.text, "sad", "R45.2")], SETTINGS) for post in posts]
    empty = Manifest.empty()
    manifest = Manifest("", "", "", "", empty.splits, frozenset({"p1"}))
    assert count(judged, manifest, SETTINGS)[HELD].total("mentions") == 1
    assert count(judged, empty, SETTINGS)[HELD].total("mentions") == 2


def test_intervals_hold_the_value_and_widen_when_posts_are_few(tmp_path):
    right = _judged(tmp_path, "[dizzy|R42|ADE]", _given("dizzy", "R42"))
    wrong = _judged(tmp_path, "[dizzy|R42|ADE]", _given("dizzy", "R55"))
    few, many = (
        measure(count([right, wrong] * n, Manifest.empty(), SETTINGS)[ALL], is_whole=False)["wrong_codes"]
        for n in (5, 200)
    )
    assert few.low <= few.value <= few.high
    assert many.high - many.low < few.high - few.low
    again = measure(count([right, wrong] * 5, Manifest.empty(), SETTINGS)[ALL], is_whole=False)["wrong_codes"]
    assert few == again


def test_a_score_with_nothing_to_count_has_no_value():
    scores = _scores([])
    assert scores["coded"].to_json() == {"value": None, "low": None, "high": None, "n": 0}


def test_risk_grows_along_the_curve_and_ties_are_one_point(tmp_path):
    posts = [
        _judged(tmp_path, "[dizzy|R42|ADE]", _given("dizzy", "R42", score=0.95)),
        _judged(tmp_path, "[dizzy|R42|ADE]", _given("dizzy", "R42", score=0.95)),
        _judged(tmp_path, "[dizzy|R42|ADE]", _given("dizzy", "R55", score=0.75)),
        _judged(tmp_path, "[dizzy|R42|ADE]"),
    ]
    points = risk_coverage([one for post in posts for one in post.mentions])
    assert points == [Point(0.95, 0.5, 0.0), Point(0.75, 0.75, 1 / 3)]
    assert area(points) == pytest.approx((0.25 * (1 / 3) / 2) / 0.75)
    assert area([]) is None


@pytest.mark.parametrize(
    ("code", "words"),
    [
        ("A09", "infectious"),
        ("D49.9", "Neoplasms"),
        ("D50.9", "Blood"),
        ("H59.1", "Eye"),
        ("H60.0", "Ear"),
        ("R42", "Symptoms"),
        ("T88.7XXA", "Injury"),
        ("U07.1", "special"),
        ("Z99", "health"),
    ],
)
def test_a_code_lies_in_its_chapter(code, words):
    assert words in chapter_of(code)


def test_official_terms_are_found_whole_longest_first_in_any_case(tmp_path):
    official = Vocabulary(("R11", "R11.0", "R51"), ("Nausea and vomiting", "Nausea", "Headache"))
    (post,) = _posts(tmp_path, "NAUSEA and Vomiting, then nausea, no headaches")
    (found,) = ExactTerms(official).code([post])
    assert [(entity.text, entity.concepts[0].code) for entity in found] == [
        ("NAUSEA and Vomiting", "R11"),
        ("nausea", "R11.0"),
    ]


def test_the_fuzzy_baseline_gives_the_most_alike_term_and_is_often_wrong(tmp_path):
    posts = _posts(tmp_path, "[dizzy|R42|ADE], [nausea|R11.0|ADE]")
    official = Vocabulary(("Q89.4", "R11.0", "R42"), ("Dizygous", "Nausea", "Giddiness"))
    (lax,) = FuzzyTerms(Similarity(official), 60).code(posts)
    (strict,) = FuzzyTerms(Similarity(official), 80).code(posts)
    (post,) = posts
    assert [one.code for one in judge(post, strict, NO_LIMITS).mentions] == [None, "R11.0"]
    assert [one.is_wrong for one in judge(post, lax, NO_LIMITS).mentions] == [True, False]


def test_the_whole_evaluation_withholds_unseen_phrases_and_spells_out_the_others():
    posts, manifest = load_shipped()
    some = posts[::12]
    result = evaluate(some, assembly.embedded_coder(), assembly.lexicon().find, manifest, SETTINGS)
    page, printed = render(result), json.dumps(result.to_json())
    unseen = [
        m.text for post in posts for m in post.mentions if manifest.split_of(m.text) == UNSEEN and len(m.text) > 14
    ]
    assert unseen
    assert [phrase for phrase in unseen if phrase in page or phrase in printed] == []
    assert {miss.phrase for miss in result.misses if miss.split == UNSEEN} == {WITHHELD}
    assert any(miss.phrase != WITHHELD for miss in result.misses)
    assert result.splits[ALL].mentions == sum(result.splits[s].mentions for s in SPLITS if s in result.splits)
    assert sum(row.mentions for row in result.conditions) == result.splits[ALL].mentions


def test_the_page_is_one_file_that_asks_for_nothing_and_trusts_no_phrase(tmp_path):
    posts = _posts(tmp_path, "so [<script>alert(1)</script>|R42|ADE]")
    result = evaluate(posts, FixedCoder({}), lambda _: [], Manifest.empty(), SETTINGS)
    page = render(result)
    assert "<script>" not in page
    assert "&lt;script&gt;" in page
    assert "default-src 'none'" in page
    assert "http://" not in page.replace("http-equiv", "")
    assert "https://" not in page


def test_somebody_elses_gold_set_has_no_splits_and_no_bars_but_all_scores(tmp_path):
    posts = _posts(tmp_path, "[dizzy|R42|ADE] on zoloft", "fine")
    answers = {posts[0].text: [_entity(posts[0].text, "dizzy", "R42")]}
    result = evaluate(posts, FixedCoder(answers), lambda _: [], Manifest.empty(), SETTINGS)
    assert set(result.splits) == {UNLISTED, HELD, ALL}
    assert result.splits[ALL].scores["accuracy@1:full"].value == 1
    assert [bar.split for bar in bars(result)] == [HELD]


def test_the_figures_replace_what_stands_between_the_marks_of_a_page():
    page = "# Coder\n\n<!-- figures: old -->\n\nold\n\n<!-- end of figures -->\n\nProse.\n"
    once = with_figures(page, "| a |\n", "some command")
    assert once == "# Coder\n\n<!-- figures: some command -->\n\n| a |\n\n<!-- end of figures -->\n\nProse.\n"
    assert with_figures(once, "| a |\n", "some command") == once
    with pytest.raises(ValueError, match="substring"):
        with_figures("# Coder", "", "")


def test_the_coders_page_has_the_tables_that_are_measured_today():
    posts, manifest = load_shipped()
    result = evaluate(posts[::40], assembly.embedded_coder(), assembly.lexicon().find, manifest, SETTINGS)
    page = (Path(__file__).parents[2] / "docs" / "coder.md").read_text(encoding="utf-8")
    rows = [line.split("|")[1] for line in markdown(result).splitlines() if line.startswith("|")]
    assert [row for row in rows if f"|{row}|" not in page] == []


def test_a_bar_is_met_only_on_the_right_side_of_its_bound(tmp_path):
    posts = _posts(tmp_path, "[dizzy|R42|ADE]", "[tired|R53.83|ADE]")
    empty = Manifest.empty()
    hashes = {SEEN: frozenset({phrase_hash("dizzy", "")}), UNSEEN: frozenset({phrase_hash("tired", "")})}
    manifest = Manifest("", "", "", "", {**empty.splits, **hashes}, frozenset())
    answers = {
        "dizzy": [_entity("dizzy", "dizzy", "R42")],
        "tired": [_entity("tired", "tired", "R42")],
    }
    result = evaluate(posts, FixedCoder(answers), lambda _: [], manifest, SETTINGS)
    met = {(bar.split, bar.score): bar.is_met for bar in bars(result)}
    assert met[UNSEEN, "wrong_codes"] is False
    assert met[UNSEEN, "coded"] is True
    assert met[SEEN, "accuracy@1:full"] is True


def test_a_coder_that_refuses_a_gold_post_is_named_without_the_post(tmp_path):
    class Refuser(FixedCoder):
        def code(self, texts, drug_mentions):
            return [Coding(refusal="too long") for _ in zip(texts, drug_mentions, strict=True)]

    with pytest.raises(ContractError, match="line 2") as refused:
        evaluate(_posts(tmp_path, "secretword"), Refuser({}), lambda _: [], Manifest.empty(), SETTINGS)
    assert "secretword" not in str(refused.value)


def test_the_probe_counts_right_wrong_and_not_coded():
    measured = probe(assembly.embedded_coder(), SETTINGS)
    assert measured["phrases"] == 30
    assert measured["right"] + measured["wrong"] + measured["not_coded"] == 30


def test_effects_of_formal_sentences_are_looked_for_where_they_stand(tmp_path):
    path = tmp_path / "effects.csv"
    path.write_text(
        "id,text,effect,drug\n"
        "1,A case of DIZZINESS after zorvexil.,dizziness,zorvexil\n"
        "1,A case of DIZZINESS after zorvexil.,dizziness,again\n"
        "2,Zorvexil-induced wobblitis.,wobblitis,zorvexil\n"
        "3,Nothing of the kind.,hiccups,zorvexil\n"
    )
    text = "A case of DIZZINESS after zorvexil."
    coder = FixedCoder({text: [_entity(text, "DIZZINESS", "R42")]})
    assert check_effects(path, coder, lambda _: [], SETTINGS) == {"effects": 2, "found": 0.5, "coded": 0.5, "events": 1}


def test_review_sentences_are_checked_by_the_one_label_they_have(tmp_path):
    path = tmp_path / "reviews.csv"
    path.write_text(
        "text,label,WD,EF,INF,SSI,DI\n"
        "so dizzy,1,0,0,0,0,0\n"
        "dizzy off it,1,1,0,0,0,0\n"
        "sadness gone,0,0,1,0,1,0\n"
        "nothing,0,0,0,0,0,0\n"
    )
    coder = FixedCoder(
        {
            "so dizzy": [_entity("so dizzy", "dizzy", "R42")],
            "sadness gone": [_entity("sadness gone", "sadness", "R45.2", role="BENEFIT")],
        }
    )
    measured = check_reviews(path, coder, lambda _: [], SETTINGS)
    assert measured["label"] == {"sentences": 1, "condition": 1, "expected_role": 1, "events": 1}
    assert measured["EF"] == {"sentences": 1, "condition": 1, "expected_role": 1, "false_events": 0}
    assert measured["SSI"]["sentences"] == measured["WD"]["sentences"] == 0


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (b"text,effect\na,b\n", "line 1: column drug is missing"),
        (b"text,effect,drug\na,b\n", "line 2: the row is too short"),
        (b"text,effect,drug\ncaf\xe9,b,c\n", "is not UTF-8"),
    ],
)
def test_a_corpus_that_cannot_be_used_is_refused_with_file_and_line(tmp_path, content, why):
    path = tmp_path / "effects.csv"
    path.write_bytes(content)
    with pytest.raises(ContractError, match=why) as refused:
        check_effects(path, FixedCoder({}), lambda _: [], SETTINGS)
    assert "effects.csv" in str(refused.value)
