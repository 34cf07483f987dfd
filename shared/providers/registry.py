"""Which digest a tag names now, asked of its registry.

The sources are the OCI distribution-spec (Pulling manifests) and distribution.github.io (Token authentication).
"""

import base64
import re
from urllib.parse import quote, urlencode, urlsplit

import msgspec

from shared.domain.errors import Rejected
from shared.providers.http import Answer, OutboundHttp

#: What a tag may name, indexes first: a registry that is not asked for an index may answer with one of its images.
_MEDIA_TYPES = (
    "application/vnd.oci.image.index.v1+json",
    "application/vnd.docker.distribution.manifest.list.v2+json",
    "application/vnd.oci.image.manifest.v1+json",
    "application/vnd.docker.distribution.manifest.v2+json",
)
_API_HOSTS = {"docker.io": "registry-1.docker.io"}  #: Docker Hub is asked under another name than it is written with
_TOKEN_HOSTS = {"registry-1.docker.io": "auth.docker.io"}  #: and lets a third one make its tokens
_PARAMETER = re.compile(r'([a-z]+)="([^"]*)"')
_DIGEST = re.compile(r"sha256:([0-9a-f]{64})")
_TOKEN = re.compile(r"[A-Za-z0-9._~+/=-]{1,16384}")  # RFC 6750, section 2.1


class _Token(msgspec.Struct):
    token: str = ""
    access_token: str = ""  #: OAuth 2.0's name for it


class OciRegistry:
    """Asks over HTTPS, and sends tokens and credentials to nobody but the registry and the host of its tokens."""

    def __init__(self, http: OutboundHttp) -> None:
        self._http = http

    async def digest(self, url: str, tag: str, *, credentials: str = "") -> str:
        host, _, name = url.partition("/")
        host = _API_HOSTS.get(host, host)
        address = f"https://{host}/v2/{quote(name)}/manifests/{quote(tag, safe='')}"
        wanted = {"Accept": ", ".join(_MEDIA_TYPES)}
        answer = await self._http.ask("HEAD", address, headers=wanted)
        if answer.status == 401:
            authorization = await self._authorization(answer, host, name, _basic(credentials))
            answer = await self._http.ask("HEAD", address, headers=wanted | {"Authorization": authorization})
        if answer.status == 401:
            raise Rejected("the registry does not let us read", code="401")
        found = _DIGEST.fullmatch(answer.headers.get("docker-content-digest", ""))
        if not found:
            raise Rejected("the registry told no digest", code="NoDigest")
        return found[1]

    async def _authorization(self, refusal: Answer, host: str, name: str, basic: dict[str, str]) -> str:
        """The header that the registry asks for."""
        scheme, _, parameters = refusal.headers.get("www-authenticate", "").partition(" ")
        if scheme.lower() == "basic" and basic:
            return basic["Authorization"]
        if scheme.lower() != "bearer":
            raise Rejected("the registry wants credentials", code="CredentialsMissing")
        asked = dict(_PARAMETER.findall(parameters))
        query = urlencode({"service": asked.get("service", ""), "scope": f"repository:{name}:pull"})
        answer = await self._http.ask("GET", f"{_realm(asked.get('realm', ''), host)}?{query}", headers=basic)
        return f"Bearer {_token(answer)}"


def _basic(credentials: str) -> dict[str, str]:
    return {"Authorization": f"Basic {base64.b64encode(credentials.encode()).decode()}"} if credentials else {}


def _realm(realm: str, host: str) -> str:
    """Where tokens are made. The registry names it, so it may be no other host than its own, or the one that is known for it."""
    try:
        parts = urlsplit(realm)
    except ValueError:
        parts = urlsplit("")
    if parts.scheme != "https" or parts.netloc not in (host, _TOKEN_HOSTS.get(host)):
        raise Rejected("the registry sends us elsewhere for a token", code="TokenElsewhere")
    return f"https://{parts.netloc}{parts.path}"


def _token(answer: Answer) -> str:
    try:
        made = msgspec.json.decode(answer.body, type=_Token)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        made = _Token()
    token = made.token or made.access_token
    if answer.status == 401 or not _TOKEN.fullmatch(token):
        raise Rejected("the registry gives us no token", code="NoToken")
    return token
