"""An event of Azure arrives: each has an effect that is the same however often and in whatever order events come."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from shared.azure_events import FAMILIES
from shared.azure_events.event import AzureEvent
from shared.azure_events.news import ClusterTouched, ConfigurationTouched, News, ObjectsChanged, SecretExpiry
from shared.config.models import Config
from shared.domain.changes import Change
from shared.domain.clock import Clock
from shared.domain.messages import ONBOARDING, OnboardCluster
from shared.domain.policy_states import PolicyState, announce_policy
from shared.domain.sources import source_id
from shared.log import event_logger
from shared.ports import ForeignWrites, ObjectEvents, PolicyStates, Queue
from shared.services.look import Look
from shared.services.look_for_drift import LookForDrift
from shared.services.record_change import RecordChange
from shared.services.tell import Tell
from shared.services.tell_expiry import announce_expiry, users_of

log = event_logger("sluice.on_azure_event")

_MAX_TYPE = 100  #: characters of a type that is not ours


@dataclass(frozen=True)
class OnAzureEvent:
    """The use case behind the Event Grid trigger.

    What must not be lost raises where it cannot be kept: Event Grid delivers again, for a day.
    """

    look: Look
    look_for_drift: Callable[[], Awaitable[LookForDrift]]
    record_change: RecordChange
    foreign_writes: ForeignWrites
    policy_states: PolicyStates
    object_events: ObjectEvents
    queue: Queue
    clock: Clock
    config: Callable[[], Awaitable[Config]]  #: read when needed: without a usable sluice.yaml much can be done all the same
    tell: Callable[[], Awaitable[Tell]]
    subscriptions: frozenset[str]  #: in scope, lower case; empty = all
    identities: frozenset[str]  #: application and object ids that are ours, as `normal_identity` writes them

    async def __call__(self, event: AzureEvent) -> None:
        """Raises Refused for an event that does not have the shape of its type."""
        family = FAMILIES.get(event.type)
        if family is None:
            log.info("event.unknown", extra={"type": event.type[:_MAX_TYPE]})
            return
        news = family.read(event, self.clock())
        taken = news is not None and self._is_in_scope(news)
        log.info("event.taken" if taken else "event.ignored", extra={"type": event.type})
        if news is not None and taken:
            await self._take(news)

    def _is_in_scope(self, news: News) -> bool:
        """Changes and secrets are what sluice.yaml names, wherever they are."""
        if isinstance(news, Change | ObjectsChanged | SecretExpiry) or not self.subscriptions:
            return True
        return news.subscription in self.subscriptions

    async def _take(self, news: News) -> None:
        match news:
            case ConfigurationTouched():
                await self._touched(news)
            case ClusterTouched():
                await self.queue.send(ONBOARDING, OnboardCluster(cluster_id=news.cluster_id))
            case Change():
                if await self._is_followed(news):
                    await self.record_change(news)
            case ObjectsChanged():
                await self._objects(news)
            case PolicyState():
                await self._policy(news)
            case SecretExpiry():
                await self._expiry(news)

    async def _touched(self, news: ConfigurationTouched) -> None:
        """Who wrote is kept before the look: it must be known when the change is seen. Without knowing ourselves we know no others.

        What we have written ourselves is known from Azure's answer: a look at each of thousands would only use up what ARM lets us read.
        """
        if news.write is not None and news.identities & self.identities:
            return
        foreign = news.write if news.identities and self.identities else None
        if foreign is not None and await self.foreign_writes.record(foreign):
            log.info("write.foreign", extra={"operation": foreign.operation})
        await self.look(news.configuration_id)
        if foreign is not None:
            look_for_drift = await self.look_for_drift()
            await look_for_drift(foreign)

    async def _is_followed(self, change: Change) -> bool:
        """A registry tells every image that is built, an account every blob: only what a route follows is recorded."""
        config = await self.config()
        return any(source_id(route.source.url) == change.source for route in config.routes)

    async def _objects(self, news: ObjectsChanged) -> None:
        """An event that comes after a later one of its blob is about what is no longer there."""
        if not await self._is_followed(news.change):
            return
        if any([await self.object_events.advance(news.change.source, each) for each in news.objects]):
            await self.record_change(news.change)

    async def _policy(self, told: PolicyState) -> None:
        """Told again where the event comes again: an instance may have died between the two."""
        known = await self.policy_states.record(told)
        announcement = announce_policy(known) if (known.at, known.compliance) == (told.at, told.compliance) else None
        if announcement is not None:
            tell = await self.tell()
            await tell(announcement)

    async def _expiry(self, expiry: SecretExpiry) -> None:
        users = users_of(await self.config(), expiry)
        if users:
            tell = await self.tell()
            await tell(announce_expiry(expiry, users))
