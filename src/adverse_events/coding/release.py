"""The codes of an ICD-10-CM release, and what a lexicon has that a release lacks.

Command line: ``python -m adverse_events.coding.release check FILE`` compares the lexicon with another release;
``python -m adverse_events.coding.release build FILE`` makes the shipped list again. `FILE` is the CDC's order file of a
release (``icd10cm-order-2026.txt``) or a list made by ``build``.

Source:
    CDC/NCHS, ICD-10-CM tabular order files: order number in columns 1-5, code without dot in 7-13, 1 in column 15 where
    the code is valid for reporting and 0 where it is a header. https://ftp.cdc.gov/pub/Health_Statistics/NCHS/Publications/ICD10CM/
"""

from __future__ import annotations

import argparse
import lzma
import re
import sys
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from adverse_events.coding.lexicon_files import read_lines
from adverse_events.errors import ContractError, UsageError

if TYPE_CHECKING:
    from collections.abc import Mapping

RELEASE_FILE = Path(__file__).with_name("icd10cm-2026-04.txt.xz")
"""Every code of the April 2026 update, one a line, ``-`` behind those that are not valid for reporting."""

_ORDER_LINE = re.compile(r"\d{5} (?P<code>[A-Z0-9]{3,7}) +(?P<valid>[01]) ")
_LIST_LINE = re.compile(r"(?P<code>[A-Z][0-9A-Z]{2}(?:\.[0-9A-Z]{1,4})?)(?P<header>-?)")
_CATEGORY_LETTERS = 3


@cache
def billable_codes(path: Path = RELEASE_FILE) -> Mapping[str, bool]:
    """Return every code of a release and whether it is valid for reporting.

    Raises:
        UsageError: `path` is neither an order file nor a list made by ``build``.
    """
    raw = path.read_bytes()
    lines = (lzma.decompress(raw) if path.suffix == ".xz" else raw).decode("utf-8").splitlines()
    codes: dict[str, bool] = {}
    for number, line in enumerate(lines, 1):
        if found := _LIST_LINE.fullmatch(line):
            codes[found["code"]] = not found["header"]
        elif found := _ORDER_LINE.match(line):
            codes[dotted(found["code"])] = found["valid"] == "1"
        elif line.strip():
            message = f"{path}, line {number}: neither a line of a CDC order file nor a code; see {__name__}"
            raise UsageError(message)
    return codes


def dotted(code: str) -> str:
    """Return a code written without its dot with it: ``R110`` is ``R11.0``."""
    return code if len(code) <= _CATEGORY_LETTERS else f"{code[:_CATEGORY_LETTERS]}.{code[_CATEGORY_LETTERS:]}"


def missing_codes(folder: Path, release: Path) -> list[str]:
    """Return one line for every code of the lexicon in `folder` that `release` dropped or made a header.

    Adverse-effect codes (T36-T50) stand in the lexicon without their seventh character: they must be headers there.
    """
    codes = billable_codes(release)
    faults: list[str] = []
    for file in ("conditions.csv", "official.csv", "causes.csv"):
        for line in read_lines(folder, file):
            code = line["icd10cm_code"].removesuffix("-").removesuffix(".")
            is_whole = file != "causes.csv" and code == line["icd10cm_code"]
            if code and code not in codes:
                faults.append(f"{file}, line {line.number}: {code} is not in the release")
            elif code and is_whole and not codes[code]:
                faults.append(f"{file}, line {line.number}: {code} is no longer valid for reporting; it has children")
    return faults


def write_list(release: Mapping[str, bool], path: Path) -> None:
    """Write the codes of `release` to `path`, compressed: the same codes give the same bytes."""
    lines = "".join(f"{code}{'' if valid else '-'}\n" for code, valid in sorted(release.items()))
    path.write_bytes(lzma.compress(lines.encode()))


def main() -> int:
    """Check the lexicon against a release (1 where the release lacks codes of it), or make the shipped list."""
    from adverse_events.coding.lexicon import FOLDER  # noqa: PLC0415

    parser = argparse.ArgumentParser(description="Compare the condition lexicon with an ICD-10-CM release.")
    parser.add_argument("action", choices=("check", "build"))
    parser.add_argument("file", type=Path, help="CDC order file, or a list made by build")
    parser.add_argument("--lexicon", type=Path, default=FOLDER, help="the lexicon (default: the package's)")
    parser.add_argument("--output", type=Path, default=RELEASE_FILE, help="what build writes")
    given = parser.parse_args()
    try:
        if given.action == "build":
            write_list(billable_codes(given.file), given.output)
            return 0
        faults = missing_codes(given.lexicon, given.file)
    except (ContractError, UsageError, OSError) as error:
        sys.stderr.write(f"error: {error}\n")
        return 2
    sys.stdout.write("".join(f"{fault}\n" for fault in faults))
    sys.stdout.write(f"{len(faults)} codes of the lexicon are not in {given.file.name}\n")
    return 1 if faults else 0


if __name__ == "__main__":
    raise SystemExit(main())
