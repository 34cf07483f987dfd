"""Signed access tokens: minted for whoever proved who they are, checked by every service."""

import secrets
import time
import uuid
from dataclasses import dataclass
from typing import Any

from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import RSAKey

DEFAULT_LIFETIME_SECONDS = 86400  # as a managed identity's token
NAMESPACE = uuid.UUID("0d5c8f6e-4f0a-4b7e-9f7f-3d1f6a2b9c11")


@dataclass(frozen=True)
class Principal:
    """Who calls: `kind` is ARM's createdByType, ManagedIdentity or Application."""

    object_id: str
    app_id: str
    kind: str


class TokenRefusedError(Exception):
    """The bearer token cannot be used; `code` is the name ARM gives the reason."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message


def object_id_of(app_id: str) -> str:
    """An application's service principal has an object id of its own; here it follows from the application's id."""
    return str(uuid.uuid5(NAMESPACE, app_id))


class TokenAuthority:
    """Signs with a key of its own, made at start."""

    def __init__(self, origin: str, tenant_id: str) -> None:
        self.tenant_id = tenant_id
        self.issuer = f"{origin}/{tenant_id}/v2.0"
        self.lifetime_seconds: int | None = None
        self._key = RSAKey.generate_key(2048, parameters={"kid": secrets.token_hex(8)}, private=True)
        self._accepted: dict[str, dict[str, Any]] = {}

    def public_keys(self) -> dict[str, Any]:
        return {"keys": [{**self._key.as_dict(private=False), "use": "sig", "alg": "RS256"}]}

    def mint(self, principal: Principal, audience: str, default_lifetime: int = DEFAULT_LIFETIME_SECONDS) -> tuple[str, int]:
        """The token and the seconds it lives; an administrator's fault may have shortened all lifetimes."""
        lifetime = self.lifetime_seconds if self.lifetime_seconds is not None else default_lifetime
        now = int(time.time())
        claims = {
            "aud": audience,
            "iss": self.issuer,
            "iat": now,
            "nbf": now,
            "exp": now + lifetime,
            "oid": principal.object_id,
            "sub": principal.object_id,
            "appid": principal.app_id,
            "tid": self.tenant_id,
            "idtyp": "app",
            "sluice_kind": principal.kind,
            "jti": secrets.token_hex(8),
        }
        header = {"alg": "RS256", "typ": "JWT", "kid": self._key.kid}
        return jwt.encode(header, claims, self._key), lifetime

    def check(self, authorization: str | None, audiences: frozenset[str]) -> Principal:
        """Raises TokenRefusedError unless the header bears a token of ours, for one of `audiences`, still living."""
        claims = self._claims(_bearer(authorization))
        if claims["exp"] <= time.time():
            raise TokenRefusedError("ExpiredAuthenticationToken", "The access token expiry is in the past.")
        if str(claims["aud"]).rstrip("/") not in audiences:
            raise TokenRefusedError(
                "InvalidAuthenticationTokenAudience",
                f"The access token has been obtained for wrong audience or resource '{claims['aud']}'.",
            )
        return Principal(claims["oid"], claims["appid"], claims["sluice_kind"])

    def _claims(self, token: str) -> dict[str, Any]:
        known = self._accepted.get(token)
        if known is not None:
            return known
        try:
            claims = dict(jwt.decode(token, self._key, algorithms=["RS256"]).claims)
        except (JoseError, ValueError) as error:
            raise TokenRefusedError("InvalidAuthenticationToken", "The access token is invalid.") from error
        self._accepted[token] = claims
        return claims


def _bearer(authorization: str | None) -> str:
    scheme, _, token = (authorization or "").partition(" ")
    if scheme.lower() != "bearer" or not token:
        raise TokenRefusedError("AuthenticationFailed", "Authentication failed. The 'Authorization' header is missing.")
    return token
