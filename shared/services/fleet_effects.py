"""What follows from a look at the fleet: people are told, drift is recorded, and what is to be put back is ordered."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

from shared.domain.audit import Entry
from shared.domain.clock import Clock
from shared.domain.configurations import cluster_id, configuration_id
from shared.domain.fleet import Aside, Order, Page, Transition
from shared.domain.lasting import lasting
from shared.domain.messages import RESTORATIONS, RestoreConfiguration
from shared.domain.record import digest
from shared.domain.rollouts import target_id
from shared.ports import Audit, Queue
from shared.services.concurrency import map_bounded
from shared.services.fleet_news import announcements, lasting_announcements
from shared.services.pacing import Pacer
from shared.services.tell import Tell


@dataclass(frozen=True)
class FleetEffects:
    """Every id is made of the look's, a sweep's number or a single look's id, so repeating it changes nothing."""

    tell: Tell
    audit: Audit
    queue: Queue
    pacer: Pacer
    clock: Clock

    async def __call__(self, pages: Sequence[Page]) -> None:
        """All that these pages have to say, of the oldest sweep first."""
        sweeps: dict[int, list[Page]] = defaultdict(list)
        for page in pages:
            sweeps[page.sweep].append(page)
        for number, written in sorted(sweeps.items()):
            news = [transition for page in written for transition in page.news]
            await self._say(str(number), f"sweep {number}", news, found="when the whole fleet was looked at")
            await self._order([order for page in written for order in page.orders])

    async def single(self, aside: Aside) -> None:
        """All that a look at a single fluxConfiguration has to say."""
        await self._say(aside.id, aside.cause, aside.news, found="when someone wrote it")
        await self._order(aside.orders)

    async def _say(self, look: str, cause: str, news: Sequence[Transition], *, found: str) -> None:
        await map_bounded(partial(self._note, look, cause), [transition for transition in news if transition.is_drift])
        for route, alike in announcements(look, news, found=found, public_url=self.tell.public_url):
            await self.tell.all(alike, route=route, group={"route": route, "batch": digest("batch", look, route)})

    async def remind(self, pages: Sequence[Page]) -> None:
        """Those who asked for it, of what lasts."""
        if any(rule.repeat for rule in self.tell.config.rules()):
            await self.tell.again(lasting_announcements(lasting(pages), self.tell.public_url))

    async def _order(self, orders: Sequence[Order]) -> None:
        """Sends each to its slot, so that ARM's limit holds for these updates too."""
        by_subscription: dict[str, list[Order]] = defaultdict(list)
        for order in orders:
            by_subscription[order.subscription].append(order)
        for subscription, same in by_subscription.items():
            for order, slot in zip(same, await self.pacer.reserve(subscription, len(same)), strict=True):
                await self.queue.send(RESTORATIONS, _message(order), not_before=slot)

    async def _note(self, look: str, cause: str, transition: Transition) -> None:
        target = target_id(transition.configuration_id)
        await self.audit.append(
            Entry(
                id=f"{look}.{target}.{transition.kind}",
                stream=target,
                at=self.clock(),
                actor="sluice",
                action=transition.kind,
                resource=transition.configuration_id,
                cause=cause,
                detail={"reason": transition.reason},
                subscription=transition.configuration_id.split("/")[2],
            )
        )


def _message(order: Order) -> RestoreConfiguration:
    return RestoreConfiguration(
        cluster_id=cluster_id(order.configuration_id),
        configuration_id=configuration_id(order.configuration_id),
        key=order.key,
        rollout_id=order.rollout_id,
        dispatch=order.dispatch,
        retry=order.retry,
        resume=order.resume,
    )
