"""Settings: one described tree, from flags, ``ADE_`` environment variables, a TOML file and defaults.

Flags win over the environment, the environment over the file, the file over the defaults.
"""

from __future__ import annotations

import difflib
import json
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import platformdirs
from pydantic import BaseModel, Field, SecretStr, ValidationError, field_validator
from pydantic_settings import (
    BaseSettings,
    EnvSettingsSource,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    TomlConfigSettingsSource,
)

from adverse_events.aws.settings import AwsSettings
from adverse_events.classification.classify import ClassifierSettings
from adverse_events.classification.endpoint.settings import EndpointSettings
from adverse_events.coding.comprehend.settings import ComprehendSettings
from adverse_events.coding.select import CodingSettings
from adverse_events.compliance.settings import ComplianceSettings
from adverse_events.errors import UsageError
from adverse_events.flight.settings import FlightSettings
from adverse_events.lake.catalog.settings import CatalogSettings
from adverse_events.lake.settings import LakeSettings
from adverse_events.landing.settings import LandingSettings
from adverse_events.listening.settings import ListenSettings
from adverse_events.monitoring.settings import MonitorSettings
from adverse_events.privacy import PrivacySettings
from adverse_events.registry.settings import RegistrySettings
from adverse_events.screening.screen import ScreeningSettings
from adverse_events.source.archive import ArchiveSettings
from adverse_events.source.drop_settings import DropSettings
from adverse_events.source.x.search_settings import SearchSettings
from adverse_events.source.x.settings import XSettings
from adverse_events.windows import DEFAULT_WINDOW_MINUTES, check_window_minutes

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

SETTINGS_FILE = "adverse_events.toml"
SECRETS = frozenset({"privacy.identity_key", "x.bearer_token"})
PREFIX = "ADE_"


