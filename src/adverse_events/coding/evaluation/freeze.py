"""Freezing a gold set: ``python -m adverse_events.coding.evaluation.freeze`` after every change of ``data/gold.csv``.

A phrase that the manifest lists keeps its split for good; only new phrases are assigned, by the lexicon of today.
"""

from __future__ import annotations

import argparse
import hashlib
from typing import TYPE_CHECKING

from adverse_events.coding.embedded import ICD10CM_RELEASE
from adverse_events.coding.evaluation.gold import read_gold
from adverse_events.coding.evaluation.shipped import GOLD, MANIFEST
from adverse_events.coding.evaluation.splits import (
    MET,
    SPLITS,
    UNLISTED,
    UNSEEN,
    Manifest,
    assign,
    dev_posts,
    held_by,
    phrase_hash,
    read_manifest,
    write_manifest,
)
from adverse_events.coding.lexicon import load_lexicon

if TYPE_CHECKING:
    from pathlib import Path

_SALT = "adverse_events gold 2026-11"


def freeze(gold: Path = GOLD, path: Path = MANIFEST, *, with_met: bool = False) -> Manifest:
    """Write the manifest of `gold`; phrases it listed before keep their split.

    Args:
        gold: The gold file.
        path: The manifest.
        with_met: Unseen phrases that the lexicon holds by now become met. Only right where whoever wrote them into the
            lexicon had not read them; otherwise take them out of the lexicon.

    Raises:
        ContractError: As `read_gold` and `read_manifest`.
    """
    lexicon = load_lexicon()
    posts = read_gold(gold)
    before = read_manifest(path) if path.exists() else None
    salt = before.salt if before else _SALT
    phrases = sorted({mention.text for post in posts for mention in post.mentions})
    hashes = {phrase_hash(phrase, salt) for phrase in phrases}
    new = [phrase for phrase in phrases if before is None or before.split_of(phrase) == UNLISTED]
    splits = assign(new, lexicon, salt)
    if before:
        splits = {split: splits[split] | (before.splits[split] & hashes) for split in SPLITS}
    if with_met:
        met = {phrase_hash(form, salt) for form in held_by(lexicon, phrases)} & splits[UNSEEN]
        splits = {**splits, UNSEEN: splits[UNSEEN] - met, MET: splits[MET] | met}
    manifest = Manifest(
        salt=salt,
        gold_sha256=hashlib.sha256(gold.read_bytes()).hexdigest(),
        lexicon_sha256=before.lexicon_sha256 if before else lexicon.sha256,
        icd10cm_release=ICD10CM_RELEASE,
        splits=splits,
        dev_posts=dev_posts([post.post_id for post in posts], salt),
    )
    write_manifest(manifest, path)
    return manifest


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--met", action="store_true", help="unseen phrases that the lexicon holds by now become met")
    freeze(with_met=parser.parse_args().met)
