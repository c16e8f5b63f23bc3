"""Which part stands at each station: settings in, the thing that does the work out.

The one place that chooses between the embedded default and a cloud service. What stands in the cloud is built by
`remote`, imported when it is chosen: the embedded default runs without the cloud's libraries.
"""

from __future__ import annotations

from contextlib import ExitStack, closing, contextmanager
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

from adverse_events import __version__, live
from adverse_events.classification.classify import decision_limit
from adverse_events.classification.embedded import EmbeddedClassifier
from adverse_events.classification.model_folder import starter_model
from adverse_events.coding.embedded import EmbeddedCoder
from adverse_events.compliance.lists import ids_in, ids_listed
from adverse_events.errors import UsageError
from adverse_events.lake.layout import MARKER_KEY
from adverse_events.lake.local import LocalLake
from adverse_events.lake.publishing import SuppressionFolder
from adverse_events.lake.query import LocalReader, no_lake_in
from adverse_events.landing.protocol import StoreFacts
from adverse_events.landing.sqlite import SqliteLanding
from adverse_events.listening.building import build
from adverse_events.listening.stations import Stations
from adverse_events.location.gazetteer import gazetteer_version
from adverse_events.planning import due_windows
from adverse_events.privacy import IdentityKey
from adverse_events.provenance import Provenance
from adverse_events.screening.drugs import DrugLexicon
from adverse_events.settings import identity_key_path
from adverse_events.source.archive import Archive
from adverse_events.source.drop import DropFolder
from adverse_events.source.dropped_files import LocalDrop
from adverse_events.source.files import find_files
from adverse_events.source.landing import LandingSource
from adverse_events.source.x.client import XClient
from adverse_events.source.x.state import FILE as STATE_FILE
from adverse_events.source.x.state import XState

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from datetime import datetime

    from pydantic import SecretStr

    from adverse_events.aws.settings import AwsSettings
    from adverse_events.classification.classify import ClassifierSettings
    from adverse_events.classification.protocol import Classifier
    from adverse_events.coding.protocol import ConditionCoder
    from adverse_events.compliance.comply import Keeper
    from adverse_events.lake.catalog.glue import GlueCatalog
    from adverse_events.lake.protocol import Lake
    from adverse_events.lake.reader import LakeReader
    from adverse_events.lake.settings import LakeSettings
    from adverse_events.lake.suppression import Suppression
    from adverse_events.landing.protocol import LandingStore
    from adverse_events.listening.listener import Listener
    from adverse_events.listening.serious import SeriousEvent
    from adverse_events.remote import RemoteParts
    from adverse_events.settings import Settings
    from adverse_events.source.protocol import TweetSource
    from adverse_events.source.s3_drop import S3Drop


def source_for(
    settings: Settings,
    start: datetime | None = None,
    end: datetime | None = None,
    *,
    unless_made_by: Provenance | None = None,
    run: str | None = None,
) -> TweetSource:
    """Return the source of posts.

    Args:
        settings: Which one.
        start: First instant of the range; a source that is searched needs one.
        end: First instant after it.
        unless_made_by: Leave out windows that the lake holds already, made by this, where reading them costs money.
        run: Name of the run, the same when a station is tried again; for the cap on what one run may read.

    Raises:
        UsageError: A search without a range or a token, or for a drug that is not in the lexicon.
        ServiceError: The token's secret, the state file or the lake cannot be read.
    """
    source = settings.source
    if source.is_landing:
        return LandingSource(
            landing_store_for(settings),
            channel=source.channel,
            window_minutes=settings.window_minutes,
            retention_days=settings.landing.retention_days,
            start=start,
            end=end,
        )
    if source.is_x:
        windows = live.windows_of(settings, start, end)
        due = due_windows(lake_for(settings), windows, unless_made_by.recipe_sha256) if unless_made_by else None
        return live.search_for(settings, windows, identity_key_for(settings), token_for(settings), due, run=run)
    if source.kind == "drop":
        return DropFolder(_dropped(settings), source, settings.drop)
    return Archive(source, remote_parts(settings.aws).files(settings) if source.is_s3 else None)


