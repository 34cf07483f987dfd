"""Every error that Sluice raises on purpose.

SluiceError
├── Refused             what came in is not acceptable; `status` is the HTTP answer, `reason` is for logs and counters
├── NotFound            a document, secret or resource does not exist
├── NotAllowed          the state does not allow the act; the text says why (HTTP 409)
├── Conflict            an ETag or a lease says that someone else was faster: read again and decide again
├── Malformed           a stored document, or a configuration, does not have the shape that it must have
│   └── NotConfigured   there is no usable sluice.yaml: nothing can be done until there is one
├── Sealed              a sealed field cannot be opened here (wrong document, wrong key, tampered with)
└── Upstream            a service that we called did not do what we asked
    ├── Throttled       429: come back after `retry_after` seconds
    ├── Unavailable     5xx, a time-out or no connection: come back later
    ├── Busy            ARM's 409: another operation is running on that resource
    └── Rejected        it will not work however often it is tried; `code` is the service's own
"""

from typing import ClassVar


class SluiceError(Exception):
    """Base of all."""


class Refused(SluiceError):
    """An inbound request is refused. Nothing of the request is ever part of `reason`."""

    def __init__(self, status: int, reason: str, *, explain: bool = False, retry_after: int = 0) -> None:
        super().__init__(reason)
        self.status = status
        self.reason = reason
        #: whether the sender may be told the reason (never for signatures)
        self.explain = explain
        #: seconds after which the same request may be taken; 0 where time changes nothing
        self.retry_after = retry_after

    @property
    def code(self) -> str:
        """What stands before the colon of the reason: one of few, so that it can be counted by."""
        return self.reason.partition(":")[0]


class NotFound(SluiceError):
    """What was asked for does not exist."""


class NotAllowed(SluiceError):
    """The state does not allow what someone asked for. The text says why, to them."""


class Conflict(SluiceError):
    """Someone else changed it first."""


class Malformed(SluiceError):
    """Stored or configured data does not have its documented shape."""


class NotConfigured(Malformed):
    """There has never been a good sluice.yaml for this instance."""


class Sealed(SluiceError):
    """A sealed value cannot be opened."""


class Upstream(SluiceError):
    """A called service failed; `retryable` says whether the same call may work later."""

    retryable: ClassVar[bool] = True

    def __init__(
        self, message: str, *, code: str = "", status: int = 0, retry_after: float | None = None, unanswered: bool = False
    ) -> None:
        super().__init__(message)
        self.code = code
        #: the HTTP status; 0 where there was no answer
        self.status = status
        #: the request was sent and no answer came: what it asked for may have happened, or may yet
        self.unanswered = unanswered
        #: seconds, as the service asked for; None where it did not say
        self.retry_after = retry_after
        #: of several announcements in one message, the ids of those that the channel had taken before it failed
        self.taken: frozenset[str] = frozenset()


class Throttled(Upstream):
    """HTTP 429."""


class Unavailable(Upstream):
    """HTTP 5xx or 408, a time-out, or no connection."""


class Busy(Upstream):
    """HTTP 409 from Azure Resource Manager: another operation holds the resource."""


class Rejected(Upstream):
    """A final answer: 400, 401, 403, 404 and their like."""

    retryable: ClassVar[bool] = False
