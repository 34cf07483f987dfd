"""A GitHub App's installation token (docs.github.com, Authenticating as a GitHub App installation)."""

import time
from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime

import msgspec

from shared.domain.errors import Malformed, Rejected, Unavailable
from shared.providers.commit_status.api import GitApi, read
from shared.providers.http import OutboundHttp

_PUBLIC = "https://api.github.com"
_BACKDATED_SECONDS = 60  # against clocks that differ, as GitHub advises
_JWT_SECONDS = 9 * 60  # GitHub takes ten minutes at most
_UNUSABLE_SECONDS = 5 * 60  # before a token's end, which is an hour after its beginning


class _Token(msgspec.Struct):
    token: str
    expires_at: datetime


class AppTokens:
    """Makes the headers that say who calls; the token is kept for as long as it serves. Kept by the app, one an installation."""

    def __init__(
        self,
        http: OutboundHttp,
        address: str,
        app_id: str,
        installation_id: int,
        private_key: Callable[[], Awaitable[str]],
        now: Callable[[], float] = time.time,
    ) -> None:
        self._app_id = app_id
        self._private_key = private_key
        self._now = now
        self._api = GitApi(http, address or _PUBLIC, self._as_app, headers={"Accept": "application/vnd.github+json"})
        self._path = f"/app/installations/{installation_id}/access_tokens"
        self._held: _Token | None = None

    async def __call__(self) -> Mapping[str, str]:
        """Raises Unavailable, Throttled, NotFound and Malformed: whatever is wrong with an app's key or installation, someone can set
        right.
        """
        if self._held is None or self._held.expires_at.timestamp() - _UNUSABLE_SECONDS <= self._now():
            try:
                self._held = read(await self._api.call("POST", self._path), _Token)
            except Rejected as error:
                raise Unavailable("GitHub gives the app no token", code=f"App{error.code}") from None
        return {"Authorization": f"Bearer {self._held.token}"}

    async def _as_app(self) -> Mapping[str, str]:
        now = int(self._now())
        claims = {"iat": now - _BACKDATED_SECONDS, "exp": now + _JWT_SECONDS, "iss": self._app_id}
        return {"Authorization": f"Bearer {sign(claims, await self._private_key())}"}


def sign(claims: Mapping[str, object], private_key: str) -> str:
    """A JWT (RFC 7519), signed with RS256. Raises Malformed where the key is no RSA key in PEM."""
    from joserfc import jwt
    from joserfc.errors import JoseError
    from joserfc.jwk import RSAKey

    try:
        return jwt.encode({"alg": "RS256"}, dict(claims), RSAKey.import_key(private_key))
    except (JoseError, ValueError, TypeError):
        raise Malformed("the private key of the GitHub App is no RSA key in PEM") from None
