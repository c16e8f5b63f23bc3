"""Labelled corpora: what is refused, what is left out, and that nothing stands on both sides of a split."""

import json

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from adverse_events.corpus.channel import read_channel
from adverse_events.corpus.manifest import CorpusManifest, verify
from adverse_events.corpus.overlap import Placed, clusters, overlapping, refuse_overlap
from adverse_events.corpus.prepare import prepare
from adverse_events.corpus.reading import read_labelled
from adverse_events.corpus.source import CorpusSource
from adverse_events.corpus.split import folds, held_out, part_of
from adverse_events.errors import ContractError, UsageError

WORDS = ("itch", "sleep", "ache", "dose", "leaf", "river", "stone", "cloud", "lamp", "train")


def _text(n):
    """Another sentence for every number: no two share more than a word pair or two."""
    return f"on day {n} the {WORDS[n % 10]} of {WORDS[n // 10 % 10]} number {n} met {n * 7} {WORDS[n * 3 % 10]}"


ROWS = [(_text(i), i % 2) for i in range(80)]


def _write(path, rows, columns=("text", "label")):
    path.parent.mkdir(parents=True, exist_ok=True)
    pd.DataFrame(rows, columns=list(columns)).to_csv(path, index=False)
    return path


def _prepared(folder, *specs, **options):
    return prepare([CorpusSource.of(str(spec)) for spec in specs], folder, **options)


def test_a_text_of_the_validation_file_is_taken_out_of_train(tmp_path):
    near = "we held this one out of train so that nobody could ever learn it by heart"
    _write(tmp_path / "a" / "train.csv", [*ROWS, ("Held   OUT text", 1), (near + " twice", 1)])
    _write(tmp_path / "a" / "validation.csv", [("held out text", 1), ("another", 0), (near, 1)])
    manifest = _prepared(tmp_path / "out", tmp_path / "a")
    assert manifest.files["train/a.csv"].n_rows == len(ROWS)
    assert manifest.dropped["a"].in_evaluation == 2
    assert manifest.files["validation/a.csv"].n_rows == 3


def test_evaluation_texts_of_one_source_leave_the_training_texts_of_another(tmp_path):
    _write(tmp_path / "a.csv", ROWS)
    _write(tmp_path / "b" / "train.csv", ROWS[:30])
    _write(tmp_path / "b" / "validation.csv", ROWS[30:])
    manifest = _prepared(tmp_path / "out", tmp_path / "a.csv", tmp_path / "b")
    held = set(read_labelled(tmp_path / "out" / "validation" / "b.csv")["text"])
    assert held.isdisjoint(read_labelled(tmp_path / "out" / "train" / "a.csv")["text"])
    assert manifest.dropped["a"].in_evaluation > 0


def test_a_text_under_two_classes_is_left_out_and_counted(tmp_path):
    _write(tmp_path / "a.csv", [*ROWS, ("nobody knows", 1), ("Nobody  knows", 0), (ROWS[0][0].upper(), ROWS[0][1])])
    manifest = _prepared(tmp_path / "out", tmp_path / "a.csv")
    assert (manifest.dropped["a"].conflicts, manifest.dropped["a"].duplicates) == (2, 1)


@settings(max_examples=25, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 30), st.sampled_from(["", "d1", "d2", "d3", "d4"])), min_size=1, max_size=40))
def test_neither_a_document_nor_a_near_duplicate_is_on_both_sides(drawn):
    frame = pd.DataFrame({"text": [_text(n) for n, _ in drawn], "group": [group for _, group in drawn]})
    names = clusters(frame)
    split = held_out(frame, names, with_test=True)
    sides = [set(part["group"]) - {""} for part in split.values()]
    assert not sides[0] & sides[1] | sides[0] & sides[2] | sides[1] & sides[2]
    texts = [set(part["text"]) for part in split.values()]
    assert not texts[0] & texts[1] | texts[0] & texts[2] | texts[1] & texts[2]
    assert sum(map(len, split.values())) == len(frame)


def test_a_near_duplicate_joins_two_documents_into_one_cluster():
    same = "took the blue pill for nine days in a row and my left arm went numb at night"
    frame = pd.DataFrame({"text": [same, same + " again", _text(1), _text(2)], "group": ["d2", "d1", "d1", "d3"]})
    assert clusters(frame) == ["d1", "d1", "d1", "d3"]


def test_more_rows_move_no_row_to_another_part(tmp_path):
    """A cluster's part depends on its name alone, not on what else is there."""
    few = pd.DataFrame({"text": [text for text, _ in ROWS[:20]], "group": ""})
    many = pd.DataFrame({"text": [text for text, _ in ROWS], "group": ""})
    before = dict(zip(few["text"], folds(clusters(few), 5), strict=True))
    after = dict(zip(many["text"], folds(clusters(many), 5), strict=True))
    assert all(after[text] == fold for text, fold in before.items())
    assert len(set(after.values())) == 5


