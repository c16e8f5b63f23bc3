"""Labelled texts from a Hugging Face dataset: from the hub, or from a folder that the ``datasets`` library wrote."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd

from adverse_events.corpus.source import HUB
from adverse_events.errors import UsageError

if TYPE_CHECKING:
    from adverse_events.corpus.source import CorpusSource


def load_splits(source: CorpusSource) -> dict[str, pd.DataFrame]:
    """Load every split of a hub source; class indices become class names where the dataset names them.

    Raises:
        UsageError: The dataset cannot be loaded.
    """
    import datasets  # noqa: PLC0415 - takes seconds
    from huggingface_hub import constants  # noqa: PLC0415 - likewise

    constants.HF_HUB_DISABLE_TELEMETRY = True
    datasets.disable_progress_bars()
    where = source.train.removeprefix(HUB)
    try:
        loaded: Any = datasets.load_from_disk(where) if Path(where).is_dir() else _from_hub(datasets, where)
    except (OSError, ValueError, RuntimeError) as error:
        msg = (
            f"{source.train} could not be loaded ({type(error).__name__}); without a way to the hub, fetch it "
            "elsewhere, save it as CSV or with save_to_disk, and name that file or hub:FOLDER"
        )
        raise UsageError(msg) from error
    splits = dict(loaded) if isinstance(loaded, datasets.DatasetDict) else {"train": loaded}
    return {name: _frame(split, source.label_column, datasets) for name, split in splits.items()}


def _from_hub(datasets: Any, where: str) -> Any:
    # NAME, OWNER/NAME, NAME/CONFIG or OWNER/NAME/CONFIG: a config is tried where the whole is no dataset.
    name, _, config = where.rpartition("/")
    try:
        return datasets.load_dataset(where)
    except (OSError, ValueError, RuntimeError):
        if not name:
            raise
        return datasets.load_dataset(name, config)


def _frame(split: Any, label_column: str, datasets: Any) -> pd.DataFrame:
    frame = pd.DataFrame({name: split[name] for name in split.column_names})
    feature = split.features.get(label_column)
    if isinstance(feature, datasets.ClassLabel):
        frame[label_column] = [feature.int2str(value) for value in frame[label_column]]
    return frame
