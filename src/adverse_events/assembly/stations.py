"""What does the work at each station, and the versions it goes by."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

from adverse_events import __version__
from adverse_events.assembly import live
from adverse_events.assembly.account import remote_parts
from adverse_events.assembly.secrets import identity_key_for, token_for
from adverse_events.assembly.stores import landing_store_for
from adverse_events.classification.classify import decision_limit
from adverse_events.classification.embedded import EmbeddedClassifier
from adverse_events.classification.model_folder import starter_model
from adverse_events.coding.embedded import EmbeddedCoder
from adverse_events.listening.building import build
from adverse_events.listening.stations import Stations
from adverse_events.location.gazetteer import gazetteer_version
from adverse_events.provenance import Provenance
from adverse_events.registry.incoming import is_reference
from adverse_events.registry.store import ModelRegistry
from adverse_events.screening.drugs import DrugLexicon

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from adverse_events.classification.embedded import Arithmetic
    from adverse_events.classification.protocol import Classifier
    from adverse_events.coding.protocol import ConditionCoder
    from adverse_events.listening.listener import Listener
    from adverse_events.listening.serious import SeriousEvent
    from adverse_events.settings import Settings


def classifier_for(settings: Settings, n_rows: int = 0) -> Classifier:
    """Return the classifier for a batch of `n_rows` posts.

    Raises:
        ServiceError: The endpoint cannot be asked.
        ContractError: It serves another task or other classes.
    """
    endpoint = settings.endpoint
    if not endpoint.name:
        return _embedded_classifier(model_folder(settings), settings.classifier.arithmetic, settings.classifier.threads)
    if endpoint.mode == "transform" or (endpoint.mode == "auto" and n_rows >= endpoint.transform_from_rows):
        return remote_parts(settings.aws).transform_classifier(endpoint)
    return remote_parts(settings.aws).endpoint_classifier(endpoint)


def model_folder(settings: Settings) -> Path:
    """Return the folder of the embedded model: the one named, that of an alias or version, else the shipped one.

    Raises:
        UsageError: The alias points to nothing, or the version is not registered.
    """
    chosen = settings.classifier.model
    return ModelRegistry(settings.registry.folder).resolve(chosen) if chosen else starter_model()


def with_model_fixed(settings: Settings) -> Settings:
    """Return `settings` with an alias replaced by the folder it means now: a run keeps the model it began with.

    Raises:
        UsageError: The alias points to nothing, or the version is not registered.
    """
    chosen = settings.classifier.model
    if settings.endpoint.name or not (chosen and is_reference(chosen)):
        return settings
    classifier = settings.classifier.model_copy(update={"model": model_folder(settings)})
    return settings.model_copy(update={"classifier": classifier})


def coder_for(settings: Settings) -> ConditionCoder:
    """Return the condition coder.

    Raises:
        ServiceError: The service cannot be asked.
    """
    if settings.coding.service == "comprehend":
        return remote_parts(settings.aws).comprehend_coder(settings.comprehend)
    return embedded_coder()


@lru_cache(maxsize=1)
def embedded_coder() -> EmbeddedCoder:
    """Return the coder in process; one process loads its lexicon once."""
    return EmbeddedCoder.load()


def lexicon() -> DrugLexicon:
    """Return the drug lexicon."""
    return DrugLexicon.load()


def provenance_for(settings: Settings) -> Provenance:
    """Return the versions and choices that decide a run's data, beside the posts.

    Remote parts are asked what they are, so that a run that cannot work fails before it reads a post; and asked anew,
    since a model may have been replaced after this process's last run.
    """
    remote_parts.cache_clear()
    classifier, coder = classifier_for(settings), coder_for(settings)
    return Provenance(
        model_version=classifier.model_version,
        ade_threshold=decision_limit(classifier, settings.classifier),
        lexicon_version=lexicon().version,
        coder_version=coder.coder_version,
        icd10cm_release=coder.icd10cm_release,
        code_version=__version__,
        privacy_mode=settings.privacy.mode,
        keep_text=settings.privacy.keep_text,
        screening=settings.screening.model_dump_json(),
        coding=settings.coding.model_dump_json(exclude={"service"}),
        search=live.asked_for(settings) if settings.source.is_x else "",
        gazetteer=gazetteer_version() if settings.privacy.mode == "case" else "",
    )


def stations_for(settings: Settings) -> Stations:
    """Return the stations that assess a handful of posts.

    Raises:
        ServiceError: The endpoint or the service cannot be asked.
    """
    return Stations(
        screening=settings.screening,
        lexicon=lexicon(),
        classification=settings.classifier,
        classifier=lambda n_rows: classifier_for(settings, n_rows),
        coding=settings.coding,
        coder=lambda: coder_for(settings),
        channel=settings.source.channel,
        window_minutes=settings.window_minutes,
    )


def listener_for(settings: Settings, on_serious: Callable[[SeriousEvent], None]) -> Listener:
    """Return what listens to X's stream; `on_serious` is told of each serious event, in a thread of the listener's.

    Raises:
        UsageError: No token, a drug that is not in the lexicon, or a landing store made for something else.
        ServiceError: The landing store, the token's secret or the state file cannot be used.
    """
    token = token_for(settings)
    return build(
        settings,
        key=identity_key_for(settings),
        token=token,
        store=landing_store_for(settings),
        stations=stations_for(settings),
        rules=live.rules_for(settings),
        queries=live.queries_for(settings),
        on_serious=on_serious,
    )


@lru_cache(maxsize=4)
def _embedded_classifier(folder: Path, arithmetic: Arithmetic, threads: int) -> Classifier:
    return EmbeddedClassifier(folder, arithmetic=arithmetic, threads=threads)
