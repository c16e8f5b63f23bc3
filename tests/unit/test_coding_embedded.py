"""The embedded coder as a whole: lay language in, codes and context out."""

import hashlib
import os
import subprocess
import sys
import time

import pytest

from adverse_events.coding.embedded import EmbeddedCoder
from adverse_events.coding.select import CodingSettings, best_concept
from adverse_events.errors import ContractError
from adverse_events.records import Coding, DrugMention

INGREDIENTS = {"zoloft": "sertraline", "humira": "adalimumab", "cipro": "ciprofloxacin", "effexor": "venlafaxine"}


@pytest.fixture(scope="module")
def coder():
    return EmbeddedCoder.load()


def entities(coder, text):
    """Code one text whose drugs are among `INGREDIENTS`."""
    drugs = [
        DrugMention(text[at : at + len(name)], at, at + len(name), ingredient)
        for name, ingredient in INGREDIENTS.items()
        if (at := text.lower().find(name)) >= 0
    ]
    return coder.code([text], [drugs])[0].entities


def traits(entity):
    return {trait.name for trait in entity.traits} - {"SYMPTOM", "SIGN", "DIAGNOSIS"}


PROBE = {
    "lost my lunch twice before noon": "R11.10",
    "spent the night hugging the toilet": "R11.10",
    "feeling queasy on the bus": "R11.0",
    "my tummy is killing me": "R10.9",
    "i have the runs again": "R19.7",
    "havent pooped in 5 days": "K59.00",
    "wide awake at 4am staring at the ceiling": "G47.00",
    "cannot keep my eyes open at my desk": "R40.0",
    "zero energy, dragging myself around": "R53.83",
    "the room is spinning": "R42",
    "my heart is pounding out of my chest": "R00.2",
    "heart beating a mile a minute": "R00.0",
    "hair coming out in clumps in the shower": "L65.9",
    "mouth feels like sandpaper": "R68.2",
    "everything tastes like metal": "R43.2",
    "put on 15 pounds since june": "R63.5",
    "no interest in sex at all": "R68.82",
    "cant get it up": "N52.9",
    "my hands won't stop shaking": "R25.1",
    "legs feel like jelly": "R53.1",
    "i feel emotionally numb": "R45.89",
    "the brain fog is awful": "R41.89",
    "keep snapping at everyone": "R45.4",
    "crawling out of my skin": "R45.1",
    "drenched in sweat": "R61",
    "broke out in hives": "L50.9",
    "scratching myself raw": "L29.9",
    "ears ringing nonstop": "H93.19",
    "everything looks blurry, blurry vision": "H53.8",
    "peeing every 10 minutes": "R35.0",
    "i dont want to be here anymore": "R45.851",
    "my knees are killing me": "M25.569",
}


@pytest.mark.parametrize(("phrase", "icd10cm_code"), PROBE.items())
def test_lay_language_is_coded(coder, phrase, icd10cm_code):
    codes = {entity.concepts[0].code for entity in coder.code([phrase], [()])[0].entities if entity.concepts}
    assert icd10cm_code in codes
    assert all(code[:3] in {icd10cm_code[:3], "G47", "H53"} for code in codes)


@pytest.mark.parametrize(
    "phrase",
    [
        "this beat is a sick beat",
        "dying laughing at this",
        "what a headache of a meeting",
        "so tired of this weather",
        "sick of waiting at the pharmacy",
        "the zombie movie was great",
        "itching to get out of the house",
        "shaking my head at these prices",
        "took a pill, watched a film, went home",
        "my chakras are misaligned and the moon is wrong",
    ],
)
def test_it_abstains_rather_than_guess(coder, phrase):
    assert coder.code([phrase], [()]) == [Coding()]


def test_the_longest_form_wins(coder):
    (entity,) = coder.code(["sharp lower back pain"], [()])[0].entities
    assert (entity.text, entity.concepts[0].code) == ("lower back pain", "M54.50")


