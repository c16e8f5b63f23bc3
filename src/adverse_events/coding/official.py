"""Official terms of ICD-10-CM, condensed into one reviewable table of the lexicon.

Command line: ``python -m adverse_events.coding.official`` writes ``lexicon/official.csv`` again (needs the dev extra's
simple-icd-10-cm); ``python -m adverse_events.coding.compiled`` must follow. A test compares the table with the release.

A term is a description or inclusion term of a code valid for reporting, in the chapters that hold symptoms and
acquired illnesses. It is kept where its words alone support the code:

* What says "unspecified" of something else (side, type, course) loses those words; what says "other", "due to",
  "with", a side, an encounter or a cross-reference is dropped.
* It has one to six words, and a word of medicine among them, so that no everyday word becomes a condition.
* It is no form of the lexicon, which knows better, and no two codes claim it.
"""

from __future__ import annotations

import argparse
import csv
import importlib
import io
import re
import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Any

from adverse_events.coding.lexicon import FOLDER
from adverse_events.coding.lexicon_build import build_lexicon
from adverse_events.coding.lexicon_files import LIST_SEPARATOR
from adverse_events.coding.reading import canonical, plain

if TYPE_CHECKING:
    from collections.abc import Iterator

    from adverse_events.coding.lexicon import Lexicon

OFFICIAL_FILE = "official.csv"
COLUMNS = ("icd10cm_code", "icd10cm_description", "kind", "body_system", "terms")

_SYSTEMS = {
    "A": "infections",
    "B": "infections",
    "D": "blood and immune",
    "E": "endocrine and metabolic",
    "F": "mental and behavioural",
    "G": "nervous",
    "I": "circulatory",
    "J": "respiratory",
    "K": "digestive",
    "L": "skin",
    "M": "musculoskeletal",
    "N": "urinary",
    "R": "general",
}
_FIRST_BLOOD_CODE, _FIRST_EAR_CODE, _FIRST_REPRODUCTIVE_CODE = "D50", "H60", "N40"
_UNSPECIFIED = re.compile(
    r",? (?:of |in |at )?unspecified (?:side|eye|ear|eyelid|site|joint|part|location|laterality|hand|foot|organism|type"
    r"|shoulder|elbow|wrist|hip|knee|ankle|limb|lower extremity|upper extremity|as to [a-z ]+|whether [a-z ]+)\b"
    r"|,? unspecified$|^unspecified |,? not specified as [a-z ]+|,? not otherwise specified|,? not elsewhere classified"
    r"|,? (?:NOS|NEC)$| \([^)]*\)|,? unspecified(?=,|$)",
)
_WITHOUT = re.compile(r",? without .*$|, not intractable.*$|, uncomplicated$")
_DROPPED = re.compile(
    r"\b(?:other|unspecified|due to|with|following|after|during|right|left|bilateral|encounter|classified|caused|by|and"
    r"|associated|secondary|specified|postprocedural|intraoperative|complicating|history|type|stage|grade|congenital"
    r"|hereditary|infant|newborn|child|familial|see|code|including|except|or|traumatic|juvenile|tuberculous|syphilitic"
    r"|gonococcal|meningococcal|in remission|remission|mild|moderate|severe|partial|complete|old|chronic|degree)\b"
    r"|[0-9\[\]:/;]"
)
_MEDICAL = re.compile(
    r"(?:itis|osis|[ae]mia|uria|pathy|algia|oma|penia|rrhea|rrhage|plegia|paresis|megaly|iasis|ectasis|trophy|plasia|cele"
    r"|phagia|phasia|phonia|praxia|taxia|kinesia|tonia|pnea|cardia|cytosis|philia|lysis|stasis|spasm|dynia|esthesia|opia"
    r"|opsia|cusis|malacia|penic|emic|itic|otic|poiesis|globulinemia|dipsia|tropia|oxia|clonus|ptosis|rrhexis|edema|ileus"
    r"|icterus|crisis|purpura|porphyria|tetany|lupus|uveitic|neuritic|eczema|pemphigus|pemphigoid|psoriatic|ascites)$"
)
_MEDICAL_NOUNS = frozenset(
    {
        "abscess",
        "agranulocytosis",
        "alopecia",
        "anaphylaxis",
        "aneurysm",
        "antibodies",
        "arrest",
        "atrophy",
        "block",
        "bradycardia",
        "calculus",
        "cardiomyopathy",
        "coagulation",
        "colic",
        "convulsions",
        "deficiency",
        "degeneration",
        "delusional",
        "dermatitis",
        "detachment",
        "dissection",
        "dysfunction",
        "dystonia",
        "dystrophy",
        "effusion",
        "embolism",
        "encephalopathy",
        "eruption",
        "failure",
        "fibrillation",
        "fistula",
        "flutter",
        "glomerular",
        "hemolysis",
        "hemorrhage",
        "hirsutism",
        "hyperactivity",
        "hyperpigmentation",
        "hyperplasia",
        "hypersensitivity",
        "hypertension",
        "hypertrophy",
        "hypotension",
        "infarction",
        "infection",
        "insufficiency",
        "ischemia",
        "keratopathy",
        "lymphadenopathy",
        "marrow",
        "nephropathy",
        "neuropathy",
        "obstruction",
        "occlusion",
        "opacity",
        "palsy",
        "perforation",
        "polyp",
        "prolapse",
        "retinopathy",
        "seizure",
        "shock",
        "stenosis",
        "syndrome",
        "tachycardia",
        "tamponade",
        "thrombophilia",
        "ulcer",
        "urticaria",
    }
)
_MAX_WORDS = 6
_MIN_LETTERS = 6


