"""How `ade demo` compares a lake with gold labels."""

import pytest

from ade.demo import Agreement, Found, Gold, agree, read_gold


def _gold(*codes):
    return Gold(bool(codes), frozenset(codes))


def _found(*codes, is_ade=True, duplicates=()):
    return Found(is_ade, frozenset(codes), tuple(duplicates), has_event=bool(codes))


def test_agreement_is_counted_over_assessed_posts_and_losses_before_them_apart():
    gold = {
        "hit": _gold("R11.0", "R51.9"),
        "missed": _gold("R42"),
        "copied": _gold("R11.0"),
        "lost": _gold("R21"),
        "foreign": Gold(is_ade=True, codes=frozenset(["R21"]), is_other_language=True),
        "false alarm": _gold(),
        "denied": _gold(),
        "quiet": _gold(),
    }
    lake = {
        "HIT": _found("R11.0", "L50.9", duplicates=["COPIED"]),
        "MISSED": _found(is_ade=False),
        "FALSE ALARM": _found("R05.8"),
        "DENIED": _found(),
        "QUIET": _found(is_ade=False),
        "NOT IN GOLD": _found("I10"),
    }
    assert agree(gold, lake, str.upper) == Agreement(
        precision=0.3333,
        recall=0.5,
        f1=0.4,
        event_precision=0.5,
        event_recall=0.5,
        event_f1=0.5,
        n_ade=5,
        n_ade_duplicates=1,
        n_ade_other_language=1,
        n_ade_screened_out=1,
        code_recall=0.5,
        code_precision=0.5,
    )


def test_an_empty_lake_agrees_with_nothing_and_fails_at_nothing():
    found = agree({"a": _gold("R42")}, {}, str)
    assert (found.f1, found.n_ade_screened_out) == (0.0, 1)


@pytest.mark.parametrize(("events", "codes"), [("", set()), ("felt sick=R11.0;2+2=5 dizzy=R42", {"R11.0", "R42"})])
def test_gold_codes_follow_the_last_equals_sign(tmp_path, events, codes):
    path = tmp_path / "gold.csv"
    path.write_text(f"tweet_id,is_ade,drug_ingredients,events,kind\n1,1,sertraline,{events},ade\n")
    assert read_gold(path)["1"].codes == codes
