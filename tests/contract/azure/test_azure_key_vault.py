"""Key Vault through its SDKs, without a flag: the challenge passes the SDK's own check of its resource."""

import os
import uuid
from collections.abc import AsyncIterator
from datetime import UTC, datetime

import pytest
from azure.core.exceptions import HttpResponseError, ResourceNotFoundError
from azure.keyvault.keys.aio import KeyClient
from azure.keyvault.keys.crypto import KeyWrapAlgorithm
from azure.keyvault.keys.crypto.aio import CryptographyClient
from azure.keyvault.secrets.aio import SecretClient
from cloud_client import CloudClient, ManagedIdentity

DATA_KEY = os.urandom(32)


@pytest.fixture
def identity(cloud: CloudClient) -> ManagedIdentity:
    return ManagedIdentity(cloud)


@pytest.fixture
async def keys(cloud: CloudClient, identity: ManagedIdentity) -> AsyncIterator[KeyClient]:
    async with KeyClient(cloud.origin, identity) as client:
        yield client


@pytest.fixture
def name() -> str:
    return f"k{uuid.uuid4().hex}"


async def test_a_data_key_is_wrapped_and_unwrapped(keys: KeyClient, identity: ManagedIdentity, name: str) -> None:
    made = await keys.create_rsa_key(name, size=2048)
    assert made.id is not None
    async with CryptographyClient(made.id, identity) as cryptography:
        wrapped = await cryptography.wrap_key(KeyWrapAlgorithm.rsa_oaep_256, DATA_KEY)
        unwrapped = await cryptography.unwrap_key(KeyWrapAlgorithm.rsa_oaep_256, wrapped.encrypted_key)
    assert wrapped.encrypted_key != DATA_KEY
    assert unwrapped.key == DATA_KEY
    assert unwrapped.key_id == made.id


async def test_a_rotated_key_keeps_its_older_versions(keys: KeyClient, identity: ManagedIdentity, name: str) -> None:
    first = await keys.create_rsa_key(name)
    assert first.id is not None
    async with CryptographyClient(first.id, identity) as cryptography:
        wrapped = await cryptography.wrap_key(KeyWrapAlgorithm.rsa_oaep_256, DATA_KEY)
        second = await keys.create_rsa_key(name)
        assert (await keys.get_key(name)).id == second.id != first.id
        assert (await cryptography.unwrap_key(KeyWrapAlgorithm.rsa_oaep_256, wrapped.encrypted_key)).key == DATA_KEY
    rotated = await keys.rotate_key(name)
    versions = [item.id async for item in keys.list_properties_of_key_versions(name)]
    assert versions == [first.id, second.id, rotated.id]


async def test_the_private_key_does_not_leave_the_vault(cloud: CloudClient, keys: KeyClient, name: str) -> None:
    await keys.create_rsa_key(name)
    answer = await cloud.call("GET", f"/keys/{name}?api-version=7.6", resource="https://vault.azure.net")
    assert set(answer.body["key"]) == {"kid", "kty", "key_ops", "n", "e"}


async def test_another_algorithm_and_a_wrong_ciphertext_are_refused(cloud: CloudClient, keys: KeyClient, name: str) -> None:
    await keys.create_rsa_key(name)
    for body in ({"alg": "RSA1_5", "value": "AA"}, {"alg": "RSA-OAEP-256", "value": "AA"}):
        path = f"/keys/{name}/unwrapkey?api-version=7.6"
        answer = await cloud.call("POST", path, body, resource="https://vault.azure.net")
        assert (answer.status, answer.body["error"]["code"]) == (400, "BadParameter")


async def test_a_missing_key_is_not_found(keys: KeyClient, name: str) -> None:
    with pytest.raises(ResourceNotFoundError):
        await keys.get_key(name)


async def test_secrets_have_versions(cloud: CloudClient, identity: ManagedIdentity, name: str) -> None:
    async with SecretClient(cloud.origin, identity) as secrets:
        first = await secrets.set_secret(name, "one", content_type="text/plain", tags={"of": "test"})
        await secrets.set_secret(name, "two")
        assert (await secrets.get_secret(name)).value == "two"
        old = await secrets.get_secret(name, first.properties.version)
        assert (old.value, old.properties.content_type, old.properties.tags) == ("one", "text/plain", {"of": "test"})
        with pytest.raises(ResourceNotFoundError):
            await secrets.get_secret(f"{name}x")


async def test_a_secret_has_an_end_where_one_is_set(cloud: CloudClient, identity: ManagedIdentity, name: str) -> None:
    end = datetime(2027, 1, 15, 8, tzinfo=UTC)
    async with SecretClient(cloud.origin, identity) as secrets:
        await secrets.set_secret(name, "one")
        assert (await secrets.get_secret(name)).properties.expires_on is None
        await secrets.set_secret(name, "two", expires_on=end)
        assert (await secrets.get_secret(name)).properties.expires_on == end
        await cloud.admin("PUT", f"secrets/{name}", {"value": "three", "expires": int(end.timestamp())})
        assert (await secrets.get_secret(name)).properties.expires_on == end


async def test_an_administrator_puts_secrets_and_keys_too(
    cloud: CloudClient, keys: KeyClient, identity: ManagedIdentity, name: str
) -> None:
    await cloud.admin("PUT", f"secrets/{name}", {"value": "given"})
    made = await cloud.admin("PUT", f"keys/{name}", {})
    async with SecretClient(cloud.origin, identity) as secrets:
        assert (await secrets.get_secret(name)).value == "given"
    assert (await keys.get_key(name)).properties.version == made["version"]


async def test_the_challenge_names_the_authority_and_the_resource(cloud: CloudClient, identity: ManagedIdentity) -> None:
    answer = await cloud.call("GET", "/secrets/any?api-version=7.6", headers={})
    port = cloud.origin.rsplit(":", 1)[1]
    tenant = (await cloud.admin("GET", "health"))["tenantId"]
    expected = f'Bearer authorization="{cloud.origin}/{tenant}", resource="https://0.0.1:{port}"'
    assert (answer.status, answer.headers["WWW-Authenticate"]) == (401, expected)
    async with SecretClient(cloud.origin, identity) as secrets:
        with pytest.raises(ResourceNotFoundError):
            await secrets.get_secret("any")
    assert identity.scopes == [f"https://0.0.1:{port}/.default"]


async def test_a_token_for_arm_does_not_open_the_vault(cloud: CloudClient) -> None:
    assert (await cloud.call("GET", "/secrets/any?api-version=7.6")).status == 401


async def test_throttling_of_the_vault_reaches_the_sdk(cloud: CloudClient, identity: ManagedIdentity, name: str) -> None:
    await cloud.admin("PUT", f"secrets/{name}", {"value": "given"})
    await cloud.admin("POST", "faults", {"kind": "http", "path": f"/secrets/{name}", "status": 429, "retryAfter": 0})
    async with SecretClient(cloud.origin, identity, retry_total=0) as secrets:
        with pytest.raises(HttpResponseError) as raised:
            await secrets.get_secret(name)
    assert raised.value.status_code == 429
