"""Changes to training texts: labels stay true, and one seed changes a text one way."""

import random

from adverse_events import assembly
from adverse_events.training.augmentation import KEPT, Augmenter

TEXT = "i took zoloft for two weeks and did not sleep at all never again thanks for nothing"


def _augmenter(**shares):
    return Augmenter(assembly.lexicon().find, **{"rename": 0.5, "shorten": 0.3, "lost": 0.08, **shares})


def _changed(seed, **shares):
    return _augmenter(**shares)(TEXT, random.Random(seed))  # noqa: S311 - not a secret


def test_one_seed_changes_a_text_one_way():
    assert _changed(3) == _changed(3)
    assert len({_changed(seed) for seed in range(30)}) > 10


def test_renaming_alone_changes_the_drug_and_nothing_else():
    text = _changed(1, rename=0.999999, shorten=0)
    assert "zoloft" not in text
    assert text.endswith(" for two weeks and did not sleep at all never again thanks for nothing")


def test_words_that_turn_a_label_round_are_never_lost():
    for seed in range(40):
        words = _changed(seed, rename=0, shorten=0.999999, lost=0.9).split()
        assert [word for word in words if word in KEPT] == ["not", "never", "nothing"]


def test_a_short_text_keeps_every_word():
    augment = _augmenter(rename=0, shorten=0.999999, lost=0.9)
    assert augment("not a good day", random.Random(1)) == "not a good day"  # noqa: S311 - not a secret
