"""What looks at the fleet, brings clusters to their baselines, and puts back what departs."""

from datetime import timedelta
from typing import TYPE_CHECKING

from shared.use_cases.telling import Telling

if TYPE_CHECKING:
    from shared.services.look_for_drift import LookForDrift
    from shared.services.on_azure_event import OnAzureEvent
    from shared.services.onboard import Onboard
    from shared.services.restore import Restore
    from shared.services.sweep_clusters import SweepClusters
    from shared.services.sweep_fleet import SweepFleet
    from shared.services.wanted import WantedOf


class Looking(Telling):
    """Use cases are made anew with the configuration in force."""

    def on_azure_event(self) -> "OnAzureEvent":
        from shared.azure_events.resources import normal_identity
        from shared.services.look import Look
        from shared.services.on_azure_event import OnAzureEvent
        from shared.services.record_change import RecordChange

        return OnAzureEvent(
            Look(self.rollouts, self.configurations, self.resource_manager, self.queue, self.clock),
            self.look_for_drift,
            RecordChange(self.changes, self.audit, self.queue),
            self.foreign_writes,
            self.policy_states,
            self.object_events,
            self.queue,
            self.clock,
            self.config.latest,
            self.tell,
            frozenset(self.settings.sluice_subscriptions),
            frozenset(map(normal_identity, self.settings.own_identities)),
        )

    async def onboard(self) -> "Onboard":
        from shared.services.onboard import Onboard
        from shared.services.onboarding_news import OnboardingNews
        from shared.services.protected_settings import ProtectedSettings

        return Onboard(
            self.onboardings,
            await self._wanted(),
            self.cluster_resources,
            ProtectedSettings(self.secrets),
            self.pacer,
            self.audit,
            self.queue,
            OnboardingNews(self.tell),
            self.clock,
            timedelta(seconds=self.settings.apply_lease_seconds),
            timedelta(seconds=self.settings.redispatch_after_seconds),
        )

    async def sweep_clusters(self) -> "SweepClusters":
        from shared.services.sweep_clusters import SweepClusters

        lost_after = timedelta(seconds=self.settings.redispatch_after_seconds)
        return SweepClusters(self.onboardings, self.clusters, await self._wanted(), self.queue, self.clock, lost_after)

    async def _wanted(self) -> "WantedOf":
        from shared.services.wanted import WantedOf

        return WantedOf(await self.config.latest(), self.clusters)

    async def sweep_fleet(self) -> "SweepFleet":
        from shared.services.fleet_effects import FleetEffects
        from shared.services.record_trend import RecordTrend
        from shared.services.sweep_fleet import SweepFleet

        config = await self.config.latest()
        effects = FleetEffects(await self.tell(), self.audit, self.queue, self.pacer, self.clock)
        stores = (self.fleet_pages, self.configurations, self.resource_manager, self.foreign_writes)
        record_trend = RecordTrend(self.fleet_pages, [section.selector for section in config.digests], self.clock)
        return SweepFleet(self.inventory, *stores, effects, record_trend, config.drift.policy(), self.clock)

    async def look_for_drift(self) -> "LookForDrift":
        from shared.services.asides import Asides
        from shared.services.fleet_effects import FleetEffects
        from shared.services.look_for_drift import LookForDrift

        policy = (await self.config.latest()).drift.policy()
        effects = FleetEffects(await self.tell(), self.audit, self.queue, self.pacer, self.clock)
        ports = (self.configurations, self.resource_manager, self.cluster_resources, self.foreign_writes, self.fleet_pages)
        return LookForDrift(*ports, Asides(self.fleet_pages, effects), policy, self.clock)

    def restore(self) -> "Restore":
        from shared.services.restore import Restore

        lease = timedelta(seconds=self.settings.apply_lease_seconds)
        arm = self.resource_manager
        return Restore(self.rollouts, self.configurations, arm, self.pacer, self.audit, self.queue, self.clock, lease)
