"""The clusters' notification-controllers: Flux's events, posted by a provider of type generic-hmac.

https://fluxcd.io/flux/components/notification/providers/#generic-webhook-with-hmac
"""

import asyncio
import hmac
import json
from datetime import UTC, datetime
from typing import Any

import aiohttp

from local.azure.clock import SimulatedClock
from local.azure.resources import Condition, FluxConfiguration, JsonObject

#: A provider's timeout covers all of its tries.
_TIMEOUT = aiohttp.ClientTimeout(total=15)
_TRIES = 5
_FIRST_WAIT_SECONDS = 2.0  # simulated, then doubling
_MOST_AT_ONCE = 16
_APIS = {"GitRepository": "source.toolkit.fluxcd.io/v1", "Kustomization": "kustomize.toolkit.fluxcd.io/v1"}


class FluxAlerts:
    """Silent until it has an address. What cannot be delivered is lost, as Flux loses it."""

    def __init__(self, clock: SimulatedClock) -> None:
        self._clock = clock
        self._address = ""
        self._secret = ""
        self._session: aiohttp.ClientSession | None = None
        self._gate = asyncio.Semaphore(_MOST_AT_ONCE)
        self._tasks: set[asyncio.Task[None]] = set()

    def send_to(self, address: str, secret: str) -> None:
        """Each cluster signs with its own token, the HMAC-SHA256 of its ARM id in lower case under `secret`."""
        self._address, self._secret = address, secret

    def tell(self, configuration: FluxConfiguration) -> None:
        """Sends, in the background and in no order, what the last attempt of each Flux object came to."""
        if not self._address:
            return
        for event in events(configuration):
            task = asyncio.create_task(self._post(configuration.cluster.id, json.dumps(event).encode()))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def close(self) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        if self._session is not None:
            await self._session.close()

    async def _post(self, cluster_id: str, body: bytes) -> None:
        token = hmac.digest(self._secret.encode(), cluster_id.lower().encode(), "sha256").hex()
        signature = hmac.digest(token.encode(), body, "sha256").hex()
        headers = {"Content-Type": "application/json", "Gotk-Component": "kustomize-controller", "X-Signature": f"sha256={signature}"}
        wait = _FIRST_WAIT_SECONDS
        for _ in range(_TRIES):
            async with self._gate:
                if not await self._should_try_again(body, headers):
                    return
            await asyncio.sleep(wait / self._clock.speed)
            wait *= 2

    async def _should_try_again(self, body: bytes, headers: dict[str, str]) -> bool:
        """After no answer, 429 and 5xx, as Flux does."""
        self._session = self._session or aiohttp.ClientSession(timeout=_TIMEOUT)
        try:
            async with self._session.post(self._address, data=body, headers=headers) as response:
                return response.status == 429 or response.status >= 500
        except (aiohttp.ClientError, TimeoutError):
            return True


def events(configuration: FluxConfiguration) -> list[JsonObject]:
    """The failed source alone, or one event a kustomization that was tried."""
    seen = configuration.observation
    if seen.source is not None and not seen.source.ready:
        return [_event(configuration, configuration.source_kind, configuration.name, seen.source)]
    return [
        _event(configuration, "Kustomization", f"{configuration.name}-{name}", condition)
        for name, condition in seen.kustomizations.items()
        if condition.reason != "DependencyNotReady"
    ]


def _event(configuration: FluxConfiguration, kind: str, name: str, condition: Condition) -> JsonObject:
    metadata: dict[str, Any] = {"clusterArmId": configuration.cluster.id}
    if kind == "Kustomization":
        metadata["revision"] = configuration.observation.synced
    if condition.ready:
        metadata["commit_status"] = "update"
    return {
        "involvedObject": {
            "kind": kind,
            "namespace": configuration.properties.get("namespace", "default"),
            "name": name,
            "apiVersion": _APIS.get(kind, _APIS["GitRepository"]),
        },
        "severity": "info" if condition.ready else "error",
        "timestamp": datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        "message": "Reconciliation finished in 1.2s, next run in 10m0s" if condition.ready else condition.message,
        "reason": condition.reason,
        "metadata": metadata,
        "reportingController": "kustomize-controller" if kind == "Kustomization" else "source-controller",
        "reportingInstance": "simulated",
    }
