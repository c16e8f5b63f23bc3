"""The gate: what beyond noise means at its corners, and every check a candidate can fail."""

import pytest

from adverse_events.classification.model_folder import read_manifest
from adverse_events.errors import ContractError, UsageError
from adverse_events.registry.gate import judge
from adverse_events.registry.noise import Difference, is_worse, paired, unpaired
from adverse_events.registry.settings import GateSettings
from adverse_events.registry.verdict import Contender
from tests.registered import evaluation, model_folder, parsed, scores

CORNERS = {
    "equal": (0.0, (-0.02, 0.02), 0.5, False),
    "better": (0.03, (-0.01, 0.07), 0.1, False),
    "a little worse, wholly below": (-0.002, (-0.003, -0.001), 0.99, True),
    "wholly below, but the interval touches 0": (-0.005, (-0.01, 0.0), 0.97, False),
    "a loss that matters and is probable": (-0.03, (-0.07, 0.004), 0.95, True),
    "a loss that matters and is not probable": (-0.03, (-0.09, 0.03), 0.85, False),
    "a probable loss that does not matter": (-0.008, (-0.017, 0.001), 0.96, False),
    "a loss of the margin itself": (0.84 - 0.85, (-0.022, 0.002), 0.95, False),
    "probable at the limit itself": (-0.03, (-0.07, 0.01), 0.9, False),
    "no interval, a small loss": (-0.009, None, None, False),
    "no interval, a loss that matters": (-0.02, None, None, True),
    "a positive mean whose draws were mostly worse": (0.001, (-0.1, 0.02), 0.99, False),
}


@pytest.mark.parametrize(("value", "interval", "p_worse", "expected"), CORNERS.values(), ids=CORNERS.keys())
def test_beyond_noise(value, interval, p_worse, expected):
    difference = Difference(value, interval, p_worse, "paired")
    assert is_worse(difference, margin=0.01, probably_worse=0.9) is expected


def test_a_limit_of_1_leaves_the_whole_interval_as_the_only_rule():
    assert not is_worse(Difference(-0.2, (-0.4, 0.001), 1.0, "paired"), margin=0.01, probably_worse=1)
    assert is_worse(Difference(-0.2, (-0.4, -0.001), 1.0, "paired"), margin=1, probably_worse=1)


def test_two_intervals_give_one_of_their_difference():
    """Newcombe 1998, table II, contrast (a): 56/70 against 48/80 gives 0.2 (0.0524 to 0.3339) from Wilson intervals."""
    found = unpaired(56 / 70, 48 / 80, (0.6919, 0.8770), (0.4904, 0.7003))
    assert found.interval == pytest.approx((0.0524, 0.3339), abs=5e-4)
    assert found.p_worse < 0.01
    assert unpaired(0.6, 0.8, (0.49, 0.70), (0.69, 0.88)).p_worse > 0.99
    assert unpaired(0.6, 0.8, None, (0.69, 0.88)).interval is None


def test_intervals_of_no_width_leave_no_doubt():
    assert is_worse(unpaired(0.69, 0.7, (0.69, 0.69), (0.7, 0.7)), margin=0.01, probably_worse=0.9)
    assert not is_worse(unpaired(0.7, 0.7, (0.7, 0.7), (0.7, 0.7)), margin=0.01, probably_worse=0.9)


def test_a_paired_interval_alone_tells_how_probable_a_loss_is():
    assert paired(-0.03, (-0.06, 0.0), None).p_worse == pytest.approx(0.975, abs=1e-3)
    assert paired(-0.03, None, None).how == "bare"


@pytest.fixture
def judged(tmp_path):
    """A function that holds a candidate against a champion and returns the verdict."""
    mine, theirs = model_folder(tmp_path / "mine", "mine"), model_folder(tmp_path / "theirs", "theirs")

    def run(candidate=None, champion=None, *, manifest=None, **rules):
        """Evaluations as keyword arguments of `evaluation`, or lists of them; a champion of None is none."""
        folder = model_folder(tmp_path / "changed", "mine", **manifest) if manifest else mine

        def contender(place, given):
            many = given if isinstance(given, list) else [given or {}]
            return Contender(read_manifest(place), [parsed(evaluation(place, **each)) for each in many])

        against = None if champion is None else contender(theirs, champion)
        return judge(contender(folder, candidate), against, GateSettings(**rules))

    run.champion = read_manifest(theirs).version
    return run


