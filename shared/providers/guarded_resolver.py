"""DNS for hosts that are not of our own choosing. aiohttp connects to just the addresses that a resolver gives it, so that a name cannot
stand for one address while it is looked at and for another one while it is called.
"""

import socket
from collections.abc import Callable

from aiohttp import ThreadedResolver
from aiohttp.abc import AbstractResolver, ResolveResult

from shared.domain.errors import Rejected


class GuardedResolver(AbstractResolver):
    """Raises Rejected where one of a host's addresses is not to be called. `why_not` gives the reason, or ""."""

    def __init__(self, why_not: Callable[[str], str], resolver: AbstractResolver | None = None) -> None:
        self._why_not = why_not
        self._resolver = resolver or ThreadedResolver()

    async def resolve(self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_UNSPEC) -> list[ResolveResult]:
        found = await self._resolver.resolve(host, port, family)
        for result in found:
            if reason := self._why_not(result["host"]):
                raise Rejected(f"the address of its host is not called: {reason}", code="AddressNotAllowed")
        return found

    async def close(self) -> None:
        await self._resolver.close()
