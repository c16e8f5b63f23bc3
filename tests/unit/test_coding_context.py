"""Traits and roles, measured on posts with gold answers, and the rules one by one where a set would hide them."""

import pytest

from adverse_events.coding.embedded import EmbeddedCoder
from adverse_events.screening.drugs import DrugLexicon
from tests.context_gold import DATA, ROLES, TRAITS, agreement, read_posts

ALL_ROLES = [role for role in ROLES.values() if role]


@pytest.fixture(scope="module")
def coded():
    coder, drugs = EmbeddedCoder.load(), DrugLexicon.load()
    return lambda text: coder.code([text], [drugs.find(text)])[0].entities


def traits(entity):
    return {trait.name for trait in entity.traits}.intersection(TRAITS.values())


SETS = ("development", "held_out", "final", "second")


@pytest.mark.parametrize("name", [f"context_{name}.txt" for name in SETS])
def test_roles_and_denials_agree_with_readers(name):
    result = agreement(DATA / name)
    assert result.scores(*ALL_ROLES)[2] >= 0.94
    assert result.scores("NEGATION")[2] >= 0.85
    assert result.scores("PERTAINS_TO_FAMILY")[2] >= 0.94
    assert result.n_unseen < 0.1 * result.n_seen


def test_the_sets_share_no_post():
    posts = [text for path in sorted(DATA.glob("context_*.txt")) for _, text, _ in read_posts(path)]
    assert len(posts) == len(set(posts)) > 600


@pytest.mark.parametrize(
    ("text", "role"),
    [
        ("nauseous all week, lexapro day 3", "ADE"),
        ("headache, so I took a zoloft", "INDICATION"),
        ("on lexapro since june. still fine. then the rash", "ADE"),
        ("stopped zoloft because of the rash", "ADE"),
        ("stopped zoloft last week. so dizzy", "WITHDRAWAL"),
        ("stopped zoloft, started prozac, so dizzy", "ADE"),
        ("so dizzy that i stopped zoloft", "ADE"),
        ("dizzy since i stopped zoloft", "WITHDRAWAL"),
        ("forgot to pack my zoloft, so dizzy", "WITHDRAWAL"),
        ("zoloft hasn't really helped my anxiety", "LACK_OF_EFFECT"),
        ("taking zoloft to ease my anxiety", "INDICATION"),
        ("zoloft seems to ease my anxiety", "BENEFIT"),
        ("hope zoloft helps my anxiety", "INDICATION"),
        ("zoloft made my anxiety worse", "ADE"),
        ("thanks zoloft for the insomnia", "ADE"),
        ("dizzy, must be the weather, zoloft is fine", "UNKNOWN"),
        ("zoloft made my anxiety disappear", "BENEFIT"),
        ("accutane depression", "ADE"),
        ("zoloft depression", "INDICATION"),
        ("my depression, my accutane", "INDICATION"),
        ("melatonin for months, nose is still running", "ADE"),
        ("claritin for months, nose is still running", "LACK_OF_EFFECT"),
        ("claritin was useless. still sneezing", "LACK_OF_EFFECT"),
        ("zoloft was useless. still sneezing", "ADE"),
        ("emgality: zero migraines since march", "BENEFIT"),
        ("metformin: zero migraines since march", "ADE"),
        ("paxil nausea went away after a week", "ADE"),
        ("zofran, nausea went away after an hour", "BENEFIT"),
        ("diagnosed with glaucoma after years of prednisone", "ADE"),
        ("so dizzy every time she takes zoloft", "ADE"),
        ("Yazzmin = nausea", "ADE"),
        ("Yesterday, nausea", "UNKNOWN"),
        ("so dizzy today", "UNKNOWN"),
    ],
)
def test_a_role_follows_cues_then_word_order_and_drugs(coded, text, role):
    assert [entity.role for entity in coded(text)] == [role]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("zoloft never upset me or gave me a rash", {"NEGATION"}),
        ("rash on lamictal? never happened", {"NEGATION"}),
        ("rash: none on lamictal", {"NEGATION"}),
        ("i hope lamictal doesn't give me a rash", {"HYPOTHETICAL"}),
        ("there isn't a day without a headache on zoloft", set()),
        ("i don't have no rash from lamictal", {"NEGATION"}),
        ("no one told me zoloft would make me dizzy", set()),
        ("why am i so dizzy on zoloft?", set()),
        ("i could not sleep on zoloft", set()),
        ("wasn't dizzy until they gave me zoloft", set()),
        ("used to get hives from zoloft", {"PAST_HISTORY"}),
        ("was on paxil years ago, now zoloft makes me dizzy", set()),
        ("it might be the zoloft but i'm so dizzy", {"LOW_CONFIDENCE"}),
    ],
)
def test_a_trait_has_its_scope(coded, text, expected):
    found = coded(text)
    assert found
    assert {name for entity in found for name in traits(entity)} == expected


@pytest.mark.parametrize(
    ("text", "is_others"),
    [
        ("my son got hives from amoxicillin", True),
        ("my son took amoxicillin. hives everywhere", True),
        ("a friend of mine got hives from amoxicillin", True),
        ("my little one got hives from amoxicillin", True),
        ("my mom says i look dizzy on zoloft", False),
        ("told my mom that zoloft makes me dizzy", False),
        ("my husband hates how dizzy i am on zoloft", False),
        ("asked my doctor about zoloft, he says dizziness is common for me", False),
        ("my sister recommended zoloft. i'm so dizzy", False),
    ],
)
def test_whose_condition_it_is(coded, text, is_others):
    found = coded(text)
    assert found
    assert {"PERTAINS_TO_FAMILY" in traits(entity) for entity in found} == {is_others}


@pytest.mark.parametrize(
    ("text", "cause"),
    [
        ("switched from zoloft to lamictal and now lamictal gives me hives", "T42.6X5"),
        ("hives since switching from zoloft to lamictal", "T42.6X5"),
        ("took tylenol for the headache i got from zoloft", "T43.225"),
        ("zoloft was fine, lamictal gave me hives", "T42.6X5"),
        ("thanks zoloft, so dizzy. lamictal is fine", "T43.225"),
        ("off zoloft for a week and dizzy, lamictal helps", "T43.225"),
        ("zoloft and lamictal gave me hives", None),
        ("hives from zoloft or lamictal", None),
        ("overdosed on zoloft and so dizzy", None),
    ],
)
def test_the_drug_blamed_is_the_one_the_words_point_at(coded, text, cause):
    assert {entity.cause_code for entity in coded(text) if entity.text not in ("overdosed", "headaches")} == {cause}


def test_a_long_post_costs_what_its_length_says(coded):
    """Quadratic work would take minutes here."""
    sentence = "stopped zoloft because my son was not dizzy, went to the er and took zoloft for no headache. "
    assert len(coded(sentence * 2000)) >= 4000
