"""Secrets and the key-encryption key against a small vault over TLS that speaks Key Vault's REST API."""

import asyncio
import base64
import json
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import pytest
from aiohttp import web
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from token_server import TENANT, TokenServer, serve

from local import tls
from shared.azure.credential import AsyncCredential, Credential, CredentialSettings
from shared.azure.key_vault import KeyEncryptionKey, KeyVaultSecrets, Wrapped
from shared.domain.errors import Malformed, NotFound, Rejected, Sealed, Throttled, Unavailable

DATA_KEY = bytes(range(32))
OAEP = padding.OAEP(padding.MGF1(hashes.SHA256()), hashes.SHA256(), None)


def encoded(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


@dataclass
class Vault:
    """One vault with secrets and one key named kek, whose versions are RSA keys."""

    origin: str = ""
    secrets: dict[str, str] = field(default_factory=dict)
    expires: dict[str, int] = field(default_factory=dict)
    versions: dict[str, rsa.RSAPrivateKey] = field(default_factory=dict)
    failure: tuple[int, dict[str, str]] | None = None
    grants_get: bool = True
    asked: list[str] = field(default_factory=list)

    def routes(self) -> list[web.AbstractRouteDef]:
        return [
            web.get("/secrets/{name}/{version:.*}", self.secret),
            web.get("/keys/kek/{version:.*}", self.key),
            web.post("/keys/kek/{version:.*}/{operation:wrapkey|unwrapkey}", self.operate),
        ]

    @web.middleware
    async def guard(self, request: web.Request, handler):
        if "Authorization" not in request.headers:
            # The resource is the parent domain of the vault's, as vault.azure.net is: 127.0.0.1 ends with .0.0.1.
            resource = self.origin.replace("127.0.0.1", "0.0.1")
            challenge = f'Bearer authorization="https://login.microsoftonline.com/{TENANT}", resource="{resource}"'
            return web.Response(status=401, headers={"WWW-Authenticate": challenge})
        self.asked.append(f"{request.method} {request.path}")
        if self.failure:
            error = {"error": {"code": "Failure", "message": "failed"}}
            return web.json_response(error, status=self.failure[0], headers=self.failure[1])
        return await handler(request)

    async def secret(self, request: web.Request) -> web.Response:
        value = self.secrets.get(request.match_info["name"])
        if value is None:
            return web.json_response({"error": {"code": "SecretNotFound", "message": "no"}}, status=404)
        attributes = {"exp": self.expires[request.match_info["name"]]} if request.match_info["name"] in self.expires else {}
        return web.json_response({"id": f"{self.origin}/secrets/{request.match_info['name']}/1", "value": value, "attributes": attributes})

    async def key(self, request: web.Request) -> web.Response:
        if not self.grants_get:
            return web.json_response({"error": {"code": "Forbidden", "message": "no"}}, status=403)
        version = self._version(request)
        numbers = self.versions[version].public_key().public_numbers()
        jwk = {"kid": f"{self.origin}/keys/kek/{version}", "kty": "RSA", "key_ops": ["wrapKey", "unwrapKey"]}
        jwk |= {"n": encoded(numbers.n.to_bytes(256)), "e": encoded(numbers.e.to_bytes(3))}
        return web.json_response({"key": jwk, "attributes": {"enabled": True}})

    async def operate(self, request: web.Request) -> web.Response:
        version = self._version(request)
        body = json.loads(await request.text())
        assert body["alg"] == "RSA-OAEP-256"
        value = base64.urlsafe_b64decode(body["value"] + "==")
        key = self.versions[version]
        try:
            result = key.public_key().encrypt(value, OAEP) if request.path.endswith("/wrapkey") else key.decrypt(value, OAEP)
        except ValueError:
            return web.json_response({"error": {"code": "BadParameter", "message": "no"}}, status=400)
        return web.json_response({"kid": f"{self.origin}/keys/kek/{version}", "value": encoded(result)})

    def _version(self, request: web.Request) -> str:
        version = request.match_info["version"].strip("/") or list(self.versions)[-1]
        if version not in self.versions:
            raise web.HTTPNotFound(text='{"error": {"code": "KeyNotFound"}}', content_type="application/json")
        return version


@pytest.fixture(scope="session")
def rsa_keys() -> list[rsa.RSAPrivateKey]:
    return [rsa.generate_private_key(65537, 2048) for _ in range(2)]


@pytest.fixture
async def vault(tls_files: tls.TlsFiles, rsa_keys: list[rsa.RSAPrivateKey]) -> AsyncIterator[Vault]:
    vault = Vault(secrets={"name": "value"}, versions={"v1": rsa_keys[0]})
    app = web.Application(middlewares=[vault.guard])
    app.add_routes(vault.routes())
    async for origin in serve(app, tls_files):
        vault.origin = origin
        yield vault


@pytest.fixture
def credential(server: TokenServer) -> Iterator[AsyncCredential]:
    settings = CredentialSettings(tenant_id=TENANT, client_id="app", client_secret="secret", authority_host=server.origin)
    with Credential(settings) as inner:
        yield AsyncCredential(inner)


class Clock:
    seconds = 0.0

    def __call__(self) -> float:
        return self.seconds


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
async def secrets(vault: Vault, credential: AsyncCredential, clock: Clock) -> AsyncIterator[KeyVaultSecrets]:
    secrets = KeyVaultSecrets(credential, {"TOKEN": "from-environment", "EMPTY": ""}, vault_uri=vault.origin, monotonic=clock)
    yield secrets
    await secrets.close()


class TestSecrets:
    async def test_many_readers_ask_once(self, vault: Vault, secrets: KeyVaultSecrets) -> None:
        assert set(await asyncio.gather(*(secrets.get("kv://sluice/name") for _ in range(20)))) == {"value"}
        assert vault.asked == ["GET /secrets/name/"]

    async def test_until_when_a_secret_is_good_is_asked_each_time(self, vault: Vault, secrets: KeyVaultSecrets) -> None:
        assert await secrets.expires_at("kv://sluice/name") is None
        vault.expires["name"] = 1_800_000_000
        assert await secrets.expires_at("kv://sluice/name") == datetime(2027, 1, 15, 8, tzinfo=UTC)
        assert await secrets.expires_at("kv://sluice/name/1") == datetime(2027, 1, 15, 8, tzinfo=UTC)
        assert await secrets.expires_at("env://TOKEN") is None
        with pytest.raises(NotFound):
            await secrets.expires_at("kv://sluice/missing")
        with pytest.raises(Malformed):
            await secrets.expires_at("https://sluice.example/secret")

    async def test_a_new_value_is_seen_and_an_outage_bridged(self, vault: Vault, secrets: KeyVaultSecrets, clock: Clock) -> None:
        await secrets.get("kv://sluice/name")
        vault.secrets["name"] = "newer"
        assert await secrets.get("kv://sluice/name") == "value"
        clock.seconds += 301
        assert await secrets.get("kv://sluice/name") == "newer"
        vault.failure = (503, {})
        clock.seconds += 301
        assert await secrets.get("kv://sluice/name") == "newer"

    @pytest.mark.parametrize(
        ("status", "headers", "error"),
        [(403, {}, Rejected), (429, {"Retry-After": "0"}, Throttled), (500, {}, Unavailable), (404, {}, NotFound)],
    )
    async def test_answers_become_errors(
        self, vault: Vault, secrets: KeyVaultSecrets, status: int, headers: dict[str, str], error: type
    ) -> None:
        vault.failure = (status, headers)
        with pytest.raises(error):
            await secrets.get("kv://sluice/name")

    async def test_no_token_is_an_outage(self, server: TokenServer, secrets: KeyVaultSecrets) -> None:
        server.failure = (401, {"error": "invalid_client"})
        with pytest.raises(Unavailable):
            await secrets.get("kv://sluice/name")

    async def test_the_environment(self, secrets: KeyVaultSecrets) -> None:
        assert await secrets.get("env://TOKEN") == "from-environment"
        for missing in ("env://EMPTY", "env://MISSING"):
            with pytest.raises(NotFound):
                await secrets.get(missing)

    @pytest.mark.parametrize(
        "reference", ["", "name", "kv://v/name", "kv://vault", "kv://vault/a/b/c", "kv://evil.example/name", "kv://vault/a?b", "env://A B"]
    )
    async def test_other_forms_are_malformed(self, vault: Vault, secrets: KeyVaultSecrets, reference: str) -> None:
        with pytest.raises(Malformed):
            await secrets.get(reference)
        assert vault.asked == []


class TestKeyEncryptionKey:
    async def test_old_versions_stay_readable(self, vault: Vault, credential: AsyncCredential, rsa_keys: list[rsa.RSAPrivateKey]) -> None:
        key = KeyEncryptionKey(f"{vault.origin}/keys/kek", credential)
        old = await key.wrap(DATA_KEY)
        vault.versions["v2"] = rsa_keys[1]
        new = await key.wrap(DATA_KEY)
        assert [each.kid for each in (old, new)] == [f"{vault.origin}/keys/kek/{version}" for version in ("v1", "v2")]
        assert [await key.unwrap(each) for each in (old, new)] == [DATA_KEY, DATA_KEY]
        # The private key stays in the vault.
        assert [path for path in vault.asked if path.startswith("POST")] == [f"POST /keys/kek/{v}/unwrapkey" for v in ("v1", "v2")]

    async def test_without_a_version_in_sight_nothing_is_wrapped(self, vault: Vault, credential: AsyncCredential) -> None:
        vault.grants_get = False
        with pytest.raises(Rejected) as caught:
            await KeyEncryptionKey(f"{vault.origin}/keys/kek", credential).wrap(DATA_KEY)
        assert caught.value.code == "NoVersion"
        key = KeyEncryptionKey(f"{vault.origin}/keys/kek/v1", credential)
        assert await key.unwrap(await key.wrap(DATA_KEY)) == DATA_KEY

    async def test_changed_and_foreign_data_keys_stay_sealed(self, vault: Vault, credential: AsyncCredential) -> None:
        key = KeyEncryptionKey(f"{vault.origin}/keys/kek", credential)
        wrapped = await key.wrap(DATA_KEY)
        vault.asked.clear()
        foreign = [
            kid.format(vault.origin) for kid in ("https://evil.example/keys/kek/v1", "{}@evil.example/keys/kek/v1", "{}/secrets/kek/v1")
        ]
        for kid in foreign:
            with pytest.raises(Sealed):
                await key.unwrap(Wrapped(kid, wrapped.ciphertext))
        assert vault.asked == []
        for broken in (Wrapped(wrapped.kid, bytes(256)), Wrapped(f"{vault.origin}/keys/kek/gone", wrapped.ciphertext)):
            with pytest.raises(Sealed):
                await key.unwrap(broken)

    async def test_an_outage_is_told_as_one(self, vault: Vault, credential: AsyncCredential, tmp_path: Path) -> None:
        key = KeyEncryptionKey(f"{vault.origin}/keys/kek", credential)
        wrapped = await key.wrap(DATA_KEY)
        vault.failure = (503, {"Retry-After": "0"})
        for call in (key.wrap(DATA_KEY), key.unwrap(wrapped)):
            with pytest.raises(Unavailable):
                await call