def refused(verdict):
    assert verdict.passed == (not verdict.refusals)
    return [(reason.check, reason.source) for reason in verdict.refusals]


def test_an_equal_candidate_passes_and_every_check_leaves_a_reason(judged):
    verdict = judged({}, {})
    assert refused(verdict) == []
    assert [reason.check for reason in verdict.reasons] == [
        "labels",
        "decision limit",
        "agreement of int8",
        "F1",
        "average precision",
        "ECE",
        "capability",
    ]
    assert all(reason.text for reason in verdict.reasons)
    assert verdict.to_json()["reasons"][3]["candidate"] == 0.7


def test_a_loss_on_one_source_refuses_whatever_the_others_gain(judged):
    before = {"sources": {"reviews": scores(0.7), "tweets": scores(0.6)}}
    after = {"sources": {"reviews": scores(0.9), "tweets": scores(0.4)}}
    assert refused(judged(after, before)) == [("F1", "tweets"), ("average precision", "tweets")]


def comparison(other, **tweets):
    return {"other": other, "sources": {"tweets": tweets}}


def test_texts_compared_pair_by_pair_decide_where_two_intervals_cannot(judged):
    """The same loss of 0.03: inside two wide intervals, beyond noise text by text."""
    after, before = scores(0.67, 0.1), scores(0.7, 0.1)
    apart = judged({"sources": {"tweets": after}}, {"sources": {"tweets": before}})
    assert refused(apart) == []
    told = comparison(judged.champion, f1_difference=-0.03, interval=[-0.05, -0.01], p_worse=0.999)
    together = judged({"sources": {"tweets": after}, "comparison": told}, {"sources": {"tweets": before}})
    assert refused(together) == [("F1", "tweets")]
    assert "paired" in next(r.text for r in together.reasons if r.check == "F1")
    assert "unpaired" in next(r.text for r in together.reasons if r.check == "average precision")


def test_average_precision_is_compared_pair_by_pair_where_it_was(judged):
    told = comparison(
        judged.champion,
        average_precision_difference=-0.03,
        average_precision_interval=[-0.05, -0.01],
        average_precision_p_worse=0.999,
    )
    after, before = {"tweets": scores(0.67, 0.1)}, {"tweets": scores(0.7, 0.1)}
    verdict = judged({"sources": after, "comparison": told}, {"sources": before})
    assert refused(verdict) == [("average precision", "tweets")]


def test_a_comparison_with_another_model_than_the_champion_counts_for_nothing(judged):
    told = comparison("someone+000000000000", f1_difference=0.5, interval=[0.4, 0.6], p_worse=0.0)
    verdict = judged({"sources": {"tweets": scores(0.3)}, "comparison": told}, {})
    assert ("F1", "tweets") in refused(verdict)


def test_a_comparison_that_contradicts_the_scores_is_no_evidence(judged):
    """Such as one the wrong way round."""
    told = comparison(judged.champion, f1_difference=0.1, interval=[0.05, 0.15], p_worse=0.0)
    with pytest.raises(ContractError, match=r"differs by -0\.100, not"):
        judged({"sources": {"tweets": scores(0.6)}, "comparison": told}, {})


def test_all_sources_together_are_held_to_the_same_rule(judged):
    before = {"sources": {"a": scores(0.7, 0.2), "b": scores(0.7, 0.2)}, "all": scores(0.7, 0.01)}
    after = {"sources": {"a": scores(0.65, 0.2), "b": scores(0.65, 0.2)}, "all": scores(0.65, 0.01)}
    assert refused(judged(after, before)) == [("F1", "all"), ("average precision", "all")]


def test_a_source_without_positives_is_left_out_and_nothing_but_such_is_refused(judged):
    sources = {"tweets": scores(), "advice": scores(None)}
    assert refused(judged({"sources": sources}, {"sources": sources})) == []
    nothing = {"sources": {"advice": scores(None)}}
    assert refused(judged(nothing, nothing)) == [("F1", "texts.csv")]


def test_a_score_the_champion_has_and_the_candidate_lacks_is_refused(judged):
    lost = {"sources": {"tweets": {**scores(), "f1": None, "ece": None}}}
    assert refused(judged(lost, {})) == [("F1", "texts.csv"), ("F1", "tweets"), ("ECE", "tweets")]


