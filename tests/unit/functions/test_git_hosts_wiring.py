"""Who the app is to a Git host: a token, a GitHub App, or its own identity."""

from collections.abc import Mapping
from typing import Any, NamedTuple

import msgspec
import pytest
from azure.core.exceptions import ClientAuthenticationError
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from worlds import World

from shared import bootstrap
from shared.config.models import App, Provider
from shared.domain.commit_reports import Saying
from shared.domain.commits import Commit
from shared.domain.errors import Unavailable
from shared.providers.http import Answer

COMMIT = {"revision": "1f" * 20, "ref": "refs/heads/main", "link": "https://sluice.example", "key": "k", "since": "2026-11-23T12:00:00Z"}
SAYING = Saying(kind="status", context="sluice/r/s", environment="r/s", state="running", text="10 %")


class Http:
    """In place of the way out: takes everything, and gives a token to every app."""

    def __init__(self) -> None:
        self.callers: list[tuple[str, str]] = []

    async def exchange(self, method: str, address: str, body: object, *, headers: Mapping[str, str], limit: int) -> Answer:
        kind = "app" if "/access_tokens" in address else "status"
        self.callers.append((kind, headers["Authorization"]))
        return Answer(201, {}, b'{"token": "ghs_token", "expires_at": "2099-01-01T00:00:00Z"}')


class Token(NamedTuple):
    token: str


class Identity:
    def __init__(self, *, is_refused: bool = False) -> None:
        self.asked: list[str] = []
        self._is_refused = is_refused

    async def get_token(self, *scopes: str, **options: Any) -> Token:
        self.asked += scopes
        if self._is_refused:
            raise ClientAuthenticationError("no")
        return Token("an-entra-token")


@pytest.fixture
def http(app: bootstrap.App) -> Http:
    vars(app)["outbound_http"] = Http()
    return app.outbound_http  # type: ignore[return-value]  # put there in the line above


def commit(url: str) -> Commit:
    return msgspec.convert(COMMIT | {"url": url}, Commit)


async def say(app: bootstrap.App, provider: Provider, url: str) -> None:
    host = await app.connect_git_host(provider)
    await host.say(commit(url), SAYING, "")


async def test_a_token_is_read_for_each_call(app: bootstrap.App, world: World, http: Http) -> None:
    provider = Provider(name="hub", type="github", token_ref="kv://sluice/hub")
    for token in ("old", "new\n"):
        world.secrets.known["kv://sluice/hub"] = token
        await say(app, provider, "github.com/contoso/platform")
    assert http.callers == [("status", "Bearer old"), ("status", "Bearer new")]


async def test_an_app_asks_for_its_token_once(app: bootstrap.App, world: World, http: Http) -> None:
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    world.secrets.known["kv://sluice/key"] = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
    provider = Provider(name="hub", type="github", app=App(id=12, installation_id=34, private_key_ref="kv://sluice/key"))
    for _ in range(2):
        await say(app, provider, "github.com/contoso/platform")
    assert [kind for kind, _ in http.callers] == ["app", "status", "status"]
    assert {caller for kind, caller in http.callers if kind == "status"} == {"Bearer ghs_token"}


async def test_the_app_s_own_identity_calls_azure_devops(app: bootstrap.App, http: Http) -> None:
    identity = Identity()
    vars(app)["credential"] = identity
    await say(app, Provider(name="ado", type="azure-devops"), "dev.azure.com/contoso/edge/_git/platform")
    assert http.callers == [("status", "Bearer an-entra-token")]
    assert identity.asked == ["499b84ac-1321-427f-aa17-267ca6975798/.default"]


async def test_an_identity_that_is_refused_may_be_let_in_later(app: bootstrap.App, http: Http) -> None:
    vars(app)["credential"] = Identity(is_refused=True)
    with pytest.raises(Unavailable):
        await say(app, Provider(name="ado", type="azure-devops"), "dev.azure.com/contoso/edge/_git/platform")
    assert http.callers == []
