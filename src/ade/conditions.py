"""`ade code`: the conditions of a text, or of every row of a file, coded to ICD-10-CM by the coder the settings name.

Nothing is masked here, so that offsets count the text as given: where coding.service is a remote one, it is sent as is.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ade import terminal
from ade.exits import strictly
from ade.files import STANDARD_OUTPUT, check_not_input, written
from ade.rows import conclude, refused_line, text_rows
from adverse_events import assembly
from adverse_events.coding.code import REFUSED
from adverse_events.coding.wire import to_response
from adverse_events.errors import ContractError, UsageError
from adverse_events.records import DrugMention
from adverse_events.settings import load_settings

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from ade.rows import TextRow
    from adverse_events.coding.protocol import ConditionCoder
    from adverse_events.records import Entity
    from adverse_events.screening.drugs import DrugLexicon

ROWS_PER_CHUNK = 2048

_PATH = re.compile(r"\S+\.[A-Za-z0-9]{2,8}")
"""One word that ends as file names do."""


def code(
    text_or_file: str,
    text_column: str,
    drug_column: str | None,
    output: Path,
    *,
    strict: bool,
    as_json: bool,
) -> int:
    """Code one text, or every row when the argument names a file; returns the exit code.

    Raises:
        UsageError: The argument looks like the path of a file, but there is none; or a text with flags of a file.
    """
    path = Path(text_or_file)
    if text_or_file.strip() and _exists(path):
        return code_file(path, text_column, drug_column, output, strict=strict, as_json=as_json)
    if _PATH.fullmatch(text_or_file.strip()):
        msg = f"{text_or_file}: no such file; a text to code would have several words"
        raise UsageError(msg)
    if drug_column or str(output) != STANDARD_OUTPUT:
        msg = "--drug-column and --output are for a file of texts, and there is no file of that name"
        raise UsageError(msg)
    return code_text(text_or_file, as_json=as_json)


def code_text(text: str, *, as_json: bool) -> int:
    """Code `text` and print what was found; offsets count its characters.

    Raises:
        UsageError: It is empty or no Unicode text.
        ContractError: The service that codes refused it.
    """
    if not text.strip():
        msg = "the text is empty; give a post to code, in quotes"
        raise UsageError(msg)
    if any("\ud800" <= letter <= "\udfff" for letter in text):
        msg = "the text is not UTF-8; convert it, for example with iconv -t UTF-8"
        raise UsageError(msg)
    coder, drugs = assembly.coder_for(load_settings()), assembly.lexicon().find(text)
    (coding,) = coder.code([text], [drugs])
    if coding.refusal:
        raise ContractError(coder.coder_version, f"the text was refused: {coding.refusal}")
    entities = coding.entities
    if as_json:
        terminal.show_json(to_response(entities, coder.coder_version))
        return 0
    if drugs:
        terminal.show_line("drugs: " + ", ".join(f"{terminal.printable(d.mention)} ({d.ingredient})" for d in drugs))
    if not entities:
        terminal.show_line("no condition found: the coder knows none of these words, and does not guess")
        return 0
    terminal.show_table(("condition", "role", "traits", "code", "description", "score"), map(_entity_row, entities))
    return 0


def code_file(
    file: Path, text_column: str, drug_column: str | None, output: Path, *, strict: bool, as_json: bool
) -> int:
    """Code every row of `file` into `output`, one line per row in order; returns the exit code."""
    settings = load_settings()
    also = (drug_column,) if drug_column else ()
    rows = text_rows(file, text_column, max_characters=settings.source.max_characters, also=also)
    check_not_input(output, file)
    lexicon, coder = assembly.lexicon(), assembly.coder_for(settings)
    n_rows, n_entities, refused = 0, 0, Counter[str]()
    with terminal.progress(quiet=as_json) as advance, written(output) as out:
        while chunk := list(islice(rows, ROWS_PER_CHUNK)):
            for line in _coded(chunk, drug_column, lexicon, coder):
                out.write(f"{json.dumps(line, ensure_ascii=False)}\n")
                n_entities += len(line["Entities"] or ())
                refused.update([line["error"]] if "error" in line else [])
            n_rows += len(chunk)
            advance("code", len(chunk))
    summary = {
        "rows": n_rows,
        "n_entities": n_entities,
        "rows_rejected": refused.total(),
        "rejected": dict(sorted(refused.items())),
        "coder_version": coder.coder_version,
        "output": str(output),
    }
    line_for_people = f"{terminal.counted(n_rows, 'row')}, {terminal.counted(n_entities, 'condition')}"
    conclude(summary, f"{line_for_people}, {refused_line(refused)}", output, as_json=as_json)
    return strictly(strict=strict, n_rejects=refused.total())


def _coded(
    chunk: Sequence[TextRow], drug_column: str | None, lexicon: DrugLexicon, coder: ConditionCoder
) -> Iterator[dict[str, Any]]:
    """Yield one line per row of `chunk`, in order."""
    readable = [(row, row.text) for row in chunk if row.text is not None]
    mentions = [drugs_in(text, _named(row, drug_column), lexicon) for row, text in readable]
    found = iter(coder.code([text for _, text in readable], mentions))
    for row in chunk:
        if row.text is None:
            yield {"row": row.number, "error": row.error, "Entities": None}
        elif (coding := next(found)).refusal:
            yield {"row": row.number, "error": REFUSED, "Entities": None}
        else:
            yield {"row": row.number, "Entities": to_response(coding.entities, coder.coder_version)["Entities"]}


def drugs_in(text: str, named: Sequence[str], lexicon: DrugLexicon) -> list[DrugMention]:
    """Return the drugs of a text: those the lexicon finds, and those `named` by whoever knows what it is about.

    Args:
        text: The text.
        named: Drugs it is about, as in the file.
        lexicon: Finds mentions, and the ingredient of a name.

    Returns:
        Mentions in text order. A named drug that the text does not mention stands at its start, without length.
    """
    mentions = lexicon.find(text)
    for name in named:
        known = lexicon.find(name)
        ingredient = known[0].ingredient if known else name.casefold()
        if any(mention.ingredient == ingredient for mention in mentions):
            continue
        taken = [(mention.begin, mention.end) for mention in mentions]
        spans = [match.span() for match in re.finditer(rf"(?<!\w){re.escape(name)}(?!\w)", text, re.IGNORECASE)]
        free = [(b, e) for b, e in spans if not any(b < end and begin < e for begin, end in taken)]
        mentions += [DrugMention(text[b:e], b, e, ingredient) for b, e in free or [(0, 0)]]
    return sorted(mentions, key=lambda mention: (mention.begin, mention.end))


def _named(row: TextRow, drug_column: str | None) -> list[str]:
    value = row.values.get(drug_column) if drug_column else None
    names = value if isinstance(value, list) else str(value or "").split(";")
    return [str(name).strip() for name in names if str(name).strip()]


def _entity_row(entity: Entity) -> tuple[str, str, str, str, str, str]:
    best = entity.concepts[0] if entity.concepts else None
    traits = ", ".join(trait.name.lower() for trait in entity.traits)
    if best is None:
        return entity.text, entity.role, traits, "", "no code", ""
    return entity.text, entity.role, traits, best.code, best.description, f"{best.score:.2f}"


def _exists(path: Path) -> bool:
    try:
        return path.exists()
    except (OSError, ValueError):  # a text too long, or otherwise unfit, for the name of a file
        return False
