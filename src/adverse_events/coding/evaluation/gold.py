"""The gold set in memory: posts whose conditions a person marked, and the reader that refuses what cannot be used.

The file is CSV with the columns ``post``, ``reviewed`` and ``text``. Every condition is marked where it stands::

    [cant sleep|G47.00/G47.9|ADE]          span, codes, role
    no [hives|L50.9/L50.*|ADE|NEGATION]    ... and traits
    just feel [off|-|ADE]                  a complaint that no code describes

``data/README.md`` says what each part means and how the shipped set was annotated.
"""

from __future__ import annotations

import csv
import re
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, NoReturn

from adverse_events.coding.evaluation.chapters import CATEGORY_LETTERS, chapter_of
from adverse_events.coding.lexicon import ROLES, TRAITS
from adverse_events.errors import ContractError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

NO_CODE = "-"
"""Stands among the codes of a mention for "no code": the coder should abstain, or may."""

COLUMNS = ("post", "reviewed", "text")
GOLD_ROLES = frozenset({*ROLES, "UNKNOWN"})
GOLD_TRAITS = frozenset({*TRAITS, "PERTAINS_TO_FAMILY"})
SCORED_TRAITS = GOLD_TRAITS - {"LOW_CONFIDENCE"}
"""LOW_CONFIDENCE is the coder's own doubt, such as of a misspelling, which no annotator can mark."""

Level = Literal["full", "category", "chapter"]
"""How much of two codes must agree."""

_CODE = re.compile(r"[A-Z]\d[0-9A-Z](\.[0-9A-Z]{1,4})?|[A-Z]\d[0-9A-Z](\.[0-9A-Z]{0,3})?\*")
_SIGN = re.compile(r"\\(?P<plain>[\[\]|\\])|(?P<sign>[\[\]|])|(?P<text>[^\[\]|\\]+|\\)")
_OPTIONAL = "?"
_MIN_PARTS, _MAX_PARTS = 3, 4


@dataclass(frozen=True, slots=True)
class GoldMention:
    """One condition of a post, as a person marked it.

    Attributes:
        begin: First code point of the span in the post's text.
        end: First code point after it.
        text: Surface form.
        codes: Acceptable ICD-10-CM codes, the preferred one first; one that ends with ``*`` stands for every code that
            begins like it. `NO_CODE` among them: abstaining is acceptable too; first: it is what the annotator wants.
        roles: Acceptable roles, the preferred one first.
        traits: Traits the coder must give.
        optional_traits: Traits it may give or not.
    """

    begin: int
    end: int
    text: str
    codes: tuple[str, ...]
    roles: tuple[str, ...]
    traits: frozenset[str]
    optional_traits: frozenset[str]

    @property
    def is_nil(self) -> bool:
        """Whether the annotator wants no code: plain words support none."""
        return self.codes[0] == NO_CODE

    @property
    def may_abstain(self) -> bool:
        """Whether giving no code is acceptable."""
        return NO_CODE in self.codes

    def accepts(self, code: str, level: Level = "full") -> bool:
        """Tell whether `code` is acceptable, compared whole, by category or by chapter."""
        stems = [accepted.rstrip("*").rstrip(".") for accepted in self.codes if accepted != NO_CODE]
        if level == "category":
            return any(code[:CATEGORY_LETTERS] == stem[:CATEGORY_LETTERS] for stem in stems)
        if level == "chapter":
            return any(chapter_of(code) == chapter_of(stem) for stem in stems)
        return code in self.codes or any(
            code.startswith(accepted.rstrip("*").rstrip(".")) for accepted in self.codes if accepted.endswith("*")
        )


@dataclass(frozen=True, slots=True)
class GoldPost:
    """One post of the gold set.

    Attributes:
        post_id: Its name in the file.
        text: The text without marks.
        mentions: Its conditions in text order, none overlapping; empty for a post that has none.
        is_reviewed: A second reading confirmed or corrected it.
        line: Line of the file it ends at.
    """

    post_id: str
    text: str
    mentions: tuple[GoldMention, ...]
    is_reviewed: bool
    line: int