class Settings(BaseSettings):
    """Everything a deployment fixes; what an operator chooses per run is a flow parameter."""

    model_config = SettingsConfigDict(
        env_prefix=PREFIX,
        env_nested_delimiter="__",
        toml_file=SETTINGS_FILE,
        frozen=True,
        extra="forbid",
        hide_input_in_errors=True,  # a traceback, asked for with --debug, would show a mistyped secret
    )

    window_minutes: int = Field(DEFAULT_WINDOW_MINUTES, description="Length of a window, minutes; divides a day.")
    rows_per_batch: int = Field(
        20_000,
        ge=1,
        description="Rows of consecutive windows that travel the stations together; a window is never split.",
    )
    source: ArchiveSettings = Field(default_factory=ArchiveSettings, description="Where posts come from.")
    drop: DropSettings = Field(default_factory=DropSettings, description="How dropped files are read.")
    privacy: PrivacySettings = Field(default_factory=PrivacySettings, description="What may be stored.")
    screening: ScreeningSettings = Field(default_factory=ScreeningSettings, description="Which posts are assessed.")
    endpoint: EndpointSettings = Field(
        default_factory=EndpointSettings, description="A SageMaker endpoint instead of the embedded model."
    )
    classifier: ClassifierSettings = Field(default_factory=ClassifierSettings, description="How posts are scored.")
    registry: RegistrySettings = Field(
        default_factory=RegistrySettings, description="Where models are kept, and when one replaces another."
    )
    flight: FlightSettings = Field(
        default_factory=FlightSettings, description="What a check of the live classifier and coder lets pass."
    )
    coding: CodingSettings = Field(default_factory=CodingSettings, description="How positives are coded.")
    comprehend: ComprehendSettings = Field(
        default_factory=ComprehendSettings, description="How Comprehend Medical is asked."
    )
    compliance: ComplianceSettings = Field(
        default_factory=ComplianceSettings, description="How deletions are asked for."
    )
    lake: LakeSettings = Field(default_factory=LakeSettings, description="Where results are kept.")
    landing: LandingSettings = Field(default_factory=LandingSettings, description="Where posts of a stream land first.")
    listen: ListenSettings = Field(default_factory=ListenSettings, description="How a stream is listened to.")
    monitor: MonitorSettings = Field(
        default_factory=MonitorSettings, description="How far the last days may be from those before."
    )
    catalog: CatalogSettings = Field(default_factory=CatalogSettings, description="Glue and Athena over the lake.")
    x: XSettings = Field(default_factory=XSettings, description="X API v2.")
    search: SearchSettings = Field(default_factory=SearchSettings, description="What is searched for on X.")
    aws: AwsSettings = Field(default_factory=AwsSettings, description="The AWS account.")

    @field_validator("window_minutes")
    @classmethod
    def _divides_a_day(cls, minutes: int) -> int:
        try:
            return check_window_minutes(minutes)
        except UsageError as error:
            raise ValueError(str(error)) from error

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Read flags, then the environment, then the TOML file; nothing else."""
        del dotenv_settings, file_secret_settings
        return init_settings, env_settings, TomlConfigSettingsSource(settings_cls)


class SettingLine(NamedTuple):
    """One setting, for people: dotted name, value in force, where it came from, meaning."""

    name: str
    value: str
    origin: str
    description: str


def load_settings(*overrides: Mapping[str, Any] | None) -> Settings:
    """Build the settings in force.

    Args:
        overrides: Values by dotted name, such as ``{"lake.path": "results"}``; they win, the later mapping over the
            earlier. None means unset and hides nothing.

    Raises:
        UsageError: An unknown key or a value outside its range, in any of the places, named with the nearest
            known name.
    """
    _refuse_unknown_environment()
    try:
        return Settings(**_nested(*overrides))
    except ValidationError as error:
        raise UsageError(_explained(error)) from error
    except (ValueError, OSError) as error:  # a malformed TOML file or JSON in a variable
        msg = f"settings cannot be read ({SETTINGS_FILE} or {PREFIX}... variables): {error}"
        raise UsageError(msg) from error


def setting_lines(settings: Settings, overrides: Mapping[str, Any] | None = None) -> list[SettingLine]:
    """List every setting with its value (secrets hidden), its origin and its meaning."""
    origins = (
        ("flag", _nested(overrides)),
        ("environment", EnvSettingsSource(Settings)()),
        (SETTINGS_FILE, TomlConfigSettingsSource(Settings)()),
    )
    return [
        SettingLine(name, _shown(value), next((o for o, tree in origins if _holds(tree, name)), "default"), description)
        for name, value, description in _leaves(settings)
    ]


def identity_key_path() -> Path:
    """Return where the key of keyed hashes is kept when no setting gives one: never in the lake."""
    return Path(platformdirs.user_config_dir("adverse_events")) / "identity.key"


def _leaves(model: BaseModel, prefix: str = "") -> Iterator[tuple[str, Any, str]]:
    for name, info in type(model).model_fields.items():
        value = getattr(model, name)
        if isinstance(value, BaseModel):
            yield from _leaves(value, f"{prefix}{name}.")
        else:
            yield f"{prefix}{name}", value, info.description or ""


def _names(model: type[BaseModel], prefix: str = "") -> Iterator[str]:
    for name, info in model.model_fields.items():
        kind = info.annotation
        if isinstance(kind, type) and issubclass(kind, BaseModel):
            yield from _names(kind, f"{prefix}{name}.")
        else:
            yield f"{prefix}{name}"


def _nested(*overrides: Mapping[str, Any] | None) -> dict[str, Any]:
    known = set(_names(Settings))
    tree: dict[str, Any] = {}
    for name, value in chain.from_iterable((given or {}).items() for given in overrides):
        if name not in known:
            raise UsageError(_unknown(name, sorted(known)))
        if value is None:
            continue
        if name in SECRETS:
            # Flags stay in the shell's history, and a server keeps a run's parameters in the clear.
            msg = f"{name} is a secret; give it in the environment or in {SETTINGS_FILE}, not as a flag or parameter"
            raise UsageError(msg)
        *branches, leaf = name.split(".")
        place = tree
        for branch in branches:
            place = place.setdefault(branch, {})
        place[leaf] = value
    return tree


def _refuse_unknown_environment() -> None:
    # pydantic-settings silently ignores a misspelt variable; a misspelt threshold must not pass unseen.
    known = {f"{PREFIX}{name.replace('.', '__')}".upper() for name in _names(Settings)}
    branches = {name.rsplit("__", 1)[0] for name in known if "__" in name}
    for variable in EnvSettingsSource(Settings).env_vars:
        name = variable.upper()
        if name.startswith(PREFIX) and name not in known | branches:
            raise UsageError(_unknown(name, sorted(known)))


def _unknown(name: str, known: list[str]) -> str:
    near = difflib.get_close_matches(name, known, n=1, cutoff=0.5)
    hint = f"; did you mean {near[0]}?" if near else ";"
    return f"unknown setting {name}{hint} `ade settings` lists them all"


def _explained(error: ValidationError) -> str:
    problems = []
    for problem in error.errors():
        name = ".".join(str(part) for part in problem["loc"])
        where = f" in {SETTINGS_FILE}" if _holds(TomlConfigSettingsSource(Settings)(), name) else ""
        if problem["type"] == "extra_forbidden":
            problems.append(f"{_unknown(name, sorted(_names(Settings)))}{where and f' (it stands{where})'}")
        else:
            problems.append(f"setting {name}{where}: {problem['msg']}")
    return "; ".join(problems)


def _holds(tree: Mapping[str, Any], name: str) -> bool:
    place: Any = tree
    for part in name.split("."):
        if not isinstance(place, dict) or part not in place:
            return False
        place = place[part]
    return True


def _shown(value: Any) -> str:
    if value is None:
        return "(unset)"
    if isinstance(value, SecretStr):
        return "(hidden)"
    if isinstance(value, Path | str):
        return str(value)
    return json.dumps(value, default=str)