def test_what_else_the_words_might_mean_comes_after_and_is_never_selected_by_default(coder):
    (entity,) = coder.code(["always dizzy"], [()])[0].entities
    best, *others = entity.concepts
    assert best.code == "R42"
    assert 1 <= len(others) <= 4
    scores = [concept.score for concept in entity.concepts]
    assert scores == sorted(scores, reverse=True)
    assert max(concept.score for concept in others) < CodingSettings().concept_min_score
    assert best_concept(entity, CodingSettings()) == best


def test_an_unspecific_complaint_is_reported_without_a_code(coder):
    (entity,) = coder.code(["zoloft makes me feel weird"], [()])[0].entities
    assert (entity.text, entity.concepts) == ("feel weird", ())


@pytest.mark.parametrize(
    ("text", "denied"),
    [
        ("no headache at all on zoloft", {"headache"}),
        ("no nausea, headache or rash so far on humira", {"nausea", "headache", "rash"}),
        ("never had a rash from humira", {"rash"}),
        ("haven't had a single migraine on humira", {"migraine"}),
        ("zoloft didn't make me dizzy", {"dizzy"}),
        ("without any nausea on cipro", {"nausea"}),
        ("no nausea but a terrible headache", {"nausea"}),
        ("no side effects except insomnia on zoloft", set()),
        ("can't sleep on zoloft", set()),
        ("no sleep thanks to zoloft", set()),
        ("no joke, humira gave me a rash", set()),
        ("not only nausea on cipro", set()),
        ("zoloft, can't stop puking", set()),
        ("the itching won't go away, thanks cipro", set()),
        ("never again cipro, hives everywhere", set()),
        ("didn't take my zoloft and got dizzy", set()),
        ("no idea why but zoloft gives me a headache", set()),
        ("no appetite, nausea on zoloft", set()),
    ],
)
def test_denial_has_a_scope(coder, text, denied):
    found = entities(coder, text)
    assert found
    assert {entity.text for entity in found if "NEGATION" in traits(entity)} == denied


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("will zoloft make me gain weight?", {"HYPOTHETICAL"}),
        ("does zoloft cause insomnia?", {"HYPOTHETICAL"}),
        ("hope i don't get the rash from humira", {"HYPOTHETICAL"}),
        ("cipro may cause tendon rupture", {"HYPOTHETICAL"}),
        ("anyone else dizzy on zoloft?", set()),
        ("my mom got hives from cipro", {"PERTAINS_TO_FAMILY"}),
        ("zoloft made her dizzy", {"PERTAINS_TO_FAMILY"}),
        ("told my mom that zoloft gives me nausea", set()),
        ("history of migraines, starting humira", {"PAST_HISTORY"}),
        ("maybe the zoloft gives me nausea", {"LOW_CONFIDENCE"}),
    ],
)
def test_traits_tell_what_is_not_plainly_asserted_of_the_author(coder, text, expected):
    (entity,) = entities(coder, text)
    assert traits(entity) == expected


@pytest.mark.parametrize(
    ("text", "roles"),
    [
        ("zoloft gave me insomnia", ["ADE"]),
        ("dizzy since starting zoloft", ["ADE"]),
        ("hives from cipro", ["ADE"]),
        ("zoloft headache is real", ["ADE"]),
        ("side effects of zoloft so far: nausea, dry mouth", ["ADE", "ADE"]),
        ("took zoloft for my depression", ["INDICATION"]),
        ("took zoloft for my depression, gained 20 lbs", ["INDICATION", "ADE"]),
        ("my migraine meds and zoloft", ["INDICATION"]),
        ("adhd is real, zoloft", ["INDICATION"]),
        ("zoloft cured my anxiety", ["BENEFIT"]),
        ("no more panic attacks since zoloft", ["BENEFIT"]),
        ("my rash is gone thanks to humira", ["BENEFIT"]),
        ("zoloft helped my anxiety and depression", ["BENEFIT", "BENEFIT"]),
        ("zoloft helped my anxiety but gave me insomnia", ["BENEFIT", "ADE"]),
        ("zoloft did nothing for my anxiety", ["LACK_OF_EFFECT"]),
        ("zoloft isn't helping my depression", ["LACK_OF_EFFECT"]),
        ("missed my effexor and the brain zaps are bad", ["WITHDRAWAL"]),
        ("effexor withdrawal: dizzy, sweating", ["WITHDRAWAL", "WITHDRAWAL", "WITHDRAWAL"]),
        ("coming off effexor gave me nausea", ["WITHDRAWAL"]),
        ("dizzy on zoloft", ["ADE"]),
        ("dizzy, must be the weather", ["UNKNOWN"]),
        ("zoloft and my depression", ["INDICATION"]),
        ("week two of zoloft: dry mouth, anxiety, insomnia", ["ADE", "ADE", "ADE"]),
        ("before starting zoloft i had panic attacks", ["INDICATION"]),
    ],
)
def test_the_role_says_what_the_condition_has_to_do_with_the_drug(coder, text, roles):
    assert [entity.role for entity in entities(coder, text)] == roles


