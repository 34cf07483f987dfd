"""A running stack, and the acts of the people around it: they push, wait, look and break things."""

import asyncio
import itertools
import subprocess
import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import Any
from uuid import uuid4

import aiohttp
from azure_side import AzureSide
from messages import announced, text_of
from raw_database import RawDatabase
from raw_queues import RawQueues
from waiting import eventually

from local.demo import push as github
from local.stack import description
from local.stack.repository import deployment
from local.stack.seed import Fleet
from local.stack.stack import Stack

Json = dict[str, Any]
FAST = 20.0  # seconds of a cluster's life in one of ours
#: Looks at what rollouts wait for every second: a test does not wait for what a user would not mind. The whole fleet is looked at
#: only where a test is about that: what it tells would stand between what the others tell.
OFTEN = {"SWEEP_COMPLIANCE_SCHEDULE": "* * * * * *", "LOOK_FOR_AWAY_SECONDS": "1", "SWEEP_FLEET_SCHEDULE": "0 0 0 1 1 *"}


@dataclass(frozen=True)
class Push:
    """A commit that was pushed, and GitHub's webhook for it."""

    before: str
    commit: str
    body: bytes


@dataclass(frozen=True)
class Answer:
    status: int
    text: str


@dataclass(frozen=True)
class Ended:
    """A command that ran to its end."""

    status: int
    output: str
    errors: str


