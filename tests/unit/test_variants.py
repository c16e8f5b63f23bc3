"""The training texts the project writes itself: balanced, whole, and not to be solved by one word."""

import csv
import random
import re
import sys
from collections import Counter

import pytest

from adverse_events.assembly import lexicon
from adverse_events.errors import UsageError
from adverse_events.privacy import mask_text
from adverse_events.training.variants import generate, swap_drug
from adverse_events.training.variants.__main__ import main
from adverse_events.training.variants.frames import LABELS, SLOT, material

CAPABILITIES = {
    "negation",
    "indication",
    "benefit",
    "hypothetical",
    "other_person",
    "withdrawal",
    "lack_of_effect",
    "sarcasm",
    "dosage",
    "idiom",
    "positive",
    "mixed",
}
N = 4_800
CUES = (
    *(
        "no",
        "not",
        "never",
        "without",
        "nothing",
        "nobody",
        "for",
        "because",
        "if",
        "may",
        "might",
        "worried",
        "afraid",
    ),
    *("hope", "sister", "husband", "mom", "user", "finally", "thanks", "thank", "great", "love", "lol", "stopped"),
    *("quit", "off", "withdrawal", "still", "side", "effects", "dose", "doctor", "but", "since", "gave", "made"),
    *("makes", "helped", "gone", "worse", "killing", "headache", "nausea", "taking", "sugar", "developed"),
)


@pytest.fixture(scope="module")
def variants():
    return generate(N, seed=7)


def _rng(seed):
    return random.Random(seed)  # noqa: S311 - wordings, not secrets


def test_a_seed_gives_the_same_texts_and_another_seed_others(variants):
    assert generate(N, seed=7) == variants
    others = {variant.text for variant in generate(N, seed=8)}
    assert len(others & {variant.text for variant in variants}) < N / 3


