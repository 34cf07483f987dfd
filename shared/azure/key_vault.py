"""Key Vault: secrets behind references, and the key that wraps data keys."""

import asyncio
import json
import os
import re
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple
from urllib.parse import urlsplit

from shared.azure.remembered import Remembered
from shared.domain.errors import Malformed, NotFound, Rejected, Sealed, Throttled, Unavailable

if TYPE_CHECKING:
    from azure.core.credentials_async import AsyncTokenCredential
    from azure.core.exceptions import HttpResponseError
    from azure.keyvault.keys import JsonWebKey
    from azure.keyvault.keys.crypto.aio import CryptographyClient
    from azure.keyvault.secrets import KeyVaultSecret
    from azure.keyvault.secrets.aio import SecretClient

SECRET_SECONDS = 5 * 60
SECRET_STALE_SECONDS = 24 * 60 * 60  # how long an unreachable vault's last answers go on serving
LOCAL_KEY_BITS = 3072

# Vault names have 3 to 24 letters, digits and hyphens, object names up to 127: https://learn.microsoft.com/azure/key-vault/general/about-keys-secrets-certificates
_VAULT_REFERENCE = re.compile(
    r"kv://(?P<vault>[A-Za-z][A-Za-z0-9-]{1,22}[A-Za-z0-9])/(?P<name>[A-Za-z0-9-]{1,127})(?:/(?P<version>[A-Za-z0-9]{1,64}))?"
)
_ENVIRONMENT_REFERENCE = re.compile(r"env://(?P<name>[A-Za-z_][A-Za-z0-9_]*)")

# The work waits in a queue with its own retries, so a call gives up early rather than hold a function for a minute.
_PATIENCE = {"retry_total": 2, "retry_backoff_factor": 0.2, "retry_backoff_max": 2, "connection_timeout": 5, "read_timeout": 10}