def check_source(settings: Settings, start: datetime | None = None, end: datetime | None = None) -> None:
    """Look whether there is anything to read, without reading it; arguments as for `source_for`.

    Raises:
        UsageError: No source, nothing at that path, nothing that can be read, or a search that cannot be made.
        ServiceError: The bucket refused.
    """
    source = settings.source
    if not source.path:
        msg = "no source of posts; give --source FILE, a folder or a glob, or set source.path (`ade settings`)"
        raise UsageError(msg)
    if source.is_landing:
        if not settings.landing.table and not settings.landing.path.exists():
            msg = f"there is no landing store {settings.landing.path}; `ade listen` makes one, or correct landing.path"
            raise UsageError(msg)
        landing_store_for(settings).close()
    elif source.is_x:
        live.windows_of(settings, start, end)
        live.queries_for(settings)
        live.check_token(settings.x)
    elif source.kind == "drop":
        _dropped(settings).check()
    elif source.is_s3:
        remote_parts(settings.aws).files(settings).find()
    else:
        find_files(source.path, source.file_format)


def token_for(settings: Settings) -> SecretStr:
    """Return X's bearer token: the setting, else the secret it names.

    Raises:
        UsageError: None is set, it is none, or a block that only flows can read.
        ServiceError: The secret cannot be read.
    """
    live.check_token(settings.x)
    if settings.x.bearer_token:
        return settings.x.bearer_token
    if settings.x.bearer_token_secret:
        return live.token_of(remote_parts(settings.aws).secret(settings.x.bearer_token_secret))
    msg = f"x.bearer_token_block {settings.x.bearer_token_block} is read by flows only; set ADE_X__BEARER_TOKEN here"
    raise UsageError(msg)


def identity_key_for(settings: Settings) -> IdentityKey:
    """Return the key of keyed hashes: the setting, else the secret it names, else this user's own, created once.

    Raises:
        UsageError: The key is too short, or its file cannot be used.
        ServiceError: The secret cannot be read.
    """
    privacy = settings.privacy
    if privacy.identity_key:
        return IdentityKey.from_secret(privacy.identity_key)
    if privacy.identity_key_secret:
        return remote_parts(settings.aws).identity_key(privacy.identity_key_secret)
    return IdentityKey.load_or_create(identity_key_path())


def classifier_for(settings: Settings, n_rows: int = 0) -> Classifier:
    """Return the classifier for a batch of `n_rows` posts.

    Raises:
        ServiceError: The endpoint cannot be asked.
        ContractError: It serves another task or other classes.
    """
    endpoint = settings.endpoint
    if not endpoint.name:
        return _embedded_classifier(settings.classifier)
    if endpoint.mode == "transform" or (endpoint.mode == "auto" and n_rows >= endpoint.transform_from_rows):
        return remote_parts(settings.aws).transform_classifier(endpoint)
    return remote_parts(settings.aws).endpoint_classifier(endpoint)


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


def lake_for(settings: Settings) -> Lake:
    """Open the lake, created when missing.

    Raises:
        UsageError: It was made with another window length, privacy mode or key.
        ContractError: Its marker is damaged, or its tables in the catalog have other columns.
        ServiceError: Its bucket or catalog cannot be reached.
    """
    _check_place(settings.lake)
    key = identity_key_for(settings)
    if not settings.lake.is_s3:
        return LocalLake.open(
            settings.lake.path,
            window_minutes=settings.window_minutes,
            privacy_mode=settings.privacy.mode,
            key_fingerprint=key.fingerprint,
            part_size=settings.lake.part_size,
            hash_of=key.tweet_hash,
        )
    return remote_parts(settings.aws).lake(settings, key)


def check_lake(settings: Settings) -> None:
    """Refuse a place that holds no lake: a deletion that looked in the wrong one would seem to be done.

    Raises:
        UsageError: There is no lake.
        ServiceError: The bucket cannot be read.
    """
    _check_place(settings.lake)
    if settings.lake.is_s3:
        is_there = remote_parts(settings.aws).has_lake(settings)
    else:
        is_there = (Path(settings.lake.path).expanduser() / MARKER_KEY).is_file()
    if not is_there:
        raise no_lake_in(settings.lake.path)


