"""`ade models`: the registry's versions and aliases, the gate between candidate and champion, cards."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ade import terminal
from ade.exits import DONE, FAILED
from ade.files import STANDARD_OUTPUT, written
from adverse_events.classification.model_folder import read_manifest
from adverse_events.errors import UsageError
from adverse_events.registry import card as cards
from adverse_events.registry.evaluation import read_evaluation
from adverse_events.registry.gate import judge
from adverse_events.registry.incoming import is_reference
from adverse_events.registry.store import ALIASES, CANDIDATE, CHAMPION, ModelRegistry
from adverse_events.registry.verdict import Contender
from adverse_events.settings import load_settings

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from adverse_events.registry.settings import GateSettings
    from adverse_events.registry.store import RegisteredModel
    from adverse_events.registry.verdict import GateVerdict


def list_models(overrides: Mapping[str, Any], *, as_json: bool) -> int:
    """Print every version; returns the exit code."""
    registry, _ = _opened(overrides)
    aliases = _aliases(registry)
    models = registry.versions()
    if as_json:
        terminal.show_json([_facts(model, aliases) for model in models])
    elif models:
        rows = [
            (each.version, _when(each), len(each.evaluations), ", ".join(aliases.get(each.version, ())))
            for each in models
        ]
        terminal.show_table(("version", "registered", "evaluations", "is"), rows)
    else:
        terminal.note(f"no model in {registry.folder}; {terminal.program()} models register MODEL copies one in")
    return DONE


def register(model: Path, evaluations: Sequence[Path], overrides: Mapping[str, Any], *, as_json: bool) -> int:
    """Copy a model in with its evaluations and make it the candidate; returns the exit code.

    Raises:
        UsageError: A file is missing.
        ContractError: A corrupt file, an evaluation of another model, or other content under the same version.
    """
    registry, _ = _opened(overrides)
    documents = [path.read_bytes() for path in evaluations if read_evaluation(path)]
    held = registry.register(model, documents[0] if documents else None, alias=CANDIDATE)
    for document in documents[1:]:
        held = registry.register(model, document)
    if as_json:
        terminal.show_json(_facts(held, _aliases(registry)))
    else:
        n_known = terminal.counted(len(held.evaluations), "evaluation")
        terminal.show_line(f"{held.version} is the candidate, with {n_known}: {held.folder}")
    return DONE


def gate(candidate: str, against: str, overrides: Mapping[str, Any], *, as_json: bool) -> int:
    """Print what the gate says of a candidate; returns the exit code, 1 where it is refused.

    Raises:
        UsageError: A version that is not there, or that was not evaluated.
        ContractError: A corrupt file, or evaluations that do not fit each other.
    """
    registry, rules = _opened(overrides)
    champion = registry.alias(CHAMPION) if against == CHAMPION else registry.find(against)
    verdict = _judged(registry.find(candidate), champion, rules)
    if as_json:
        terminal.show_json(verdict.to_json())
    else:
        _show_verdict(verdict)
    return DONE if verdict.passed else FAILED


def promote(version: str, force: str | None, overrides: Mapping[str, Any], *, as_json: bool) -> int:
    """Make a version the champion where the gate lets it, or `force` says why not to ask; returns the exit code."""
    if force is not None and not force.strip():
        msg = "--force needs a reason, in words; it is kept in the history"
        raise UsageError(msg)
    registry, rules = _opened(overrides)
    model, champion = registry.find(version), registry.alias(CHAMPION)
    verdict = None if force else _judged(model, champion, rules)
    passed = verdict is None or verdict.passed
    if passed:
        reason = f"forced: {force}" if force else f"passed the gate, {len(verdict.reasons) if verdict else 0} checks"
        registry.set_alias(CHAMPION, model.version, reason, expected=champion.version if champion else None)
    if as_json:
        told = {"verdict": verdict.to_json() if verdict else None, "forced": force}
        terminal.show_json({"promoted": passed, "version": model.version, **told})
        return DONE if passed else FAILED
    if verdict:
        _show_verdict(verdict)
    if passed:
        terminal.show_line(
            f"{model.version} is the champion{f', forced: {terminal.printable(force)}' if force else ''}"
        )
    return DONE if passed else FAILED


def rollback(reason: str, overrides: Mapping[str, Any], *, as_json: bool) -> int:
    """Make the previous champion the champion again; returns the exit code."""
    registry, _ = _opened(overrides)
    model = registry.rollback(reason)
    if as_json:
        terminal.show_json({"champion": model.version})
    else:
        terminal.show_line(f"{model.version} is the champion again")
    return DONE


def show(model: str, overrides: Mapping[str, Any], *, as_json: bool) -> int:
    """Print one version, its scores and its history; returns the exit code."""
    registry, _ = _opened(overrides)
    found = registry.find(model)
    manifest = found.manifest()
    evaluations = found.read_evaluations()
    events = [event for event in registry.history() if found.version in {event.before, event.after}]
    if as_json:
        told = [event.model_dump(mode="json") for event in events]
        scores = [each.model_dump(mode="json") for each in evaluations]
        facts = _facts(found, _aliases(registry))
        terminal.show_json({**facts, "manifest": manifest.model_dump(), "evaluations": scores, "history": told})
        return DONE
    terminal.show_line(f"{found.version}: {found.folder}")
    terminal.show_line(f"classes {', '.join(manifest.labels)}; an ADE from {manifest.ade_threshold:g} on")
    rows = [
        (
            each.data.name,
            name,
            scores.n,
            scores.n_positive,
            *map(_number, (scores.f1, scores.average_precision, scores.ece)),
        )
        for each in evaluations
        for name, scores in each.groups.items()
    ]
    if rows:
        terminal.show_table(("data", "source", "texts", "ADE", "F1", "average precision", "ECE"), rows)
    terminal.show_table(
        ("when", "what", "from", "to", "reason"),
        [
            (
                f"{event.at:%Y-%m-%d %H:%M}",
                f"{event.event} {event.alias or ''}",
                event.before,
                event.after,
                event.reason,
            )
            for event in events
        ],
    )
    return DONE


def card(
    model: str,
    evaluations: Sequence[Path],
    notes: Path | None,
    output: Path,
    overrides: Mapping[str, Any],
    *,
    check_only: bool,
) -> int:
    """Write the card of a model, or check that `output` is that card; returns the exit code.

    Raises:
        UsageError: A file is missing, or there is no evaluation.
        ContractError: An evaluation of another model, or a card that was edited.
    """
    registry, _ = _opened(overrides)
    manifest = read_manifest(registry.resolve(model))
    read = [read_evaluation(path) for path in evaluations]
    if not read and is_reference(model):
        read = registry.find(model).read_evaluations()
    if notes and not notes.is_file():
        msg = f"{notes}: no such file"
        raise UsageError(msg)
    text = cards.render(manifest, read, notes.read_text(encoding="utf-8") if notes else "")
    if check_only:
        cards.check(output, text)
        terminal.show_line(f"{output} is what the model and its evaluations say")
        return DONE
    with written(output) as stream:
        stream.write(text)
    if str(output) != STANDARD_OUTPUT:
        terminal.show_line(f"card {output.resolve()}")
    return DONE


def _opened(overrides: Mapping[str, Any]) -> tuple[ModelRegistry, GateSettings]:
    settings = load_settings(overrides).registry
    return ModelRegistry(settings.folder), settings.gate


def _judged(model: RegisteredModel, champion: RegisteredModel | None, rules: GateSettings) -> GateVerdict:
    return judge(_contender(model), _contender(champion) if champion else None, rules)


def _contender(model: RegisteredModel) -> Contender:
    return Contender(model.manifest(), model.read_evaluations())


def _show_verdict(verdict: GateVerdict) -> None:
    rows = [
        (
            each.check,
            each.source,
            _number(each.candidate),
            _number(each.champion),
            "pass" if each.passed else "REFUSED",
            each.text,
        )
        for each in verdict.reasons
    ]
    terminal.show_table(("check", "on", "candidate", "champion", "", "why"), rows)
    against = f"against {verdict.champion}" if verdict.champion else "against the bars alone: there is no champion"
    n_refusals = terminal.counted(len(verdict.refusals), "check")
    said = "may replace it" if verdict.champion else "may be the champion"
    terminal.show_line(
        f"{verdict.candidate} {against}: {said}"
        if verdict.passed
        else f"{verdict.candidate} {against}: REFUSED by {n_refusals}"
    )


def _aliases(registry: ModelRegistry) -> dict[str, list[str]]:
    """Return the aliases by the version they point to."""
    found: dict[str, list[str]] = {}
    for name in ALIASES:
        if model := registry.alias(name):
            found.setdefault(model.version, []).append(name)
    return found


def _facts(model: RegisteredModel, aliases: Mapping[str, Sequence[str]]) -> dict[str, Any]:
    return {
        "version": model.version,
        "name": model.name,
        "folder": str(model.folder),
        "registered_at": model.registered_at and model.registered_at.isoformat(),
        "aliases": list(aliases.get(model.version, ())),
        "n_evaluations": len(model.evaluations),
    }


def _when(model: RegisteredModel) -> str:
    return f"{model.registered_at:%Y-%m-%d %H:%M}" if model.registered_at else "-"


def _number(value: float | str | None) -> str:
    return "-" if value is None else value if isinstance(value, str) else f"{value:.3f}"
