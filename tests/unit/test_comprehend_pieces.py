"""Cutting long texts, packing short ones, and finding the way back."""

import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from adverse_events.coding.comprehend.pieces import SEPARATOR, Piece, cut, packs, shares, units, unpacked
from adverse_events.records import Entity

TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=400)


def entity(text, begin, end):
    return Entity(text[begin:end], begin, end, 0.9)


@settings(deadline=None)
@given(TEXTS, st.integers(8, 200))
def test_pieces_are_the_text_and_fit(text, max_bytes):
    pieces = cut(text, max_bytes)
    assert "".join(piece.text for piece in pieces) == text
    assert all(0 < len(piece.text.encode()) <= max_bytes for piece in pieces)
    assert all(text[piece.begin :].startswith(piece.text) for piece in pieces)


def test_a_text_that_fits_stays_whole():
    assert cut("nausea", 6) == [Piece("nausea", 0)]
    assert cut("", 6) == []


@pytest.mark.parametrize(
    ("text", "max_bytes", "pieces"),
    [
        ("The first one. Second, longer one. Third", 24, ["The first one. ", "Second, longer one. ", "Third"]),
        ("One. Two three four", 12, ["One. Two ", "three four"]),
        ("one two\nthree", 12, ["one two\n", "three"]),
        ("one two three fourth", 10, ["one two ", "three ", "fourth"]),
        ("version 1.5 of it all", 12, ["version 1.5 ", "of it all"]),
        ("abcdefghij", 4, ["abcd", "efgh", "ij"]),
    ],
)
def test_a_cut_is_made_at_a_sentence_else_a_word(text, max_bytes, pieces):
    assert [piece.text for piece in cut(text, max_bytes)] == pieces


@pytest.mark.parametrize(
    ("text", "max_bytes", "first"),
    [
        ("aaaae\u0301bbbb", 5, "aaaa"),  # a letter and its accent
        ("\U0001f469\u200d\U0001f52c" * 2, 12, "\U0001f469\u200d\U0001f52c"),  # two signs joined to one
        ("aaa\U0001f44d\U0001f3fdb", 8, "aaa"),  # a sign and its colour
        ("ab\U0001f1eb\U0001f1f7", 9, "ab"),  # a flag
    ],
)
def test_a_cut_inside_a_word_spares_what_a_reader_sees_as_one(text, max_bytes, first):
    assert cut(text, max_bytes)[0].text == first


@pytest.mark.parametrize("text", ["." * 60_000, " " * 60_000, "a" * 60_000, "\u0301" * 60_000, ".\n" * 30_000])
def test_no_text_takes_long_to_cut(text):
    started = time.process_time()
    assert "".join(piece.text for piece in cut(text, 10_000)) == text
    assert time.process_time() - started < 1


def test_what_a_piece_holds_is_moved_back_to_its_place():
    text = "day one. nausea"
    (moved,) = Piece(text[9:], 9).moved_back([entity(text[9:], 0, 6)])
    assert moved == entity(text, 9, 15)


@settings(deadline=None)
@given(st.lists(st.text("ab\u00e9\U0001f600", min_size=1, max_size=40), max_size=30), st.integers(1, 6))
def test_packs_are_the_texts_in_order_within_both_limits(texts, max_texts):
    made = list(packs(texts, max_texts, 120))
    assert [text for pack in made for text in pack] == texts
    assert all(len(pack) <= max_texts for pack in made)
    assert all(len(SEPARATOR.join(pack).encode()) <= 120 for pack in made if len(pack) > 1)


@settings(deadline=None)
@given(st.lists(st.text("ab \U0001f600", min_size=1, max_size=10), min_size=1, max_size=8), st.data())
def test_what_stands_inside_a_post_comes_back_to_it(texts, data):
    index = data.draw(st.integers(0, len(texts) - 1))
    begin = data.draw(st.integers(0, len(texts[index]) - 1))
    end = data.draw(st.integers(begin + 1, len(texts[index])))
    moved = sum(len(text) + len(SEPARATOR) for text in texts[:index])
    found = unpacked([entity(SEPARATOR.join(texts), moved + begin, moved + end)], texts)
    assert found == [(entity(texts[index], begin, end),) if n == index else () for n in range(len(texts))]


def test_posts_that_an_entity_joins_are_both_unanswered():
    texts = ["some nausea", "and a headache", "hives"]
    together = SEPARATOR.join(texts)
    spans = [
        (5, together.index("headache") + 8),
        (together.index("and"), together.index("headache")),
        (together.index("hives"), len(together)),
    ]
    assert unpacked([entity(together, *span) for span in spans], texts) == [
        None,
        None,
        (entity("hives", 0, 5),),
    ]


def test_an_entity_that_is_only_a_border_is_nobody_s():
    assert unpacked([entity("ab.\n\ncd", 2, 5)], ["ab", "cd"]) == [(), ()]


@pytest.mark.parametrize(("n_characters", "n_units"), [(0, 1), (1, 1), (100, 1), (101, 2), (10_000, 100)])
def test_a_unit_is_a_started_hundred_characters(n_characters, n_units):
    assert units(n_characters) == n_units


@settings(deadline=None)
@given(st.integers(0, 100), st.lists(st.integers(1, 500), min_size=1, max_size=30))
def test_shares_add_up_and_differ_from_the_even_part_by_less_than_one(total, sizes):
    parts = shares(total, sizes)
    assert sum(parts) == total
    assert all(abs(part - total * size / sum(sizes)) < 1 for part, size in zip(parts, sizes, strict=True))
