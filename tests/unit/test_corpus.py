"""Labelled corpora: what is refused, and that no text stands on both sides of a split."""

import pandas as pd
import pytest

from adverse_events.errors import ContractError, UsageError
from adverse_events.training.corpus import Source, prepare, read_labelled

ROWS = [(f"the tablet made my arm itch on day {i}", i % 2) for i in range(60)]


def _write(path, rows, columns=("text", "label")):
    path.parent.mkdir(parents=True, exist_ok=True)
    pd.DataFrame(rows, columns=list(columns)).to_csv(path, index=False)
    return path


def test_a_text_of_the_validation_file_is_taken_out_of_train(tmp_path):
    _write(tmp_path / "a" / "train.csv", [*ROWS, ("Held   OUT text", 1)])
    _write(tmp_path / "a" / "validation.csv", [("held out text", 1), ("another", 0)])
    manifest = prepare([Source("a", tmp_path / "a")], tmp_path / "out")
    kept = read_labelled(tmp_path / "out" / "train" / "a.csv")["text"].str.casefold()
    assert "held   out text" not in set(kept)
    assert manifest["train/a.csv"]["n_rows"] == len(ROWS)


def test_without_a_validation_file_whole_groups_are_held_out(tmp_path):
    rows = [(f"{text} {n}", label, f"document {n}") for n in range(40) for text, label in ROWS[:4]]
    _write(tmp_path / "a" / "train.csv", rows, ("text", "label", "group"))
    prepare([Source("a", tmp_path / "a")], tmp_path / "out")
    sides = [
        set(read_labelled(tmp_path / "out" / part / "a.csv")["text"].str.extract(r"(\d+)$")[0])
        for part in ("train", "validation")
    ]
    assert all(sides)
    assert sides[0].isdisjoint(sides[1])


def test_one_corpus_gives_one_manifest(tmp_path):
    _write(tmp_path / "a" / "train.csv", ROWS)
    source = Source("a", tmp_path / "a")
    assert prepare([source], tmp_path / "one") == prepare([source], tmp_path / "two")


def test_texts_are_masked_as_they_are_when_classified(tmp_path):
    path = _write(tmp_path / "train.csv", [("ask @somebody about it", 1), ("see https://example.org", 0)])
    assert read_labelled(path)["text"].tolist() == ["ask @user about it", "see [link]"]


def test_a_missing_file_names_itself(tmp_path):
    with pytest.raises(UsageError, match=r"train\.csv does not exist"):
        prepare([Source("a", tmp_path)], tmp_path / "out")


@pytest.mark.parametrize(
    ("rows", "columns", "error", "message"),
    [
        (ROWS, ("text", "y"), UsageError, "no column label; it has text, y"),
        ([("a", 0), ("b", 2)], ("text", "label"), ContractError, "label is not 0 or 1 in row 3"),
        ([("a", 0), ("b", 0)], ("text", "label"), ContractError, "every label is the same"),
    ],
)
def test_bad_corpora_are_refused_with_the_place(tmp_path, rows, columns, error, message):
    with pytest.raises(error, match=message):
        read_labelled(_write(tmp_path / "bad.csv", rows, columns))
