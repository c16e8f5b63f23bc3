"""The lexicon compiled: one JSON file beside the sources, so that starting costs milliseconds.

Made when the project is installed (`make` does it) or, where it is missing or of other sources, when the lexicon is
first loaded; never part of the repository, for it holds nothing that the sources do not say. By hand: ``python -m
adverse_events.coding.compiled``.
"""

from __future__ import annotations

import argparse
import hashlib
import json
from contextlib import suppress
from dataclasses import astuple
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import TYPE_CHECKING, Any

from adverse_events.coding.apart import Apart
from adverse_events.coding.lexicon import FOLDER, Condition, Cue, Form, Lexicon
from adverse_events.coding.lexicon_files import LIST_SEPARATOR, lexicon_sha256
from adverse_events.coding.reading import Spelling

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

COMPILED_FILE = "compiled.json"
_MAKERS = ("compiled", "cues", "grammar", "lexicon", "lexicon_build", "lexicon_files", "matching", "reading")
"""Modules that decide what the file says: one made by other code is not taken, even of the same sources."""


def read_compiled(folder: Path) -> Lexicon | None:
    """Return the compiled lexicon of `folder`; None where there is none, or it is not of these sources."""
    try:
        table: dict[str, Any] = json.loads((folder / COMPILED_FILE).read_bytes())
    except (OSError, ValueError):  # none there, or cut short
        return None
    sha256 = lexicon_sha256(folder)
    if table.get("made_by") != _made_by() or table.get("sources_sha256") != sha256:
        return None
    for fields in table["conditions"]:
        fields[-1] = tuple(map(tuple, fields[-1]))  # alternatives, lists in JSON
    all_conditions = [Condition(*fields) for fields in table["conditions"]]
    forms: dict[str, Form] = {}
    for condition, n_words, n_lead, score, is_verbal, keys in table["forms"]:
        form = Form(all_conditions[condition], n_words, n_lead, score, is_verbal)
        forms.update(dict.fromkeys(keys.split(LIST_SEPARATOR), form))
    cues = [Cue(*fields) for fields in table["cue_meanings"]]
    words = {name: frozenset(listed.split()) for name, listed in table["words"].items()}
    variants = {
        variant: tuple(meant.split())
        for meant, listed in table["spellings"].items()
        for variant in listed.split(LIST_SEPARATOR)
    }
    return Lexicon(
        conditions={condition.name: condition for condition in all_conditions},
        forms=forms,
        idioms=set(table["idioms"]),
        cues={key: [cues[number] for number in numbers] for key, numbers in table["cues"].items()},
        starts=_openings(table["starts"]),
        cue_starts=_openings(table["cue_starts"]),
        words=words,
        spelling=Spelling(
            variants, frozenset(table["vocabulary"].split()), forms, words["FILLER"] | words["SOFT"], words["FUZZY"]
        ),
        causes=table["causes"],
        apart=Apart(table["apart"], table["changes"]),
        sha256=sha256,
    )


def compiled(lexicon: Lexicon) -> str:
    """Return `lexicon` as the text of the compiled file: one line per condition, group of forms and cue."""
    conditions = {name: number for number, name in enumerate(lexicon.conditions)}
    groups: dict[Form, list[str]] = {}
    for key, form in lexicon.forms.items():
        groups.setdefault(form, []).append(key)
    cues = list(dict.fromkeys(cue for cues in lexicon.cues.values() for cue in cues))
    places = {cue: number for number, cue in enumerate(cues)}
    spellings: dict[str, list[str]] = {}
    for variant, words in lexicon.spelling.variants.items():
        spellings.setdefault(" ".join(words), []).append(variant)
    sections = {
        "made_by": _made_by(),
        "sources_sha256": lexicon.sha256,
        "conditions": [astuple(condition) for condition in lexicon.conditions.values()],
        "forms": [
            (conditions[form.condition.name], form.n_words, form.n_lead, form.score, form.is_verbal, _joined(keys))
            for form, keys in groups.items()
        ],
        "idioms": sorted(lexicon.idioms),
        "cue_meanings": [astuple(cue) for cue in cues],
        "cues": {key: [places[cue] for cue in found] for key, found in lexicon.cues.items()},
        "starts": _by_lengths(lexicon.starts),
        "cue_starts": _by_lengths(lexicon.cue_starts),
        "words": {name: " ".join(sorted(words)) for name, words in sorted(lexicon.words.items())},
        "spellings": {meant: _joined(listed) for meant, listed in spellings.items()},
        "vocabulary": " ".join(sorted(lexicon.spelling.vocabulary)),
        "causes": lexicon.causes,
        "apart": lexicon.apart.pairs,
        "changes": lexicon.apart.stems,
    }
    return "{\n" + ",\n".join(f"{json.dumps(name)}: {_lines(value)}" for name, value in sections.items()) + "\n}\n"


def _by_lengths(starts: Mapping[str, tuple[int, ...]]) -> dict[str, str]:
    groups: dict[str, list[str]] = {}
    for opening, lengths in starts.items():
        groups.setdefault(" ".join(map(str, lengths)), []).append(opening)
    return {lengths: _joined(openings) for lengths, openings in sorted(groups.items())}


def _openings(groups: Mapping[str, str]) -> dict[str, tuple[int, ...]]:
    return {
        opening: of_length
        for lengths, listed in groups.items()
        for of_length in (tuple(map(int, lengths.split())),)
        for opening in listed.split(LIST_SEPARATOR)
    }


def keep_compiled(folder: Path, lexicon: Lexicon) -> None:
    """Write the compiled `lexicon` into `folder`, whole or not at all; one that cannot be written is left as it is."""
    with suppress(OSError), NamedTemporaryFile("w", dir=folder, encoding="utf-8", newline="\n", delete=False) as file:
        try:
            file.write(compiled(lexicon))
            file.flush()
            Path(file.name).chmod(0o644)
            Path(file.name).replace(folder / COMPILED_FILE)
        except OSError:
            Path(file.name).unlink(missing_ok=True)


def main() -> None:
    """Write the compiled file: ``python -m adverse_events.coding.compiled [FOLDER]``."""
    from adverse_events.coding.lexicon_build import build_lexicon  # noqa: PLC0415

    parser = argparse.ArgumentParser(description="Compile the lexicon, so that the coder starts quickly.")
    parser.add_argument("folder", type=Path, nargs="?", default=FOLDER, help="the lexicon (default: the package's)")
    folder = parser.parse_args().folder
    keep_compiled(folder, build_lexicon(folder))


def _made_by() -> str:
    here = Path(__file__).parent
    return hashlib.sha256(b"".join((here / f"{name}.py").read_bytes() for name in _MAKERS)).hexdigest()


def _joined(keys: Iterable[str]) -> str:
    return LIST_SEPARATOR.join(keys)


def _lines(value: Any) -> str:
    """Return `value` as JSON, each item of a list on a line of its own so that a change shows as what it is."""
    if not isinstance(value, list):
        return json.dumps(value, ensure_ascii=False)
    return "[\n" + ",\n".join(json.dumps(item, ensure_ascii=False) for item in value) + "\n]"


if __name__ == "__main__":
    main()
