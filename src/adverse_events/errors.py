"""The error family: each class says whether asking again can help.

Every parameter of a constructor is passed on to ``Exception.__init__`` unchanged, so that
errors survive pickling between processes. Messages name the place, the row and the remedy, and
never carry the text of a post.
"""


class AdverseEventsError(Exception):
    """Root of every error this project raises on purpose."""


class UsageError(AdverseEventsError):
    """The caller asked for something that cannot be: a bad option, range, path or setting.

    Exit code 2 on the command line.
    """


class ServiceError(AdverseEventsError):
    """A service outside this process did not do what was asked."""

    def __init__(self, service: str, operation: str, detail: str) -> None:
        """Name the `service`, its `operation` and what it answered, without post text."""
        super().__init__(service, operation, detail)
        self.service, self.operation, self.detail = service, operation, detail

    def __str__(self) -> str:
        return f"{self.service} {self.operation}: {self.detail}"


class TransientServiceError(ServiceError):
    """A remote service may succeed if asked again (throttle, 5xx, timeout)."""


class ModelFailedError(TransientServiceError):
    """A model's container failed on one request (HTTP 500); it may pass when asked again, and another request may."""


class PermanentServiceError(ServiceError):
    """A remote service refused, and will refuse again."""


class RequestRefusedError(PermanentServiceError):
    """A remote service refused one request for what it holds; another request may pass."""


class ContractError(AdverseEventsError):
    """Data broke a promise: a column, a type, a null, a length, a version."""

    def __init__(self, contract: str, detail: str, ids: tuple[str, ...] = ()) -> None:
        """Name the `contract` broken, what broke it, and at most five row ids."""
        super().__init__(contract, detail, ids)
        self.contract, self.detail, self.ids = contract, detail, ids[:5]

    def __str__(self) -> str:
        where = f" (rows {', '.join(self.ids)})" if self.ids else ""
        return f"{self.contract}: {self.detail}{where}"


class AnswerError(ContractError):
    """A service's answer arrived whole and is wrong: too short, no number, of another shape or another model."""


class AccountingError(AdverseEventsError):
    """Rows in differ from rows assessed, screened out and rejected: something was lost."""
