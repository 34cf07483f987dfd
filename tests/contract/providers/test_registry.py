"""What a tag is at, asked of a real server over TLS that behaves as a registry does."""

import base64
import ssl
from collections.abc import AsyncIterator
from dataclasses import dataclass, field

import pytest
from aiohttp import web

from local import tls
from shared.domain.errors import Rejected, Throttled, Unavailable, Upstream
from shared.providers.http import OutboundHttp
from shared.providers.registry import OciRegistry

DIGEST = "0123456789abcdef" * 4
CREDENTIALS = "robot$edge:a secret: with colons"
BASIC = f"Basic {base64.b64encode(CREDENTIALS.encode()).decode()}"


@dataclass
class Registry:
    """Answers as told, and keeps what it was asked."""

    host: str = ""
    challenge: str = ""  #: WWW-Authenticate of those who come without what it wants; "" = everyone may read
    wants: str = "Bearer a-token"
    token: bytes = b'{"token": "a-token"}'
    token_status: int = 200
    status: int = 200
    headers: dict[str, str] = field(default_factory=lambda: {"Docker-Content-Digest": f"sha256:{DIGEST}"})
    asked: list[tuple[str, str, str]] = field(default_factory=list)

    async def manifest(self, request: web.Request) -> web.Response:
        self.keep(request)
        if self.challenge and request.headers.get("Authorization") != self.wants:
            return web.Response(status=401, headers={"WWW-Authenticate": self.challenge})
        return web.Response(status=self.status, headers=self.headers)

    async def make_token(self, request: web.Request) -> web.Response:
        self.keep(request)
        return web.Response(status=self.token_status, body=self.token)

    def keep(self, request: web.Request) -> None:
        self.asked.append((request.method, request.path_qs, request.headers.get("Authorization", "")))
        self.accepted = request.headers.get("Accept", "")

    def bearer(self, path: str = "/token") -> str:
        return f'Bearer realm="https://{self.host}{path}",service="registry.example",scope="repository:someone/elses:pull,push"'


@pytest.fixture(scope="module")
def tls_files(tmp_path_factory: pytest.TempPathFactory) -> tls.TlsFiles:
    return tls.create(tmp_path_factory.mktemp("tls"))


@pytest.fixture
async def registry(tls_files: tls.TlsFiles, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Registry]:
    monkeypatch.setenv("SSL_CERT_FILE", str(tls_files.authority))
    registry = Registry()
    app = web.Application()
    app.router.add_get("/token", registry.make_token)
    app.router.add_route("*", "/v2/{path:.*}", registry.manifest)
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(tls_files.certificate, tls_files.key)
    runner = web.AppRunner(app, shutdown_timeout=1)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0, ssl_context=context).start()
        registry.host = f"127.0.0.1:{runner.addresses[0][1]}"
        yield registry
    finally:
        await runner.cleanup()


@pytest.fixture
async def http() -> AsyncIterator[OutboundHttp]:
    http = OutboundHttp(timeout_seconds=5)
    yield http
    await http.close()


async def ask(registry: Registry, http: OutboundHttp, *, credentials: str = "") -> str:
    return await OciRegistry(http).digest(f"{registry.host}/edge/platform", "v1.4.0", credentials=credentials)


async def failure(registry: Registry, http: OutboundHttp, kind: type[Upstream] = Rejected, *, credentials: str = "") -> Upstream:
    with pytest.raises(kind) as caught:
        await ask(registry, http, credentials=credentials)
    assert registry.host not in f"{caught.value!r}"
    assert "secret" not in f"{caught.value!r}"
    return caught.value


async def test_whoever_may_read_is_told_at_once(registry: Registry, http: OutboundHttp) -> None:
    assert await ask(registry, http) == DIGEST
    assert registry.asked == [("HEAD", "/v2/edge/platform/manifests/v1.4.0", "")]
    assert registry.accepted.startswith("application/vnd.oci.image.index.v1+json, ")


