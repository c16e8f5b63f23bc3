"""Duplicates of one window: what is the same post, and what only looks alike."""

import os
import random
import subprocess
import sys

import numpy as np
import pytest

from adverse_events.screening.drugs import DrugLexicon
from adverse_events.screening.duplicates import DuplicateIndex, Fate
from adverse_events.screening.minhash import band_hashes
from adverse_events.screening.wording import shingles_of, similarity, turning_words, words_of

LEXICON = DrugLexicon.load()
LONG = "prozac has had me up since four in the morning and I honestly want to scream into a pillow"


class Posts:
    """Rows in memory, as `find` reads them."""

    def __init__(self, texts, ids=None, hashes=None):
        numbers = [f"{number:06d}" for number in range(len(texts))]
        self.columns = {"text": texts, "tweet_id": ids or numbers, "payload_sha256": hashes or numbers}

    def value(self, column, position):
        return self.columns[column][position]


def found(texts, ids=None, hashes=None, *, near=True, min_similarity=0.8, chunk=1000):
    posts = Posts(texts, ids, hashes)
    index = DuplicateIndex(near=near, min_similarity=min_similarity)
    for begin in range(0, len(texts), chunk):
        part = texts[begin : begin + chunk]
        named = [[mention.ingredient for mention in LEXICON.find(text)] for text in part]
        index.add(posts.columns["tweet_id"][begin : begin + chunk], part, named)
    return index.find(posts)


def fates(*args, **kwargs):
    return [Fate(fate).name for fate in found(*args, **kwargs).fates]


@pytest.mark.parametrize(
    "copy",
    [
        "Buy PROZAC online today, best price [link]",
        "@user @user buy prozac online today best price!!! 😍😍",
        "buy\u200b #prozac  online,\ntoday: best price https://a.example/x?y=1",
        "Buy Prozac online today\u2026 best price www.b.example",
    ],
)
def test_the_same_words_in_other_dress_are_an_exact_duplicate(copy):
    assert fates(["buy prozac online today best price [link]", copy]) == ["KEPT", "EXACT_DUPLICATE"]


@pytest.mark.parametrize(
    "copy",
    [
        LONG + " lol",
        LONG + " #insomniac [link]",
        LONG.replace("honestly", "truly"),
        "ugh " + LONG,
        LONG.replace("four", "5"),
    ],
)
def test_nearly_the_same_words_are_a_near_duplicate(copy):
    assert fates([LONG, copy]) == ["KEPT", "NEAR_DUPLICATE"]


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("headache on prozac", "no headache on prozac"),
        (LONG, LONG.replace("prozac", "zoloft")),
        (LONG, LONG.replace("has had", "has not had")),
        (LONG, LONG.replace("I honestly want", "I don\u2019t want")),
        (LONG, LONG.replace("has had me", "has had my mom")),
        (LONG + " headache", LONG + " nausea"),
        (LONG + " no hiccups but nausea", LONG + " no burps but nausea"),
        (LONG + " no headache but nausea", LONG + " headache but no nausea"),
        (LONG + " and now it is better", LONG + " and now it is worse"),
        ("prozac makes me dizzy", "prozac makes me sleepy"),
        ("the prozac is here", "the prozac is there"),
    ],
)
def test_another_drug_negation_symptom_or_person_is_another_post(one, other):
    assert fates([one, other]) == ["KEPT", "KEPT"]


def test_a_post_without_words_is_only_like_itself():
    assert fates(["😭", "😡", "😭", ""]) == ["KEPT", "KEPT", "EXACT_DUPLICATE", "KEPT"]


def test_the_first_of_a_cluster_stands_for_all_of_it():
    texts = ["first unrelated zoloft post", LONG, LONG + " lol", LONG.upper(), LONG + " lol!!", "something about xanax"]
    duplicates = found(texts)
    assert duplicates.members() == {1: [2, 3, 4]}
    assert [Fate(fate).name for fate in duplicates.fates[2:5]] == [
        "NEAR_DUPLICATE",
        "EXACT_DUPLICATE",
        "EXACT_DUPLICATE",
    ]


def test_near_duplicates_can_be_left_alone():
    assert fates([LONG, LONG + " lol", LONG], near=False) == ["KEPT", "KEPT", "EXACT_DUPLICATE"]


def test_a_higher_similarity_asks_for_more():
    assert fates([LONG, LONG.replace("honestly", "truly")], min_similarity=0.95) == ["KEPT", "KEPT"]