def test_other_data_other_rows_or_no_evaluation_are_no_comparison(judged):
    other = {"path": "more.csv", "sha256": "ef" * 32, "n_rows": 5}
    with pytest.raises(UsageError, match=r"was not evaluated on texts.csv \(sha256 .*where the champion was"):
        judged({"data": other}, {})
    with pytest.raises(UsageError, match="was not evaluated;"):
        judged([], {})
    with pytest.raises(UsageError, match="was not evaluated;"):
        judged({}, [])
    with pytest.raises(ContractError, match="sources tweets have other rows"):
        judged({"sources": {"tweets": scores(n=399)}}, {})
    with pytest.raises(ContractError, match="sources reviews, tweets"):
        judged({"sources": {"reviews": scores()}}, {})


def test_data_the_champion_never_saw_is_held_against_the_bars(judged):
    more = {"data": {"path": "more.csv", "sha256": "ef" * 32, "n_rows": 5}, "sources": {"mail": scores(ece=0.2)}}
    verdict = judged([{}, more], {})
    assert refused(verdict) == [("ECE", "mail (more.csv)")]
    assert "no champion to compare with" in {r.text for r in verdict.reasons if r.source == "mail (more.csv)"}


def test_the_first_champion_is_held_against_the_bars_alone(judged):
    assert refused(judged()) == []
    bars = {"f1_bars": {"tweets": 0.7, "mail": 0.1}, "average_precision_bars": {"tweets": 0.71}}
    verdict = judged(**bars)
    assert refused(verdict) == [("F1 bar", "mail"), ("average precision bar", "tweets")]
    assert verdict.champion is None


@pytest.mark.parametrize(("ece", "passes"), [(0.05, True), (0.0501, False)])
def test_calibration_has_a_bar_of_its_own(judged, ece, passes):
    verdict = judged({"sources": {"tweets": scores(ece=ece)}}, {"sources": {"tweets": scores(ece=0.2)}})
    assert refused(verdict) == ([] if passes else [("ECE", "tweets")])


def capabilities(**accuracies):
    cases = {
        name: {"n": 40, "accuracy": value, "interval": [max(value - 0.1, 0), min(value + 0.1, 1)]}
        for name, value in accuracies.items()
    }
    return {"capabilities": {"overall": 0.9, "n": 40 * len(cases), "by_capability": cases}}


def test_a_capability_may_be_neither_under_its_bar_nor_worse_than_the_champions(judged):
    before = capabilities(negation=0.99, irony=0.8, slang=0.7)
    after = capabilities(negation=0.8, irony=0.75, slang=0.74)
    verdict = judged(after, before)
    assert refused(verdict) == [("capability", "negation"), ("capability", "slang")]


def test_a_capability_that_is_gone_or_has_other_cases_is_refused(judged):
    before, after = capabilities(negation=0.9, irony=0.9), capabilities(negation=0.9)
    after["capabilities"]["by_capability"]["negation"]["n"] = 20
    assert refused(judged(after, before)) == [("capability", "irony"), ("capability", "negation")]


def test_capabilities_that_nobody_measured_are_refused_unless_the_settings_do_without(judged):
    none = {"capabilities": None}
    assert refused(judged(none, none)) == [("capability", "")]
    assert refused(judged(none, none, requires_capabilities=False)) == []
    assert refused(judged(none, {}, requires_capabilities=False)) == [("capability", "")]


MODELS = {
    "other classes": ({"labels": ("OTHER", "ADE")}, "labels"),
    "another order of classes": ({"labels": ("ADE", "NOT_ADE")}, "labels"),
    "everything is an ADE": ({"ade_threshold": 0.0}, "decision limit"),
    "nothing is an ADE": ({"ade_threshold": 1.0}, "decision limit"),
    "int8 decides otherwise": ({"scores": {"agreement_with_float32": {"all": 0.9969}}}, "agreement of int8"),
    "nobody compared int8": ({"scores": {}}, "agreement of int8"),
}


@pytest.mark.parametrize(("manifest", "check"), MODELS.values(), ids=MODELS.keys())
def test_what_the_manifest_says_is_checked(judged, manifest, check):
    assert refused(judged({}, {}, manifest=manifest)) == [(check, "")]


def test_scores_at_another_limit_than_the_one_served_are_refused(judged, tmp_path):
    model = {**evaluation(model_folder(tmp_path / "again", "mine"))["model"], "ade_threshold": 0.3}
    assert refused(judged({"model": model}, {})) == [("decision limit", "")]
