"""Comprehend Medical's protocol in front of the embedded coder."""

from __future__ import annotations

from math import ceil
from typing import TYPE_CHECKING, Any

from adverse_events.coding.wire import to_detected, to_response
from adverse_events.local_aws.wire import error, json_answer

if TYPE_CHECKING:
    from werkzeug.wrappers import Request, Response

    from adverse_events.coding.embedded import EmbeddedCoder
    from adverse_events.local_aws.counts import Counts
    from adverse_events.screening.drugs import DrugLexicon

SERVICE = "comprehendmedical"
MAX_BYTES = {"InferICD10CM": 10_000, "DetectEntitiesV2": 20_000}
"""Longest text per operation, UTF-8 bytes (Amazon Comprehend Medical guidelines and quotas, read 2026-11)."""

CHARACTERS_PER_UNIT = 100
CHARACTERS, UNITS = f"{SERVICE} characters", f"{SERVICE} units"


class ComprehendMedical:
    """Answers InferICD10CM and DetectEntitiesV2 with the embedded coder's findings, in the service's members only.

    The service is sent no drugs: it finds them in the text, with the lexicon that screening uses.

    Args:
        coder: Finds the conditions.
        drugs: Finds the drugs.
        counts: Where characters and billable units are counted.
    """

    def __init__(self, coder: EmbeddedCoder, drugs: DrugLexicon, counts: Counts) -> None:
        """Answer with `coder`."""
        self._coder, self._drugs, self._counts = coder, drugs, counts

    def __call__(self, request: Request) -> Response:
        """Answer one request."""
        operation = request.headers.get("X-Amz-Target", "").rpartition(".")[2]
        if operation not in MAX_BYTES:
            return error(SERVICE, "UnknownOperationException", f"{operation} is not served on this machine", 400)
        body = request.get_json(force=True, silent=True)
        text = body.get("Text") if isinstance(body, dict) else None
        if not isinstance(text, str) or not text:
            return error(SERVICE, "InvalidRequestException", "Text must be a string of at least one character", 400)
        try:
            n_bytes = len(text.encode())
        except UnicodeEncodeError:
            return error(SERVICE, "InvalidEncodingException", "The input text is not in valid UTF-8", 400)
        if n_bytes > MAX_BYTES[operation]:
            detail = (
                f"Input text size exceeds limit. Max length of request text allowed is {MAX_BYTES[operation]} bytes "
                f"while in this request the text size is {n_bytes} bytes"
            )
            return error(SERVICE, "TextSizeLimitExceededException", detail, 400)
        self._counts.add(CHARACTERS, len(text))
        self._counts.add(UNITS, ceil(len(text) / CHARACTERS_PER_UNIT))
        return json_answer(self._found(operation, text))

    def _found(self, operation: str, text: str) -> dict[str, Any]:
        drugs = self._drugs.find(text)
        (coding,) = self._coder.code([text], [drugs])
        if operation == "InferICD10CM":
            return to_response(coding.entities, self._coder.coder_version, extras=False)
        return to_detected(coding.entities, drugs, self._coder.coder_version, extras=False)