class KeyVaultSecrets:
    """Implements ports.Secrets. `vault_uri` is a vault's address with {vault} in place of its name (other clouds have other domains)."""

    def __init__(
        self,
        credential: "AsyncTokenCredential",
        environment: Mapping[str, str],
        *,
        vault_uri: str = "https://{vault}.vault.azure.net",
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._credential = credential
        self._environment = environment
        self._vault_uri = vault_uri
        self._clients: dict[str, SecretClient] = {}
        self._values = Remembered(self._fetch, seconds=SECRET_SECONDS, stale_seconds=SECRET_STALE_SECONDS, monotonic=monotonic)

    async def get(self, reference: str) -> str:
        if match := _ENVIRONMENT_REFERENCE.fullmatch(reference):
            return self._from_environment(match["name"])
        if _VAULT_REFERENCE.fullmatch(reference):
            return await self._values.get(reference)
        raise Malformed("a secret reference is kv://vault/name, kv://vault/name/version or env://NAME")

    async def expires_at(self, reference: str) -> datetime | None:
        """Implements ports.SecretExpiries. Asked with the right that reading secrets needs (secrets/get)."""
        if _ENVIRONMENT_REFERENCE.fullmatch(reference):
            return None
        secret = await self._read(reference)
        return secret.properties.expires_on

    async def close(self) -> None:
        for client in self._clients.values():
            await client.close()
        self._clients.clear()

    def _from_environment(self, name: str) -> str:
        if not self._environment.get(name):
            raise NotFound(f"env://{name} is not set")
        return self._environment[name]

    async def _fetch(self, reference: str) -> str:
        secret = await self._read(reference)
        if secret.value is None:
            raise NotFound(f"{reference} has no value")
        return secret.value

    async def _read(self, reference: str) -> "KeyVaultSecret":
        match = _VAULT_REFERENCE.fullmatch(reference)
        if match is None:
            raise Malformed("not a Key Vault reference")
        with _vault_errors(reference):
            return await self._client(match["vault"].lower()).get_secret(match["name"], match["version"])

    def _client(self, vault: str) -> "SecretClient":
        if vault not in self._clients:
            from azure.keyvault.secrets.aio import SecretClient

            self._clients[vault] = SecretClient(self._vault_uri.format(vault=vault), self._credential, **_PATIENCE)
        return self._clients[vault]


class Wrapped(NamedTuple):
    """A data key as it is stored: encrypted, with the full id (version included) of the key that can decrypt it."""

    kid: str
    ciphertext: bytes


class KeyEncryptionKey:
    """Wraps data keys by RSA-OAEP-256 through azure-keyvault-keys' CryptographyClient.

    `key` is the https id of a Key Vault key, or, for local use, the path of a PEM or JWK file, generated when it is missing. A vault
    wraps with the newest version when the id names none and the private key never leaves it; a local key's operations stay local.
    Unwrapping uses the key version recorded with the data key, so versions before a rotation stay readable.
    """

    def __init__(self, key: str, credential: "AsyncTokenCredential | None" = None) -> None:
        self._key = key
        self._credential = credential
        self._local: JsonWebKey | None = None
        self._local_lock = asyncio.Lock()
        if self._is_remote and credential is None:
            raise ValueError("a Key Vault key needs a credential")

    async def wrap(self, data_key: bytes) -> Wrapped:
        """Raises Rejected, Throttled or Unavailable; Rejected also when no version can be recorded (keys/get is not granted)."""
        from azure.keyvault.keys.crypto import KeyWrapAlgorithm

        async with await self._client(self._key) as client:
            with _vault_errors("the key-encryption key"):
                result = await client.wrap_key(KeyWrapAlgorithm.rsa_oaep_256, data_key)
        if self._is_remote and (not result.key_id or _vault_and_version(result.key_id)[1] == ""):
            raise Rejected("the key-encryption key's version is unknown: grant keys/get or name a version", code="NoVersion")
        return Wrapped(result.key_id or "", result.encrypted_key)

    async def unwrap(self, wrapped: Wrapped) -> bytes:
        """Raises Sealed when that key is gone or refuses the ciphertext; Rejected, Throttled or Unavailable as the vault answers."""
        from azure.keyvault.keys.crypto import KeyWrapAlgorithm

        await self._check_kid(wrapped.kid)
        async with await self._client(wrapped.kid) as client:
            try:
                with _vault_errors("the key-encryption key"):
                    result = await client.unwrap_key(KeyWrapAlgorithm.rsa_oaep_256, wrapped.ciphertext)
            except NotFound:
                raise Sealed("the key that wrapped this data key does not exist") from None
            except Rejected as error:
                if error.code == "400" or not self._is_remote:
                    raise Sealed("the data key cannot be unwrapped") from None
                raise
        return result.key

    async def check(self) -> None:
        """Raises when nothing can be wrapped."""
        await self.wrap(bytes(32))

    @property
    def _is_remote(self) -> bool:
        return self._key.startswith("https://")

    async def _check_kid(self, kid: str) -> None:
        """The recorded id comes from the database: it must not be able to send our token to another host."""
        if self._is_remote:
            if _vault_and_version(kid)[0] != _vault_and_version(self._key)[0]:
                raise Sealed("the data key was wrapped by a key of another vault")
        elif kid != (await self._local_key()).kid:  # type: ignore[attr-defined]  # JsonWebKey sets its fields by name
            raise Sealed("the data key was wrapped by another key")

    async def _client(self, kid: str) -> "CryptographyClient":
        """A client for one operation: they are rare, and a client that lives on would keep wrapping with the version it met first."""
        from azure.keyvault.keys.crypto.aio import CryptographyClient

        if self._credential is not None and self._is_remote:
            return CryptographyClient(kid, self._credential, **_PATIENCE)
        return CryptographyClient.from_jwk(await self._local_key())

    async def _local_key(self) -> "JsonWebKey":
        async with self._local_lock:
            if self._local is None:
                self._local = await asyncio.to_thread(_read_or_create, Path(self._key))
            return self._local


def _vault_and_version(kid: str) -> tuple[str, str]:
    """Host and key version of a key id, https://{vault}/keys/{name}[/{version}]."""
    parts = urlsplit(kid)
    path = parts.path.strip("/").split("/")
    if parts.scheme != "https" or path[0] != "keys" or len(path) not in {2, 3} or "@" in parts.netloc:
        return "", ""
    return parts.netloc.lower(), path[2] if len(path) == 3 else ""


def _read_or_create(path: Path) -> "JsonWebKey":
    """The key in a PEM or JWK file. Several processes may start at once: all of them end with the one file that was linked first."""
    if not path.exists():
        _create(path)
    return _json_web_key(path.read_bytes())


def _create(path: Path) -> None:
    from joserfc.jwk import RSAKey

    path.parent.mkdir(parents=True, exist_ok=True)
    pem = RSAKey.generate_key(LOCAL_KEY_BITS).as_pem(private=True)
    descriptor, temporary = tempfile.mkstemp(dir=path.parent, prefix=".key-")  # mode 0600
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(pem)
        Path(path).hardlink_to(temporary)
    except FileExistsError:
        return
    finally:
        Path(temporary).unlink()


def _json_web_key(data: bytes) -> "JsonWebKey":
    from azure.keyvault.keys import JsonWebKey
    from joserfc.errors import JoseError
    from joserfc.jwk import RSAKey
    from joserfc.util import urlsafe_b64decode

    try:
        key = RSAKey.import_key(json.loads(data) if data.lstrip().startswith(b"{") else data)
        numbers = {
            name: urlsafe_b64decode(str(value).encode()) for name, value in key.as_dict(private=True).items() if name in _RSA_NUMBERS
        }
    except (JoseError, ValueError) as error:
        # Only the error's type: its text may quote the key.
        raise Malformed(f"the local key-encryption key is not an RSA private key in PEM or JWK ({type(error).__name__})") from None
    if "d" not in numbers:
        raise Malformed("the local key-encryption key has no private part")
    return JsonWebKey(kid=f"local:{key.thumbprint()}", kty="RSA", key_ops=["wrapKey", "unwrapKey"], **numbers)


_RSA_NUMBERS = frozenset({"n", "e", "d", "p", "q", "dp", "dq", "qi"})


@contextmanager
def _vault_errors(what: str) -> Iterator[None]:
    """Turns azure-core's errors into ours. A failed sign-in is Unavailable: work waits until an operator has repaired the identity."""
    from azure.core.exceptions import AzureError, HttpResponseError

    try:
        yield
    except HttpResponseError as error:
        raise _answered(what, error) from error
    except AzureError as error:
        raise Unavailable(f"Key Vault cannot be reached for {what}", code=type(error).__name__) from error
    except ValueError as error:
        # The SDK's word for a key outside its validity or of another type, and for a challenge that names another service.
        raise Rejected(f"Key Vault's client refuses {what}", code="ClientRefused") from error


def _answered(what: str, error: "HttpResponseError") -> Exception:
    status = error.status_code
    if status is None:
        return Unavailable(f"Key Vault cannot be asked for {what}: no token", code=type(error).__name__)
    if status == 404:
        return NotFound(f"{what} does not exist")
    if status == 429:
        return Throttled(f"Key Vault throttles {what}", code="429", retry_after=_seconds(error))
    if status == 408 or status >= 500:
        return Unavailable(f"Key Vault failed for {what}", code=str(status), retry_after=_seconds(error))
    return Rejected(f"Key Vault refuses {what}", code=str(status))


def _seconds(error: "HttpResponseError") -> float | None:
    headers = getattr(error.response, "headers", {})  # azure-core's type does not name what every transport has
    value = headers.get("Retry-After", "")
    return float(value) if value.isdecimal() else None
