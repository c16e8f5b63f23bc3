"""Posts by their ids: how a corpus that ships ids only is filled again.

The output and the file of what is missing are the only memory: an id that stands in either is done. Each answer is
written to both before the next is asked for, so a killed run is gone on with by running it again.
"""

from __future__ import annotations

import json
from collections import Counter
from contextlib import ExitStack
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any, Self

from adverse_events.errors import AnswerError
from adverse_events.source.x.allowance import Allowance
from adverse_events.source.x.errors import AllowanceError
from adverse_events.source.x.hydration_files import (
    MISSING_HEADER,
    append,
    ids_of_missing,
    ids_of_posts,
    missing_line,
    opened,
    versions_of,
)
from adverse_events.source.x.state import Spent

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping
    from pathlib import Path

    from adverse_events.source.x.client import XClient
    from adverse_events.source.x.id_file import IdRow
    from adverse_events.source.x.settings import XSettings
    from adverse_events.source.x.state import XState

IDS_PER_REQUEST = 100
PATH = "/2/tweets"

NOT_FOUND, NOT_AUTHORIZED, NOT_ANSWERED, BAD_ID, OTHER = (
    "not_found",
    "not_authorized",
    "not_answered",
    "bad_id",
    "other_error",
)
REASONS = {
    NOT_FOUND: "deleted, or never there; X does not tell which",
    NOT_AUTHORIZED: "protected, or its author suspended",
    NOT_ANSWERED: "neither sent nor refused by X",
    BAD_ID: "no id of a post",
    OTHER: "refused by X for another reason",
}


@dataclass
class HydrationAccount:
    """Where every row of the id file went.

    Attributes:
        n_rows: Rows with or without an id, blank ones not counted.
        n_repeated: Ids that an earlier row has.
        n_before: Ids that were done when this run began.
        n_found: Posts written by this run.
        missing: Ids by reason, this run's.
        n_left: Ids not asked for.
        why_left: What stopped the run, and how to go on; None where nothing did.
    """

    n_rows: int = 0
    n_repeated: int = 0
    n_before: int = 0
    n_found: int = 0
    missing: Counter[str] = field(default_factory=Counter)
    n_left: int = 0
    why_left: str | None = None

    @property
    def is_balanced(self) -> bool:
        """Whether every row went somewhere."""
        gone = self.n_repeated + self.n_before + self.n_found + self.missing.total() + self.n_left
        return gone == self.n_rows

    def to_json(self) -> dict[str, Any]:
        """Return the account as plain JSON values."""
        return {**asdict(self), "missing": dict(sorted(self.missing.items()))}


