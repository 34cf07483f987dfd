"""The one way out to chat, gates, registries, Git hosts and clusters: HTTPS, time-outs, capped answers, no redirects, and errors
without any address.
"""

import email.utils
import re
import ssl
import time
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Literal, NamedTuple
from urllib.parse import urlsplit

import msgspec

from shared.domain.errors import Rejected, Throttled, Unavailable, Upstream

if TYPE_CHECKING:
    from aiohttp import ClientResponse, ClientSession
    from aiohttp.abc import AbstractResolver

ANSWER_LIMIT = 64 * 1024  # bytes
#: A gateway's own answers, who got none from the service behind it, or none that it understood (RFC 9110, sections 15.6.3 and 15.6.5).
_FROM_BETWEEN = frozenset({502, 504})
CONNECT_SECONDS = 5.0
_JSON = "application/json; charset=utf-8"
LONGEST_RETRY_AFTER = 24 * 60 * 60  # seconds; who asks for more is asked again anyway


class Answer(NamedTuple):
    """A 2xx answer. Header names are lower-case."""

    status: int
    headers: Mapping[str, str]
    body: bytes


Validate = Callable[[Answer], None]


def accept(answer: Answer) -> None:
    """For services whose status tells everything."""


class OutboundHttp:
    """One shared session, opened at first use. Webhook addresses are secrets: nothing here logs or repeats them."""

    def __init__(
        self,
        *,
        timeout_seconds: float = 15,
        now: Callable[[], float] = time.time,
        resolver: "Callable[[], AbstractResolver] | None" = None,
    ) -> None:
        self._timeout_seconds = timeout_seconds
        self._resolver = resolver
        self._now = now
        self._session: ClientSession | None = None

    async def post_json(
        self, address: str, body: object, *, headers: Mapping[str, str] | None = None, validate: Validate = accept
    ) -> Answer:
        """POSTs `body`. `validate` raises for a 2xx that means failure. Raises as `post_bytes` does."""
        answer = await self.post_bytes(address, msgspec.json.encode(body), headers=headers or {})
        validate(answer)
        return answer

    async def post_bytes(self, address: str, body: bytes, *, headers: Mapping[str, str], content_type: str = _JSON) -> Answer:
        """POSTs JSON that is encoded already, since it is signed; or a body of another `content_type`.

        Raises Throttled for 429, Unavailable for 408, 5xx, time-outs and lost connections, Rejected for any other status (redirects
        included), for answers over 64 KiB and for addresses that are not https.
        """
        answer = await self._send("POST", _checked(address), dict(headers) | {"Content-Type": content_type}, body)
        if not 200 <= answer.status < 300:
            raise _failure(answer, self._now())
        return answer

    async def ask(
        self, method: Literal["GET", "HEAD"], address: str, *, headers: Mapping[str, str] | None = None, limit: int = ANSWER_LIMIT
    ) -> Answer:
        """A 2xx answer of at most `limit` bytes, or a 401, which says how to ask again. Raises as `post_json`."""
        answer = await self._send(method, _checked(address), headers or {}, limit=limit)
        if not 200 <= answer.status < 300 and answer.status != 401:
            raise _failure(answer, self._now())
        return answer

    async def exchange(
        self, method: str, address: str, body: object = None, *, headers: Mapping[str, str], limit: int = ANSWER_LIMIT
    ) -> Answer:
        """Whatever is answered, for services whose errors say more than their status. `body` is sent as JSON, None as no body.

        Raises Unavailable for time-outs and lost connections, Rejected for a 2xx over `limit` bytes and for addresses that are not https.
        """
        if body is None:
            return await self._send(method, _checked(address), headers, limit=limit)
        typed = dict(headers) | {"Content-Type": _JSON}
        return await self._send(method, _checked(address), typed, msgspec.json.encode(body), limit=limit)

    def retry_after(self, answer: Answer) -> float | None:
        return parse_retry_after(answer.headers.get("retry-after", ""), self._now())

    async def close(self) -> None:
        if self._session is not None:
            await self._session.close()
            self._session = None

    async def _send(
        self, method: str, address: str, headers: Mapping[str, str], body: bytes | None = None, *, limit: int = ANSWER_LIMIT
    ) -> Answer:
        from aiohttp import ClientConnectorError, ClientError, ConnectionTimeoutError, InvalidURL

        try:
            async with self._open().request(method, address, data=body, headers=headers, allow_redirects=False) as response:
                return await _read(response, limit)
        except InvalidURL:
            raise Rejected("the address is not valid", code="InvalidAddress") from None
        except (ClientError, TimeoutError) as error:
            # Not chained: aiohttp's errors quote the address.
            name, was_sent = type(error).__name__, not isinstance(error, ClientConnectorError | ConnectionTimeoutError)
            raise Unavailable(f"no answer ({name})", code=name, unanswered=was_sent) from None

    def _open(self) -> "ClientSession":
        if self._session is None:
            from aiohttp import ClientSession, ClientTimeout, DummyCookieJar, TCPConnector

            # A context of our own, since aiohttp's is made at import, before SSL_CERT_FILE may be set.
            self._session = ClientSession(
                connector=TCPConnector(
                    ssl=ssl.create_default_context(),
                    limit=20,
                    resolver=self._resolver and self._resolver(),
                    use_dns_cache=self._resolver is None,
                ),
                # A host that does not take the connection was not told anything: known sooner, and told apart.
                timeout=ClientTimeout(total=self._timeout_seconds, sock_connect=min(CONNECT_SECONDS, self._timeout_seconds)),
                cookie_jar=DummyCookieJar(),
                # Answers come as they are: a few compressed bytes must not become many in memory.
                headers={"User-Agent": "Sluice", "Accept-Encoding": "identity"},
                auto_decompress=False,
            )
        return self._session


def parse_retry_after(value: str, now: float) -> float | None:
    """Seconds from now, from either form of RFC 9110 section 10.2.3; None when absent or unreadable. `now` is Unix time."""
    value = value.strip()
    if re.fullmatch(r"[0-9]{1,9}", value):
        return min(float(value), LONGEST_RETRY_AFTER)
    try:
        at = email.utils.parsedate_to_datetime(value).timestamp()
    except (ValueError, OverflowError):
        return None
    return min(max(at - now, 0.0), LONGEST_RETRY_AFTER)


def _checked(address: str) -> str:
    try:
        parts = urlsplit(address)
        allowed = parts.scheme == "https" and bool(parts.hostname) and "@" not in parts.netloc
    except ValueError:
        allowed = False
    if not allowed:
        raise Rejected("the address is not an https address", code="InvalidAddress")
    return address


async def _read(response: "ClientResponse", limit: int) -> Answer:
    body = bytearray()
    async for chunk in response.content.iter_any():
        body += chunk
        if len(body) > limit:
            response.close()
            if response.ok:
                raise Rejected("the answer is too long", code="AnswerTooLong")
            break  # the status says all that matters
    return Answer(response.status, {name.lower(): value for name, value in response.headers.items()}, bytes(body))


def _failure(answer: Answer, now: float) -> Upstream:
    wait = parse_retry_after(answer.headers.get("retry-after", ""), now)
    if answer.status == 429:
        return Throttled("asked to slow down", code="429", retry_after=wait)
    if answer.status == 408 or answer.status >= 500:
        unanswered = answer.status in _FROM_BETWEEN
        return Unavailable(f"answered {answer.status}", code=str(answer.status), retry_after=wait, unanswered=unanswered)
    return Rejected(f"answered {answer.status}", code=str(answer.status))
