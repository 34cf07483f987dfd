"""The credential against a real token endpoint over TLS."""

import asyncio
import datetime as dt
import socket
from collections.abc import Iterator
from pathlib import Path

import jwt
import pytest
from azure.core.exceptions import ClientAuthenticationError, ServiceRequestError
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from token_server import TENANT, TokenServer

from shared.azure.credential import AsyncCredential, Credential, CredentialSettings

SCOPE = "https://management.azure.com/.default"
SECRET = "a-secret-that-no-error-repeats"


def settings(server: TokenServer, **proof: str) -> CredentialSettings:
    return CredentialSettings(tenant_id=TENANT, client_id="the-app", authority_host=server.origin, **proof)  # type: ignore[arg-type]


@pytest.fixture
def by_secret(server: TokenServer) -> Iterator[Credential]:
    with Credential(settings(server, client_secret=SECRET)) as credential:
        yield credential


@pytest.fixture
def identity(server: TokenServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("IDENTITY_ENDPOINT", f"{server.origin}/identity")
    monkeypatch.setenv("IDENTITY_HEADER", "the-header")


@pytest.fixture
def certificate(tmp_path: Path) -> tuple[Path, rsa.RSAPublicKey]:
    key = rsa.generate_private_key(65537, 2048)
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "sluice")])
    now = dt.datetime.now(dt.UTC)
    built = x509.CertificateBuilder(name, name, key.public_key(), 1, now, now + dt.timedelta(days=1)).sign(key, hashes.SHA256())
    private = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    path = tmp_path / "app.pem"
    path.write_bytes(private + built.public_bytes(serialization.Encoding.PEM))
    return path, key.public_key()


class TestKinds:
    @pytest.mark.parametrize("client_id", ["", "user-assigned"])
    async def test_managed_identity(self, server: TokenServer, identity: None, client_id: str) -> None:
        with Credential(CredentialSettings(client_id=client_id)) as credential:
            token = await AsyncCredential(credential).get_token(SCOPE)
        assert token.token == "identity-1"
        assert server.requests[0]["resource"] == "https://management.azure.com"
        assert server.requests[0].get("client_id", "") == client_id
        assert server.headers[0]["X-IDENTITY-HEADER"] == "the-header"

    async def test_client_secret(self, server: TokenServer, by_secret: Credential) -> None:
        token = await asyncio.to_thread(by_secret.get_token_info, SCOPE, options={"enable_cae": True, "tenant_id": "another"})
        assert (token.token, token.token_type) == ("token-1", "Bearer")
        sent = server.requests[0]
        assert (sent["client_id"], sent["client_secret"], sent["scope"]) == ("the-app", SECRET, SCOPE)
        assert "CP1" in sent["claims"]

    async def test_certificate(self, server: TokenServer, certificate: tuple[Path, rsa.RSAPublicKey]) -> None:
        path, public = certificate
        with Credential(settings(server, certificate_path=str(path))) as credential:
            await AsyncCredential(credential).get_token(SCOPE)
        audience = f"{server.origin}/{TENANT}/oauth2/v2.0/token"
        sent = server.requests[0]["client_assertion"]
        claims = jwt.decode(sent, public, algorithms=["PS256"], audience=audience)
        assert claims["iss"] == claims["sub"] == "the-app"
        assert len(jwt.get_unverified_header(sent)["x5c"]) == 1

    async def test_federated_token_is_read_at_every_request(self, server: TokenServer, tmp_path: Path) -> None:
        file = tmp_path / "assertion"
        server.lifetime_seconds = 10
        with Credential(settings(server, federated_token_file=str(file))) as credential:
            for assertion in ("first", "second"):
                file.write_text(assertion)
                await AsyncCredential(credential).get_token(SCOPE)
        assert [sent["client_assertion"] for sent in server.requests] == ["first", "second"]


