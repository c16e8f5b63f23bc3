"""The parts that stand in one AWS account, each opened once. `assembly` chooses; this builds.

Importing this module needs the `aws` extra; nothing else of the house imports it.
"""

from __future__ import annotations

from threading import RLock
from typing import TYPE_CHECKING, TypeVar, cast

from adverse_events.aws.secrets import secret_text
from adverse_events.aws.session import Cloud
from adverse_events.classification.endpoint.classifier import SageMakerClassifier
from adverse_events.classification.transform.classifier import TransformClassifier
from adverse_events.coding.comprehend.coder import ComprehendCoder
from adverse_events.lake.catalog.glue import GlueCatalog
from adverse_events.lake.s3.lake import S3Lake
from adverse_events.lake.s3.reader import S3Reader
from adverse_events.lake.s3.store import S3Store
from adverse_events.privacy import IdentityKey
from adverse_events.source.s3_files import S3Files

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable

    from adverse_events.aws.settings import AwsSettings
    from adverse_events.classification.endpoint.settings import EndpointSettings
    from adverse_events.coding.comprehend.settings import ComprehendSettings
    from adverse_events.settings import Settings

Opened = TypeVar("Opened")


class RemoteParts:
    """What one account offers; safe to share between threads.

    Args:
        settings: Which account.
    """

    def __init__(self, settings: AwsSettings) -> None:
        """Open the account; nothing else yet."""
        self.cloud = Cloud(settings)
        self._opened: dict[Hashable, object] = {}
        self._lock = RLock()

    def files(self, settings: Settings) -> S3Files:
        """Return the files of an archive in a bucket."""
        return S3Files(self.cloud, settings.source.path or "", settings.source.file_format)

    def identity_key(self, secret: str) -> IdentityKey:
        """Return the key that Secrets Manager keeps under the name `secret`."""
        return self._once(
            (IdentityKey, secret), lambda: IdentityKey.from_store(secret_text(self.cloud, secret), secret)
        )

    def secret(self, name: str) -> str:
        """Return the text that Secrets Manager keeps under `name`."""
        return self._once((secret_text, name), lambda: secret_text(self.cloud, name))

    def endpoint_classifier(self, settings: EndpointSettings) -> SageMakerClassifier:
        """Return the classifier behind an endpoint."""
        return self._once((SageMakerClassifier, settings), lambda: SageMakerClassifier.open(self.cloud, settings))

    def transform_classifier(self, settings: EndpointSettings) -> TransformClassifier:
        """Return the classifier that runs jobs."""
        return self._once((TransformClassifier, settings), lambda: TransformClassifier.open(self.cloud, settings))

    def comprehend_coder(self, settings: ComprehendSettings) -> ComprehendCoder:
        """Return the coder that asks Comprehend Medical."""
        return self._once((ComprehendCoder, settings), lambda: ComprehendCoder.open(self.cloud, settings))

    def catalog(self, settings: Settings) -> GlueCatalog:
        """Return the catalog over the lake."""
        return GlueCatalog(self.cloud, settings.catalog, settings.lake.path)

    def lake(self, settings: Settings, key_fingerprint: str) -> S3Lake:
        """Open the lake in a bucket, after a look at its tables in the catalog; once per run, as the other parts."""
        key = (S3Lake, settings.lake, settings.catalog, settings.window_minutes, settings.privacy.mode, key_fingerprint)
        return self._once(key, lambda: self._opened_lake(settings, key_fingerprint))

    def _opened_lake(self, settings: Settings, key_fingerprint: str) -> S3Lake:
        if settings.catalog.database:
            # First, since the tables of a catalog lie over another lake than one in a bucket that is not there.
            S3Store(self.cloud, settings.lake.path).check_bucket()
            self.catalog(settings).check()
        return S3Lake.open(
            self.cloud,
            settings.lake.path,
            window_minutes=settings.window_minutes,
            privacy_mode=settings.privacy.mode,
            key_fingerprint=key_fingerprint,
            part_size=settings.lake.part_size,
        )

    def reader(self, settings: Settings) -> S3Reader:
        """Return what reads the lake in a bucket."""
        return S3Reader(self.cloud, settings.lake.path, settings.catalog)

    def _once(self, key: Hashable, build: Callable[[], Opened]) -> Opened:
        """Return what `build` made for `key`, now or before; batches in several threads share one part."""
        with self._lock:
            if key not in self._opened:
                self._opened[key] = build()
            return cast("Opened", self._opened[key])
