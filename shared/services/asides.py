"""What looks at single fluxConfigurations have found is said, and then no longer kept."""

from dataclasses import dataclass

from msgspec.structs import replace

from shared.domain.errors import Conflict
from shared.domain.fleet import Page
from shared.ports import FleetPages
from shared.services.fleet_effects import FleetEffects


@dataclass(frozen=True)
class Asides:
    """Whoever finds them on a page says them, an event that comes again or the next sweep: their ids stay the same."""

    store: FleetPages
    effects: FleetEffects

    async def say(self, page: Page, etag: str) -> tuple[Page, str]:
        """The page without them, and its ETag."""
        while page.asides:
            for aside in page.asides:
                await self.effects.single(aside)
            without = replace(page, asides=())
            try:
                return without, await self.store.save_page(without, etag)
            except Conflict:
                page, etag = await self.store.page(page.id)
        return page, etag