def test_a_seed_makes_another_split():
    names = [f"document {n}" for n in range(50)]
    assert [part_of(name) for name in names] != [part_of(name, seed=1) for name in names]


def test_one_corpus_gives_the_same_bytes(tmp_path):
    _write(tmp_path / "a.csv", ROWS)
    _prepared(tmp_path / "one", tmp_path / "a.csv")
    _prepared(tmp_path / "two", tmp_path / "a.csv")
    for name in ("manifest.json", "train/a.csv", "validation/a.csv"):
        assert (tmp_path / "one" / name).read_bytes() == (tmp_path / "two" / name).read_bytes()


def test_three_classes_keep_their_names_and_order(tmp_path):
    rows = [(_text(i), ("none", "maybe", "sure")[i % 3]) for i in range(90)]
    _write(tmp_path / "a.csv", rows)
    manifest = _prepared(tmp_path / "out", tmp_path / "a.csv", labels=("none", "maybe", "sure"))
    assert sum(manifest.files["train/a.csv"].by_label.values()) == manifest.files["train/a.csv"].n_rows
    (channel,) = read_channel(tmp_path / "out" / "train", manifest.labels)
    by_text = dict(rows)
    assert [manifest.labels[label] for label in channel.labels] == [by_text[text] for text in channel.texts]


@pytest.mark.parametrize("suffix", [".csv", ".tsv", ".jsonl", ".parquet"])
def test_a_table_of_ones_own_is_read_by_its_columns(tmp_path, suffix):
    path = tmp_path / f"mine{suffix}"
    frame = pd.DataFrame(
        {"post": ["ask @somebody", "see https://example.org"], "verdict": ["AE", "fine"], "thread": [7, 8]}
    )
    match suffix:
        case ".csv" | ".tsv":
            frame.to_csv(path, index=False, sep="," if suffix == ".csv" else "\t")
        case ".jsonl":
            frame.to_json(path, orient="records", lines=True)
        case _:
            frame.to_parquet(path)
    read = read_labelled(
        path,
        text_column="post",
        label_column="verdict",
        group_column="thread",
        label_map={"AE": "ADE", "fine": "NOT_ADE"},
    )
    assert read["text"].tolist() == ["ask @user", "see [link]"]
    assert read["label"].tolist() == ["ADE", "NOT_ADE"]
    assert read["group"].tolist() == ["7", "8"]


@pytest.mark.parametrize(
    "values", [("0", "1"), ("0.0", "1.0"), ("Not_AE", "Adverse_Event"), ("NOT_ADE", "ADE"), ("false", "True")]
)
def test_usual_pairs_of_labels_need_no_map(tmp_path, values):
    path = _write(tmp_path / "a.csv", [("one", values[0]), ("two", values[1])])
    assert read_labelled(path)["label"].tolist() == ["NOT_ADE", "ADE"]


def test_lines_of_windows_are_read(tmp_path):
    path = tmp_path / "a.csv"
    path.write_bytes(b"text,label\r\nfirst,0\r\nsecond,1\r\n")
    assert read_labelled(path)["label"].tolist() == ["NOT_ADE", "ADE"]


@pytest.mark.parametrize(
    ("content", "error", "message"),
    [
        ("text,y\na,1\n", UsageError, "no column label; it has text, y"),
        ("text,label\na,0\nb,2\n", ContractError, r"outside the mapping \('2'\), in row 3"),
        ("text,label\na,0\n  ,1\n", ContractError, "the text is empty in row 3"),
        ("text,label\n", ContractError, "holds no rows"),
        ("", ContractError, "cannot be read as .csv"),
        ('text,label\n"a,0\n', ContractError, "cannot be read as .csv"),
    ],
)
def test_a_file_that_cannot_be_used_says_where_and_why(tmp_path, content, error, message):
    path = tmp_path / "a.csv"
    path.write_text(content, encoding="utf-8")
    with pytest.raises(error, match=message):
        read_labelled(path)


def test_a_file_in_another_encoding_is_refused(tmp_path):
    path = tmp_path / "a.csv"
    path.write_bytes("text,label\ncaf\xe9,0\n".encode("latin-1"))
    with pytest.raises(ContractError, match="not UTF-8"):
        read_labelled(path)


def test_errors_show_no_text(tmp_path):
    """A label column that holds texts by mistake must not put them into the log."""
    path = _write(tmp_path / "a.csv", [("1", "my whole secret post about my illness")])
    with pytest.raises(ContractError) as caught:
        read_labelled(path)
    assert "secret" not in str(caught.value)


def test_a_broken_json_line_is_named(tmp_path):
    path = tmp_path / "a.jsonl"
    path.write_text('{"text": "a", "label": 0}\n{"text": \n', encoding="utf-8")
    with pytest.raises(ContractError, match="line 2 is not JSON"):
        read_labelled(path)


