"""What the APIs of all Git hosts have in common: who calls, how they say no, and where in them a repository is."""

import base64
import time
from collections.abc import Awaitable, Callable, Collection, Mapping
from typing import TypeVar
from urllib.parse import quote, urlsplit

import msgspec

from shared.domain.errors import Rejected, Throttled, Unavailable, Upstream
from shared.providers.http import Answer, OutboundHttp

T = TypeVar("T")

#: Makes the headers that say who calls.
Authorize = Callable[[], Awaitable[Mapping[str, str]]]

ANSWER_LIMIT = 4 * 1024 * 1024  # bytes: a list of pull requests carries two whole repositories for each
_WAIT_SECONDS = 60.0  # at least, where a limit is over and the host does not say until when (docs.github.com, rate limits for the REST API)


class GitApi:
    """Calls of one Git host. Paths begin with a slash and are quoted already."""

    def __init__(
        self,
        http: OutboundHttp,
        base: str,
        authorize: Authorize,
        *,
        headers: Mapping[str, str] | None = None,
        now: Callable[[], float] = time.time,
    ) -> None:
        self._http = http
        self._now = now
        self.base = base.rstrip("/")
        self._authorize = authorize
        self._headers = dict(headers or {})

    async def call(self, method: str, path: str, body: object = None, *, also: Collection[int] = ()) -> Answer:
        """A 2xx answer, or one with a status of `also`.

        Raises Throttled for a limit that is over; Unavailable for 401 (a token that has expired is replaced by someone), 408, 5xx,
        time-outs and lost connections; Rejected for everything else, redirects included.
        """
        headers = self._headers | dict(await self._authorize())
        answer = await self._http.exchange(method, self.base + path, body, headers=headers, limit=ANSWER_LIMIT)
        if answer.status in also or (200 <= answer.status < 300 and answer.status != 203):
            return answer
        raise self._refusal(answer)

    async def get(self, path: str, kind: type[T]) -> T:
        """What is there. Raises as `call`, and Unavailable where the answer is something else."""
        return read(await self.call("GET", path), kind)

    def _refusal(self, answer: Answer) -> Upstream:
        code = str(answer.status)
        wait = self._http.retry_after(answer)
        if answer.status == 429 or (answer.status == 403 and _is_over_limit(answer)):
            return Throttled("asked to slow down", code=code, retry_after=wait or _until_reset(answer, self._now()) or _WAIT_SECONDS)
        # Azure DevOps shows its sign-in page (203, or 302 to it) to a token that it does not take.
        if answer.status in (203, 302, 401):
            return Unavailable("does not know the caller", code="401")
        if answer.status == 408 or answer.status >= 500:
            return Unavailable(f"answered {code}", code=code, retry_after=wait)
        return Rejected(f"answered {code}", code=code)


def read(answer: Answer, kind: type[T]) -> T:
    """The answer's body. Raises Unavailable where it has another shape: something else has answered."""
    try:
        return msgspec.json.decode(answer.body, type=kind)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        raise Unavailable("the answer is not what the API promises", code="BadAnswer") from None


def repository_path(url: str, base: str, *, prefix: str = "") -> list[str]:
    """The parts of a repository's canonical URL after its host, and after what of the API's path (without `prefix`) stands there too:
    a host below a path of its own has repositories below it as well.
    """
    _, *path = url.split("/")
    own = [part.lower() for part in urlsplit(base).path.removesuffix(prefix).split("/") if part]
    return path[len(own) :] if own and path[: len(own)] == own else path


def two_parts(path: list[str]) -> tuple[str, str]:
    """Owner and name of a repository. Raises Rejected when the address has another form."""
    if len(path) != 2:
        raise not_a_repository()
    return quoted(path[0]), quoted(path[1])


def not_a_repository() -> Rejected:
    return Rejected("the source is no repository of this host", code="NotARepository")


def no_such_kind(kind: str) -> Rejected:
    """sluice.yaml may have changed since the rollout began, and the loader only looks at what stands there now."""
    return Rejected(f"this host has no {kind}", code="NotSupported")


def quoted(text: str) -> str:
    return quote(text, safe="")


def basic(credentials: str) -> str:
    """The value of Authorization for `user:password` (RFC 7617)."""
    return f"Basic {base64.b64encode(credentials.encode()).decode()}"


def _is_over_limit(answer: Answer) -> bool:
    """GitHub answers 403 as well, with headers that tell, or only with words (docs.github.com, rate limits for the REST API)."""
    told = answer.headers
    return "retry-after" in told or told.get("x-ratelimit-remaining") == "0" or b"secondary rate limit" in answer.body


def _until_reset(answer: Answer, now: float) -> float | None:
    """Seconds until the moment in x-ratelimit-reset (Unix time), where no calls remain until then."""
    reset = answer.headers.get("x-ratelimit-reset", "")
    if answer.headers.get("x-ratelimit-remaining") != "0" or not (reset.isascii() and reset.isdigit() and len(reset) <= 12):
        return None
    return min(max(float(reset) - now, 1.0), 3600.0)
