"""The app's HTTP API, as the commands use it."""

import argparse
import getpass
import json
import os
from collections.abc import AsyncIterator, Mapping
from types import TracebackType
from typing import Any, Self
from urllib.parse import quote, urlencode

import aiohttp

_TIMEOUT = aiohttp.ClientTimeout(total=30)
_ID_LENGTH = 32
_NEWEST = 100  #: rollouts among which the beginning of an id is looked for


class ApiError(Exception):
    """The app refused, or could not be reached; the text is for people."""


class Api:
    """A client of the app at `url`, which sends `headers` with every request. Use as an async context manager."""

    def __init__(self, url: str, headers: Mapping[str, str] | None = None) -> None:
        self._url = url.rstrip("/")
        self._headers = dict(headers or {})
        self._session: aiohttp.ClientSession | None = None

    async def __aenter__(self) -> Self:
        self._session = aiohttp.ClientSession(timeout=_TIMEOUT, headers=self._headers)
        return self

    async def __aexit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        if self._session:
            await self._session.close()

    async def rollouts(self) -> list[dict[str, Any]]:
        """The newest rollouts, newest first: one page."""
        found: list[dict[str, Any]] = (await self._get("/api/rollouts"))["rollouts"]
        return found

    async def rollout(self, rollout_id: str, *, targets: bool = True) -> dict[str, Any]:
        """One rollout with its events, and its first thousand targets."""
        found: dict[str, Any] = await self._get(f"/api/rollouts/{_part(rollout_id)}{'' if targets else '?targets=0'}")
        return found

    async def targets(self, rollout_id: str, state: str) -> list[dict[str, Any]]:
        """The first hundred targets of a rollout in a state."""
        found: list[dict[str, Any]] = (await self._get(f"/api/rollouts/{_part(rollout_id)}/targets?state={_part(state)}"))["targets"]
        return found

    async def clusters(self, state: str = "") -> AsyncIterator[dict[str, Any]]:
        """Every cluster that has a baseline, page by page."""
        continuation: str | None = ""
        while continuation is not None:
            page = await self._get(f"/api/clusters?limit=1000&state={_part(state)}&continuation={continuation}")
            for cluster in page["clusters"]:
                yield cluster
            continuation = page["continuation"]

    async def fleet(self, wanted: Mapping[str, str]) -> dict[str, Any]:
        """Counts of the fleet, and a page of the rows that are wanted."""
        found: dict[str, Any] = await self._get(f"/api/fleet?{urlencode(wanted)}")
        return found

    async def history(self, cluster: str, limit: int) -> dict[str, Any]:
        """What a cluster was asked to run, newest first. Raises ApiError with the app's reason where there is no such cluster."""
        status, text = await self._send("GET", f"/api/history?{urlencode({'cluster': cluster, 'limit': limit})}")
        if status != 200:
            raise ApiError(_reason(text) or f"GET {self._url}/api/history: {status} {text}".rstrip())
        found: dict[str, Any] = json.loads(text)
        return found

    async def notifications(self, state: str) -> AsyncIterator[dict[str, Any]]:
        """The messages to people in a state, newest first, page by page."""
        continuation: str | None = ""
        while continuation is not None:
            page = await self._get(f"/api/notifications?limit=100&state={_part(state)}&continuation={_part(continuation)}")
            for notification in page["notifications"]:
                yield notification
            continuation = page["continuation"]

    async def resend(self, channel: str, notification_id: str, body: Mapping[str, str]) -> dict[str, Any]:
        """The message after it was asked for again. Raises ApiError with the app's reason."""
        return await self._post(f"/api/notifications/{_part(channel)}/{_part(notification_id)}/resend", body)

    async def digest(self, name: str) -> dict[str, Any]:
        """When a digest comes, and what it would say now."""
        found: dict[str, Any] = await self._get(f"/api/digests/{_part(name)}")
        return found

    async def find(self, beginning: str) -> str:
        """The id of the one rollout among the newest that begins so; a whole id is taken as it is. Raises ApiError."""
        if len(beginning) >= _ID_LENGTH:
            return beginning
        newest = (await self._get(f"/api/rollouts?limit={_NEWEST}"))["rollouts"]
        ids = [rollout["id"] for rollout in newest if rollout["id"].startswith(beginning)]
        if not ids:
            raise ApiError(f"no rollout among the newest {_NEWEST} begins with {beginning}")
        if len(ids) > 1:
            raise ApiError(f"{len(ids)} rollouts begin with {beginning}: {', '.join(ids)}")
        return str(ids[0])

    async def act(self, rollout_id: str, act: str, body: Mapping[str, str]) -> dict[str, Any]:
        """The rollout after the act. Raises ApiError with the app's reason."""
        return await self._post(f"/api/rollouts/{_part(rollout_id)}/{act}", body)

    async def answer(self, rollout_id: str, stage: str, gate: str, answer: str, body: Mapping[str, str]) -> dict[str, Any]:
        """The rollout after an answer at a gate. Raises ApiError with the app's reason."""
        return await self._post(f"/api/rollouts/{_part(rollout_id)}/gates/{_part(stage)}/{_part(gate)}/{answer}", body)

    async def deliver(self, receiver: str, body: bytes, headers: Mapping[str, str], *, token: str = "") -> tuple[int, str]:
        """Posts a webhook, to the address that ends with `token` where there is one; gives the status and the answer's text."""
        path = f"/api/receivers/{receiver}"
        return await self._send("POST", f"{path}/{_part(token)}" if token else path, shown=path, data=body, headers=dict(headers))

    async def _get(self, path: str) -> Any:
        status, text = await self._send("GET", path)
        if status != 200:
            raise ApiError(f"GET {self._url}{path}: {status} {text}".rstrip())
        return json.loads(text)

    async def _post(self, path: str, body: Mapping[str, str]) -> dict[str, Any]:
        status, text = await self._send("POST", path, json=body)
        if status != 200:
            raise ApiError(_reason(text) or f"POST {self._url}{path}: {status} {text}".rstrip())
        found: dict[str, Any] = json.loads(text)
        return found

    async def _send(self, method: str, path: str, *, shown: str = "", **options: Any) -> tuple[int, str]:
        """`shown` stands for the path in an error, where that holds a secret."""
        if self._session is None:
            raise RuntimeError("the API's client is used inside `async with`")
        try:
            async with self._session.request(method, f"{self._url}{path}", **options) as response:
                return response.status, await response.text()
        except (aiohttp.ClientError, TimeoutError) as error:
            raise ApiError(f"{method} {self._url}{shown or path}: {type(error).__name__}: {error}") from error


def connect(options: argparse.Namespace) -> Api:
    """The app that `options.add_api` names. Raises NoStack where it names none and no local stack runs."""
    from local.stack import description

    headers = {"X-Sluice-Actor": _who()}
    if key := options.key or os.environ.get("SLUICE_KEY"):
        headers["x-functions-key"] = key
    if token := os.environ.get("SLUICE_TOKEN"):
        headers["Authorization"] = f"Bearer {token}"
    return Api(options.url or description.read(options.state).host, {name: value for name, value in headers.items() if value})


def _who() -> str:
    """The name that this machine knows its user by: a claim, which the app records as one."""
    try:
        return quote(getpass.getuser(), safe=" @")[:64]
    except (OSError, KeyError):  # a container's user may have no name; before Python 3.13 that is a KeyError
        return ""


def _part(text: str) -> str:
    """One part of a path, or one value of a query."""
    return quote(text, safe="")


def _reason(text: str) -> str:
    """Why the app refused; "" where what answered is not the app."""
    try:
        return str(json.loads(text)["error"])
    except (ValueError, KeyError, TypeError):
        return ""
