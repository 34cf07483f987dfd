"""The way to clusters' Flux Receivers: as to every service, and only to hosts whose addresses may be called."""

from collections.abc import Callable, Mapping
from functools import partial
from ipaddress import ip_address
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from shared.domain.addresses import why_not_called
from shared.domain.errors import Rejected
from shared.providers.http import OutboundHttp

if TYPE_CHECKING:
    from aiohttp.abc import AbstractResolver

_TIMEOUT_SECONDS = 10.0


class FluxReceivers:
    """Implements ports.ReceiverCaller. `loopback`: the Receivers of the local stack are on this machine. `resolver` knows hosts that the
    machine's own does not.
    """

    def __init__(
        self, *, loopback: bool = False, timeout_seconds: float = _TIMEOUT_SECONDS, resolver: "AbstractResolver | None" = None
    ) -> None:
        self._rules = {private: partial(why_not_called, private=private, loopback=loopback) for private in (False, True)}
        self._http = {
            private: OutboundHttp(timeout_seconds=timeout_seconds, resolver=partial(_guarded, rule, resolver))
            for private, rule in self._rules.items()
        }

    async def call(self, address: str, body: bytes, *, headers: Mapping[str, str], private_addresses: bool) -> None:
        """Raises as OutboundHttp.post_bytes does, and Rejected for a host that is not called."""
        literal = _literal(address)  # aiohttp asks no resolver for it
        if literal and (reason := self._rules[private_addresses](literal)):
            raise Rejected(f"the address of its host is not called: {reason}", code="AddressNotAllowed")
        await self._http[private_addresses].post_bytes(address, body, headers=headers)

    async def close(self) -> None:
        for http in self._http.values():
            await http.close()


def _guarded(rule: Callable[[str], str], resolver: "AbstractResolver | None") -> "AbstractResolver":
    from shared.providers.guarded_resolver import GuardedResolver

    return GuardedResolver(rule, resolver)


def _literal(address: str) -> str:
    """The IP address that stands in the place of a host; "" where there is a name."""
    try:
        return str(ip_address(urlsplit(address).hostname or ""))
    except ValueError:
        return ""
