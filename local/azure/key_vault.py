"""Key Vault's data plane: RSA keys that wrap and unwrap, and secrets, each with versions. Private keys never leave.

https://learn.microsoft.com/rest/api/keyvault/
"""

import asyncio
import base64
import time
import uuid
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa

from local.azure.answers import AzureError, json_response, read_object, require_api_version
from local.azure.gate import Gate
from local.azure.origin import Origin

KEY_OPERATIONS = ["encrypt", "decrypt", "wrapKey", "unwrapKey"]
RSA_SIZES = (2048, 3072, 4096)
OAEP_256 = padding.OAEP(padding.MGF1(hashes.SHA256()), hashes.SHA256(), None)


@dataclass(frozen=True)
class KeyVersion:
    version: str
    key: rsa.RSAPrivateKey
    created: int
    size: int


@dataclass(frozen=True)
class SecretVersion:
    version: str
    value: str
    created: int
    content_type: str | None = None
    tags: dict[str, str] = field(default_factory=dict)
    expires: int | None = None


class KeyVault:
    """Versions are kept in order, the current one last."""

    def __init__(self, origin: Origin, gate: Gate) -> None:
        self._origin = origin
        self._gate = gate
        self._keys: dict[str, list[KeyVersion]] = {}
        self._secrets: dict[str, list[SecretVersion]] = {}

    def routes(self) -> list[web.RouteDef]:
        return [
            web.post("/keys/{name}/create", self.handle_create_key),
            web.post("/keys/{name}/rotate", self.handle_rotate_key),
            web.get("/keys/{name}/versions", self.handle_key_versions),
            web.get("/keys/{name}", self.handle_get_key),
            web.get("/keys/{name}/", self.handle_get_key),
            web.get("/keys/{name}/{version}", self.handle_get_key),
            web.post("/keys/{name}/wrapkey", self.handle_wrap),
            web.post("/keys/{name}/{version}/wrapkey", self.handle_wrap),
            web.post("/keys/{name}/unwrapkey", self.handle_unwrap),
            web.post("/keys/{name}/{version}/unwrapkey", self.handle_unwrap),
            web.put("/secrets/{name}", self.handle_set_secret),
            web.get("/secrets/{name}", self.handle_get_secret),
            web.get("/secrets/{name}/", self.handle_get_secret),
            web.get("/secrets/{name}/{version}", self.handle_get_secret),
        ]

    async def create_key(self, name: str, size: int = 2048) -> KeyVersion:
        """A new key, or a new version of one that exists."""
        key = await asyncio.to_thread(rsa.generate_private_key, 65537, size)
        version = KeyVersion(uuid.uuid4().hex, key, int(time.time()), size)
        self._keys.setdefault(name.lower(), []).append(version)
        return version

    def set_secret(
        self, name: str, value: str, content_type: str | None = None, tags: dict[str, str] | None = None, expires: int | None = None
    ) -> SecretVersion:
        version = SecretVersion(uuid.uuid4().hex, value, int(time.time()), content_type, tags or {}, expires)
        self._secrets.setdefault(name.lower(), []).append(version)
        return version

    async def handle_create_key(self, request: web.Request) -> web.Response:
        self._admit(request)
        body = await read_object(request)
        size = body.get("key_size") or 2048
        if body.get("kty") not in ("RSA", "RSA-HSM") or size not in RSA_SIZES:
            raise AzureError(400, "BadParameter", "The simulator's vault makes RSA keys of 2048, 3072 or 4096 bits.")
        name = request.match_info["name"]
        return json_response(self._key_bundle(name, await self.create_key(name, size)))

    async def handle_rotate_key(self, request: web.Request) -> web.Response:
        self._admit(request)
        name = request.match_info["name"]
        current = self._key(name, "")
        return json_response(self._key_bundle(name, await self.create_key(name, current.size)))

    async def handle_get_key(self, request: web.Request) -> web.Response:
        self._admit(request)
        name = request.match_info["name"]
        return json_response(self._key_bundle(name, self._key(name, request.match_info.get("version", ""))))

    async def handle_key_versions(self, request: web.Request) -> web.Response:
        self._admit(request)
        name = request.match_info["name"]
        self._key(name, "")
        items = [
            {"kid": self._identifier("keys", name, version.version), "attributes": _attributes(version.created)}
            for version in self._keys[name.lower()]
        ]
        return json_response({"value": items, "nextLink": None})

    async def handle_wrap(self, request: web.Request) -> web.Response:
        name, key, value = await self._key_request(request)
        wrapped = key.key.public_key().encrypt(value, OAEP_256)
        return json_response({"kid": self._identifier("keys", name, key.version), "value": _encode(wrapped)})

    async def handle_unwrap(self, request: web.Request) -> web.Response:
        name, key, value = await self._key_request(request)
        try:
            plain = await asyncio.to_thread(key.key.decrypt, value, OAEP_256)
        except ValueError as error:
            raise AzureError(400, "BadParameter", "The parameter is incorrect.") from error
        return json_response({"kid": self._identifier("keys", name, key.version), "value": _encode(plain)})

    async def handle_set_secret(self, request: web.Request) -> web.Response:
        self._admit(request)
        body = await read_object(request)
        if not isinstance(body.get("value"), str):
            raise AzureError(400, "BadParameter", "Property 'value' is required.")
        name = request.match_info["name"]
        expires = (body.get("attributes") or {}).get("exp")
        secret = self.set_secret(name, body["value"], body.get("contentType"), body.get("tags"), expires)
        return json_response(self._secret_bundle(name, secret))

    async def handle_get_secret(self, request: web.Request) -> web.Response:
        self._admit(request)
        name, version = request.match_info["name"], request.match_info.get("version", "")
        versions = self._secrets.get(name.lower(), [])
        found = [one for one in versions if version in ("", one.version)]
        if not found:
            text = f"A secret with (name/id) {name}/{version} was not found in this key vault."
            raise AzureError(404, "SecretNotFound", text)
        return json_response(self._secret_bundle(name, found[-1]))

    def _admit(self, request: web.Request) -> None:
        self._gate.admit_to_vault(request)
        require_api_version(request)

    async def _key_request(self, request: web.Request) -> tuple[str, KeyVersion, bytes]:
        self._admit(request)
        name = request.match_info["name"]
        key = self._key(name, request.match_info.get("version", ""))
        body = await read_object(request)
        if body.get("alg") != "RSA-OAEP-256":
            raise AzureError(400, "BadParameter", f"Algorithm '{body.get('alg')}' is not supported by this key.")
        return name, key, _decode(str(body.get("value", "")))

    def _key(self, name: str, version: str) -> KeyVersion:
        found = [one for one in self._keys.get(name.lower(), []) if version in ("", one.version)]
        if not found:
            text = f"A key with (name/id) {name}/{version} was not found in this key vault."
            raise AzureError(404, "KeyNotFound", text)
        return found[-1]

    def _key_bundle(self, name: str, version: KeyVersion) -> dict[str, Any]:
        numbers = version.key.public_key().public_numbers()
        key = {
            "kid": self._identifier("keys", name, version.version),
            "kty": "RSA",
            "key_ops": KEY_OPERATIONS,
            "n": _encode_number(numbers.n),
            "e": _encode_number(numbers.e),
        }
        return {"key": key, "attributes": _attributes(version.created), "tags": {}}

    def _secret_bundle(self, name: str, secret: SecretVersion) -> dict[str, Any]:
        bundle: dict[str, Any] = {
            "value": secret.value,
            "id": self._identifier("secrets", name, secret.version),
            "attributes": _attributes(secret.created) | ({"exp": secret.expires} if secret.expires else {}),
            "tags": secret.tags,
        }
        return bundle | ({"contentType": secret.content_type} if secret.content_type else {})

    def _identifier(self, collection: str, name: str, version: str) -> str:
        return f"{self._origin.url}/{collection}/{name}/{version}"


def _attributes(created: int) -> dict[str, Any]:
    return {"enabled": True, "created": created, "updated": created, "recoveryLevel": "Recoverable", "recoverableDays": 90}


def _encode(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def _encode_number(number: int) -> str:
    return _encode(number.to_bytes((number.bit_length() + 7) // 8, "big"))


def _decode(text: str) -> bytes:
    try:
        return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
    except ValueError as error:
        raise AzureError(400, "BadParameter", "Property 'value' is not base64url.") from error