def test_the_only_drug_is_the_cause_wherever_it_stands(coder):
    (entity,) = entities(coder, "so nauseous, thanks zoloft")
    assert entity.cause_code == "T43.225"


def test_of_two_drugs_the_nearest_before_the_condition_is_the_cause(coder):
    (entity,) = entities(coder, "humira was fine, cipro gave me nausea")
    assert entity.cause_code == "T36.8X5"


def test_no_cause_is_named_where_two_drugs_follow(coder):
    (entity,) = entities(coder, "nausea from humira or cipro")
    assert entity.cause_code is None


@pytest.mark.parametrize("text", ["no nausea on zoloft", "zoloft for my anxiety", "zoloft cured my anxiety"])
def test_what_did_not_happen_or_was_there_before_has_no_cause(coder, text):
    (entity,) = entities(coder, text)
    assert entity.cause_code is None


def test_a_combination_has_a_cause_when_its_parts_share_one(coder):
    drug = DrugMention("combo", 0, 5, "metformin / sitagliptin")
    (entity,) = coder.code(["combo gave me nausea"], [[drug]])[0].entities
    assert entity.cause_code == "T38.3X5"


@pytest.mark.parametrize(
    "text",
    [
        "",
        " ",
        "\U0001f480\U0001f602",
        "#",
        "\u0635\u062f\u0627\u0639 \u0634\u062f\u064a\u062f",
        "\ud800",
        "\x00\x01",
        "?!.,;:",
    ],
)
def test_text_without_words_it_knows_yields_nothing(coder, text):
    assert coder.code([text], [()]) == [Coding()]


def test_offsets_count_code_points_in_mixed_direction_text(coder):
    text = "\u0635\u062f\u0627\u0639 \U0001f480 nausea \u05db\u05d0\u05d1"
    (entity,) = coder.code([text], [()])[0].entities
    assert text[entity.begin : entity.end] == "nausea"


@pytest.mark.parametrize("piece", ["nausea ", "no nausea, ", "a", "'", "a'", "#A", "gave me ", "0,0"])
def test_a_very_long_text_takes_reasonable_time(coder, piece):
    text = (piece * 60_000)[:60_000]
    started = time.process_time()
    coder.code([text], [()])
    assert time.process_time() - started < 3


def test_one_answer_per_text_in_order(coder):
    found = coder.code(["nausea", "", "headache"], [(), (), ()])
    assert [[entity.text for entity in answer.entities] for answer in found] == [["nausea"], [], ["headache"]]


def test_texts_and_mentions_must_pair_up(coder):
    with pytest.raises(ContractError, match="2 texts but drug mentions of 1"):
        coder.code(["nausea", "headache"], [()])


def test_the_answer_does_not_depend_on_the_hash_seed():
    script = (
        "from adverse_events.coding.embedded import EmbeddedCoder\n"
        "coder = EmbeddedCoder.load()\n"
        "texts = ['no nausea, rash or hives but cant sleep and gained 20 lbs', 'maybe palpitatioms']\n"
        "print(coder.coder_version, coder.code(texts, [(), ()]))\n"
    )
    outputs = {
        hashlib.sha256(
            subprocess.run(
                [sys.executable, "-c", script],
                env={**os.environ, "PYTHONHASHSEED": seed},
                capture_output=True,
                check=True,
            ).stdout
        ).hexdigest()
        for seed in ("0", "1", "77")
    }
    assert len(outputs) == 1