def read_gold(path: Path) -> list[GoldPost]:
    """Read a gold file.

    Args:
        path: UTF-8 CSV with the columns of `COLUMNS`.

    Returns:
        Its posts, in file order.

    Raises:
        ContractError: Something that cannot be used; names file, line and remedy, and never quotes a post.
    """
    posts = list(_posts(path))
    twice = [post_id for post_id, n in Counter(post.post_id for post in posts).items() if n > 1]
    if twice:
        second = [post for post in posts if post.post_id == twice[0]][1]
        _refuse(path, second.line, f"post {second.post_id} is listed twice; give every post a name of its own")
    if not posts:
        _refuse(path, 1, "it holds no posts; add rows below the header")
    return posts


def _posts(path: Path) -> Iterator[GoldPost]:
    try:
        text = path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        raise ContractError(_named(path), "is not UTF-8; save it again as UTF-8") from error
    rows = csv.reader(text.splitlines(keepends=True), strict=True)
    try:
        header = tuple(next(rows, ()))
        if header != COLUMNS:
            _refuse(path, 1, f"columns are {', '.join(header) or 'missing'}; expected {', '.join(COLUMNS)}")
        for cells in rows:
            if len(cells) != len(COLUMNS):
                _refuse(path, rows.line_num, f"{len(cells)} cells, expected {len(COLUMNS)}; quote a text with commas")
            yield _post(path, rows.line_num, *cells)
    except csv.Error as error:
        raise ContractError(_named(path), f"line {rows.line_num}: {error}; mend its quotes") from error


def _post(path: Path, line: int, post_id: str, reviewed: str, marked: str) -> GoldPost:
    if not post_id:
        _refuse(path, line, "the post has no name; fill the column post")
    if reviewed not in {"yes", "no"}:
        _refuse(path, line, "reviewed is neither yes nor no")
    text, mentions = "", []
    mark: list[str] | None = None
    for piece in _SIGN.finditer(marked):
        sign = piece["sign"]
        if sign == "[" and mark is None:
            mark = [""]
        elif sign == "|" and mark is not None:
            mark.append("")
        elif sign == "]" and mark is not None:
            mentions.append(_mention(path, line, len(text), mark))
            text, mark = text + mark[0], None
        elif sign:
            _refuse(path, line, f"a {sign} stands where no mark can; write \\{sign} for the character itself")
        elif mark is None:
            text += piece["plain"] or piece["text"]
        else:
            mark[-1] += piece["plain"] or piece["text"]
    if mark is not None:
        _refuse(path, line, "a mark is opened and not closed; add its ]")
    return GoldPost(post_id, text, tuple(mentions), reviewed == "yes", line)


def _mention(path: Path, line: int, begin: int, parts: list[str]) -> GoldMention:
    if not _MIN_PARTS <= len(parts) <= _MAX_PARTS:
        _refuse(path, line, f"a mark has {len(parts)} parts; expected span, codes, role and perhaps traits")
    span, codes, roles, *traits = parts
    if not span.strip() or span != span.strip():
        _refuse(path, line, "a marked span is empty or begins or ends with a space")
    listed = tuple(codes.split("/"))
    for code in listed:
        if code != NO_CODE and not _CODE.fullmatch(code):
            _refuse(path, line, f"{code!r} is not an ICD-10-CM code such as R11.0, K59.0* or -")
    given = tuple(roles.split("/"))
    _check_names(path, line, given, GOLD_ROLES, "role")
    marked = traits[0].split() if traits else []
    _check_names(path, line, [name.rstrip(_OPTIONAL) for name in marked], GOLD_TRAITS, "trait")
    return GoldMention(
        begin=begin,
        end=begin + len(span),
        text=span,
        codes=listed,
        roles=given,
        traits=frozenset(name for name in marked if not name.endswith(_OPTIONAL)),
        optional_traits=frozenset(name[:-1] for name in marked if name.endswith(_OPTIONAL)),
    )


def _check_names(path: Path, line: int, names: tuple[str, ...] | list[str], allowed: frozenset[str], what: str) -> None:
    for name in names:
        if name not in allowed:
            _refuse(path, line, f"{what} {name!r} is not one of {', '.join(sorted(allowed))}")
    if len(set(names)) != len(names):
        _refuse(path, line, f"a {what} is given twice in one mark")


def _refuse(path: Path, line: int, detail: str) -> NoReturn:
    raise ContractError(_named(path), f"line {line}: {detail}")


def _named(path: Path) -> str:
    return f"gold file {path.name}"
