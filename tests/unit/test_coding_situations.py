"""Seriousness and special situations: what counts, what only looks like it, and the file they come from."""

import shutil

import pytest

from adverse_events.coding.comprehend.roles import LocalRules
from adverse_events.coding.embedded import EmbeddedCoder
from adverse_events.coding.lexicon import FOLDER
from adverse_events.coding.select import CodingSettings, is_event, seriousness
from adverse_events.errors import ContractError
from adverse_events.records import Coding, Concept, Entity
from adverse_events.screening.drugs import DrugLexicon


@pytest.fixture(scope="module")
def coder():
    return EmbeddedCoder.load()


@pytest.fixture(scope="module")
def drugs():
    return DrugLexicon.load()


def told(coder, drugs, text):
    (coding,) = coder.code([text], [drugs.find(text)])
    for one in (*coding.seriousness, *coding.special_situations):
        assert text[one.begin : one.end] == one.text != ""
    return {one.name for one in coding.seriousness}, {one.name for one in coding.special_situations}


@pytest.mark.parametrize(
    ("text", "criteria"),
    [
        ("cipro sent me to the ER with hives", {"hospitalization"}),
        ("hospitalised for five days because of cipro", {"hospitalization"}),
        ("my heart raced so badly on adderall we called an ambulance", {"hospitalization"}),
        ("nearly died from the penicillin reaction", {"life_threatening"}),
        (
            "anaphylactic shock after one amoxicillin, then the ICU and the emergency room",
            {"life_threatening", "hospitalization"},
        ),
        ("cipro left me disabled", {"disability"}),
        ("my dad died after taking vioxx", {"death"}),
        ("my son got hives from amoxicillin, rushed him to the ER", {"hospitalization"}),
        ("baby born with a cleft palate after I took topamax", {"congenital_anomaly"}),
    ],
)
def test_a_criterion_is_read_with_its_words(coder, drugs, text, criteria):
    assert told(coder, drugs, text)[0] >= criteria
    assert told(coder, drugs, text)[0] - criteria <= {"life_threatening"}


@pytest.mark.parametrize(
    "text",
    [
        "almost went to the ER after zoloft made me dizzy",
        "thought about going to the ER, zoloft has me so dizzy",
        "my aunt died last month, zoloft makes me tired",
        "dying laughing at how dizzy zoloft makes me",
        "almost died laughing, adderall has me wired",
        "lamictal rash, but I didn't have to go to hospital",
        "I work in a hospital and zoloft makes me dizzy",
        "should I go to the ER? zoloft rash",
        "if the lamictal rash spreads I will end up in hospital",
        "they told me to go to the ER but the zoloft rash faded",
        "was in hospital with psychosis so they put me on seroquel",
        "years ago I was hospitalized for depression. zoloft makes me tired",
        "phone died, can't sleep, thanks adderall",
        "switched to tramadol ER and now I'm dizzy",
        "my mom was in hospital last year. zoloft makes me dizzy",
        "no nausea on zoloft",
    ],
)
def test_what_only_looks_serious_is_not(coder, drugs, text):
    assert told(coder, drugs, text)[0] == set()


@pytest.mark.parametrize(
    ("text", "situations"),
    [
        ("20 weeks pregnant and still on zoloft", {"pregnancy_exposure"}),
        ("breastfeeding on zoloft, baby is sleepy", {"pregnancy_exposure"}),
        ("overdosed on tylenol last night", {"overdose"}),
        ("took too many ambien and blacked out", {"overdose"}),
        ("snorted my adderall, heart racing", {"misuse"}),
        ("the pharmacy gave me the wrong dose of lamictal", {"medication_error"}),
        ("accidentally took two zoloft", {"medication_error"}),
        ("using ozempic off-label and so nauseous", {"off_label_use"}),
        ("zoloft stopped working for me", {"lack_of_effect"}),
        ("zoloft isn't helping my anxiety", {"lack_of_effect"}),
    ],
)
def test_a_special_situation_is_read(coder, drugs, text, situations):
    assert told(coder, drugs, text)[1] == situations


