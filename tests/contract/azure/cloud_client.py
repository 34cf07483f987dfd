"""What the tests use to arrange the simulated cloud and to call it: a plain HTTP client, and a Git repository to push to."""

import asyncio
import subprocess
import time
import uuid
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self, TypeVar

import aiohttp
from azure.core.credentials import AccessToken, AccessTokenInfo, TokenRequestOptions

T = TypeVar("T")
ARM = "https://management.azure.com"
GRAPH = "/providers/Microsoft.ResourceGraph/resources?api-version=2021-03-01"
DEADLINE_SECONDS = 15.0


@dataclass(frozen=True)
class Answer:
    status: int
    headers: dict[str, str]
    body: Any


@dataclass(frozen=True)
class MadeFleet:
    ids: list[str]
    subscriptions: list[str]

    def configuration(self, number: int = 0, name: str = "platform") -> str:
        return f"{self.ids[number]}/providers/Microsoft.KubernetesConfiguration/fluxConfigurations/{name}"

    def name(self, number: int = 0) -> str:
        return self.ids[number].rsplit("/", 1)[1]


class CloudClient:
    def __init__(self, origin: str, session: aiohttp.ClientSession, identity_header: str, client_id: str) -> None:
        self.origin = origin
        self.client_id = client_id
        self._session = session
        self._identity_header = identity_header
        self._tokens: dict[str, str] = {}

    async def token(self, resource: str = ARM) -> str:
        if resource not in self._tokens:
            self._tokens[resource] = (await self.fresh_token(resource))["access_token"]
        return self._tokens[resource]

    async def fresh_token(self, resource: str = ARM) -> dict[str, Any]:
        query = {"api-version": "2019-08-01", "resource": resource, "client_id": self.client_id}
        headers = {"X-IDENTITY-HEADER": self._identity_header}
        async with self._session.get(f"{self.origin}/msi/token", params=query, headers=headers) as response:
            assert response.status == 200
            body: dict[str, Any] = await response.json()
            return body

    async def call(self, method: str, path: str, body: Any = None, *, resource: str = ARM, headers: dict[str, str] | None = None) -> Answer:
        """`path` may be a whole URL, such as an operation's."""
        url = path if path.startswith("https://") else f"{self.origin}{path}"
        given = {"Authorization": f"Bearer {await self.token(resource)}"} if headers is None else headers
        return await self.send(method, url, body, given)

    async def send(self, method: str, url: str, body: Any, headers: dict[str, str]) -> Answer:
        async with self._session.request(method, url, json=body, headers=headers) as response:
            is_json = "json" in response.headers.get("Content-Type", "")
            answer = await response.json() if is_json else await response.text()
            return Answer(response.status, dict(response.headers), answer)

    async def admin(self, method: str, path: str, body: Any = None) -> Any:
        answer = await self.send(method, f"{self.origin}/_sim/{path}", body, {})
        assert answer.status < 300, answer.body
        return answer.body

    async def clear_faults(self) -> None:
        await self.admin("DELETE", "faults")

    async def make_fleet(self, repository: "Repository", **order: Any) -> MadeFleet:
        unique = uuid.uuid4()
        defaults = {"clusters": 2, "prefix": f"c{unique.hex[:8]}", "seed": unique.int % 1_000_000}
        made = await self.admin("POST", "fleet", {**defaults, "repository": repository.url, **order})
        return MadeFleet(made["ids"], made["subscriptions"])

    async def properties(self, configuration: str) -> dict[str, Any]:
        answer = await self.call("GET", f"{configuration}?api-version=2025-04-01")
        assert answer.status == 200, answer.body
        properties: dict[str, Any] = answer.body["properties"]
        return properties

    async def patch(self, configuration: str, properties: dict[str, Any]) -> Answer:
        return await self.call("PATCH", f"{configuration}?api-version=2025-04-01", {"properties": properties})

    async def pin(self, configuration: str, commit: str) -> Answer:
        return await self.patch(configuration, {"gitRepository": {"repositoryRef": {"commit": commit}}})

    async def settled(self, configuration: str, state: str, commit: str = "") -> dict[str, Any]:
        """The properties once the state is reached, of that commit when one is given."""

        async def look() -> dict[str, Any] | None:
            seen = await self.properties(configuration)
            reached = seen["complianceState"] == state and commit in (seen["sourceSyncedCommitId"] or "")
            return seen if reached else None

        return await until(look)

    async def query(self, text: str, **body: Any) -> Answer:
        return await self.call("POST", GRAPH, {"query": text, **body})

    async def messages(self, channel: str) -> list[dict[str, Any]]:
        messages: list[dict[str, Any]] = await self.admin("GET", f"messages?channel={channel}")
        return messages


async def until(look: Callable[[], Awaitable[T | None]]) -> T:
    """What `look` gives once it gives something. Fails after the deadline."""
    deadline = time.monotonic() + DEADLINE_SECONDS
    while time.monotonic() < deadline:
        found = await look()
        if found is not None:
            return found
        await asyncio.sleep(0.02)
    raise AssertionError(f"not reached within {DEADLINE_SECONDS} s")


class ManagedIdentity:
    """An SDK credential that asks the simulator's identity endpoint, as the app's own does."""

    def __init__(self, cloud: CloudClient) -> None:
        self._cloud = cloud
        self.scopes: list[str] = []

    async def get_token(self, *scopes: str, **options: Any) -> AccessToken:
        self.scopes += scopes
        token = await self._cloud.fresh_token(scopes[0].removesuffix("/.default"))
        return AccessToken(token["access_token"], int(token["expires_on"]))

    async def get_token_info(self, *scopes: str, options: TokenRequestOptions | None = None) -> AccessTokenInfo:
        token = await self.get_token(*scopes)
        return AccessTokenInfo(token.token, token.expires_on)

    async def close(self) -> None:
        return

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_error: object) -> None:
        return


@dataclass(frozen=True)
class Repository:
    path: Path
    url: str

    @classmethod
    def create(cls, path: Path, url: str) -> "Repository":
        path.mkdir()
        made = cls(path, url)
        made.git("init", "--quiet", "--initial-branch=main")
        made.git("config", "user.email", "platform@contoso.example")
        made.git("config", "user.name", "Platform")
        made.commit({"apps/web.yaml": "kind: Deployment\n", "infra/dns.yaml": "kind: ConfigMap\n"})
        return made

    def git(self, *arguments: str) -> str:
        done = subprocess.run(["git", *arguments], cwd=self.path, check=True, capture_output=True, text=True)
        return done.stdout.strip()

    def commit(self, files: dict[str, str]) -> str:
        """Writes the files and commits them; the new commit's hash."""
        for name, content in files.items():
            (self.path / name).parent.mkdir(parents=True, exist_ok=True)
            (self.path / name).write_text(content)
        self.git("add", ".")
        self.git("commit", "--quiet", "--message", "change")
        return self.git("rev-parse", "HEAD")
