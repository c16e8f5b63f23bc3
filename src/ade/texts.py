"""`ade classify`: the probability of an adverse drug event for every row of a file."""

from __future__ import annotations

import json
import math
import time
from collections import Counter
from itertools import islice
from typing import TYPE_CHECKING, Any

from ade import terminal
from ade.exits import strictly
from ade.files import check_not_input, written
from ade.rows import conclude, refused_line, text_rows
from adverse_events import assembly
from adverse_events.classification.classify import (
    DIGITS,
    ade_probability,
    choose_classes,
    decision_limit,
    is_probability,
)
from adverse_events.errors import ContractError
from adverse_events.privacy import mask_text
from adverse_events.settings import load_settings

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    import numpy as np
    from numpy.typing import NDArray

    from ade.rows import TextRow
    from adverse_events.classification.protocol import Classifier

ROWS_PER_CHUNK = 8192
"""Rows scored together: enough to sort by length, little enough to hold."""

PAIR = 2
"""With two classes, the ADE probability says everything."""


def classify(
    file: Path, text_column: str, output: Path, overrides: Mapping[str, Any], *, strict: bool, as_json: bool
) -> int:
    """Score every row of `file` into `output`, one line per row in order; returns the exit code.

    Args:
        file: See `ade.rows.text_rows`.
        text_column: Column of the text.
        output: JSON lines; ``-`` for standard output.
        overrides: Settings by dotted name.
        strict: A refused row makes the exit code 3.
        as_json: Print the summary as JSON.
    """
    started = time.perf_counter()
    settings = load_settings(overrides)
    rows = text_rows(file, text_column, max_characters=settings.source.max_characters)
    check_not_input(output, file)
    classifier = assembly.classifier_for(settings)
    threshold = decision_limit(classifier, settings.classifier)
    n_rows, n_positive, refused = 0, 0, Counter[str]()
    with terminal.progress(quiet=as_json) as advance, written(output) as out:
        while chunk := list(islice(rows, ROWS_PER_CHUNK)):
            for line in _scored(chunk, classifier, threshold):
                out.write(f"{json.dumps(line)}\n")
                n_positive += bool(line["is_ade"])
                refused.update([line["error"]] if "error" in line else [])
            n_rows += len(chunk)
            advance("classify", len(chunk))
    summary = {
        "rows": n_rows,
        "rows_positive": n_positive,
        "rows_rejected": refused.total(),
        "rejected": dict(sorted(refused.items())),
        "ade_threshold": threshold,
        "model_version": classifier.model_version,
        "seconds": round(time.perf_counter() - started, 2),
        "output": str(output),
    }
    line_for_people = f"{terminal.counted(n_rows, 'row')}, {n_positive:,} positive at {threshold:g}"
    conclude(summary, f"{line_for_people}, {refused_line(refused)}", output, as_json=as_json)
    return strictly(strict=strict, n_rejects=refused.total())


def _scored(chunk: Sequence[TextRow], classifier: Classifier, threshold: float) -> Iterator[dict[str, Any]]:
    """Yield one line per row of `chunk`, in order."""
    texts = [mask_text(row.text) for row in chunk if row.text is not None]
    (scored,) = classifier.score([texts])
    scores = scored.probabilities
    if len(scores) != len(texts):
        raise ContractError(classifier.model_version, f"{len(scores)} scores came back for {len(texts)} texts")
    refused = [
        "refused_by_classifier" if index in scored.refusals else "invalid_probability" for index in range(len(texts))
    ]
    found = iter(zip(ade_probability(scores).tolist(), is_probability(scores).tolist(), refused, strict=True))
    chosen = iter(_classes(classifier, scores, threshold))
    for row in chunk:
        probability, is_valid, refusal = next(found) if row.text is not None else (math.nan, False, "")
        classes = next(chosen) if row.text is not None else {}
        if is_valid:
            yield {"row": row.number, "ade_probability": probability, "is_ade": probability >= threshold, **classes}
        else:
            error = row.error or refusal
            yield {"row": row.number, "error": error, "ade_probability": None, "is_ade": None}


def _classes(classifier: Classifier, scores: NDArray[np.float32], threshold: float) -> list[dict[str, Any]]:
    """Return, per text, what a line says beside the ADE class: with two classes nothing, with more all of them."""
    labels = classifier.labels
    if len(labels) <= PAIR or not len(scores):
        return [{}] * len(scores)
    chosen = choose_classes(scores, labels, threshold, classifier.thresholds)
    return [
        {
            "label": labels[index],
            "probabilities": {label: round(value, DIGITS) for label, value in zip(labels, row, strict=True)},
        }
        for index, row in zip(chosen, scores.tolist(), strict=True)
    ]
