"""Texts written to train on: the same for everybody, whole, and not to be solved by one word."""

import random
import re
from collections import Counter

import pytest

from adverse_events.errors import ContractError
from adverse_events.privacy import mask_text
from adverse_events.training.variants.generate import generate, read_frames, swap_drugs

CUES = (
    "no ",
    "not ",
    "without",
    "never",
    "for {illness}",
    "worried",
    "{person}",
    "finally",
    "thanks",
    "love",
    "if ",
    "?",
)


def test_a_seed_gives_the_same_texts_and_another_gives_others():
    assert generate(300, 1) == generate(300, 1)
    assert generate(300, 1) != generate(300, 2)


def test_texts_are_distinct_whole_and_masked_already():
    texts = [variant.text for variant in generate(2000, 3)]
    assert len(set(texts)) == len(texts)
    assert not [text for text in texts if re.search(r"[{}]", text)]
    assert not [text for text in texts if mask_text(text).casefold() != text.casefold()]


def test_capabilities_and_labels_are_balanced():
    counts = Counter((variant.capability, variant.label) for variant in generate(2200, 5))
    assert len(counts) == 22
    assert max(counts.values()) - min(counts.values()) <= 1


@pytest.mark.parametrize("cue", CUES)
def test_every_cue_stands_under_both_labels(cue):
    assert {frame.label for frame in read_frames() if cue in f"{frame.text.lower()} "} == {"ADE", "NOT_ADE"}


def test_more_texts_than_the_frames_hold_are_refused(monkeypatch):
    monkeypatch.setattr("adverse_events.training.variants.generate.read_frames", lambda: read_frames()[:1])
    with pytest.raises(ContractError, match="distinct posts of the 5000000 asked for"):
        generate(5_000_000, 1)


def test_a_drug_is_swapped_for_one_name_wherever_it_stands():
    text = "Zoloft made me sick, zoloft again? no"
    swapped = swap_drugs(text, [(0, 6), (21, 27)], ["calmarol"], random.Random(1))  # noqa: S311 - not a secret
    assert swapped == "Calmarol made me sick, calmarol again? no"
