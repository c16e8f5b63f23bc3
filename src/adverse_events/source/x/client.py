"""A thin client of X API v2: one request with its patience, and one stream of lines.

Every request is asked again after what may pass: throttles (when their period ends), 5xx, connections that end, a
proxy's page, an answer cut short. What will not pass is raised at once, with its remedy. No message, log line or `repr`
holds the token or a post.
"""

from __future__ import annotations

import logging
import random
import time
from contextlib import contextmanager
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Any, Self, TypeVar

import httpx
import tenacity

from adverse_events import __version__, progress
from adverse_events.errors import AnswerError, PermanentServiceError, TransientServiceError
from adverse_events.source.json_rows import parsed
from adverse_events.source.row import Refusal
from adverse_events.source.x.errors import SERVICE, RateLimitError, dropped, refusal
from adverse_events.source.x.lines import lines_of
from adverse_events.source.x.settings import LOOPBACK

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from types import TracebackType

    from pydantic import SecretStr

    from adverse_events.source.x.settings import XSettings

    Sleep = Callable[[float], object]

logger = logging.getLogger("adverse_events.x")

R = TypeVar("R")

FIRST_PAUSE_S, LONGEST_PAUSE_S = 0.5, 30.0
UNANNOUNCED_PAUSE_S = 60.0
"""Wait after a throttle that does not say when its period ends; doubled each time."""

MARGIN_S = 1.0
"""Added to a wait: X gives whole seconds, and its clock and ours are never one."""

MAX_ANSWER_BYTES = 64 << 20
"""A page of 500 posts with everything expanded stays below 10 MB."""


class XClient:
    """Asks X API v2 as one App; safe to share between threads. A context manager.

    Args:
        settings: Where, and how patiently.
        token: The App's bearer token.
        sleep: How to wait; `threading.Event.wait` lets a wait be cut short.
    """

    def __init__(self, settings: XSettings, token: SecretStr, *, sleep: Sleep = time.sleep) -> None:
        """Prepare; nothing is asked yet."""
        self._settings, self._sleep = settings, sleep
        # httpx logs each address; of a look-up, it holds the ids of posts. A filter is added once, however often.
        logging.getLogger("httpx").addFilter(_without_parameters)
        is_here = httpx.URL(settings.base_url).host in LOOPBACK
        timeout = httpx.Timeout(settings.read_timeout_s, connect=settings.connect_timeout_s)
        agent = {"User-Agent": f"adverse-events/{__version__}"}
        # A proxy of the environment is for other machines.
        self._http = httpx.Client(
            base_url=settings.base_url,
            headers={**agent, "Authorization": f"Bearer {token.get_secret_value()}"},
            timeout=timeout,
            trust_env=not is_here,
        )
        # For addresses that an answer names, which are other hosts: they must never be sent the token.
        self._plain = httpx.Client(headers=agent, timeout=timeout, trust_env=not is_here)

    def get(
        self,
        path: str,
        params: Mapping[str, Any] | None = None,
        *,
        check: Callable[[dict[str, Any]], None] | None = None,
    ) -> dict[str, Any]:
        """Return the answer to GET `path`, such as ``/2/tweets``.

        Args:
            path: Begins with a slash.
            params: Of the query string; None leaves one out.
            check: Raises `AnswerError` for an answer that is to be asked for again.

        Raises:
            TransientServiceError: No good answer after `max_attempts` tries, or a reset further away than allowed.
            AllowanceError: The account may read no more for now.
            ExpiredPageError: The page token is no longer good.
            RequestRefusedError: X refuses what the request holds.
            PermanentServiceError: X refuses this App, or x.base_url is no X API.
        """
        return self._ask("GET", path, check, params=_given(params))

    def post(self, path: str, body: Mapping[str, Any], params: Mapping[str, Any] | None = None) -> dict[str, Any]:
        """Return the answer to POST `path` with the JSON `body`; errors as for `get`.

        A request whose answer was lost is sent again: it may be carried out twice.
        """
        return self._ask("POST", path, params=_given(params), json=dict(body))

    def delete(self, path: str, params: Mapping[str, Any] | None = None) -> dict[str, Any]:
        """Return the answer to DELETE `path`; errors as for `get`."""
        return self._ask("DELETE", path, params=_given(params))

    @contextmanager
    def stream_lines(
        self, path: str, params: Mapping[str, Any] | None = None, *, silence_s: float | None = None
    ) -> Iterator[Iterator[bytes]]:
        """Open a stream and provide its lines as they come, without their ends; a heartbeat is an empty line.

        Asked once: how to come back is the caller's to decide.

        Args:
            path: Such as ``/2/tweets/search/stream``.
            params: Of the query string.
            silence_s: Longest wait for the next bytes, seconds; X sends a heartbeat every 20.

        Raises:
            TransientServiceError: Throttled (`RateLimitError`), 5xx, no connection; and, out of the lines, a stream
                that fell silent, ended in the middle of a line, or was cut. A stream that X ends just ends.
            PermanentServiceError: As for `get`.
        """
        operation = f"GET {path}"
        timeout = httpx.Timeout(silence_s or self._settings.read_timeout_s, connect=self._settings.connect_timeout_s)
        try:
            with self._http.stream("GET", path, params=_given(params), timeout=timeout) as response:
                if not response.is_success:
                    raise self._refused(operation, response)
                yield lines_of(response, operation)
        except httpx.HTTPError as error:
            raise dropped(operation, error) from error

    def upload(self, url: str, content: bytes) -> None:
        """PUT `content` to an address that an answer named, without the token; errors as for `get`."""

        def attempt() -> None:
            response = self._plain.put(url, content=content, headers={"Content-Type": "text/plain"})
            if not response.is_success:
                raise refusal("PUT upload_url", response.status_code, None)

        self._patiently("PUT upload_url", attempt)

    def download(self, url: str) -> list[bytes]:
        """Return the lines at an address that an answer named, fetched without the token; errors as for `get`."""

        def attempt() -> list[bytes]:
            with self._plain.stream("GET", url) as response:
                if not response.is_success:
                    raise refusal("GET download_url", response.status_code, None)
                return [line for line in lines_of(response, "GET download_url", is_file=True) if line]

        return self._patiently("GET download_url", attempt)

    def close(self) -> None:
        """Close the connections."""
        self._http.close()
        self._plain.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _ask(
        self, method: str, path: str, check: Callable[[dict[str, Any]], None] | None = None, **request: Any
    ) -> dict[str, Any]:
        operation = f"{method} {path}"

        def attempt() -> dict[str, Any]:
            with self._http.stream(method, path, **request) as response:
                if not response.is_success:
                    raise self._refused(operation, response)
                answer = _object(operation, response)
            if check:
                check(answer)
            return answer

        return self._patiently(operation, attempt)

    def _patiently(self, operation: str, attempt: Callable[[], R]) -> R:
        """Call `attempt` until it succeeds, at most `max_attempts` times."""

        def translated() -> R:
            try:
                return attempt()
            except httpx.HTTPError as error:
                raise dropped(operation, error) from error
            except httpx.InvalidURL as error:
                raise PermanentServiceError(SERVICE, operation, "is no address; correct x.base_url") from error

        retrying = tenacity.Retrying(
            stop=tenacity.stop_after_attempt(self._settings.max_attempts),
            wait=self._pause,
            retry=tenacity.retry_if_exception(self._may_pass),
            sleep=self._wait,
            before_sleep=_announce,
            reraise=True,
        )
        return retrying(translated)

    def _wait(self, seconds: float) -> None:
        self._sleep(seconds)

    def _may_pass(self, error: BaseException) -> bool:
        if isinstance(error, RateLimitError):
            return (error.wait_s or 0) <= self._settings.longest_wait_s
        return isinstance(error, TransientServiceError | AnswerError)

    def _pause(self, state: tenacity.RetryCallState) -> float:
        """Return the seconds to wait before the next try: to the end of the period, or full jitter."""
        error = state.outcome.exception() if state.outcome else None
        doubled = 2 ** (state.attempt_number - 1)
        jitter = random.uniform(0, min(FIRST_PAUSE_S * doubled, LONGEST_PAUSE_S))  # noqa: S311 - no secret
        if not isinstance(error, RateLimitError):
            return jitter
        if error.wait_s is None:
            return float(min(UNANNOUNCED_PAUSE_S * doubled, self._settings.longest_wait_s)) + jitter
        return error.wait_s + jitter

    def _refused(self, operation: str, response: httpx.Response) -> TransientServiceError | PermanentServiceError:
        body = _body(operation, response)
        value = parsed(body) if _is_json(response) else None
        return refusal(operation, response.status_code, value, wait_s=_seconds_to_reset(response))


