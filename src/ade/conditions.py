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
from adverse_events.coding.explain import Explainer
from adverse_events.coding.wire import INFER_ICD10CM, to_answer
from adverse_events.errors import ContractError, UsageError
from adverse_events.records import DrugMention
from adverse_events.settings import load_settings

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from ade.rows import TextRow
    from adverse_events.coding.protocol import ConditionCoder
    from adverse_events.records import Coding, Entity
    from adverse_events.screening.drugs import DrugLexicon

ROWS_PER_CHUNK = 2048

_PATH = re.compile(r"\S+\.[A-Za-z0-9]{2,8}")
"""One word that ends as file names do."""


def code(
    text_or_file: str,
    text_column: str,
    drug_column: str | None,
    output: Path,
    operation: str = INFER_ICD10CM,
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
        return code_file(path, text_column, drug_column, output, operation, strict=strict, as_json=as_json)
    if _PATH.fullmatch(text_or_file.strip()):
        msg = f"{text_or_file}: no such file; a text to code would have several words"
        raise UsageError(msg)
    if drug_column or str(output) != STANDARD_OUTPUT:
        msg = "--drug-column and --output are for a file of texts, and there is no file of that name"
        raise UsageError(msg)
    return code_text(text_or_file, operation, as_json=as_json)


def code_text(text: str, operation: str = INFER_ICD10CM, *, as_json: bool) -> int:
    """Code `text` and print what was found and why; offsets count its characters.

    As JSON it is the response of `operation`, with what that has no name for.

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
    if as_json:
        terminal.show_json(to_answer(coding, drugs, coder.coder_version, coder.icd10cm_release, operation))
        return 0
    entities = coding.entities
    if drugs:
        terminal.show_line("drugs: " + ", ".join(f"{terminal.printable(d.mention)} ({d.ingredient})" for d in drugs))
    if not entities:
        terminal.show_line("no condition found: the coder knows none of these words, and does not guess")
    else:
        columns = ("condition", "characters", "role", "traits", "code", "description", "score")
        terminal.show_table(columns, map(_entity_row, entities))
    if entities or coding.seriousness or coding.special_situations:
        _explain(text, drugs, coding)
    terminal.show_line(f"coder {coder.coder_version}, ICD-10-CM {coder.icd10cm_release}")
    return 0


def _explain(text: str, drugs: Sequence[DrugMention], coding: Coding) -> None:
    """Print the reason behind everything found."""
    explainer = Explainer()
    reasons = [reason for found in explainer.conditions(text, drugs, coding.entities) for reason in found]
    told = explainer.situations(text, drugs, coding)
    terminal.show_table(
        ("", "because of", "why"),
        [
            (reason.value if reason.of != "condition" else "condition", terminal.printable(reason.words), reason.why)
            for reason in (*reasons, *told)
        ],
    )


def code_file(
    file: Path,
    text_column: str,
    drug_column: str | None,
    output: Path,
    operation: str = INFER_ICD10CM,
    *,
    strict: bool,
    as_json: bool,
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
            for line in _coded(chunk, drug_column, lexicon, coder, operation):
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
    chunk: Sequence[TextRow], drug_column: str | None, lexicon: DrugLexicon, coder: ConditionCoder, operation: str
) -> Iterator[dict[str, Any]]:
    """Yield one line per row of `chunk`, in order."""
    readable = [(row, row.text) for row in chunk if row.text is not None]
    mentions = [drugs_in(text, _named(row, drug_column), lexicon) for row, text in readable]
    found = iter(zip(coder.code([text for _, text in readable], mentions), mentions, strict=True))
    for row in chunk:
        if row.text is None:
            yield {"row": row.number, "error": row.error, "Entities": None}
            continue
        coding, drugs = next(found)
        if coding.refusal:
            yield {"row": row.number, "error": REFUSED, "Entities": None}
        else:
            answer = to_answer(coding, drugs, coder.coder_version, coder.icd10cm_release, operation)
            yield {"row": row.number, **answer}


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


def _entity_row(entity: Entity) -> tuple[str, str, str, str, str, str, str]:
    best = entity.concepts[0] if entity.concepts else None
    traits = ", ".join(trait.name.lower() for trait in entity.traits)
    place = f"{entity.begin}-{entity.end}"
    if best is None:
        return entity.text, place, entity.role, traits, "", "no code", ""
    return entity.text, place, entity.role, traits, best.code, best.description, f"{best.score:.2f}"


def _exists(path: Path) -> bool:
    try:
        return path.exists()
    except (OSError, ValueError):  # a text too long, or otherwise unfit, for the name of a file
        return False
