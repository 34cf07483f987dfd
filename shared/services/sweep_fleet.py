"""The whole fleet is looked at: only what changed is written, and told."""

from dataclasses import dataclass

from shared.domain.clock import Clock
from shared.domain.drift import DriftPolicy, asked_of
from shared.domain.errors import Conflict, SluiceError
from shared.domain.fleet import PAGES, Page, page_number
from shared.domain.fleet_changes import Group, Look, gather, new_drifts, renew
from shared.domain.flux_support import newest
from shared.domain.sweeps import Sweep, asked_since, finish, give_up, take
from shared.log import event_logger
from shared.ports import AskedStates, FleetPages, ForeignWrites, Inventory, Restorations
from shared.services.asides import Asides
from shared.services.fleet_effects import FleetEffects
from shared.services.fleet_metrics import measure_fleet
from shared.services.record_trend import RecordTrend
from shared.services.suspects import Suspects

log = event_logger("sluice.fleet")

Pages = list[tuple[Page, str]]


@dataclass(frozen=True)
class SweepFleet:
    """The use case behind `sweep_fleet`. One instance at a time; one that dies loses its turn in the end.

    A page is saved with what its sweep has to tell and to put back, so nothing of that is lost with an instance: the next sweep
    says first what the one before it did not, with the same ids, so that nobody is told twice.
    """

    inventory: Inventory
    store: FleetPages
    asked: AskedStates
    restorations: Restorations
    foreign_writes: ForeignWrites
    effects: FleetEffects
    record_trend: RecordTrend
    policy: DriftPolicy
    clock: Clock

    async def __call__(self, holder: str) -> None:
        """`holder` names this attempt, and no other. Does nothing while another one is at it."""
        stored, etag = await self.store.sweep()
        sweep = take(stored, holder, self.clock())
        if sweep is None:
            log.info("fleet.held", extra={"sweep": stored.number})
            return
        try:
            etag = await self.store.save_sweep(sweep, etag)
        except Conflict:
            return
        try:
            await self._look(sweep)
        except Conflict:
            log.warning("fleet.overtaken", extra={"sweep": sweep.number})
        except SluiceError:
            await self._leave(give_up(sweep), etag)
            raise
        else:
            await self._leave(finish(sweep, self.clock()), etag)

    async def _leave(self, sweep: Sweep, etag: str) -> None:
        """Gives the turn back, unless it is another's by now."""
        try:
            await self.store.save_sweep(sweep, etag)
        except Conflict:
            log.warning("fleet.overtaken", extra={"sweep": sweep.number})

    async def _look(self, sweep: Sweep) -> None:
        # Before anything is seen: what is asked during the look cannot be in it yet, and so is not judged.
        now = self.clock()
        asides = Asides(self.store, self.effects)
        pages = [await asides.say(page, etag) for page, etag in await self.store.pages()]
        await self.effects([page for page, _ in pages if page.sweep > sweep.finished])
        groups = gather([sighting async for sighting in self.inventory.look()])
        # What was asked is read after what is seen: an update in between would look like someone else's.
        asked = {
            record.resource_id: found
            async for record in self.asked.asked_since(asked_since(sweep))
            if (found := asked_of(record)) is not None
        }
        extensions = [cluster.extension for cluster, _ in groups.values() if cluster.extension]
        look = Look(
            number=sweep.number,
            now=now,
            policy=self.policy,
            newest_flux=newest(extension.version for extension in extensions),
            asked=asked,
            is_first=sweep.number == 1,
            sees_extensions=bool(extensions),
        )
        renewed = await self._write(pages, _by_page(groups), look)
        written = [page for page in renewed if page.sweep == look.number]
        await self.effects(written)
        await self.effects.remind(renewed)
        measure_fleet(renewed)
        await self.record_trend(renewed)
        log.info("fleet.swept", extra={"sweep": sweep.number, "clusters": len(groups), "pages_written": len(written)})

    async def _write(self, pages: Pages, groups: list[dict[str, Group]], look: Look) -> list[Page]:
        """Saves the pages that have changed; gives all as they are now."""
        suspects = Suspects(self.asked, self.restorations, self.foreign_writes)
        return [await self._renew(page, etag, part, look, suspects) for (page, etag), part in zip(pages, groups, strict=True)]

    async def _renew(self, page: Page, etag: str, groups: dict[str, Group], look: Look, suspects: Suspects) -> Page:
        """The page as it is now, saved where it has changed. Looks at single fluxConfigurations go on meanwhile: what they have saved
        is taken up. Raises Conflict where a newer sweep has written it.
        """
        while True:
            renewed = renew(page, groups, look)
            if drifted := new_drifts(page, renewed):
                renewed = renew(page, groups, await suspects.make_sure(drifted, look))
            if renewed is page:
                return page
            try:
                await self.store.save_page(renewed, etag)
            except Conflict:
                page, etag = await self.store.page(page.id)
                if page.sweep > look.number:
                    raise
            else:
                return renewed


def _by_page(groups: dict[str, Group]) -> list[dict[str, Group]]:
    parts: list[dict[str, Group]] = [{} for _ in range(PAGES)]
    for key, group in groups.items():
        parts[page_number(key)][key] = group
    return parts