class Playground:
    def __init__(self, stack: Stack, azure: AzureSide, database: RawDatabase, web: aiohttp.ClientSession) -> None:
        self.stack = stack
        self.azure = azure
        self.database = database
        self.queues = RawQueues(stack.storage.connection_string())
        self._web = web
        self._versions = itertools.count(1)

    def commit(self, message: str = "Bring a new till to every shop", path: str = "clusters/base/till.yaml") -> Push:
        """A new commit on the branch that the fleet follows, not told to anyone yet."""
        repository = self.stack.state.repository
        before = repository.head()
        after = repository.commit({path: deployment(f"1.{next(self._versions)}.0")}, message)
        return Push(before, after, github.encode(github.payload(repository, before, after)))

    async def deliver(self, push: Push, delivery: str | None = None) -> Answer:
        headers = github.signed_headers(push.body, self.stack.github_secret, event="push", delivery=delivery)
        return await self.post(push.body, headers)

    async def push(self, message: str = "Bring a new till to every shop") -> Push:
        """A new commit, delivered until it is accepted: a machine busy with other tests may answer 503, deliver again."""
        pushed = self.commit(message)
        delivery = str(uuid4())

        async def accepted() -> bool:
            answer = await self.deliver(pushed, delivery)
            assert answer.status in (202, 503), answer
            return answer.status == 202

        await eventually(accepted, "the push is accepted")
        return pushed

    async def post(self, body: bytes, headers: Mapping[str, str], receiver: str = "platform") -> Answer:
        return await self.post_to(f"receivers/{receiver}", body, headers)

    async def post_to(self, path: str, body: bytes, headers: Mapping[str, str]) -> Answer:
        async with self._web.post(f"{self.stack.host}/api/{path}", data=BytesIO(body), headers=headers) as response:
            return Answer(response.status, await response.text())

    async def deliver_event(self, event: Json) -> None:
        """Once more, as Event Grid does when it did not hear the answer."""
        address = f"{self.stack.host}/runtime/webhooks/EventGrid?functionName=on_azure_event"
        async with self._web.post(address, json=[event], headers={"aeg-event-type": "Notification"}) as response:
            assert response.status == 202, await response.text()

    async def get(self, path: str) -> tuple[int, Json]:
        async with self._web.get(f"{self.stack.host}/api/{path}") as response:
            assert response.content_type == "application/json", (response.status, self.logged()[-4000:])
            return response.status, await response.json()

    async def rollouts_of(self, push: Push) -> list[Json]:
        _, page = await self.get("rollouts")
        return [rollout for rollout in page["rollouts"] if rollout["revision"] == push.commit]

    async def rollout(self, push: Push) -> Json:
        """The push's one rollout with its targets, as soon as there is one."""
        found = await eventually(lambda: self.rollouts_of(push), "a rollout began")
        assert len(found) == 1
        return (await self.get(f"rollouts/{found[0]['id']}"))[1]

    async def summary(self, push: Push) -> Json:
        """The push's one rollout without its targets, as soon as there is one."""
        return (await eventually(lambda: self.rollouts_of(push), "a rollout began"))[0]

    async def finished(self, push: Push, *, within_seconds: float) -> Json:
        """The push's rollout without its targets, once it has succeeded: for fleets that are too large to be read again and again."""

        async def look() -> Json | None:
            summary = await self.summary(push)
            assert summary["state"] in ("running", "succeeded"), summary
            return summary if summary["state"] == "succeeded" else None

        return await eventually(look, f"the rollout of {push.commit} has succeeded", within_seconds=within_seconds) or {}

    async def act(self, push: Push, act: str, **said: str) -> Answer:
        """What someone does to the push's rollout through the API."""
        path = f"{self.stack.host}/api/rollouts/{(await self.summary(push))['id']}/{act}"
        async with self._web.post(path, json=said) as response:
            return Answer(response.status, await response.text())

    async def waiting(self, push: Push) -> Json:
        """The push's rollout, once it waits for something that only time or people bring."""

        async def look() -> Json | None:
            rollout = await self.rollout(push)
            return rollout if rollout["waitingFor"] else None

        found = await eventually(look, "the rollout waits")
        assert found is not None
        return found

    async def watch(
        self, push: Push, *, until: str = "succeeded", passing: tuple[str, ...] = ("running",), within_seconds: float = 90
    ) -> list[Json]:
        """The push's rollout as it was seen again and again, until it left the states `passing`. Fails when that is not to `until`."""
        seen: list[Json] = []

        async def look() -> bool:
            seen.append(await self.rollout(push))
            return bool(seen[-1]["state"] not in passing)

        await eventually(look, f"the rollout of {push.commit} is {until}", within_seconds=within_seconds)
        assert seen[-1]["state"] == until, seen[-1]
        return seen

    async def ended(
        self, push: Push, *, until: str = "succeeded", passing: tuple[str, ...] = ("running",), within_seconds: float = 90
    ) -> Json:
        """The push's rollout with its targets, once it is in the state `until`."""
        return (await self.watch(push, until=until, passing=passing, within_seconds=within_seconds))[-1]

    async def commits_of(self) -> set[str]:
        """The commits that the clusters run."""
        return {cluster["syncedCommit"] for cluster in (await self.azure.clusters()).values()}

    async def told(self, channel: str, title: str) -> str:
        """Every text of the channel's one message whose heading begins with `title`, once it is there."""

        async def look() -> list[Json]:
            return [body for body in await self.azure.messages(channel) if announced([body])[0].startswith(title)]

        found = await eventually(look, f"{channel} got {title!r}", within_seconds=20)
        assert len(found) == 1
        return text_of(found[0])

    def configure(self, old: str, new: str) -> None:
        """Changes a piece of the stack's sluice.yaml in one step, as a deployment does."""
        configuration = self.stack.state.configuration
        text = configuration.read_text()
        assert text.count(old) == 1, f"{old!r} is {text.count(old)} times in {configuration}"
        changed = configuration.with_suffix(".new")
        changed.write_text(text.replace(old, new))
        changed.replace(configuration)

    def tell_at_once(self) -> None:
        """What many clusters may have at once is gathered for minutes; here for a second."""
        for provider in ("ops-teams", "ops-slack"):
            self.configure(f"provider: {provider}, severity: info}}", f"provider: {provider}, severity: info, group: {{interval: 1s}}}}")

    def logged(self) -> str:
        """All that the hosts of this stack have logged."""
        return "\n".join(log.read_text() for log in sorted(self.stack.state.logs.glob("host*.log")))

    async def sluice(self, *arguments: str) -> Ended:
        """Runs the command against this stack, as a user does."""
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "cli", *arguments), stdout=subprocess.PIPE, stderr=subprocess.PIPE
        )
        output, errors = await process.communicate()
        return Ended(process.returncode or 0, output.decode(), errors.decode())

    @property
    def state(self) -> tuple[str, str]:
        """The option that makes the command find this stack."""
        return ("--state", str(self.stack.state.path))


@asynccontextmanager
async def running(
    state: Path,
    *,
    clusters: int = 50,
    subscriptions: int = 1,
    canary_share: float = 0.1,
    settings: Mapping[str, str] | None = None,
    flux_alerts: bool = False,
    kind: type[Stack] = Stack,
    events: str = "",
) -> AsyncIterator[Playground]:
    """A stack of its own below `state`."""
    fleet = Fleet(clusters=clusters, subscriptions=subscriptions, canary_share=canary_share)
    async with AsyncExitStack() as parts:
        given = {**OFTEN, **(settings or {})}
        made = kind(state, fleet=fleet, speed=FAST, settings=given, flux_alerts=flux_alerts, events=events)
        stack = await parts.enter_async_context(made)
        authority = Path(description.read(stack.state.path).authority)
        key, name = stack.settings["COSMOS_KEY"], stack.settings["COSMOS_DATABASE"]
        yield Playground(
            stack,
            await parts.enter_async_context(AzureSide(stack.azure, authority)),
            await parts.enter_async_context(RawDatabase(stack.cosmos, key, name, str(authority))),
            await parts.enter_async_context(aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=30))),
        )
