"""What Cosmos DB's refusals and outages mean, and that a call does not last: a server that answers as it is told to."""

import time
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import filled
import pytest
from adapter_servers import answering
from aiohttp import web

from local import tls
from shared.azure.cosmos.database import Database
from shared.azure.cosmos.keys import CosmosDataKeys
from shared.azure.cosmos.rollouts import CosmosRollouts
from shared.azure.credential import AsyncCredential, Credential, CredentialSettings
from shared.azure.key_vault import KeyEncryptionKey, Wrapped
from shared.azure.sealing import EnvelopeSealer
from shared.domain.errors import Conflict, NotFound, Rejected, SluiceError, Throttled, Unavailable

PATIENCE_SECONDS = 15


@dataclass
class FailingAccount:
    """An account whose documents answer one status, or whose connection breaks where that is 0."""

    status: int = 503
    headers: dict[str, str] = field(default_factory=dict)
    asked: int = 0

    async def answer(self, request: web.Request) -> web.StreamResponse:
        if request.path == "/":
            region = [{"name": "here", "databaseAccountEndpoint": f"https://{request.host}/"}]
            consistency = {"defaultConsistencyLevel": "Session"}
            account = {"writableLocations": region, "readableLocations": region, "userConsistencyPolicy": consistency}
            return web.json_response({"id": "account", "enableMultipleWriteLocations": False, **account})
        if "/docs" not in request.path:
            return web.json_response({"id": "pace", "_rid": "r", "partitionKey": {"paths": ["/id"], "kind": "Hash", "version": 2}})
        self.asked += 1
        if not self.status:
            assert request.transport is not None
            request.transport.close()
        return web.json_response({"code": str(self.status), "message": "no"}, status=self.status or 500, headers=self.headers)


@pytest.fixture
def account() -> FailingAccount:
    return FailingAccount()


@pytest.fixture
async def failing(account: FailingAccount, tls_files: tls.TlsFiles, account_key: str) -> AsyncIterator[Database]:
    async with answering(tls_files, account.answer) as endpoint:
        made = Database(endpoint, "any", account_key)
        yield made
        await made.close()


async def failure(database: Database, call: str) -> SluiceError:
    """What reading, creating, replacing or asking for a document raises, in no more time than a function has to spare."""
    started = time.monotonic()
    with pytest.raises(SluiceError) as caught:
        await CALLS[call](database)
    assert time.monotonic() - started < PATIENCE_SECONDS
    return caught.value


async def ask(database: Database) -> list[Any]:
    return [found async for found in database.query("pace", "SELECT * FROM c WHERE c.id = @id", {"@id": "a"}, partition="a")]


CALLS: dict[str, Callable[[Database], Awaitable[Any]]] = {
    "read": lambda database: database.read("pace", "a", "a"),
    "create": lambda database: database.create_item("pace", {"id": "a"}),
    "replace": lambda database: database.replace("pace", {"id": "a"}, '"etag"'),
    "query": ask,
}


@pytest.mark.parametrize("call", ["read", "create", "query"])
@pytest.mark.parametrize(
    ("status", "expected"),
    [
        (400, Rejected),
        (401, Rejected),
        (403, Rejected),
        (408, Unavailable),
        (409, Conflict),
        (410, Unavailable),
        (412, Conflict),
        (413, Rejected),
        (449, Unavailable),
        (500, Unavailable),
        (503, Unavailable),
        (0, Unavailable),
    ],
)
async def test_each_answer_has_its_meaning(
    failing: Database, account: FailingAccount, status: int, expected: type[SluiceError], call: str
) -> None:
    account.status = status
    assert type(await failure(failing, call)) is expected
    assert account.asked


async def test_throttling_is_waited_for_and_then_passed_on_with_its_time(failing: Database, account: FailingAccount) -> None:
    account.status, account.headers = 429, {"x-ms-retry-after-ms": "30"}
    throttled = await failure(failing, "create")
    assert isinstance(throttled, Throttled)
    assert throttled.retry_after == 0.03
    assert account.asked == 10  # once, and nine times more by azure-cosmos itself


async def test_long_throttling_is_not_waited_for_again_and_again(failing: Database, account: FailingAccount) -> None:
    account.status, account.headers = 429, {"x-ms-retry-after-ms": "10000"}
    throttled = await failure(failing, "read")
    assert isinstance(throttled, Throttled)
    assert throttled.retry_after == 10
    assert account.asked == 2


async def test_an_owner_that_is_gone_is_not_a_document_that_is_gone(failing: Database, account: FailingAccount) -> None:
    account.status = 404
    assert await failing.read("pace", "a", "a") is None
    assert isinstance(await failure(failing, "replace"), NotFound)
    assert isinstance(await failure(failing, "query"), Unavailable)
    account.headers = {"x-ms-substatus": "1003"}
    assert isinstance(await failure(failing, "read"), Unavailable)


@pytest.mark.parametrize("call", ["read", "create", "replace", "query"])
async def test_a_database_that_was_never_made_is_said_so(cosmos: str, account_key: str, call: str) -> None:
    missing = Database(cosmos, "never-made", account_key)
    error = await failure(missing, call)
    assert isinstance(error, Unavailable)
    assert "sluice init" in str(error)
    with pytest.raises(Unavailable, match="sluice init"):
        await missing.check()
    await missing.close()


async def test_without_a_server_it_is_an_outage(account_key: str) -> None:
    gone = Database("https://127.0.0.1:1", "any", account_key)
    assert isinstance(await failure(gone, "read"), Unavailable)
    await gone.close()


async def test_without_a_token_it_is_an_outage(cosmos: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("IDENTITY_ENDPOINT", "http://127.0.0.1:1/msi/token")
    monkeypatch.setenv("IDENTITY_HEADER", "none")
    async with AsyncCredential(Credential(CredentialSettings())) as credential:
        signed_out = Database(cosmos, "any", credential)
        assert isinstance(await failure(signed_out, "read"), Unavailable)
        await signed_out.close()


class CutOffVault(KeyEncryptionKey):
    async def wrap(self, data_key: bytes) -> Wrapped:
        raise Unavailable("the vault does not answer")


async def test_nothing_is_stored_while_no_key_can_be_had(database: Database, key_file: Path) -> None:
    store = CosmosRollouts(database, EnvelopeSealer(CosmosDataKeys(database), CutOffVault(str(key_file))))
    with pytest.raises(Unavailable):
        await store.create(filled.rollout())
    assert [item async for item in database.query("rollouts", "SELECT * FROM c", {})] == []