def held_ids(settings: Settings, file: str | None) -> Iterator[str]:
    """Return the ids that X is asked about: of a file, else of a case-mode lake, else of the archive.

    A signal-mode lake has only hashes, which X cannot read.

    Raises:
        UsageError: None of them is there.
    """
    if file:
        return ids_listed(Path(file))
    if settings.privacy.mode == "case":
        check_lake(settings)
        return lake_for(settings).stored_ids()
    if not settings.source.path or settings.source.is_x:
        msg = (
            "a lake of signal mode holds no ids that X could read: give a file of the ids you hold (--held), or the "
            "archive the lake was made from (source.path)"
        )
        raise UsageError(msg)
    return ids_in(source_for(settings))


def x_client_for(settings: Settings) -> XClient:
    """Return a client of X API v2; errors as for `token_for`."""
    return XClient(settings.x, token_for(settings))


def suppression_for(settings: Settings) -> Suppression:
    """Return the posts that may not be stored; none where there is no lake yet.

    Raises:
        ContractError: The list is damaged.
        ServiceError: The lake's bucket cannot be read.
    """
    _check_place(settings.lake)
    if not settings.lake.is_s3:
        return SuppressionFolder(Path(settings.lake.path).expanduser().absolute()).load()
    return remote_parts(settings.aws).suppression(settings)


def landing_store_for(settings: Settings) -> LandingStore:
    """Open the landing store: a file, made when missing, or a table that is there. Whoever opens it closes it.

    Raises:
        UsageError: It was made with another window length, privacy mode or key.
        ServiceError: The file or the table cannot be used.
    """
    facts = StoreFacts(settings.privacy.mode, identity_key_for(settings).fingerprint, settings.window_minutes)
    if settings.landing.table:
        return remote_parts(settings.aws).landing_store(settings.landing, facts)
    return SqliteLanding.open(settings.landing.path, facts)


@contextmanager
def keepers_there_are(settings: Settings) -> Iterator[list[Keeper]]:
    """Provide what keeps posts beside the lake, closed afterwards; what is not there is not made.

    Raises:
        UsageError: The landing store was made with another window length, privacy mode or key.
        ServiceError: A file or the table cannot be used.
    """
    with ExitStack() as opened:
        keepers: list[Keeper] = []
        if settings.landing.table or settings.landing.path.expanduser().is_file():
            keepers.append(opened.enter_context(closing(landing_store_for(settings))))
        if (settings.x.state_place / STATE_FILE).is_file():
            keepers.append(opened.enter_context(XState(settings.x.state_place)))
        yield keepers


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


def catalog_for(settings: Settings) -> GlueCatalog | None:
    """Return the catalog over the lake; None for a lake in a folder, or where no database is set."""
    return remote_parts(settings.aws).catalog(settings) if settings.lake.is_s3 and settings.catalog.database else None


def reader_for(settings: Settings) -> LakeReader:
    """Return what reads the lake: DuckDB, and Athena for SQL over a lake in a bucket."""
    _check_place(settings.lake)
    if not settings.lake.is_s3:
        return LocalReader(settings.lake.path)
    return remote_parts(settings.aws).reader(settings)


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


@lru_cache(maxsize=4)
def remote_parts(settings: AwsSettings) -> RemoteParts:
    """Return what stands in the AWS account; one process opens it once.

    Raises:
        UsageError: The libraries for AWS are not installed.
        ServiceError: There is no such profile or region.
    """
    try:
        from adverse_events.remote import RemoteParts  # noqa: PLC0415 - the embedded default runs without its libraries
    except ImportError as error:
        msg = f"AWS needs {error.name}, not installed; in the checkout: pip install -c constraints.txt -e '.[aws]'"
        raise UsageError(msg) from error
    return RemoteParts(settings)


def _dropped(settings: Settings) -> S3Drop | LocalDrop:
    if not settings.source.path:
        msg = "no drop folder; give --source FOLDER, or set source.path"
        raise UsageError(msg)
    if settings.source.is_s3:
        return remote_parts(settings.aws).drop(settings)
    return LocalDrop(settings.source.path, settings.drop.settle_seconds)


def _check_place(lake: LakeSettings) -> None:
    if lake.needs_block:
        msg = f"lake.bucket_block {lake.bucket_block} is read by flows only; give lake.path s3://bucket/folder here"
        raise UsageError(msg)


@lru_cache(maxsize=4)
def _embedded_classifier(settings: ClassifierSettings) -> Classifier:
    return EmbeddedClassifier(
        settings.model or starter_model(), arithmetic=settings.arithmetic, threads=settings.threads
    )
