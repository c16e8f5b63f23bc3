"""Error answers as X words them.

Source:
    "Response codes and errors", X API v2 documentation; bodies quoted in public issue threads of its client libraries;
    read 2026-11.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from starlette.responses import JSONResponse, Response

if TYPE_CHECKING:
    from collections.abc import Mapping

PROBLEMS = "https://api.twitter.com/2/problems"
"""X still names its problems under the old address."""


def problem(status: int, title: str, detail: str, kind: str = "about:blank", **more: Any) -> Response:
    """Return an error of `status`; `kind` is the last part of its problem's address."""
    kind = kind if ":" in kind else f"{PROBLEMS}/{kind}"
    return JSONResponse({"title": title, "detail": detail, "type": kind, "status": status, **more}, status)


def invalid(parameters: Mapping[str, Any], message: str) -> Response:
    """Return the 400 of parameters that cannot be."""
    errors = [{"parameters": {name: [str(value)] for name, value in parameters.items()}, "message": message}]
    return problem(
        400, "Invalid Request", "One or more parameters to your request was invalid.", "invalid-request", errors=errors
    )


def unauthorized() -> Response:
    """Return the 401 of a token that is not known."""
    return problem(401, "Unauthorized", "Unauthorized")


def not_enrolled() -> Response:
    """Return the 403 of an App outside a Project."""
    return problem(
        403,
        "Client Forbidden",
        "When authenticating requests to the Twitter API v2 endpoints, you must use keys and tokens from a Twitter "
        "developer App that is attached to a Project. You can create a project via the developer portal.",
        "client-forbidden",
        client_id="1",
        reason="client-not-enrolled",
        required_enrollment="Appropriate Level of API Access",
        registration_url="https://developer.twitter.com/en/docs/projects/overview",
    )


def no_access() -> Response:
    """Return the 403 of a plan without the endpoint."""
    message = (
        "You currently have access to a subset of X API V2 endpoints and limited v1.1 endpoints only. If you need "
        "access to this endpoint, you may need a different access level."
    )
    return JSONResponse({"errors": [{"message": message, "code": 453}]}, 403)


def too_many() -> Response:
    """Return the 429 of a rate limit."""
    return problem(429, "Too Many Requests", "Too Many Requests")


def capped() -> Response:
    """Return the 429 of the monthly cap."""
    return problem(
        429,
        "UsageCapExceeded",
        "Usage cap exceeded: Monthly product cap",
        "usage-capped",
        period="Monthly",
        scope="Product",
        account_id="1",
        product_name="standard-basic",
    )


def unavailable() -> Response:
    """Return a 503."""
    return problem(503, "Service Unavailable", "Service Unavailable")


def missing(tweet_id: str) -> dict[str, Any]:
    """Return the partial error of a post that is not there, or no longer."""
    return _of_post("Not Found Error", f"Could not find tweet with ids: [{tweet_id}].", "resource-not-found", tweet_id)


def not_authorized(tweet_id: str) -> dict[str, Any]:
    """Return the partial error of a post of a protected or suspended account."""
    detail = f"Sorry, you are not authorized to see the Tweet with ids: [{tweet_id}]."
    return _of_post("Authorization Error", detail, "not-authorized-for-resource", tweet_id)


def _of_post(title: str, detail: str, kind: str, tweet_id: str) -> dict[str, Any]:
    return {
        "value": tweet_id,
        "detail": detail,
        "title": title,
        "resource_type": "tweet",
        "parameter": "ids",
        "resource_id": tweet_id,
        "type": f"{PROBLEMS}/{kind}",
    }
