"""The app's HTTP API, as the commands use it."""

import json
from collections.abc import Mapping
from types import TracebackType
from typing import Any, Self

import aiohttp

_TIMEOUT = aiohttp.ClientTimeout(total=30)


class ApiError(Exception):
    """The app refused, or could not be reached; the text is for people."""


class Api:
    """A client of the app at `url`. Use as an async context manager."""

    def __init__(self, url: str) -> None:
        self._url = url.rstrip("/")
        self._session: aiohttp.ClientSession | None = None

    async def __aenter__(self) -> Self:
        self._session = aiohttp.ClientSession(timeout=_TIMEOUT)
        return self

    async def __aexit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        if self._session:
            await self._session.close()

    async def rollouts(self) -> list[dict[str, Any]]:
        """The newest rollouts, newest first: one page."""
        found: list[dict[str, Any]] = (await self._get("/api/rollouts"))["rollouts"]
        return found

    async def rollout(self, rollout_id: str) -> dict[str, Any]:
        """One rollout with its targets and events."""
        found: dict[str, Any] = await self._get(f"/api/rollouts/{rollout_id}")
        return found

    async def deliver(self, receiver: str, body: bytes, headers: Mapping[str, str]) -> tuple[int, str]:
        """Posts a webhook; gives the status and the answer's text."""
        return await self._send("POST", f"/api/receivers/{receiver}", data=body, headers=dict(headers))

    async def _get(self, path: str) -> Any:
        status, text = await self._send("GET", path)
        if status != 200:
            raise ApiError(f"GET {self._url}{path}: {status} {text}".rstrip())
        return json.loads(text)

    async def _send(self, method: str, path: str, **options: Any) -> tuple[int, str]:
        if self._session is None:
            raise RuntimeError("the API's client is used inside `async with`")
        try:
            async with self._session.request(method, f"{self._url}{path}", **options) as response:
                return response.status, await response.text()
        except (aiohttp.ClientError, TimeoutError) as error:
            raise ApiError(f"{method} {self._url}{path}: {type(error).__name__}: {error}") from error