class TestCache:
    async def test_many_callers_share_one_request(self, server: TokenServer, by_secret: Credential) -> None:
        server.open.clear()
        aio = AsyncCredential(by_secret)
        callers = [asyncio.ensure_future(aio.get_token_info(SCOPE)) for _ in range(100)]
        callers += [asyncio.ensure_future(asyncio.to_thread(by_secret.get_token_info, SCOPE)) for _ in range(50)]
        await asyncio.sleep(0)
        server.open.set()
        assert {token.token for token in await asyncio.gather(*callers)} == {"token-1"}
        assert (await aio.get_token(SCOPE)).token == "token-1"
        assert len(server.requests) == 1

    async def test_scopes_and_cae_are_kept_apart(self, server: TokenServer, by_secret: Credential) -> None:
        aio = AsyncCredential(by_secret)
        first = await aio.get_token(SCOPE)
        other_scope = await aio.get_token("https://vault.azure.net/.default")
        with_cae = await aio.get_token(SCOPE, enable_cae=True)
        assert len({first.token, other_scope.token, with_cae.token}) == len(server.requests) == 3

    @pytest.mark.parametrize(("lifetime", "refresh_in"), [(200, None), (3600, 0)], ids=["near-expiry", "asked-to-refresh"])
    async def test_the_held_token_serves_while_it_is_refreshed(
        self, server: TokenServer, by_secret: Credential, lifetime: int, refresh_in: int | None
    ) -> None:
        server.lifetime_seconds, server.refresh_in_seconds = lifetime, refresh_in
        aio = AsyncCredential(by_secret)
        assert (await aio.get_token(SCOPE)).token == "token-1"
        server.open.clear()
        assert [(await aio.get_token(SCOPE)).token for _ in range(5)] == ["token-1"] * 5
        server.lifetime_seconds, server.refresh_in_seconds = 3600, None
        server.open.set()
        async with asyncio.timeout(5):
            while (await aio.get_token(SCOPE)).token == "token-1":  # noqa: ASYNC110  the refresh has no event to wait for
                await asyncio.sleep(0.01)
        assert len(server.requests) == 2

    async def test_a_failed_early_refresh_is_not_repeated_at_once(self, server: TokenServer, by_secret: Credential) -> None:
        server.lifetime_seconds = 200
        aio = AsyncCredential(by_secret)
        await aio.get_token(SCOPE)
        server.failure = (400, {"error": "temporarily_unavailable"})
        async with asyncio.timeout(5):
            while len(server.requests) < 2 or by_secret._flights:
                assert (await aio.get_token(SCOPE)).token == "token-1"
                await asyncio.sleep(0.01)
        assert [(await aio.get_token(SCOPE)).token for _ in range(5)] == ["token-1"] * 5
        assert len(server.requests) == 2

    async def test_a_caller_that_gives_up_leaves_the_flight_to_others(self, server: TokenServer, by_secret: Credential) -> None:
        server.open.clear()
        aio = AsyncCredential(by_secret)
        leaving, staying = (asyncio.ensure_future(aio.get_token(SCOPE)) for _ in range(2))
        await asyncio.sleep(0)
        leaving.cancel()
        server.open.set()
        assert (await staying).token == "token-1"
        assert leaving.cancelled()

    async def test_a_claims_challenge_replaces_the_refused_token(self, server: TokenServer, by_secret: Credential) -> None:
        aio = AsyncCredential(by_secret)
        await aio.get_token(SCOPE, enable_cae=True)
        claims = '{"access_token": {"nbf": {"essential": true, "value": "1700000000"}}}'
        assert (await aio.get_token(SCOPE, enable_cae=True, claims=claims)).token == "token-2"
        assert "1700000000" in server.requests[1]["claims"]
        assert (await aio.get_token(SCOPE, enable_cae=True)).token == "token-2"


class TestFailure:
    async def test_a_refusal_tells_codes_and_no_secret(self, server: TokenServer, by_secret: Credential) -> None:
        refusal = {"error": "invalid_client", "error_codes": [7000215], "correlation_id": "c-1", "error_description": f"bad {SECRET}"}
        server.failure = (401, refusal)
        with pytest.raises(ClientAuthenticationError) as caught:
            await AsyncCredential(by_secret).get_token(SCOPE)
        told = str(caught.value)
        assert "invalid_client" in told
        assert "7000215" in told
        assert "c-1" in told
        assert SECRET not in told + repr(caught.value.__cause__)

    async def test_the_next_call_after_a_refusal_asks_again(self, server: TokenServer, by_secret: Credential) -> None:
        server.failure = (401, {"error": "invalid_client"})
        with pytest.raises(ClientAuthenticationError):
            await asyncio.to_thread(by_secret.get_token, SCOPE)
        server.failure = None
        assert (await asyncio.to_thread(by_secret.get_token, SCOPE)).token == "token-2"

    async def test_a_spent_token_is_never_served_whatever_fails(self, server: TokenServer, by_secret: Credential) -> None:
        server.lifetime_seconds = 10
        aio = AsyncCredential(by_secret)
        await aio.get_token(SCOPE)
        server.failure = (400, {"error": "invalid_client"})
        for _ in range(2):
            with pytest.raises(ClientAuthenticationError):
                await aio.get_token(SCOPE)

    async def test_a_failing_endpoint_is_worth_a_retry(self, server: TokenServer, by_secret: Credential) -> None:
        server.failure = (503, {})
        with pytest.raises(ServiceRequestError):
            await AsyncCredential(by_secret).get_token(SCOPE)

    async def test_a_failing_managed_identity_is_worth_a_retry(self, server: TokenServer, identity: None) -> None:
        server.failure = (500, {"statusCode": 500, "message": "busy"})
        with Credential(CredentialSettings()) as credential, pytest.raises(ServiceRequestError):
            await AsyncCredential(credential).get_token(SCOPE)
        assert len(server.requests) == 3

    async def test_no_endpoint_is_worth_a_retry(self, monkeypatch: pytest.MonkeyPatch) -> None:
        with socket.socket() as unused:
            unused.bind(("127.0.0.1", 0))
            monkeypatch.setenv("IDENTITY_ENDPOINT", f"http://127.0.0.1:{unused.getsockname()[1]}/identity")
            monkeypatch.setenv("IDENTITY_HEADER", "the-header")
            with Credential(CredentialSettings()) as credential, pytest.raises(ServiceRequestError):
                await AsyncCredential(credential).get_token(SCOPE)

    async def test_a_missing_or_broken_certificate_is_told_without_its_text(self, server: TokenServer, tmp_path: Path) -> None:
        broken = tmp_path / "broken.pem"
        broken.write_text("-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n")
        for path in (broken, tmp_path / "missing.pem"):
            with Credential(settings(server, certificate_path=str(path))) as credential, pytest.raises(ClientAuthenticationError) as caught:
                await AsyncCredential(credential).get_token(SCOPE)
            assert "AAAA" not in str(caught.value)

    def test_settings_do_not_show_their_secret(self) -> None:
        assert SECRET not in repr(CredentialSettings(client_secret=SECRET))


@pytest.mark.parametrize(
    ("host", "discovers"),
    [("https://login.microsoftonline.com", True), ("https://login.microsoftonline.us/", True), ("https://127.0.0.1:8443", False)],
)
def test_only_known_clouds_are_discovered(host: str, discovers: bool) -> None:
    assert CredentialSettings(authority_host=host).discovers_instance is discovers
    assert CredentialSettings(authority_host=host, instance_discovery=not discovers).discovers_instance is not discovers