def test_every_capability_has_both_labels_in_equal_number(variants):
    counts = Counter((variant.capability, variant.label) for variant in variants)
    assert counts == {(capability, label): N // 24 for capability in CAPABILITIES for label in LABELS}


@pytest.mark.parametrize("n", [0, 1, 25, 101])
def test_any_number_is_balanced_within_one(n):
    made = generate(n, seed=3)
    assert len(made) == n
    labels = Counter(variant.label for variant in made)
    assert abs(labels["ADE"] - labels["NOT_ADE"]) <= 1
    by_capability = Counter(variant.capability for variant in made)
    assert max(by_capability.values(), default=0) - min((by_capability[name] for name in CAPABILITIES), default=0) <= 2


def test_texts_are_distinct_whatever_their_case(variants):
    assert len({variant.text.casefold() for variant in variants}) == N


def test_no_slot_stays_open_and_no_text_is_empty(variants):
    assert not [variant.text for variant in variants if re.search(r"[{}]|  ", variant.text) or not variant.text.strip()]


def test_masking_changes_nothing(variants):
    """Training sees masked text; a variant that masking changed would be one the product never meets."""
    assert [mask_text(variant.text) for variant in variants] == [variant.text for variant in variants]


def test_lengths_are_those_of_posts(variants):
    lengths = sorted(len(variant.text.split()) for variant in variants)
    assert lengths[len(lengths) // 20] >= 4
    assert 8 <= lengths[len(lengths) // 2] <= 20
    assert lengths[-1] <= 60
    assert max(len(variant.text) for variant in variants) <= 400


@pytest.mark.parametrize("cue", CUES)
def test_no_cue_word_gives_the_label_away(variants, cue):
    labels = Counter(variant.label for variant in variants if cue in re.findall(r"[a-z]+", variant.text.lower()))
    assert min(labels[label] for label in LABELS) >= 0.15 * labels.total() > 0


def test_frames_are_many_and_distinct():
    frames = material().frames
    assert len({frame.text.casefold() for frame in frames}) == len(frames)
    counts = Counter((frame.capability, frame.label) for frame in frames)
    assert min(counts.values()) >= 40
    assert {frame.register for frame in frames if frame.label == "ADE"} == {"post", "review", "report"}


def test_every_slot_of_the_material_is_used():
    """A filler nobody draws is no material."""
    used = {match["name"] for frame in material().frames for match in SLOT.finditer(frame.text)}
    assert set(material().slots) - used == {"chatter", "review_chatter"}
    assert {grammar for said in material().symptoms.values() for grammar in said} == {
        name.removeprefix("symptom_") for name in used if name.startswith("symptom_")
    }


def test_made_up_names_are_no_drugs_of_the_lexicon():
    assert not [name for name in material().drugs["made_up"] if lexicon().find(f"I took {name} 10 mg")]
    assert all(lexicon().find(f"I took {name} 10 mg") for name in material().drugs["known"])


def test_names_of_every_kind_are_drawn(variants):
    """A model that leans on known names would meet many texts without one."""
    named = sum(bool(lexicon().find(variant.text)) for variant in variants)
    assert 0.4 < named / N < 0.9


@pytest.mark.parametrize("n", [-1, 10**7])
def test_a_number_that_cannot_be_made_is_refused(n, monkeypatch):
    monkeypatch.setattr("adverse_events.training.variants.making.fill", lambda *_, **__: "always the same")
    with pytest.raises(UsageError, match="ask for"):
        generate(n, seed=1)


@pytest.mark.parametrize("seed", range(20))
def test_a_swapped_drug_leaves_the_rest_of_the_text(seed):
    text = "@user the Zoloft gave me hives, so zoloft is out and #prozac is in"
    swapped = swap_drug(text, lexicon().find, _rng(seed))
    found = re.fullmatch(r"@user the (.+) gave me hives, so (.+) is out and #(\S+) is in", swapped)
    assert found is not None
    assert found[1].lower() == found[2].lower() != found[3].lower()
    assert found[1][0].isupper()
    assert not {"zoloft", "prozac"} & {name.lower() for name in found.groups()}


def test_a_lone_drug_sometimes_becomes_a_neutral_word():
    rng = _rng(1)
    swapped = {swap_drug("threw up after ZOLOFT", lexicon().find, rng) for _ in range(200)}
    assert "threw up after THIS MED" in swapped
    assert len(swapped) > 50
    assert not [text for text in swapped if text != text[:15] + text[15:].upper()]


def test_a_neutral_word_is_capitalised_only_where_a_sentence_begins():
    rng = _rng(1)
    swapped = {swap_drug("puked on Zoloft again", lexicon().find, rng) for _ in range(200)}
    assert "puked on this med again" in swapped
    assert "puked on This med again" not in swapped


def test_an_article_keeps_a_name():
    rng = _rng(1)
    assert not [
        text
        for text in (swap_drug("hated the Zoloft, honest", lexicon().find, rng) for _ in range(100))
        if re.search(r"\b(?:med|meds|medication|stuff)\b", text, re.IGNORECASE)
    ]


def test_a_text_without_a_drug_stays():
    assert swap_drug("my head hurts", lexicon().find, _rng(1)) == "my head hurts"


def test_they_can_be_written_to_be_trained_on(tmp_path, monkeypatch, capsys):
    path = tmp_path / "new" / "variants.csv"
    monkeypatch.setattr(sys, "argv", ["variants", str(path), "--n", "24", "--seed", "3"])
    assert main() == 0
    with path.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert [tuple(row.values()) for row in rows] == generate(24, 3)
    assert list(rows[0]) == ["text", "label", "capability"]
    monkeypatch.setattr(sys, "argv", ["variants", str(path), "--n=-1"])
    assert main() == 2
    assert "ask for 0 or more" in capsys.readouterr().err
    assert len(path.read_text(encoding="utf-8").splitlines()) >= 25, "what was there stays"