async def test_a_token_is_asked_for_that_may_only_read_this_repository(registry: Registry, http: OutboundHttp) -> None:
    registry.challenge = registry.bearer()
    assert await ask(registry, http) == DIGEST
    assert registry.asked[1:] == [
        ("GET", "/token?service=registry.example&scope=repository:edge/platform:pull", ""),
        ("HEAD", "/v2/edge/platform/manifests/v1.4.0", "Bearer a-token"),
    ]


async def test_the_token_may_have_oauth_s_name(registry: Registry, http: OutboundHttp) -> None:
    registry.challenge, registry.token = registry.bearer(), b'{"access_token": "a-token", "expires_in": 300}'
    assert await ask(registry, http) == DIGEST


async def test_credentials_buy_the_token_and_are_not_sent_before_they_are_asked_for(registry: Registry, http: OutboundHttp) -> None:
    registry.challenge = registry.bearer()
    assert await ask(registry, http, credentials=CREDENTIALS) == DIGEST
    assert [authorization for _, _, authorization in registry.asked] == ["", BASIC, "Bearer a-token"]


async def test_a_registry_may_want_the_credentials_themselves(registry: Registry, http: OutboundHttp) -> None:
    registry.challenge, registry.wants = 'Basic realm="Nexus"', BASIC
    assert await ask(registry, http, credentials=CREDENTIALS) == DIGEST
    assert (await failure(registry, http)).code == "CredentialsMissing"


@pytest.mark.parametrize(
    "realm",
    [
        "https://elsewhere.example/token",
        "http://127.0.0.1/token",
        "https://127.0.0.1:1/token",
        "https://user@127.0.0.1/token",
        "https://[/token",
        "//127.0.0.1/token",
        "",
    ],
)
async def test_nobody_else_is_asked_for_a_token_and_nobody_else_sees_the_credentials(
    registry: Registry, http: OutboundHttp, realm: str
) -> None:
    registry.challenge = f'Bearer realm="{realm}",service="registry.example"'
    assert (await failure(registry, http, credentials=CREDENTIALS)).code == "TokenElsewhere"
    assert len(registry.asked) == 1


@pytest.mark.parametrize("challenge", ["Negotiate", "Bearer", "nonsense", 'Digest realm="x"'])
async def test_a_challenge_that_cannot_be_met_is_final(registry: Registry, http: OutboundHttp, challenge: str) -> None:
    registry.challenge = challenge
    await failure(registry, http)
    assert len(registry.asked) == 1


async def test_a_token_that_opens_nothing_is_final(registry: Registry, http: OutboundHttp) -> None:
    registry.challenge, registry.wants = registry.bearer(), "another"
    assert (await failure(registry, http)).code == "401"


@pytest.mark.parametrize("token", [b"", b"[]", b"{}", b'{"token": 5}', b'{"token": "two\\r\\nlines"}', b"\xff", b"[" * 60_000])
async def test_an_answer_without_a_token_is_final(registry: Registry, http: OutboundHttp, token: bytes) -> None:
    registry.challenge, registry.token = registry.bearer(), token
    assert (await failure(registry, http)).code == "NoToken"


async def test_refused_credentials_are_final(registry: Registry, http: OutboundHttp) -> None:
    registry.challenge, registry.token_status = registry.bearer(), 401
    assert (await failure(registry, http, credentials=CREDENTIALS)).code == "NoToken"


@pytest.mark.parametrize(("status", "kind"), [(404, Rejected), (403, Rejected), (307, Rejected), (429, Throttled), (503, Unavailable)])
async def test_statuses_become_errors(registry: Registry, http: OutboundHttp, status: int, kind: type[Upstream]) -> None:
    registry.status, registry.headers = status, {"Location": f"https://{registry.host}/v2/edge/platform/manifests/other"}
    assert (await failure(registry, http, kind)).code == str(status)
    assert len(registry.asked) == 1


@pytest.mark.parametrize("told", [None, "", DIGEST, f"sha512:{DIGEST}{DIGEST}", "sha256:ABC", f"sha256:{DIGEST}0"])
async def test_without_a_digest_that_flux_could_report_there_is_none(registry: Registry, http: OutboundHttp, told: str | None) -> None:
    registry.headers = {} if told is None else {"Docker-Content-Digest": told}
    assert (await failure(registry, http)).code == "NoDigest"
