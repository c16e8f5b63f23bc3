"""Rules of the filtered stream: added, deleted, refused and listed as X does.

Source:
    "Filtered stream: rules", "Error handling" of POST /2/tweets/search/stream/rules, X API v2 documentation, and bodies
    quoted in public issue threads of its client libraries; read 2026-11.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from itertools import count
from threading import RLock
from typing import TYPE_CHECKING, Any

from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from adverse_events.local_x.problems import PROBLEMS, invalid, problem
from adverse_events.local_x.query import QueryError, parse

if TYPE_CHECKING:
    from collections.abc import Iterable

    from starlette.requests import Request

    from adverse_events.local_x.query import Document, Query
    from adverse_events.local_x.state import State

FIRST_ID = 1_400_000_000_000_000_000


@dataclass(frozen=True)
class Rule:
    """One rule; its id is text, as X sends it."""

    rule_id: str
    value: str
    tag: str
    query: Query

    def to_json(self) -> dict[str, str]:
        """Return the rule as X lists it."""
        return {"id": self.rule_id, "value": self.value, **({"tag": self.tag} if self.tag else {})}


class Rules:
    """The rules of one stream; safe to share between threads.

    Attributes:
        most: Rules there may be.
        longest: Characters a rule may have.
    """

    def __init__(self, *, most: int = 1000, longest: int = 1024) -> None:
        """Start without rules."""
        self.most, self.longest = most, longest
        self._rules: dict[str, Rule] = {}
        self._ids = count(FIRST_ID)
        self._lock = RLock()
        self._by_word: dict[str, set[str]] | None = None

    def __len__(self) -> int:
        """Return the number of rules."""
        return len(self._rules)

    def listed(self) -> list[Rule]:
        """Return the rules, oldest first."""
        with self._lock:
            return list(self._rules.values())

    def matching(self, document: Document) -> list[Rule]:
        """Return the rules that ask for a post."""
        with self._lock:
            by_word = self._indexed()
            likely = set().union(*(by_word.get(word, ()) for word in ("", *document.words.split())))
            rules = [self._rules[rule_id] for rule_id in sorted(likely)]
        return [rule for rule in rules if rule.query.matches(document)]

    def _indexed(self) -> dict[str, set[str]]:
        """Return which rules need which word; under the empty one, those that may match without any."""
        if self._by_word is None:
            self._by_word = {}
            for rule in self._rules.values():
                for words in rule.query.words or ({""},):
                    self._by_word.setdefault(max(words, key=len), set()).add(rule.rule_id)
        return self._by_word

    def add(self, value: str, tag: str = "") -> Rule:
        """Add a rule by hand, as another program would.

        Raises:
            QueryError: X would refuse it.
        """
        with self._lock:
            rule = Rule(str(next(self._ids)), value, tag, parse(value))
            self._rules[rule.rule_id], self._by_word = rule, None
            return rule

    def add_all(self, asked: list[dict[str, Any]], *, is_trial: bool) -> tuple[int, dict[str, Any]]:
        """Add rules as a request asks; returns the status and the answer."""
        with self._lock:
            if len(self._rules) + len(asked) > self.most:
                detail = f"Rule cap exceeded: at most {self.most} rules"
                return 422, {"title": "RulesCapExceeded", "detail": detail, "type": f"{PROBLEMS}/rule-cap"}
            by_value = {rule.value: rule for rule in self._rules.values()}
            made: list[Rule] = []
            errors: list[dict[str, Any]] = []
            for each in asked:
                value, tag = str(each.get("value", "")), str(each.get("tag", ""))
                if existing := by_value.get(value):
                    kind = {"title": "DuplicateRule", "type": f"{PROBLEMS}/duplicate-rules"}
                    errors.append({"value": value, "id": existing.rule_id, **kind})
                elif why := self._refusal(value):
                    kind = {"title": "Invalid Rule", "type": f"{PROBLEMS}/invalid-rules"}
                    errors.append({"value": value, "details": [why], **kind})
                else:
                    made.append(Rule(str(next(self._ids)), value, tag, parse(value)))
                    by_value[value] = made[-1]
            if not is_trial:
                self._rules.update({rule.rule_id: rule for rule in made})
                self._by_word = None
        summary = {"created": len(made), "not_created": len(errors), "valid": len(made), "invalid": len(errors)}
        answer: dict[str, Any] = {"data": [rule.to_json() for rule in made]} if made else {}
        return 201 if made else 400 if errors else 200, {
            **answer,
            **({"errors": errors} if errors else {}),
            "meta": {"summary": summary},
        }

    def delete(self, rule_ids: Iterable[str], *, is_trial: bool) -> dict[str, Any]:
        """Delete rules as a request asks; returns the answer."""
        with self._lock:
            asked = list(rule_ids)
            known = [rule_id for rule_id in asked if rule_id in self._rules]
            if not is_trial:
                self._by_word = None
                for rule_id in known:
                    del self._rules[rule_id]
        answer = {"meta": {"summary": {"deleted": len(known), "not_deleted": len(asked) - len(known)}}}
        gone = [{"parameters": {"id": [each]}, "message": "Rule does not exist"} for each in asked if each not in known]
        return {**answer, "errors": gone} if gone else answer

    def _refusal(self, value: str) -> str:
        if not value:
            return "Rule value can not be empty"
        if len(value) > self.longest:
            return f"Rule length exceeds the max allowed length: {self.longest}"
        try:
            parse(value)
        except QueryError as error:
            return str(error)
        return ""


def routes(state: State) -> list[Route]:
    """Return the routes of the rules."""

    def listed(request: Request) -> Response:
        del request
        rules = [rule.to_json() for rule in state.rules.listed()]
        meta = {"sent": state.clock.now().isoformat(), "result_count": len(rules)}
        return JSONResponse({"data": rules, "meta": meta} if rules else {"meta": meta})

    async def changed(request: Request) -> Response:
        try:
            asked = json.loads(await request.body())
            is_trial = request.query_params.get("dry_run") == "true"
            if "add" in asked:
                status, answer = state.rules.add_all(list(asked["add"]), is_trial=is_trial)
            else:
                status, answer = 200, state.rules.delete(asked["delete"]["ids"], is_trial=is_trial)
        except (ValueError, TypeError, KeyError):
            return invalid({"add": "", "delete": ""}, "one of add and delete must be given")
        if "title" in answer:
            return problem(status, answer["title"], answer["detail"], answer["type"])
        answer.setdefault("meta", {})["sent"] = state.clock.now().isoformat()
        return JSONResponse(answer, status)

    path = "/2/tweets/search/stream/rules"
    return [
        Route(path, listed, methods=["GET"], name="rules"),
        Route(path, changed, methods=["POST"], name="rules/change"),
    ]