@pytest.mark.parametrize(
    "text",
    [
        "trying to get pregnant, off zoloft now",
        "not pregnant, just bloated on zoloft",
        "is zoloft safe for pregnant women?",
        "never overdosed on zoloft",
        "zoloft gave me an overdose of cuteness",
        "hope the pharmacy doesn't give me the wrong dose of zoloft",
        "zoloft works for my anxiety",
    ],
)
def test_what_only_looks_special_is_not(coder, drugs, text):
    assert told(coder, drugs, text)[1] == set()


def test_it_says_whether_it_happened_to_the_author(coder, drugs):
    texts = ["zoloft put me in the ER", "my son got hives from amoxicillin, we took him to the ER"]
    found = [coding.seriousness for coding in coder.code(texts, [drugs.find(text) for text in texts])]
    assert [[one.is_author for one in told] for told in found] == [[True], [False]]


def test_a_serious_event_makes_the_post_serious_only_where_it_counts():
    counted = Entity("seizure", 0, 7, 0.9, role="ADE", is_serious=True)
    taken_for = Entity("seizure", 10, 17, 0.9, role="INDICATION", is_serious=True)
    mild = Entity("nausea", 20, 26, 0.9, role="ADE")
    settings = CodingSettings()
    found = seriousness(Coding(), [counted, taken_for, mild], settings)
    assert [(one.name, one.text, one.begin) for one in found] == [("other_medically_important", "seizure", 0)]
    assert not is_event(taken_for, settings)


def test_both_coders_read_the_same_situations(coder, drugs):
    rules = LocalRules.load()
    for text in (
        "zoloft sent me to the ER with hives",
        "overdosed on zoloft, so dizzy",
        "zoloft did nothing for my anxiety",
    ):
        (coding,) = coder.code([text], [drugs.find(text)])
        bare = [Entity(e.text, e.begin, e.end, e.score, e.traits, e.concepts) for e in coding.entities]
        completed = rules.complete(text, drugs.find(text), bare)
        other = rules.told(text, drugs.find(text), completed)
        assert (other.seriousness, other.special_situations) == (coding.seriousness, coding.special_situations)


def test_a_remote_coder_s_condition_is_known_by_its_code_then_its_category():
    rules = LocalRules.load()
    text = "zoloft and crumbly skin"
    exact, category, unknown = (
        rules.complete(text, (), [Entity("crumbly skin", 11, 23, 0.9, concepts=(Concept(code, "", 0.9),))])[0]
        for code in ("L50.9", "L50.3", "Z99.9")
    )
    assert exact.body_system == category.body_system != ""
    assert (unknown.body_system, unknown.is_serious) == ("", False)


@pytest.mark.parametrize(
    ("file", "row", "fault"),
    [
        ("situations.csv", "disaster,boom", r"line \d+: situation is 'disaster'"),
        ("situations.csv", "misuse,died", r"line \d+: cue 'died' already means death"),
        ("situations.csv", "misuse,the", r"line \d+: 'the' is empty, or begins or ends with a filler"),
        ("situations.csv", "misuse,{nope} it", r"line \d+: slot \{nope\} is not in slots.csv"),
        ("speech.csv", "SHOUTS,hey", r"line \d+: class is 'SHOUTS'"),
        ("speech.csv", "BRIDGE,hey", r"line \d+: class 'BRIDGE' is listed twice"),
    ],
)
def test_a_bad_line_is_refused_by_file_and_number(tmp_path, file, row, fault):
    copy = shutil.copytree(FOLDER, tmp_path / "lexicon")
    with (copy / file).open("a", encoding="utf-8") as lines:
        lines.write(f"{row}\n")
    with pytest.raises(ContractError, match=fault) as caught:
        EmbeddedCoder.load(copy)
    assert file in str(caught.value)


def test_another_cue_makes_another_version(tmp_path, coder):
    copy = shutil.copytree(FOLDER, tmp_path / "lexicon")
    with (copy / "situations.csv").open("a", encoding="utf-8") as lines:
        lines.write("misuse,swapped my pills for beer\n")
    assert EmbeddedCoder.load(copy).coder_version != coder.coder_version
