"""The search on this machine: Optuna proposes, the entry point trains.

Proposals come from a tree-structured Parzen estimator (Bergstra et al. 2011), seeded anew for every trial; trials that
fall behind the median of the others at the same epoch are stopped. The study is a SQLite
file, so that an interrupted search goes on.
"""

from __future__ import annotations

import logging
import shutil
import time
from typing import TYPE_CHECKING, Any, Self

import optuna

from adverse_events.corpus.manifest import verify
from adverse_events.errors import AdverseEventsError, PermanentServiceError, UsageError
from adverse_events.training import entry_point
from adverse_events.training.tuning import OBJECTIVE, Budget, SearchSpace, Trial, TuningResult

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

    from adverse_events.training.trainer import Tracker

STUDY = "study.db"
_STATES = {"COMPLETE": "complete", "PRUNED": "pruned", "FAIL": "failed"}


class LocalTuner:
    """Searches on this machine, one trial at a time.

    Args:
        folder: Where the study and the trials' checkpoints are kept; the same folder goes on with a search.
        fixed: Hyperparameters of every trial, as arguments of the entry point.
        tracker: Makes a tracker for a trial by its name; None keeps none.
        told: Called with every trial that ended.
    """

    def __init__(
        self,
        folder: Path,
        *,
        fixed: Mapping[str, Any],
        tracker: Callable[[str], Tracker] | None = None,
        told: Callable[[Trial], None] = lambda _: None,
    ) -> None:
        """Keep where and how."""
        self._folder, self._fixed = folder, dict(fixed)
        self._tracker, self._told = tracker, told

    def search(self, corpus: Path, space: SearchSpace, baseline: Mapping[str, Any], budget: Budget) -> TuningResult:
        """Search; see `tuning.Tuner`."""
        verify(corpus)
        optuna.logging.set_verbosity(optuna.logging.ERROR)
        logging.getLogger("alembic").setLevel(logging.WARNING)
        self._folder.mkdir(parents=True, exist_ok=True)
        study = optuna.create_study(
            study_name="ade",
            storage=f"sqlite:///{self._folder / STUDY}",
            load_if_exists=True,
            direction="maximize",
            pruner=optuna.pruners.MedianPruner(n_startup_trials=4, n_warmup_steps=1),
        )
        if not study.trials:
            study.enqueue_trial(_proposal(baseline, space))
        ends = time.monotonic() + 3600 * budget.hours
        while len(_ended(study)) < budget.trials and time.monotonic() < ends:
            # Seeded by the trial's number, a search that was interrupted proposes what it would have proposed.
            study.sampler = optuna.samplers.TPESampler(seed=1000 * budget.seed + len(study.trials))
            trial = study.ask()
            self._run(study, trial, corpus, space)
            self._told(_as_trial(study.trials[trial.number]))
        trials = [_as_trial(each) for each in _ended(study)]
        complete = [trial for trial in trials if trial.state == "complete" and trial.objective is not None]
        if not complete:
            reasons = "; ".join(sorted({trial.reason for trial in trials if trial.reason}))[:400]
            raise PermanentServiceError(
                "tuning", "search", f"none of {len(trials)} trials ended: {reasons or 'no time'}"
            )
        best = max(complete, key=lambda trial: trial.objective or 0.0)
        return TuningResult(trials, best, trials[0])

    def _run(self, study: optuna.Study, trial: optuna.Trial, corpus: Path, space: SearchSpace) -> None:
        parameters = {
            "learning_rate": trial.suggest_float("learning_rate", *space.learning_rate, log=True),
            "max_length": trial.suggest_categorical("max_length", space.max_length),
            "batch_size": trial.suggest_categorical("batch_size", space.batch_size),
            "model_name": trial.suggest_categorical("model_name", space.model_name),
        }
        place = self._folder / f"trial-{trial.number}"
        try:
            with _Watched(trial, self._tracker) as watched:
                metrics = entry_point.main(_arguments({**self._fixed, **parameters}, corpus, place), tracker=watched)
        except optuna.TrialPruned:
            study.tell(trial, state=optuna.trial.TrialState.PRUNED)
        except (AdverseEventsError, RuntimeError, SystemExit) as error:
            # RuntimeError is torch's out of memory; its text may hold shapes and sizes, no corpus text.
            trial.set_user_attr("reason", f"{type(error).__name__}: {error}"[:300])
            study.tell(trial, state=optuna.trial.TrialState.FAIL)
        else:
            study.tell(trial, metrics["validation"]["all"][OBJECTIVE])
        finally:
            shutil.rmtree(place, ignore_errors=True)


class _Watched:
    """A tracker that also tells Optuna how a trial is doing, and ends one that falls behind."""

    def __init__(self, trial: optuna.Trial, make: Callable[[str], Tracker] | None) -> None:
        self._trial = trial
        self._kept = make(f"trial-{trial.number}") if make else None
        self._epoch = 0

    def start(self, parameters: Mapping[str, Any]) -> None:
        if self._kept:
            self._kept.start(parameters)

    def log(self, metrics: Mapping[str, float], step: int) -> None:
        if self._kept:
            self._kept.log(metrics, step)
        self._epoch += 1
        self._trial.report(metrics[f"validation/{OBJECTIVE}"], self._epoch)
        if self._trial.should_prune():
            raise optuna.TrialPruned

    def finish(self, artifacts: Sequence[Path]) -> None:
        if self._kept:
            self._kept.finish(artifacts)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        fail = getattr(self._kept, "fail", None)
        if kind is not None and fail is not None:
            fail()


def _proposal(baseline: Mapping[str, Any], space: SearchSpace) -> dict[str, Any]:
    """Return the baseline as a proposal.

    Raises:
        UsageError: It lies outside the space.
    """
    low, high = space.learning_rate
    wrong = [name for name in ("max_length", "batch_size", "model_name") if baseline[name] not in getattr(space, name)]
    if not low <= baseline["learning_rate"] <= high:
        wrong.append("learning_rate")
    if wrong:
        msg = f"the baseline's {', '.join(wrong)} is outside what is searched; widen the search or change the baseline"
        raise UsageError(msg)
    return dict(baseline)


def _arguments(parameters: Mapping[str, Any], corpus: Path, place: Path) -> list[str]:
    paths = {
        "train": corpus / "train",
        "validation": corpus / "validation",
        "model_dir": place / "model",
        "checkpoint_dir": place / "checkpoints",
    }
    return [
        part for name, value in {**parameters, **paths}.items() for part in (f"--{name.replace('_', '-')}", str(value))
    ]


def _ended(study: optuna.Study) -> list[optuna.trial.FrozenTrial]:
    return [trial for trial in study.trials if trial.state.name in _STATES]


def _as_trial(trial: optuna.trial.FrozenTrial) -> Trial:
    return Trial(
        trial.number,
        trial.params,
        trial.value if trial.state.name == "COMPLETE" else None,
        _STATES[trial.state.name],
        round(trial.duration.total_seconds(), 1) if trial.duration else 0.0,
        trial.user_attrs.get("reason", ""),
    )
