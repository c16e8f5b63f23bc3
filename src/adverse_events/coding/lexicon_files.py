"""Reading the lexicon's files: CSV with known columns, and refusals that name file and line."""

from __future__ import annotations

import csv
import hashlib
import re
from typing import TYPE_CHECKING, NoReturn

from adverse_events.errors import ContractError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

LIST_SEPARATOR = "|"

_CODE = re.compile(r"[A-Z][0-9A-Z]{2}(\.[0-9A-Z]{1,4})?")


class Line(dict[str, str]):
    """One row of a lexicon file, by column; knows where it stands so that it can be refused."""

    def __init__(self, file: str, number: int, row: dict[str, str]) -> None:
        """Remember the `row` found at line `number` of `file`."""
        super().__init__(row)
        self.file, self.number = file, number

    def refuse(self, detail: str) -> NoReturn:
        """Raise the `ContractError` that says why this line cannot be used."""
        _refuse(self.file, f"line {self.number}: {detail}")

    def listed(self, column: str) -> list[str]:
        """Return the non-empty items of a column that holds several, separated by ``|``."""
        return [item.strip() for item in self[column].split(LIST_SEPARATOR) if item.strip()]

    def choice(self, column: str, allowed: frozenset[str]) -> str:
        """Return the column's value, refusing any that is not `allowed`."""
        value = self[column]
        if value not in allowed:
            self.refuse(f"{column} is {value!r}, expected one of {', '.join(sorted(allowed))}")
        return value

    def code(self, column: str, release: Mapping[str, bool] | None = None) -> str:
        """Return the column's code, refusing what is not one.

        Args:
            column: Its name. A code ending in ``-`` (``R11.-``) is deliberately a category.
            release: Every code and whether it is valid for reporting; None checks the shape only.
        """
        value = self[column]
        code = value.removesuffix("-").removesuffix(".")
        if not _CODE.fullmatch(code):
            self.refuse(f"{column} {value!r} is not an ICD-10-CM code such as R11.0")
        if release is not None and code not in release:
            self.refuse(f"{column} {code} is not in the ICD-10-CM release")
        if release is not None and code == value and not release[code]:
            self.refuse(
                f"{column} {code} is not valid for reporting; name a child, or write {code}- to mean the category"
            )
        return code


def read_lines(folder: Path, file: str, columns: tuple[str, ...] | None = None) -> Iterator[Line]:
    """Yield the rows of a lexicon file.

    Args:
        folder: The lexicon.
        file: File name, UTF-8 CSV with a header.
        columns: The columns it must have, in order; None takes any.

    Raises:
        ContractError: The file is missing or not UTF-8, has other columns, or a row is too short or too long.
    """
    path = folder / file
    if not path.is_file():
        _refuse(file, f"is missing from {folder}; reinstall the package")
    try:
        text = path.read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        raise ContractError(_name(file), "is not UTF-8; save it again as UTF-8") from error
    reader = csv.reader(text.splitlines(), strict=True)
    header = tuple(next(reader, ()))
    columns = header if columns is None else columns
    if header != columns:
        _refuse(file, f"line 1: columns are {', '.join(header)}, expected {', '.join(columns)}")
    for cells in reader:
        line = Line(file, reader.line_num, dict(zip(columns, cells, strict=False)))
        if len(cells) != len(columns):
            line.refuse(f"{len(cells)} cells, expected {len(columns)}")
        yield line


def lines_of(folder: Path, file: str) -> Iterator[Line]:
    """Yield the lines of a `file` of the lexicon that was loaded before, whatever its columns."""
    with (folder / file).open(encoding="utf-8", newline="") as source:
        header = tuple(next(csv.reader([source.readline()])))
    yield from read_lines(folder, file, header)


def lexicon_sha256(folder: Path) -> str:
    """Return the hash of every CSV file of the lexicon, names included, whatever order the folder lists them in."""
    digest = hashlib.sha256()
    for path in sorted(folder.glob("*.csv")):
        digest.update(path.name.encode() + b"\0" + path.read_bytes() + b"\0")
    return digest.hexdigest()


def _refuse(file: str, detail: str) -> NoReturn:
    raise ContractError(_name(file), detail)


def _name(file: str) -> str:
    return f"lexicon {file}"
