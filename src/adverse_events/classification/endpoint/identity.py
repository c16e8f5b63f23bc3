"""Which model stands behind an endpoint: what the control plane says of it, and what a first answer tells."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from adverse_events.aws.errors import translated
from adverse_events.errors import ContractError, PermanentServiceError, UsageError

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from adverse_events.aws.session import Cloud
    from adverse_events.serving.payload import ModelCard

USUAL_THRESHOLD = 0.5
"""Decision limit of a model that does not say its own."""

ADE_NAMES = frozenset(
    {"ade", "adr", "ae", "adereport", "aderelated", "adversedrugevent", "adversedrugreaction", "adverseevent"}
)
"""Names of the ADE class in published models and corpora, letters only."""

_NUMBERED = ("LABEL_0", "LABEL_1")
"""Names transformers gives two classes that were never named; by custom the second is the positive one."""

_DENIED = frozenset({"AccessDenied", "AccessDeniedException", "UnauthorizedOperation"})
_MISSING = frozenset({"ValidationException", "ValidationError", "ResourceNotFound"})
_NOT_SERVING = {
    "Creating": "wait until it is InService, then run again",
    "Failed": "see its CloudWatch log, deploy it again",
    "Deleting": "deploy it again or correct endpoint.name",
    "OutOfService": "deploy it again or correct endpoint.name",
}


@dataclass(frozen=True)
class Standing:
    """What the control plane says of an endpoint.

    Attributes:
        config_name: Its configuration; empty where these credentials may not see it.
        model_names: Model of each production variant that may answer, by variant.
    """

    config_name: str
    model_names: dict[str, str]


@dataclass(frozen=True)
class Identity:
    """The model that an endpoint serves.

    Attributes:
        model_version: Name stored with every row it scores.
        labels: Class names; the others sorted, the ADE class last.
        ade_threshold: Decision limit, 0-1.
        thresholds: With more than two classes, the limit of each against all others, 0-1; empty where it does not say.
        card_version: What every answer's header must say; empty for a server that is not this project's.
    """

    model_version: str
    labels: tuple[str, ...]
    ade_threshold: float
    card_version: str
    thresholds: Mapping[str, float] = field(default_factory=dict)


def standing_of(cloud: Cloud, name: str, variant: str | None) -> Standing:
    """Ask the control plane whether endpoint `name` can serve, and what is behind it.

    Credentials that may only invoke are enough: what they may not see stays empty.

    Raises:
        PermanentServiceError: It does not exist, or its status is one in which it does not serve.
        UsageError: It has no such `variant`.
    """
    described = _described(cloud, "describe_endpoint", f"DescribeEndpoint {name}", EndpointName=name)
    if not described:
        return Standing("", {})
    status = described.get("EndpointStatus", "")
    if status in _NOT_SERVING:
        reason = f" ({described['FailureReason']})" if described.get("FailureReason") else ""
        detail = f"the endpoint is {status}{reason}; {_NOT_SERVING[status]}"
        raise PermanentServiceError("sagemaker", f"DescribeEndpoint {name}", detail)
    variants = [item["VariantName"] for item in described.get("ProductionVariants", ())]
    if variant and variants and variant not in variants:
        msg = f"endpoint {name} has no variant {variant}; set endpoint.variant to one of: {', '.join(sorted(variants))}"
        raise UsageError(msg)
    config_name = str(described.get("EndpointConfigName", ""))
    if not config_name:
        return Standing("", {})
    operation = f"DescribeEndpointConfig {config_name}"
    config = _described(cloud, "describe_endpoint_config", operation, EndpointConfigName=config_name)
    models = {item["VariantName"]: item.get("ModelName", "") for item in config.get("ProductionVariants", ())}
    return Standing(config_name, {key: models[key] for key in sorted(models) if variant in {None, key}})


def config_name_of(cloud: Cloud, name: str) -> str:
    """Return the configuration endpoint `name` has now; empty where these credentials may not see it.

    Raises:
        PermanentServiceError: It does not exist.
    """
    described = _described(cloud, "describe_endpoint", f"DescribeEndpoint {name}", EndpointName=name)
    return str(described.get("EndpointConfigName", ""))


def _described(cloud: Cloud, method: str, operation: str, **names: str) -> dict[str, Any]:
    """Return the description; empty where the credentials lack the permission."""
    try:
        with translated("sagemaker", operation):
            return dict(getattr(cloud.client("sagemaker"), method)(**names))
    except PermanentServiceError as error:
        code = getattr(error.__cause__, "response", {}).get("Error", {}).get("Code", "")
        if code in _DENIED:
            return {}
        if code in _MISSING:
            detail = f"it does not exist in region {cloud.region}; deploy it, or correct endpoint.name or aws.region"
            raise PermanentServiceError("sagemaker", operation, detail) from error
        raise


def identity_of(
    name: str, card: ModelCard, labels: Collection[str], standing: Standing, ade_label: str | None
) -> Identity:
    """Return which model answered.

    Args:
        name: The endpoint.
        card: What the answer's header says; empty for a server that is not this project's.
        labels: Classes in the answer.
        standing: What is known of the endpoint.
        ade_label: Name of the ADE class; found among known names when None.

    Raises:
        ContractError: No class is the ADE class, or its decision limit is none.
    """
    who = f"endpoint {name}"
    ade = ade_class(who, labels, ade_label or card.ade_label or None)
    threshold = USUAL_THRESHOLD if card.ade_threshold is None else card.ade_threshold
    if not 0 <= threshold <= 1:
        raise ContractError(who, f"its decision limit {threshold} is not in 0-1; export the model again")
    return Identity(
        model_version=card.version or _version(name, standing),
        labels=(*sorted(set(labels) - {ade}), ade),
        ade_threshold=threshold,
        card_version=card.version,
        thresholds=dict(card.thresholds),
    )


def _version(name: str, standing: Standing) -> str:
    models = "+".join(sorted({model for model in standing.model_names.values() if model}))
    return "/".join(part for part in (standing.config_name, models) if part) or name


def ade_class(who: str, labels: Collection[str], wanted: str | None) -> str:
    """Return the ADE class among `labels`: `wanted`, else the one whose name is known.

    Raises:
        ContractError: None is, or several are; says which classes there are and what to set.
    """
    found = f"its classes are {', '.join(sorted(labels))}"
    if len(labels) < len(_NUMBERED):
        raise ContractError(
            who, f"{found}: one score per class and at least two classes are needed; is it a classifier?"
        )
    if wanted:
        if wanted not in labels:
            raise ContractError(who, f"{found}, without {wanted}; correct endpoint.ade_label or endpoint.name")
        return wanted
    if sorted(labels) == list(_NUMBERED):
        return _NUMBERED[1]
    known = [label for label in labels if "".join(filter(str.isalpha, label)).lower() in ADE_NAMES]
    if len(known) != 1:
        which = "none is known as the ADE class" if not known else "more than one may be the ADE class"
        raise ContractError(who, f"{found}: {which}; set endpoint.ade_label, or endpoint.name to another endpoint")
    return known[0]
