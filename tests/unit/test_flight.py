"""The flight check: what passes, what does not, and that every reason is told."""

from copy import deepcopy

import numpy as np
import pytest

from adverse_events import assembly
from adverse_events.classification.protocol import Scored
from adverse_events.errors import ContractError, UsageError
from adverse_events.evaluation.capabilities import load as capability_cases
from adverse_events.flight import FlightError, FlightSettings, fly, judge, load_probes, read_flight
from adverse_events.records import Coding
from adverse_events.settings import load_settings

PROBES = load_probes()


class Model:
    """Says of every probe what `says` returns for it."""

    model_version, labels, ade_threshold, thresholds, served_by = "toy+1", ("NOT_ADE", "ADE"), 0.5, {}, ""

    def __init__(self, says):
        self.says = says
        self.by_text = {probe.text: probe for probe in PROBES}

    def score(self, chunks):
        for texts in chunks:
            ade = np.array([self.says(self.by_text[text]) for text in texts], np.float32)
            yield Scored(np.stack([1 - ade, ade], axis=1), [False] * len(texts))


class Mute:
    """A coder that finds nothing."""

    coder_version, icd10cm_release, served_by = "mute", "2026-04", ""

    def code(self, texts, _drug_mentions):
        return [Coding() for _ in texts]


def right(probe):
    return 0.9 if probe.is_ade else 0.1


def flown(says=right, coder=None):
    settings = load_settings()
    coder = coder or assembly.embedded_coder()
    return fly(PROBES, Model(says), coder, assembly.lexicon(), settings.classifier, settings.coding)


@pytest.fixture(scope="module")
def flight():
    return flown()


def kinds(flight, baseline=None, **limits):
    return [finding.kind for finding in judge(flight, PROBES, FlightSettings(**limits), baseline)]


def test_the_shipped_model_and_coder_pass():
    flight = assembly.checked_flight(load_settings())
    assert all(flight.answers[probe.name].is_ade == probe.is_ade for probe in PROBES)
    assert flight.model_version.startswith("minilm-l6-ade")


def test_probes_are_of_both_kinds_and_are_nobody_elses_cases():
    assert sum(probe.is_ade for probe in PROBES) * 2 == len(PROBES) == len({probe.name for probe in PROBES})
    assert not {probe.text for probe in PROBES} & {case.text for case in capability_cases()}
    assert all(bool(probe.icd10cm_category) == probe.is_ade for probe in PROBES)


@pytest.mark.parametrize(
    "says",
    [
        lambda _probe: 0.9,
        lambda _probe: 0.1,
        lambda probe: 1 - right(probe),
        lambda _probe: float("nan"),
    ],
    ids=["always", "never", "wrong label", "no number"],
)
def test_a_broken_model_is_found(says):
    (finding,) = judge(flown(says), PROBES, FlightSettings())
    assert finding.kind == "answers"
    assert "18 are wanted" in finding.detail


def test_a_probe_or_two_may_be_wrong(flight):
    assert kinds(flight) == []
    wrong = {PROBES[0].name, PROBES[-1].name}
    almost = flown(lambda probe: 1 - right(probe) if probe.name in wrong else right(probe))
    assert kinds(almost) == []
    assert kinds(almost, least_right=0.95) == ["answers"]


def test_a_coder_that_is_silent_is_found_whatever_the_model_says():
    assert kinds(flown(coder=Mute())) == ["codes"]
    assert kinds(flown(lambda _probe: 0.1, Mute())) == ["answers", "codes"]


def test_slowness_is_judged_by_the_median(flight):
    slow = flight.model_copy(update={"classify_s": 2.5, "code_s": 2.5})
    assert kinds(slow) == ["latency", "latency"]
    assert kinds(slow, longest_classify_s=3.0) == ["latency"]


def test_another_model_than_the_one_expected_is_named(flight):
    (finding,) = judge(flight, PROBES, FlightSettings(model_version="mine+2"))
    assert finding == ("version", "toy+1 answered, not mine+2")


def test_answers_are_held_against_those_of_an_earlier_flight(flight):
    assert kinds(flight, flight) == []
    moved = flown(lambda probe: right(probe) - 0.03)
    (finding,) = judge(moved, PROBES, FlightSettings(), flight)
    assert finding.kind == "drift"
    assert finding.detail.startswith("20 of 20 probabilities moved by more than 0.02")
    assert kinds(moved, flight, tolerance=0.05) == []
    other = flight.model_copy(update={"coder_version": "mine", "ade_threshold": 0.4})
    assert kinds(other, flight) == ["version", "version"]
    answer = flight.answers[PROBES[0].name]
    recoded = {**flight.answers, PROBES[0].name: answer.model_copy(update={"icd10cm_codes": ("R21", "R11.0")})}
    assert kinds(flight.model_copy(update={"answers": recoded}), flight) == ["drift"]
    gone = {**flight.answers, PROBES[0].name: answer.model_copy(update={"ade_probability": None})}
    assert kinds(flight.model_copy(update={"answers": gone}), flight) == ["drift"]
    fewer = {name: each for name, each in flight.answers.items() if name != PROBES[0].name}
    assert kinds(flight, flight.model_copy(update={"answers": fewer})) == ["drift"]


def test_a_flight_is_kept_and_read_again(flight, tmp_path):
    path = tmp_path / "flight.json"
    path.write_text(flight.model_dump_json())
    assert read_flight(path) == flight
    with pytest.raises(UsageError, match="ade flight-check --record"):
        read_flight(tmp_path / "absent.json")
    path.write_text('{"model_version": 7}')
    with pytest.raises(ContractError, match="record one"):
        read_flight(path)


def test_the_error_survives_the_way_between_processes(flight):
    error = FlightError(flight, tuple(judge(flight, PROBES, FlightSettings(model_version="mine+2"))))
    assert str(deepcopy(error)) == str(error), "an error is made anew from its arguments"
    assert "mine+2" in str(error)