def test_a_single_class_is_refused_before_training(tmp_path):
    _write(tmp_path / "a.csv", [(text, 0) for text, _ in ROWS])
    with pytest.raises(ContractError, match="a, train: no text is labelled ADE"):
        _prepared(tmp_path / "out", tmp_path / "a.csv")
    assert not (tmp_path / "out" / "manifest.json").exists()


def test_two_sources_of_one_name_are_refused(tmp_path):
    _write(tmp_path / "a.csv", ROWS)
    with pytest.raises(UsageError, match="two sources are named a"):
        _prepared(tmp_path / "out", tmp_path / "a.csv", tmp_path / "a.csv")


def test_a_prepared_corpus_is_not_written_over(tmp_path):
    _write(tmp_path / "a.csv", ROWS)
    _prepared(tmp_path / "out", tmp_path / "a.csv")
    with pytest.raises(UsageError, match="holds a prepared corpus already"):
        _prepared(tmp_path / "out", tmp_path / "a.csv")


def _changed(folder):
    with (folder / "train" / "a.csv").open("a", encoding="utf-8") as file:
        file.write("one more,ADE,\n")


def _removed(folder):
    (folder / "validation" / "a.csv").unlink()


def _added(folder):
    (folder / "train" / "b.csv").write_text("text,label,group\n", encoding="utf-8")


@pytest.mark.parametrize(
    ("harm", "message"), [(_changed, "sha256 is"), (_removed, "is missing"), (_added, "does not know it")]
)
def test_a_corpus_that_is_not_what_was_frozen_is_refused(tmp_path, harm, message):
    _write(tmp_path / "a.csv", ROWS)
    manifest = _prepared(tmp_path / "out", tmp_path / "a.csv")
    assert verify(tmp_path / "out") == manifest
    harm(tmp_path / "out")
    with pytest.raises(ContractError, match=message):
        verify(tmp_path / "out")


def test_a_malformed_manifest_is_refused(tmp_path):
    (tmp_path / "manifest.json").write_text(json.dumps({"format": 1, "labels": ["one"]}), encoding="utf-8")
    with pytest.raises(ContractError, match="prepare the corpus again"):
        CorpusManifest.read(tmp_path)


def test_evaluating_on_training_texts_is_refused_by_row(tmp_path):
    train = Placed([text for text, _ in ROWS], [f"train.csv:{n + 2}" for n in range(len(ROWS))])
    mine = Placed(["something else entirely", ROWS[3][0].upper()], ["mine.csv:2", "mine.csv:3"])
    with pytest.raises(
        ContractError, match=r"1 of 2 evaluation texts occur in training: mine\.csv:3 is in train\.csv:5"
    ) as caught:
        refuse_overlap(train, mine)
    assert ROWS[3][0].split()[-1] not in str(caught.value).split()
    refuse_overlap(train, Placed(["something else entirely"], ["mine.csv:2"]))


def test_likeness_is_measured_not_guessed():
    """MinHash only proposes: pairs below the threshold are not reported, whatever it proposes."""
    one = Placed(["a b c d e f g h i j k"], ["x:1"])
    almost = Placed(["a b c d e f g h i j z"], ["y:1"])
    assert overlapping(one, almost, threshold=0.8) == [(0, 0)]
    assert overlapping(one, almost, threshold=0.9) == []


def test_a_saved_dataset_is_read_with_its_class_names(tmp_path):
    datasets = pytest.importorskip("datasets")
    features = datasets.Features(
        {"text": datasets.Value("string"), "label": datasets.ClassLabel(names=["Not-Related", "Related"])}
    )
    table = datasets.Dataset.from_dict({"text": [t for t, _ in ROWS], "label": [y for _, y in ROWS]}, features=features)
    datasets.DatasetDict({"train": table}).save_to_disk(str(tmp_path / "saved"))
    manifest = _prepared(tmp_path / "out", f"mine=hub:{tmp_path / 'saved'}")
    assert manifest.files["train/mine.csv"].by_label.keys() == {"ADE", "NOT_ADE"}
    total = sum(file.n_rows for file in manifest.files.values())
    assert total == len(ROWS)


def test_a_folder_of_two_train_files_is_refused(tmp_path):
    _write(tmp_path / "a" / "train.csv", ROWS)
    (tmp_path / "a" / "train.jsonl").write_text("", encoding="utf-8")
    with pytest.raises(UsageError, match="keep one file a split"):
        CorpusSource.of(str(tmp_path / "a"))


def test_the_test_file_of_a_folder_is_left_alone_unless_asked_for(tmp_path):
    for split in ("train", "validation", "test"):
        _write(tmp_path / "a" / f"{split}.csv", ROWS)
    assert CorpusSource.of(str(tmp_path / "a")).test is None
    assert CorpusSource.of(str(tmp_path / "a"), with_test=True).test
