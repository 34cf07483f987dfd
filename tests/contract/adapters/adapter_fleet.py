"""Clusters of a test's own in the simulator."""

import uuid
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from local.stack import repository
from local.stack.simulator import Simulator


def now() -> datetime:
    return datetime.now(UTC)


@dataclass(frozen=True)
class Fleet:
    """Clusters of one test, following one repository."""

    simulator: Simulator
    url: str
    head: str
    ids: list[str]
    subscriptions: list[str]

    def cluster(self, number: int = 0) -> str:
        return self.ids[number].rsplit("/", 1)[1]

    def configuration(self, number: int = 0) -> str:
        """As the app has it: in lower case."""
        return f"{self.ids[number]}/providers/Microsoft.KubernetesConfiguration/fluxConfigurations/platform".lower()

    async def fail(self, number: int = 0, **rule: Any) -> None:
        """A rule for the PATCHes of one cluster."""
        path = f"/{self.cluster(number)}/.*fluxconfigurations"
        await self.simulator.post("faults", {"kind": "http", "method": "PATCH", "path": path, "times": 1, **rule})

    async def requests(self, method: str, number: int = 0) -> list[int]:
        """The statuses of what was asked of one cluster."""
        query = urlencode({"method": method, "path": f"/{self.cluster(number)}/"})
        seen = await self.simulator.get(f"requests?{query}")
        return [one["status"] for one in seen]


@dataclass(frozen=True)
class FleetMaker:
    simulator: Simulator
    folder: Path

    async def __call__(self, clusters: int = 2, name: str = "platform", **order: Any) -> Fleet:
        unique = uuid.uuid4()
        files = repository.create(self.folder / unique.hex)
        url = f"https://git.example/{unique.hex}/{name}"
        await self.simulator.post("repositories", {"url": url, "path": str(files.path)})
        defaults = {"clusters": clusters, "prefix": f"c{unique.hex[:8]}", "seed": unique.int % 1_000_000}
        made = await self.simulator.post("fleet", {**defaults, "repository": url, **order})
        return Fleet(self.simulator, url, files.head(), made["ids"], made["subscriptions"])