def test_one_id_with_one_text_is_a_repeat():
    assert fates(["on prozac", "on prozac"], ["7", "7"]) == ["KEPT", "DUPLICATE_ID"]


def test_one_id_with_two_texts_keeps_the_longest():
    texts = ["short prozac", "a longer post on prozac", "a longer post on prozac", "short prozac"]
    duplicates = found(texts, ["7", "7", "7", "7"])
    assert [Fate(fate).name for fate in duplicates.fates] == [
        "CONFLICTING_DUPLICATE_ID",
        "KEPT",
        "DUPLICATE_ID",
        "CONFLICTING_DUPLICATE_ID",
    ]
    assert duplicates.stands_for.tolist() == [1, 1, 1, 1]
    assert duplicates.members() == {}


def test_one_id_with_two_texts_of_one_length_keeps_the_smaller_payload_hash():
    assert fates(["on prozac aa", "on prozac bb"], ["7", "7"], ["f", "a"]) == ["CONFLICTING_DUPLICATE_ID", "KEPT"]


def test_a_conflict_is_told_from_the_cluster_its_rival_joined():
    texts = [LONG, "short prozac", LONG]
    duplicates = found(texts, ["1", "2", "2"])
    assert [Fate(fate).name for fate in duplicates.fates] == ["KEPT", "CONFLICTING_DUPLICATE_ID", "EXACT_DUPLICATE"]
    assert duplicates.stands_for.tolist() == [0, 2, 0]


def test_no_rows_have_no_duplicates():
    duplicates = found([])
    assert (len(duplicates.fates), duplicates.members()) == (0, {})


def made_up_posts(n_posts, seed=3):
    rng = random.Random(seed)  # noqa: S311 - made-up posts, not secrets
    vocabulary = [f"word{number}" for number in range(400)]
    posts = []
    for _ in range(n_posts):
        if posts and rng.random() < 0.4:
            words = rng.choice(posts).split()
            words[rng.randrange(len(words))] = rng.choice(vocabulary)
            posts.append(" ".join(words))
        else:
            posts.append(" ".join(rng.choices(vocabulary, k=rng.randrange(8, 24))))
    return posts


def test_banding_misses_almost_no_pair_that_comparing_all_pairs_finds():
    texts = made_up_posts(400)
    shingles = [shingles_of(words_of(text)) for text in texts]
    pairs = [
        (one, two) for two in range(len(texts)) for one in range(two) if similarity(shingles[one], shingles[two]) >= 0.8
    ]
    kept_for = found(texts).stands_for
    missed = [(one, two) for one, two in pairs if kept_for[one] != kept_for[two]]
    assert len(pairs) > 100
    assert len(missed) <= len(pairs) * 0.01


def test_every_near_duplicate_has_a_neighbour_as_close_as_asked():
    texts = made_up_posts(300, seed=5)
    shingles = [shingles_of(words_of(text)) for text in texts]
    duplicates = found(texts)
    for row in np.flatnonzero(duplicates.fates == Fate.NEAR_DUPLICATE):
        closest = max(similarity(shingles[row], shingles[other]) for other in range(len(texts)) if other != row)
        assert closest >= 0.8


def test_how_rows_are_cut_into_chunks_changes_nothing():
    texts = made_up_posts(200)
    assert fates(texts, chunk=7) == fates(texts, chunk=200)


def test_hashes_do_not_depend_on_the_process():
    """PYTHONHASHSEED changes `hash`, which nothing here may use."""
    program = (
        "from adverse_events.screening.minhash import band_hashes; print(band_hashes([['a','b','c']], ['x']).tolist())"
    )
    outputs = {
        subprocess.run(
            [sys.executable, "-c", program],
            env={**os.environ, "PYTHONHASHSEED": seed},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for seed in ("0", "7")
    }
    assert outputs == {f"{band_hashes([['a', 'b', 'c']], ['x']).tolist()}\n"}


def test_a_guard_keeps_equal_words_in_different_bands():
    one, other = band_hashes([["a", "b"], ["a", "b"]], ["prozac", "zoloft"])
    assert not (one == other).any()


def test_a_negation_is_told_with_what_it_negates():
    assert turning_words(["no", "hiccups", "but", "headaches", "today"]) == ("no hiccups", "headaches")
    assert turning_words(["headache", "never"]) == ("headache", "never ")
    assert turning_words(["best", "price"]) == ()


def test_similarity_is_shared_over_all():
    one, other = shingles_of(["a", "b", "c"]), shingles_of(["a", "b", "d"])
    assert similarity(one, other) == pytest.approx(3 / 7)