def _without_parameters(record: logging.LogRecord) -> bool:
    """Take the query string out of the address that httpx is about to log."""
    if isinstance(record.args, tuple):
        record.args = tuple(arg.copy_with(query=None) if isinstance(arg, httpx.URL) else arg for arg in record.args)
    return True


def _given(params: Mapping[str, Any] | None) -> dict[str, Any]:
    return {name: value for name, value in (params or {}).items() if value is not None}


def _object(operation: str, response: httpx.Response) -> dict[str, Any]:
    """Return the JSON object that `response` holds; an empty one where there is nothing to say."""
    if response.status_code == httpx.codes.NO_CONTENT:
        return {}
    if not _is_json(response):
        raise _wrong(operation, "the answer is no JSON; a proxy may stand between")
    value = parsed(_body(operation, response))
    if isinstance(value, Refusal):
        raise _wrong(operation, f"the answer cannot be read ({value.reason})")
    if not isinstance(value, dict):
        raise _wrong(operation, "the answer is no JSON object")
    return value


def _wrong(operation: str, detail: str) -> AnswerError:
    return AnswerError(f"{SERVICE} {operation}", detail)


def _body(operation: str, response: httpx.Response) -> bytes:
    parts, size = [], 0
    for part in response.iter_bytes():
        size += len(part)
        if size > MAX_ANSWER_BYTES:
            raise _wrong(operation, f"the answer is longer than {MAX_ANSWER_BYTES >> 20} MiB")
        parts.append(part)
    return b"".join(parts)


def _is_json(response: httpx.Response) -> bool:
    return "json" in response.headers.get("Content-Type", "")


def _seconds_to_reset(response: httpx.Response) -> float | None:
    """Return the seconds until the rate limit's period ends; by the clock of the server, where it tells the time."""
    reset = response.headers.get("x-rate-limit-reset", "")
    if not reset.isdecimal():
        return None
    try:
        now = parsedate_to_datetime(response.headers["Date"]).timestamp()
    except (KeyError, ValueError):
        now = time.time()
    return max(0.0, int(reset) - now) + MARGIN_S


def _announce(state: tenacity.RetryCallState) -> None:
    error = state.outcome.exception() if state.outcome else None
    pause = state.next_action.sleep if state.next_action else 0
    logger.info("%s; asking again in %.1f s", error, pause)
    if isinstance(error, RateLimitError):
        progress.note(f"{SERVICE} rate limit: waiting {pause:.0f} s")