class Hydration:
    """Fills an output with the posts of a list of ids; a context manager.

    Args:
        client: Asks X.
        settings: The caps.
        state: Counts what was read.
        output: JSON lines to write or to go on with, readable as an archive.
        missing: CSV of the ids without a post, likewise.
        fields: Parameters that say which fields are wanted.
    """

    def __init__(
        self,
        client: XClient,
        settings: XSettings,
        state: XState,
        *,
        output: Path,
        missing: Path,
        fields: Mapping[str, str],
    ) -> None:
        """Take the names; nothing is opened yet."""
        self._client, self._state, self._fields = client, state, fields
        self._allowance = Allowance(settings, state)
        self._output_path, self._missing_path = output, missing
        self._open = ExitStack()
        self._done: set[int] = set()
        self.account = HydrationAccount()

    def __enter__(self) -> Self:
        """Open both files and read which ids are done.

        Raises:
            UsageError: Another run has them open, or one of them is no file of this kind.
        """
        with ExitStack() as opening:
            self._output = opening.enter_context(opened(self._output_path))
            self._missing = opening.enter_context(opened(self._missing_path))
            self._done.update(ids_of_posts(self._output, self._output_path))
            self._bad_rows, done = ids_of_missing(self._missing, self._missing_path)
            self._done |= done
            if not self._missing.tell():
                append(self._missing, [MISSING_HEADER])
            self._open = opening.pop_all()
        return self

    def __exit__(self, *_: object) -> None:
        self._open.close()

    def run(self, rows: Iterable[IdRow], progress: Callable[[int], None] | None = None) -> HydrationAccount:
        """Look up every id that is not done.

        Args:
            rows: Of the id file.
            progress: Told the number of rows that are through since it was last told.

        Raises:
            ServiceError: X refuses or does not answer; what was written stands.
        """
        account, seen = self.account, set[int]()
        waiting: list[tuple[int, int]] = []
        for row in rows:
            account.n_rows += 1
            if row.tweet_id is None:
                self._reject(row)
            elif row.tweet_id in seen:
                account.n_repeated += 1
            else:
                seen.add(row.tweet_id)
                if row.tweet_id in self._done:
                    account.n_before += 1
                else:
                    waiting.append((row.tweet_id, row.number))
            if len(waiting) == IDS_PER_REQUEST:
                waiting = self._look_up(waiting)
            if progress:
                progress(1)
        while waiting:
            waiting = self._look_up(waiting)
        return account

    def _look_up(self, waiting: list[tuple[int, int]]) -> list[tuple[int, int]]:
        """Ask for as many of `waiting` as the caps allow, write the answer, and return the others."""
        account = self.account
        if account.why_left is None:
            try:
                size = self._allowance.page_size(IDS_PER_REQUEST, 1, f"GET {PATH}")
                batch = dict(waiting[:size])
                answer = self._client.get(PATH, {"ids": ",".join(map(str, batch)), **self._fields}, check=_check_answer)
            except AllowanceError as error:
                account.why_left = error.detail
        if account.why_left is not None:
            account.n_left += len(waiting)
            return []
        self._write(batch, answer)
        return waiting[size:]

    def _write(self, batch: Mapping[int, int], answer: Mapping[str, Any]) -> None:
        found: dict[int, bytes] = {}
        for post in answer.get("data") or ():
            asked = next((each for each in versions_of(post) if each in batch), None)
            if asked is not None:
                line = {"data": post, **_beside(post, answer.get("includes") or {})}
                found[asked] = json.dumps(line, ensure_ascii=False, separators=(",", ":")).encode() + b"\n"
        reasons = dict(_refused(answer.get("errors") or ()))
        without = {each: reasons.get(each, NOT_ANSWERED) for each in batch if each not in found}
        append(self._missing, (missing_line(each, reason, batch[each]) for each, reason in without.items()))
        append(self._output, found.values())
        n_users = len((answer.get("includes") or {}).get("users") or ())
        self._state.spend(Spent(len(answer.get("data") or ()), n_users, 1))
        self.account.n_found += len(found)
        self.account.missing.update(without.values())

    def _reject(self, row: IdRow) -> None:
        self.account.missing[BAD_ID] += 1
        if row.number not in self._bad_rows:
            append(self._missing, [missing_line("", f"{BAD_ID}: {row.problem}", row.number)])


def _beside(post: Mapping[str, Any], includes: Mapping[str, Any]) -> dict[str, Any]:
    """Return the author and the place of one post out of those of a whole answer."""
    place = (post.get("geo") or {}).get("place_id")
    found = {
        "users": [each for each in includes.get("users") or () if each.get("id") == post.get("author_id")],
        "places": [each for each in includes.get("places") or () if each.get("id") == place],
    }
    kept = {name: objects for name, objects in found.items() if objects}
    return {"includes": kept} if kept else {}


def _refused(errors: Iterable[Any]) -> Iterator[tuple[int, str]]:
    for error in errors:
        if isinstance(error, dict) and str(error.get("resource_id") or error.get("value", "")).isdecimal():
            kind = str(error.get("type", ""))
            reason = (
                NOT_FOUND
                if kind.endswith("resource-not-found")
                else NOT_AUTHORIZED
                if kind.endswith("not-authorized-for-resource")
                else OTHER
            )
            yield int(error.get("resource_id") or error["value"]), reason


def _check_answer(answer: dict[str, Any]) -> None:
    data = answer.get("data", [])
    try:
        if not isinstance(data, list) or ("data" not in answer and "errors" not in answer):
            raise TypeError  # noqa: TRY301 - one message for whatever is wrong with it
        for post in data:
            versions_of(post)
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        msg = f"X API GET {PATH}"
        raise AnswerError(msg, "the answer is no list of posts") from error
