"""Read labelled texts from a file: CSV, TSV, JSON lines or Parquet, with columns named by the user.

Every text passes through `privacy.mask_text`, as every post does before it is classified. Errors name rows, never
texts.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Final

import pandas as pd

from adverse_events.errors import ContractError, UsageError
from adverse_events.privacy import mask_text

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

LABELS: Final = ("NOT_ADE", "ADE")
"""Classes when nobody says otherwise; the last one is what is looked for."""

GROUP_COLUMNS: Final = ("group", "pmid", "drug_id", "review_id", "document_id")
"""Columns that name the document, tried in this order when none is given."""

_NAMED: Final = 5
_LONGEST_SHOWN: Final = 20
_NEGATIVE: Final = frozenset(
    {"0", "false", "no", "negative", "not_ade", "not_ae", "not-related", "not related", "no_ade"}
)
_POSITIVE: Final = frozenset(
    {"1", "true", "yes", "positive", "ade", "ae", "adr", "adverse_event", "adverse event", "related"}
)


def read_labelled(
    path: Path,
    *,
    labels: Sequence[str] = LABELS,
    text_column: str = "text",
    label_column: str = "label",
    group_column: str | None = None,
    source_column: str | None = None,
    label_map: Mapping[str, str] | None = None,
    drop_empty: bool = False,
) -> pd.DataFrame:
    """Read one labelled file; its suffix says what it is.

    Args:
        path: A CSV, TSV, JSON lines or Parquet file.
        labels: Class names, two or more.
        text_column: Column that holds the text.
        label_column: Column that holds the class.
        group_column: Column that names the document; the first of `GROUP_COLUMNS` that exists when None.
        source_column: Column that names the source; ``source`` when None and there is one.
        label_map: Class by value of the label column; needed where the values are neither class names nor, with two
            classes, 0 and 1 or another usual pair.
        drop_empty: Leave rows without a text out instead of refusing the file.

    Returns:
        Columns text (masked, never empty), label (one of `labels`), group and source (text, empty where there is none)
        and row (the row's number in the file, a header being row 1), in file order.

    Raises:
        UsageError: The file or a column is missing, or its suffix is unknown.
        ContractError: The file cannot be read, a label is outside the mapping, a text is empty.
    """
    table, first = _table(path)
    table.index = pd.RangeIndex(first, first + len(table))
    return labelled(
        table,
        str(path),
        labels=labels,
        text_column=text_column,
        label_column=label_column,
        group_column=group_column,
        source_column=source_column,
        label_map=label_map,
        drop_empty=drop_empty,
    )


def labelled(
    table: pd.DataFrame,
    name: str,
    *,
    labels: Sequence[str] = LABELS,
    text_column: str = "text",
    label_column: str = "label",
    group_column: str | None = None,
    source_column: str | None = None,
    label_map: Mapping[str, str] | None = None,
    drop_empty: bool = False,
) -> pd.DataFrame:
    """As `read_labelled`, of a table already read; its index holds the row numbers, `name` goes into errors."""
    wanted = (text_column, label_column, group_column, source_column)
    missing = [column for column in wanted if column and column not in table.columns]
    if missing:
        msg = f"{name} has no column {' or '.join(missing)}; it has {', '.join(map(str, table.columns))}"
        raise UsageError(msg)
    if not len(table):
        raise ContractError(name, "it holds no rows")
    group = group_column or next((column for column in GROUP_COLUMNS if column in table.columns), None)
    frame = pd.DataFrame(
        {
            "text": [mask_text("" if pd.isna(text) else str(text)) for text in table[text_column]],
            "label": [_plain(value) for value in table[label_column]],
            "group": _named(table, group),
            "source": _named(table, source_column or ("source" if "source" in table.columns else None)),
            "row": table.index,
        }
    )
    empty = frame["text"].str.strip() == ""
    if empty.any() and not drop_empty:
        detail = (
            f"the text is empty in {_rows(frame.loc[empty, 'row'])}; remove them, or ask for empty ones to be dropped"
        )
        raise ContractError(name, detail)
    frame = frame[~empty].reset_index(drop=True)
    if not len(frame):
        raise ContractError(name, f"every text in column {text_column} is empty")
    frame["label"] = _classes(name, frame, labels, label_map or {})
    return frame


def check_classes(frame: pd.DataFrame, name: str, labels: Sequence[str]) -> None:
    """Refuse texts that lack a class.

    Raises:
        ContractError: No text has one of `labels`; a classifier needs every class.
    """
    present = set(frame["label"])
    absent = [label for label in labels if label not in present]
    if absent:
        detail = f"no text is labelled {' or '.join(absent)}; a classifier needs every class in every split"
        raise ContractError(name, detail)


def _table(path: Path) -> tuple[pd.DataFrame, int]:
    """Return the rows as they stand and the number of the first."""
    if not path.is_file():
        msg = f"{path} does not exist; name a labelled file, or a corpus folder that holds train.csv"
        raise UsageError(msg)
    try:
        match path.suffix.lower():
            case ".csv" | ".tsv":
                return _delimited(path, "," if path.suffix.lower() == ".csv" else "\t"), 2
            case ".jsonl" | ".ndjson":
                return pd.DataFrame(_lines(path)), 1
            case ".parquet":
                return pd.read_parquet(path), 1
            case suffix:
                msg = f"{path}: {suffix or 'no suffix'} is not known; use .csv, .tsv, .jsonl or .parquet"
                raise UsageError(msg)
    except UnicodeDecodeError as error:
        raise ContractError(str(path), f"it is not UTF-8 (byte {error.start}); save it as UTF-8") from error
    except (ValueError, OSError) as error:
        # pandas and pyarrow put cells into their messages: say what kind of trouble, not what it stumbled over.
        raise ContractError(str(path), f"it cannot be read as {path.suffix} ({type(error).__name__})") from error


def _delimited(path: Path, separator: str) -> pd.DataFrame:
    # Lines end at \n alone: a lone carriage return occurs inside texts.
    table = pd.read_csv(
        path, sep=separator, lineterminator="\n", dtype=str, keep_default_na=False, encoding="utf-8-sig"
    )
    last = table.columns[-1]
    if str(last).endswith("\r"):
        table[last] = table[last].str.removesuffix("\r")
        table = table.rename(columns={last: str(last).removesuffix("\r")})
    return table


def _lines(path: Path) -> list[dict[str, object]]:
    rows = []
    with path.open(encoding="utf-8") as file:
        for number, line in enumerate(file, start=1):
            if not line.strip():
                continue
            try:
                row = json.loads(line)
            except json.JSONDecodeError as error:
                raise ContractError(str(path), f"line {number} is not JSON (column {error.colno})") from error
            if not isinstance(row, dict):
                raise ContractError(str(path), f"line {number} is not a JSON object")
            rows.append(row)
    return rows


def _named(table: pd.DataFrame, column: str | None) -> list[str]:
    if column is None:
        return [""] * len(table)
    return ["" if pd.isna(value) else str(value) for value in table[column]]


def _plain(value: object) -> str:
    """Return a label as text: 1, 1.0, true and "1" are one value."""
    text = str(value).strip()
    return text.removesuffix(".0") if isinstance(value, float) or text in {"0.0", "1.0"} else text


def _classes(name: str, frame: pd.DataFrame, labels: Sequence[str], label_map: Mapping[str, str]) -> list[str]:
    unknown = sorted(set(label_map.values()) - set(labels))
    if unknown:
        msg = f"the label map leads to {', '.join(unknown)}; the classes are {', '.join(labels)}"
        raise UsageError(msg)
    known = {**{label: label for label in labels}, **label_map}
    if len(labels) == len(LABELS) and not label_map:
        usual = {**dict.fromkeys(_NEGATIVE, labels[0]), **dict.fromkeys(_POSITIVE, labels[-1])}
        known = {
            **{value: usual[value.casefold()] for value in set(frame["label"]) if value.casefold() in usual},
            **known,
        }
    outside = ~frame["label"].isin(known)
    if outside.any():
        values = sorted(set(frame.loc[outside, "label"]))
        shown = [value for value in values if len(value) <= _LONGEST_SHOWN][:_NAMED]
        detail = (
            f"{len(values)} label value(s) are outside the mapping"
            f"{' (' + ', '.join(map(repr, shown)) + ')' if shown else ''}, in {_rows(frame.loc[outside, 'row'])}; "
            f"the classes are {', '.join(labels)}: map the values to them, or name the right column"
        )
        raise ContractError(name, detail)
    return [known[value] for value in frame["label"]]


def _rows(numbers: pd.Series) -> str:
    named = ", ".join(str(number) for number in numbers[:_NAMED])
    more = f" and {len(numbers) - _NAMED:,} more" if len(numbers) > _NAMED else ""
    return f"{'row' if len(numbers) == 1 else 'rows'} {named}{more}"
