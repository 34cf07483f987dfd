"""What the fleet is."""

from collections.abc import AsyncIterator
from typing import Protocol

from shared.domain.fleet import Page, Seen, Sighting
from shared.domain.observations import FluxConfiguration, Observation
from shared.domain.policy_states import PolicyState
from shared.domain.sweeps import Sweep
from shared.domain.trend import Trend


class FleetPages(Protocol):
    """The fleet as the newest sweep saw it."""

    async def pages(self) -> list[tuple[Page, str]]:
        """Every page and its ETag, in order; a new one with ETag "" where there is none."""
        ...

    async def page(self, page_id: str) -> tuple[Page, str]:
        """One of them."""
        ...

    async def save_page(self, page: Page, etag: str) -> str:
        """The new ETag. Raises Conflict when it changed since it was read."""
        ...

    async def sweep(self) -> tuple[Sweep, str]: ...

    async def save_sweep(self, sweep: Sweep, etag: str) -> str:
        """The new ETag. Raises Conflict when it changed since it was read."""
        ...


class Trends(Protocol):
    """How the fleet, and parts of it, were over the last weeks."""

    async def trend(self, trend_id: str) -> tuple[Trend, str]:
        """An empty one with ETag "" where there is none."""
        ...

    async def save_trend(self, trend: Trend, etag: str) -> str:
        """The new ETag. Raises Conflict when it changed since it was read."""
        ...


class Inventory(Protocol):
    """Azure Resource Graph: the whole fleet."""

    def look(self) -> AsyncIterator[Sighting]:
        """Every fluxConfiguration in scope with its cluster, and every connected cluster that has none, page by page.

        Raises Throttled or Unavailable.
        """
        ...


class PolicyStates(Protocol):
    """What Azure Policy says of clusters."""

    async def record(self, state: PolicyState) -> PolicyState:
        """What is known after this: see `policy_states.follow`."""
        ...


class Fleet(Protocol):
    """Azure Resource Graph."""

    def configurations(self, search_term: str) -> AsyncIterator[FluxConfiguration]:
        """Every fluxConfiguration in scope whose source URL contains `search_term`, with its cluster, page by page.

        Raises Throttled or Unavailable.
        """
        ...


class FluxConfigurations(Protocol):
    """Azure Resource Manager, asked about one fluxConfiguration: it knows at once what Resource Graph shows later."""

    async def observe(self, configuration_id: str) -> Observation:
        """What it is now; `Observation.missing` where it is not there. How its cluster is connected is not part of it: "".

        Raises Throttled, Unavailable or Rejected.
        """
        ...

    async def seen(self, configuration_id: str) -> Seen | None:
        """The same as a look at the fleet shows it; None where it is not there. Raises Throttled, Unavailable or Rejected."""
        ...


class Probe(Protocol):
    """A dependency that readiness asks after."""

    async def check(self) -> None:
        """Raises when the dependency cannot be used."""
        ...
