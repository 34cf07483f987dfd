"""What became of an attempt to post a message."""

from typing import Literal

from shared.domain.errors import Malformed, NotFound, Rejected, SluiceError, Throttled, Upstream
from shared.domain.record import Record

FailureKind = Literal["throttled", "unavailable", "unanswered", "rejected", "not-connected"]


class Failure(Record, frozen=True):
    """An attempt that did not end well."""

    text: str  #: for people
    kind: FailureKind
    retry_after: float | None = None  #: seconds, as the channel asked
    taken: frozenset[str] = frozenset()  #: ids of the announcements that the channel had taken before, where it takes one at a time

    @property
    def final(self) -> bool:
        """It will not work however often it is tried."""
        return self.kind == "rejected"

    @property
    def unanswered(self) -> bool:
        """It was sent, and no answer came."""
        return self.kind == "unanswered"

    @property
    def slows_all(self) -> bool:
        """The channel asked to wait, and means whoever posts to it."""
        return self.kind == "throttled" or (self.kind == "unavailable" and self.retry_after is not None)


def not_posted(error: Upstream | NotFound | Malformed) -> Failure:
    """The channel did not take it. Of its answer only the code is told: nobody has checked the rest."""
    text, kind = _named(error), _kind(error)
    if kind == "unanswered":
        text = f"{text}: the channel may show it all the same"
    if not isinstance(error, Upstream):
        return Failure(text=text, kind=kind)
    retry_after = error.retry_after if kind in ("throttled", "unavailable") else None
    return Failure(text=text, kind=kind, retry_after=retry_after, taken=error.taken)


def _kind(error: Upstream | NotFound | Malformed) -> FailureKind:
    if isinstance(error, Rejected):
        return "rejected"
    if isinstance(error, Throttled):
        return "throttled"
    return "unanswered" if isinstance(error, Upstream) and error.unanswered else "unavailable"


def not_connected(error: SluiceError | ValueError) -> Failure:
    """The channel was not asked, since its secrets cannot be had or make no sense. Someone can set that right, so it is never final."""
    retry_after = error.retry_after if isinstance(error, Upstream) else None
    return Failure(text=f"its address or token cannot be used ({_named(error)})", kind="not-connected", retry_after=retry_after)


def _named(error: Exception) -> str:
    code = error.code if isinstance(error, Upstream) else ""
    return f"{type(error).__name__} {code}".strip()