def main() -> None:
    """Write the table: ``python -m adverse_events.coding.official``."""
    parser = argparse.ArgumentParser(description="Condense ICD-10-CM's official terms for the coder.")
    parser.add_argument("folder", type=Path, nargs="?", default=FOLDER, help="the lexicon (default: the package's)")
    folder = parser.parse_args().folder
    (folder / OFFICIAL_FILE).write_text(official_table(folder), encoding="utf-8", newline="\n")


def official_table(folder: Path) -> str:
    """Return the text of the table for the lexicon in `folder`; its present table does not matter."""
    release = _release()
    lexicon = build_lexicon(folder, official=False)
    claims: dict[str, set[str]] = {}
    for code, term in _terms(release):
        if words := _words(term, lexicon):
            claims.setdefault(words, set()).add(code)
    by_code: dict[str, list[str]] = {}
    for words, codes in claims.items():
        best = min(codes, key=lambda code: (not _is_default(code), code))
        if len(codes) == 1 or sum(map(_is_default, codes)) == 1:
            by_code.setdefault(best, []).append(words)
    written = io.StringIO()
    rows = csv.writer(written, lineterminator="\n")
    rows.writerow(COLUMNS)
    for code in sorted(by_code):
        kind = "SYMPTOM" if code[0] == "R" else "DIAGNOSIS"
        rows.writerow(
            (code, release.get_description(code), kind, _system(code), LIST_SEPARATOR.join(sorted(by_code[code])))
        )
    return written.getvalue()


def _release() -> Any:
    """Return simple_icd_10_cm, which reads its data through a deprecated call and takes seconds to load."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return importlib.import_module("simple_icd_10_cm")


def _terms(release: Any) -> Iterator[tuple[str, str]]:
    """Yield every code valid for reporting of the chapters, with each of its terms, condensed."""
    for code in release.get_all_codes(with_dots=True):
        if not _system(code) or not release.is_leaf(code):
            continue
        for term in (release.get_description(code), *release.get_inclusion_term(code)):
            condensed = _WITHOUT.sub("", _UNSPECIFIED.sub("", term)).strip(" ,").lower()
            condensed = _UNSPECIFIED.sub("", condensed).strip(" ,")
            if not _DROPPED.search(condensed) and "," not in condensed:
                yield code, condensed


def _words(term: str, lexicon: Lexicon) -> str:
    """Return the words of `term` as the lexicon would write them; empty where it should not be a term."""
    words = [
        word for item in term.replace("-", " ").split() for word in canonical(plain(item), lexicon.spelling.variants)
    ]
    fillers = lexicon.words["FILLER"]
    if not words or words[0] in fillers or words[-1] in fillers or len(words) > _MAX_WORDS:
        return ""
    key = " ".join(word for word in words if word not in fillers)
    is_known = key in lexicon.forms or key in lexicon.idioms or key in lexicon.cues
    is_medical = any(len(word) >= _MIN_LETTERS and (_MEDICAL.search(word) or word in _MEDICAL_NOUNS) for word in words)
    return key if is_medical and not is_known else ""


def _system(code: str) -> str:
    """Return the body system of a code of the chapters that are used; empty for any other."""
    if (
        len(code) < len(_FIRST_BLOOD_CODE)
        or not code[1].isdigit()
        or "-" in code
        or (code[0] == "D" and code < _FIRST_BLOOD_CODE)
    ):
        return ""
    if code[0] == "H":
        return "eye" if code < _FIRST_EAR_CODE else "ear"
    if code[0] == "N" and code >= _FIRST_REPRODUCTIVE_CODE:
        return "reproductive"
    return _SYSTEMS.get(code[0], "")


def _is_default(code: str) -> bool:
    """Return whether a code is the one of its category that says no more than the category."""
    return code[-1] in "09" or "." not in code


if __name__ == "__main__":
    main()
