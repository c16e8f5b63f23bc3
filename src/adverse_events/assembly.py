"""Which part stands at each station: settings in, the thing that does the work out.

The one place that chooses between the embedded default and a cloud service.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

from adverse_events import __version__
from adverse_events.classification.classify import decision_limit
from adverse_events.classification.embedded import EmbeddedClassifier
from adverse_events.classification.model_folder import starter_model
from adverse_events.coding.embedded import EmbeddedCoder
from adverse_events.lake.local import LocalLake
from adverse_events.privacy import IdentityKey
from adverse_events.provenance import Provenance
from adverse_events.screening.drugs import DrugLexicon
from adverse_events.settings import identity_key_path
from adverse_events.source.archive import Archive

if TYPE_CHECKING:
    from adverse_events.classification.classify import ClassifierSettings
    from adverse_events.classification.protocol import Classifier
    from adverse_events.coding.protocol import ConditionCoder
    from adverse_events.lake.protocol import Lake
    from adverse_events.privacy import PrivacySettings
    from adverse_events.settings import Settings
    from adverse_events.source.archive import ArchiveSettings
    from adverse_events.source.protocol import TweetSource


def source_for(settings: ArchiveSettings) -> TweetSource:
    """Return the source of posts."""
    return Archive(settings)


def identity_key_for(settings: PrivacySettings) -> IdentityKey:
    """Return the key of keyed hashes: the setting, else this user's own, created once."""
    if settings.identity_key:
        return IdentityKey.from_secret(settings.identity_key)
    return IdentityKey.load_or_create(identity_key_path())


@lru_cache(maxsize=4)
def classifier_for(settings: ClassifierSettings) -> Classifier:
    """Return the classifier; one process loads a model once."""
    return EmbeddedClassifier(
        settings.model or starter_model(),
        arithmetic=settings.arithmetic,
        threads=settings.threads,
        ade_threshold=settings.ade_threshold,
    )


@lru_cache(maxsize=1)
def coder() -> ConditionCoder:
    """Return the condition coder; one process loads its lexicon once."""
    return EmbeddedCoder.load()


def lexicon() -> DrugLexicon:
    """Return the drug lexicon."""
    return DrugLexicon.load()


def lake_for(settings: Settings) -> Lake:
    """Open the lake, created when missing.

    Raises:
        UsageError: It was made with another window length, privacy mode or key.
    """
    return LocalLake.open(
        settings.lake.path,
        window_minutes=settings.window_minutes,
        privacy_mode=settings.privacy.mode,
        key_fingerprint=identity_key_for(settings.privacy).fingerprint,
        part_size=settings.lake.part_size,
    )


def provenance_for(settings: Settings) -> Provenance:
    """Return the versions and choices that decide a run's data, beside the posts."""
    classifier = classifier_for(settings.classifier)
    return Provenance(
        model_version=classifier.model_version,
        ade_threshold=decision_limit(classifier, settings.classifier),
        lexicon_version=lexicon().version,
        coder_version=coder().coder_version,
        icd10cm_release=coder().icd10cm_release,
        code_version=__version__,
        privacy_mode=settings.privacy.mode,
        keep_text=settings.privacy.keep_text,
        screening=settings.screening.model_dump_json(),
        coding=settings.coding.model_dump_json(),
    )
