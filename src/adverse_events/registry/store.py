"""The model registry: a folder of versions, and the aliases that say which one is served and which one is tried.

::

    NAME/VERSION/                         model.json and the files it names, never changed
    NAME/evaluations/VERSION/DATA.json    evaluations of that version, by the first digits of the data's SHA-256
    history.jsonl                         what came in, and every move of an alias

A version appears whole: it is copied beside the others, checked, and renamed into its place. Processes may use one
registry at once; the lock of one that dies is freed with it.
"""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from adverse_events.classification.model_folder import read_manifest
from adverse_events.errors import UsageError
from adverse_events.lake.files import locked, make_locks, remove_dead_staging, staging_folder, sync, write_whole
from adverse_events.registry import history
from adverse_events.registry.evaluation import read_evaluation
from adverse_events.registry.history import ALIASES, CANDIDATE, CHAMPION, Alias, Event
from adverse_events.registry.incoming import (
    check_same,
    checked_evaluation,
    checked_version,
    copied,
    is_reference,
    is_version,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from adverse_events.classification.model_folder import ModelManifest
    from adverse_events.registry.evaluation import Evaluation

__all__ = ["ALIASES", "CANDIDATE", "CHAMPION", "Alias", "ModelRegistry", "RegisteredModel"]

_EVALUATIONS = "evaluations"
_LOCK = "registry.lock"
_DATA_DIGITS = 12


@dataclass(frozen=True)
class RegisteredModel:
    """One version in a registry.

    Attributes:
        name: Name of the model.
        version: Name and content hash, as every row it scores carries it.
        folder: Its model folder.
        registered_at: When it came in, UTC; None where a process was killed right after it had.
        evaluations: Its evaluations, in order of their data's hash.
    """

    name: str
    version: str
    folder: Path
    registered_at: datetime | None = None
    evaluations: tuple[Path, ...] = field(default=(), compare=False)

    def manifest(self) -> ModelManifest:
        """Read its manifest, all files checked."""
        return read_manifest(self.folder)

    def read_evaluations(self) -> list[Evaluation]:
        """Read its evaluations, same order."""
        return [read_evaluation(path) for path in self.evaluations]


class ModelRegistry:
    """The registry in one folder; nothing is created before a model comes in.

    Args:
        folder: Folder of the registry.
    """

    def __init__(self, folder: Path) -> None:
        """Remember the folder."""
        self.folder = folder.expanduser().absolute()

    def register(
        self, model_folder: Path, evaluation: bytes | None = None, *, alias: Alias | None = None
    ) -> RegisteredModel:
        """Copy a model in; the same content again changes nothing.

        Args:
            model_folder: An exported model folder; ``model.json`` and the files it names are copied, nothing else.
            evaluation: What ``ade evaluate --json`` printed about it; takes the place of one on the same data.
            alias: Alias to set to it.

        Raises:
            UsageError: A missing file, or a name that cannot be a folder's.
            ContractError: A file that is not the one ``model.json`` names, other content under the same version, or
                an evaluation of another model.
        """
        manifest = read_manifest(model_folder)
        version = checked_version(manifest, model_folder)
        document = checked_evaluation(evaluation, version) if evaluation is not None else None
        target = self._place(version)
        (target.parent / _EVALUATIONS / version).mkdir(parents=True, exist_ok=True)
        make_locks(self.folder)
        remove_dead_staging(self.folder)
        with staging_folder(self.folder) as staging:
            copy = None if target.exists() else copied(model_folder, manifest, staging / "model")
            with self._alone():
                if copy is None or target.exists():
                    check_same(target, manifest)
                else:
                    copy.rename(target)
                    sync(target.parent)
                if version not in history.registered_at(history.read(self.folder)):
                    self._note(Event(at=datetime.now(UTC), event="registered", after=version))
                if evaluation is not None and document is not None:
                    write_whole(self._evaluation_place(version, document), evaluation)
                if alias is not None:
                    self._move(alias, version, "registered")
        return self.find(version)

    def versions(self) -> list[RegisteredModel]:
        """Return every version, oldest first."""
        times = history.registered_at(history.read(self.folder))
        order = {version: index for index, version in enumerate(times)}
        known = [path.name for path in self.folder.glob("*/*") if is_version(path.name)]
        return [self._model(version, times) for version in sorted(known, key=lambda v: (order.get(v, len(order)), v))]

    def alias(self, name: Alias) -> RegisteredModel | None:
        """Return the version an alias points to; None where it points to none."""
        versions = history.pointed_to(history.read(self.folder), name)
        return self.find(versions[-1]) if versions else None

    def find(self, what: str) -> RegisteredModel:
        """Return a version, by its name or by an alias.

        Raises:
            UsageError: There is none.
        """
        if what in ALIASES:
            found = self.alias(what)
            if found is None:
                msg = f"no model is the {what} in {self.folder}; {_HOW_TO_SET[what]}"
                raise UsageError(msg)
            return found
        if is_version(what) and self._place(what).is_dir():
            return self._model(what, history.registered_at(history.read(self.folder)))
        msg = f"{what} is not registered in {self.folder}; ade models list says what is"
        raise UsageError(msg)

    def resolve(self, what: str | Path) -> Path:
        """Return a model folder: of an alias, of a version, or `what` itself where it is a path.

        The words candidate and champion, and what looks like a version, always mean the registry: whoever means a
        folder of that name writes where it is, such as ``/models/champion``.

        Raises:
            UsageError: An alias or version that is not there.
        """
        return self.find(str(what)).folder if is_reference(what) else Path(what)

    def set_alias(self, name: Alias, version: str, reason: str = "", *, expected: str | None = "") -> RegisteredModel:
        """Point an alias to a version, and keep when, from where and why; once more to the same changes nothing.

        Args:
            name: The alias.
            version: A registered version.
            reason: Why, in words.
            expected: Version the alias must point to before, None for none; empty: any. Whoever compared a candidate
                with a champion passes that champion.

        Raises:
            UsageError: No such version, or the alias points elsewhere than expected by now.
        """
        model = self.find(version)
        with self._alone():
            if expected != "":
                held = history.pointed_to(history.read(self.folder), name)[-1:]
                if held != ([] if expected is None else [expected]):
                    msg = (
                        f"the {name} is {held[0] if held else 'none'} by now, no longer {expected or 'none'}; try again"
                    )
                    raise UsageError(msg)
            self._move(name, model.version, reason)
        return model

    def rollback(self, reason: str = "") -> RegisteredModel:
        """Point champion back to the version it was before; twice goes two versions back.

        Raises:
            UsageError: There was none before.
        """
        if not self.history():
            msg = f"{self.folder} holds no registry, so there is nothing to go back to"
            raise UsageError(msg)
        with self._alone():
            versions = history.pointed_to(history.read(self.folder), CHAMPION)
            if len(versions) < 2:  # noqa: PLR2004 - the one in force and one before it
                msg = f"there was no champion before {versions[-1] if versions else 'now'}, so none to go back to"
                raise UsageError(msg)
            previous = self.find(versions[-2])
            moved = {"before": versions[-1], "after": previous.version}
            self._note(Event(at=datetime.now(UTC), event="rolled_back", alias=CHAMPION, **moved, reason=reason))
        return previous

    def history(self) -> list[Event]:
        """Return what happened, oldest first."""
        return history.read(self.folder)

    @contextmanager
    def _alone(self) -> Iterator[None]:
        with locked(self.folder, _LOCK):
            yield

    def _move(self, alias: Alias, version: str, reason: str) -> None:
        held = history.pointed_to(history.read(self.folder), alias)
        before = held[-1] if held else None
        if before != version:
            now = datetime.now(UTC)
            self._note(Event(at=now, event="moved", alias=alias, before=before, after=version, reason=reason))

    def _note(self, event: Event) -> None:
        history.append(self.folder, event)

    def _place(self, version: str) -> Path:
        return self.folder / version.rpartition("+")[0] / version

    def _evaluation_place(self, version: str, evaluation: Evaluation) -> Path:
        return self._place(version).parent / _EVALUATIONS / version / f"{evaluation.data.sha256[:_DATA_DIGITS]}.json"

    def _model(self, version: str, times: dict[str, datetime]) -> RegisteredModel:
        place = self._place(version)
        evaluations = sorted((place.parent / _EVALUATIONS / version).glob("[!.]*.json"))
        return RegisteredModel(place.parent.name, version, place, times.get(version), tuple(evaluations))


_HOW_TO_SET = {
    CANDIDATE: "ade models register MODEL makes one",
    CHAMPION: "ade models promote makes one of the candidate",
}
