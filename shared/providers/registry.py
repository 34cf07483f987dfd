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
        address = manifest_address(url, tag)
        wanted = {"Accept": ", ".join(_MEDIA_TYPES)}
        answer = await self._http.ask("HEAD", address, headers=wanted)
        if answer.status == 401:
            challenge = answer.headers.get("www-authenticate", "")
            authorization = await self._authorization(challenge, url, _basic(credentials))
            answer = await self._http.ask("HEAD", address, headers=wanted | {"Authorization": authorization})
        if answer.status == 401:
            raise Rejected("the registry does not let us read", code="401")
        found = _DIGEST.fullmatch(answer.headers.get("docker-content-digest", ""))
        if not found:
            raise Rejected("the registry told no digest", code="NoDigest")
        return found[1]

    async def _authorization(self, challenge: str, url: str, basic: str) -> str:
        """The header that the registry asks for."""
        scheme, _, parameters = challenge.partition(" ")
        if scheme.lower() == "basic" and basic:
            return basic
        if scheme.lower() != "bearer":
            raise Rejected("the registry wants credentials", code="CredentialsMissing")
        answer = await self._http.ask("GET", token_address(parameters, url), headers={"Authorization": basic} if basic else {})
        return f"Bearer {_token(answer)}"


def manifest_address(url: str, tag: str) -> str:
    """Where a registry tells what a tag of an artifact (canonical URL) is at."""
    host, name = _split(url)
    return f"https://{host}/v2/{quote(name)}/manifests/{quote(tag, safe='')}"


def token_address(parameters: str, url: str) -> str:
    """Where a token to read an artifact is made, by the parameters of the registry's challenge. Raises Rejected.

    The registry names the place, so it may be no other host than its own, or the one that is known for it.
    """
    host, name = _split(url)
    asked = dict(_PARAMETER.findall(parameters))
    try:
        realm = urlsplit(asked.get("realm", ""))
    except ValueError:
        realm = urlsplit("")
    if realm.scheme != "https" or realm.netloc not in (host, _TOKEN_HOSTS.get(host)):
        raise Rejected("the registry sends us elsewhere for a token", code="TokenElsewhere")
    query = urlencode({"service": asked.get("service", ""), "scope": f"repository:{name}:pull"})
    return f"https://{realm.netloc}{realm.path}?{query}"


def _split(url: str) -> tuple[str, str]:
    """The host that is asked, and the name of the repository there."""
    host, _, name = url.partition("/")
    return _API_HOSTS.get(host, host), name


def _basic(credentials: str) -> str:
    return f"Basic {base64.b64encode(credentials.encode()).decode()}" if credentials else ""


def _token(answer: Answer) -> str:
    try:
        made = msgspec.json.decode(answer.body, type=_Token)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        made = _Token()
    token = made.token or made.access_token
    if answer.status == 401 or not _TOKEN.fullmatch(token):
        raise Rejected("the registry gives us no token", code="NoToken")
    return token
