"""Model cards: made from what was measured, the same bytes each time, and no hand edit passes."""

import pytest

from adverse_events.classification.model_folder import read_manifest, starter_model
from adverse_events.errors import ContractError, UsageError
from adverse_events.registry.card import check, render
from tests.registered import DATA, evaluation, model_folder, parsed, scores

CORPUS = {
    "format": 1,
    "labels": ["NOT_ADE", "ADE"],
    "seed": 13,
    "sources": {"tweets": {"origin": "written | for this", "licence": None}, "mail": {"origin": "ours"}},
    "files": {
        "train/tweets.csv": {
            "sha256": "ab" * 32,
            "n_rows": 1200,
            "by_label": {"NOT_ADE": 1000, "ADE": 200},
            "n_groups": 3,
        }
    },
    "dropped": {"tweets": {"duplicates": 3, "near_duplicates": 0}, "mail": {"empty": 0}},
}

POINTS = [{"recall": 0.8, "threshold": 0.31, "precision": 0.4, "load_per_1000": {"0.20": 400.4, "0.018": None}}]


@pytest.fixture
def folder(tmp_path):
    return model_folder(tmp_path / "mine", data=CORPUS)


@pytest.fixture
def measured(folder):
    sources = {"tweets": scores(0.6, operating_points=POINTS), "mail": scores(None)}
    return [parsed(evaluation(folder, sources))]


def lines(text):
    return [" ".join(line.split()) for line in text.splitlines()]


def test_the_card_says_what_was_measured_and_what_it_was_made_from(folder, measured):
    card = render(read_manifest(folder), measured, "Label smoothing helped.\n\n| a | b |\n| - | - |\n")
    found = lines(card)
    for expected in (
        "| tweets | 400 | 60 | 0.600 | 0.600 | 0.600 (0.550 to 0.650) | 0.600 (0.550 to 0.650) |",
        "| mail | 400 | 0 | - | - | - | - |",
        "| recall | decision limit | precision | load at 0.20 | load at 0.018 |",
        "| 0.80 | 0.310 | 0.400 | 400 | - |",
        "| negation | 40 | 0.900 (0.770 to 0.960) |",
        "Served in int8, it decides as in float32 on 0.9980 of the texts (1,000).",
        "| tweets | written \\| for this | not stated |",
        "| mail | ours | not stated |",
        f"| train/tweets.csv | 1,200 | NOT_ADE 1,000, ADE 200 | `{'ab' * 32}` |",
        "- tweets: duplicates 3",
        "| source_weights | a\\|b=2 |",
        "--source-weights 'a|b=2'",
        "## What moved it and what did not",
        "Label smoothing helped.",
    ):
        assert expected in found, expected
    assert "not a medical device" in card
    assert f"SHA-256 `{DATA}`" in card
    assert "somewhere" not in card, "a path of the machine that evaluated"


def test_a_table_is_one_block_of_rows_with_as_many_cells_as_its_head(folder, measured):
    """A blank line or a missing cell makes Markdown of it that nobody reads as a table."""
    blocks = [block.splitlines() for block in render(read_manifest(folder), measured, "-").split("\n\n")]
    tables = [block for block in blocks if block[0].startswith("|")]
    assert len(tables) == 8
    for table in tables:
        assert set(table[1]) <= set("|-: ")
        assert {row.replace("\\|", "").count("|") for row in table} == {table[0].count("|")}


def test_the_same_inputs_give_the_same_bytes_whatever_their_order(folder, measured):
    other = parsed(evaluation(folder, data={"path": "b.csv", "sha256": "ef" * 32, "n_rows": 5}))
    manifest = read_manifest(folder)
    assert render(manifest, [*measured, other]) == render(manifest, [other, *measured])
    assert render(manifest, measured) != render(manifest, measured, "a note")


def test_a_hand_edit_is_found_with_or_without_the_inputs(folder, measured, tmp_path):
    card = render(read_manifest(folder), measured)
    path = tmp_path / "card.md"
    path.write_text(card)
    check(path)
    check(path, card)
    path.write_text(card.replace("0.600 (0.550", "0.700 (0.550", 1))
    with pytest.raises(ContractError, match="was edited by hand; make it again"):
        check(path)
    path.write_text(card + "\n")
    with pytest.raises(ContractError, match="edited by hand"):
        check(path)


def test_a_card_of_other_inputs_is_found_at_its_line(folder, measured, tmp_path):
    path = tmp_path / "card.md"
    path.write_text(render(read_manifest(folder), measured))
    expected = render(read_manifest(folder), [parsed(evaluation(folder, {"tweets": scores(0.61)}))])
    number = next(n for n, line in enumerate(expected.splitlines(), 1) if line.startswith("| tweets"))
    with pytest.raises(ContractError, match=f"line {number} is not what"):
        check(path, expected)


def test_an_evaluation_of_another_model_makes_no_card(folder, measured, tmp_path):
    other = read_manifest(model_folder(tmp_path / "other", "other"))
    with pytest.raises(ContractError, match="evaluate the model itself"):
        render(other, measured)
    with pytest.raises(UsageError, match="needs an evaluation"):
        render(other, [])


def test_the_shipped_models_manifest_makes_a_card():
    """Its corpus manifest has the older form; nothing of it may be lost."""
    manifest = read_manifest(starter_model())
    card = render(manifest, [parsed(evaluation(starter_model()))])
    assert all(facts["sha256"] in card for name, facts in manifest.data.items() if name.endswith(".csv"))
    assert f"--learning-rate {manifest.recipe['learning_rate']}" in card


def test_a_model_without_capabilities_or_agreement_says_so(tmp_path):
    bare = model_folder(tmp_path / "bare", scores={}, data={})
    card = render(read_manifest(bare), [parsed(evaluation(bare, capabilities=None))])
    assert "## Capabilities\n\nNot measured." in card
    assert "How far int8 agrees with float32 was not measured." in card
    assert "The manifest names no file." in card
