"""The simulated Azure, as a test arranges it and looks at it."""

from collections import Counter
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from local.stack.simulator import Simulator

_ARM = "https://management.azure.com"
_VERSION = "2025-04-01"
#: Methods that put a message before people; "" for channels that have no methods.
POSTED = ("", "chat.postMessage", "webhook")

Json = dict[str, Any]


@dataclass(frozen=True)
class Patch:
    """A PATCH of a fluxConfiguration, as the simulator answered it."""

    at: datetime
    cluster: str
    status: int


class AzureSide(Simulator):
    """The admin side, and ARM as someone with the app's identity reads it."""

    async def clusters(self) -> dict[str, Json]:
        """By name: `tags`, `connectivity`, and of its one configuration `desiredCommit`, `syncedCommit` and `writes`."""
        found = await self.get("clusters")
        return {one["name"]: {**one["configurations"][0], **one} for one in found}

    async def ring(self, name: str) -> set[str]:
        return {cluster for cluster, one in (await self.clusters()).items() if one["tags"]["ring"] == name}

    async def patches(self) -> list[Patch]:
        seen = await self.get("requests", method="PATCH")
        return [Patch(datetime.fromisoformat(one["at"]), _cluster_in(one["path"]), one["status"]) for one in seen]

    async def accepted(self) -> Counter[str]:
        """How many PATCHes of each cluster were accepted."""
        return Counter(patch.cluster for patch in await self.patches() if patch.status < 300)

    async def throttled_paths(self) -> list[str]:
        return [one["path"] for one in await self.get("requests") if one["status"] == 429]

    async def messages(self, channel: str) -> list[Json]:
        """The messages that a channel accepted, oldest first: in Slack those in threads too, each as it was first posted."""
        return [one["body"] for one in await self.get("messages", channel=channel) if one.get("method", "") in POSTED]

    async def slack(self, method: str) -> list[Json]:
        """What Slack was asked to do by one of its methods, oldest first; each with `ts` and `body`."""
        return [one for one in await self.get("messages", channel="slack") if one["method"] == method]

    async def set_speed(self, speed: float) -> None:
        await self.post("clock", {"speed": speed})

    async def connect(self, cluster: str, state: str) -> None:
        await self.post(f"clusters/{cluster}/connectivity", {"state": state})

    async def fail_commit(self, commit: str, **rule: object) -> None:
        await self.post("faults", {"kind": "commit", "commit": commit, **rule})

    async def fail_requests(self, method: str, path: str, **rule: object) -> None:
        await self.post("faults", {"kind": "http", "method": method, "path": path, **rule})

    async def clear_faults(self) -> None:
        await self._request("DELETE", "faults")

    async def forget(self) -> None:
        """Starts the journals of requests and messages anew."""
        await self._request("DELETE", "requests")
        await self._request("DELETE", "messages")

    async def documents(self, identity_header: str) -> dict[str, Json]:
        """The fluxConfiguration of every cluster as ARM shows it, by the cluster's name."""
        token = await self._token(identity_header)
        return {name: await self._read(one["id"], token) for name, one in (await self._configurations()).items()}

    async def change(self, identity_header: str, cluster: str, properties: Json, *, client_id: str) -> None:
        """Writes to a cluster's fluxConfiguration past the app, as another identity does in the portal."""
        token = await self._token(identity_header, client_id=client_id)
        resource_id = (await self._configurations())[cluster]["id"]
        assert self._session is not None
        headers = {"Authorization": f"Bearer {token}"}
        async with self._session.patch(
            f"{self._url}{resource_id}", params={"api-version": _VERSION}, json={"properties": properties}, headers=headers
        ) as response:
            assert response.status in (200, 202), await response.text()

    async def _configurations(self) -> dict[str, Json]:
        return {one["name"]: one["configurations"][0] for one in await self.get("clusters")}

    async def _token(self, identity_header: str, **of: str) -> str:
        query = {"api-version": "2019-08-01", "resource": _ARM, **of}
        answer = await self._fetch("/msi/token", query, {"X-IDENTITY-HEADER": identity_header})
        return str(answer["access_token"])

    async def _read(self, resource_id: str, token: str) -> Json:
        return await self._fetch(resource_id, {"api-version": _VERSION}, {"Authorization": f"Bearer {token}"})

    async def _fetch(self, path: str, query: dict[str, str], headers: dict[str, str]) -> Json:
        assert self._session is not None
        async with self._session.get(f"{self._url}{path}", params=query, headers=headers) as response:
            assert response.status == 200, await response.text()
            answer: Json = await response.json()
            return answer


def reported_at(document: Json) -> datetime:
    """When the cluster last told Azure how it is."""
    return datetime.fromisoformat(document["properties"]["statusUpdatedAt"])


def _cluster_in(path: str) -> str:
    parts = path.split("/")
    return parts[[part.lower() for part in parts].index("connectedclusters") + 1]
