"""A channel of prepared texts, as a training job is given it: a folder of CSV files, one per source."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from adverse_events.corpus.reading import read_labelled
from adverse_events.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path


@dataclass(frozen=True)
class Channel:
    """One source of a channel.

    Attributes:
        name: The file's stem.
        texts: Masked texts in file order.
        labels: Index of each text's class, same order.
    """

    name: str
    texts: list[str]
    labels: list[int]


def read_channel(folder: Path, labels: Sequence[str]) -> list[Channel]:
    """Read every CSV file of `folder`, sorted by name.

    Raises:
        UsageError: The folder holds no CSV file.
        ContractError: A file cannot be used; see `read_labelled`.
    """
    files = sorted(folder.glob("*.csv")) if folder.is_dir() else []
    if not files:
        msg = f"{folder} holds no CSV file; prepare the corpus first (ade corpus)"
        raise UsageError(msg)
    index = {label: number for number, label in enumerate(labels)}
    channels = []
    for path in files:
        # A prepared corpus names its classes: anything else is the channel of another run.
        frame = read_labelled(path, labels=labels, label_map={label: label for label in labels})
        channels.append(Channel(path.stem, frame["text"].tolist(), [index[label] for label in frame["label"]]))
    return channels
