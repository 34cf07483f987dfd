"""The admin side of the Azure simulator, as the stack and the demo use it."""

import ssl
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import aiohttp

from local.stack.errors import SimulatorError

_TIMEOUT = aiohttp.ClientTimeout(total=60)


class Simulator:
    """A client of /_sim at `url`, whose certificate `authority` has issued. Use as an async context manager."""

    def __init__(self, url: str, authority: Path) -> None:
        self._url = url
        self._authority = authority
        self._session: aiohttp.ClientSession | None = None

    async def __aenter__(self) -> Self:
        trust = ssl.create_default_context(cafile=str(self._authority))
        self._session = aiohttp.ClientSession(connector=aiohttp.TCPConnector(ssl=trust), timeout=_TIMEOUT)
        return self

    async def __aexit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        if self._session:
            await self._session.close()

    async def get(self, path: str, **query: str) -> Any:
        """The JSON at /_sim/`path`. Raises SimulatorError."""
        return await self._request("GET", path, params=query)

    async def post(self, path: str, body: Mapping[str, object]) -> Any:
        return await self._request("POST", path, json=body)

    async def put(self, path: str, body: Mapping[str, object] | None = None) -> Any:
        return await self._request("PUT", path, json=body or {})

    async def _request(self, method: str, path: str, **options: Any) -> Any:
        if self._session is None:
            raise RuntimeError("the simulator's client is used inside `async with`")
        try:
            async with self._session.request(method, f"{self._url}/_sim/{path}", **options) as response:
                if response.status < 400:
                    return await response.json(content_type=None)
                reason = f"{response.status} {await response.text()}"
        except (aiohttp.ClientError, TimeoutError) as error:
            reason = f"{type(error).__name__}: {error}"
        raise SimulatorError(f"{method} /_sim/{path}: {reason}")
