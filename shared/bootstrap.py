"""The composition root: settings become adapters, adapters become use cases. Everything is made at its first use and kept."""

import asyncio
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from shared.adapters import Adapters, now

if TYPE_CHECKING:
    from collections.abc import Iterable

    from shared.config.models import Config
    from shared.config.models import Provider as ProviderConfig
    from shared.config.settings import Settings
    from shared.ports import Provider
    from shared.services.act import ActOn
    from shared.services.answer_gate import AnswerGate, Callback
    from shared.services.answer_in_slack import AnswerInSlack
    from shared.services.apply import Apply
    from shared.services.bury import Bury, Replay
    from shared.services.call_gate import Call
    from shared.services.check import RecordCheck
    from shared.services.converse import Converse, ShowOn
    from shared.services.effects import Effects
    from shared.services.export_logs import ExportLogs
    from shared.services.health import Readiness
    from shared.services.history import History
    from shared.services.look_for_drift import LookForDrift
    from shared.services.make_digest import MakeDigest
    from shared.services.notify_receiver import NotifyReceiver
    from shared.services.observe import Observe
    from shared.services.on_azure_event import OnAzureEvent
    from shared.services.onboard import Onboard
    from shared.services.person_answers import PersonAnswers
    from shared.services.plan import Plan
    from shared.services.post import Post
    from shared.services.receive import Receive
    from shared.services.remind import Remind
    from shared.services.report import Report
    from shared.services.report_clusters import ReportClusters
    from shared.services.report_commit import ReportOn
    from shared.services.report_deliveries import ReportDeliveries
    from shared.services.report_fleet import ReportFleet
    from shared.services.report_flux import ReportFlux
    from shared.services.resend import Resend
    from shared.services.restore import Restore
    from shared.services.send_digests import ReportDigest, SendDigests
    from shared.services.step import Step
    from shared.services.sweep_clusters import SweepClusters
    from shared.services.sweep_fleet import SweepFleet
    from shared.services.tell import Tell, TellEvent
    from shared.services.tell_targets import TellEnded
    from shared.services.wanted import WantedOf
    from shared.services.watch_config import WatchConfig


class App(Adapters):
    """One instance a process and event loop. Adapters are attributes; use cases are methods, made anew with the configuration in force."""

    def __init__(self, settings: "Settings") -> None:
        super().__init__(settings)
        self._looked: dict[str, datetime] = {}

    async def receive(self) -> "Receive":
        from shared.services.receive import Receive

        return Receive(
            config=await self.config.latest(),
            secrets=self.secrets,
            changes=self.changes,
            audit=self.audit,
            queue=self.queue,
            registry=self.registry,
            clock=now,
            record_check=self.record_check(),
            report_flux=await self.report_flux(),
            rates=self.rates,
            refusals=self.refusals,
        )

    async def report_flux(self) -> "ReportFlux":
        from shared.services.report_flux import ReportFlux

        return ReportFlux(self.rollouts, self.queue, now, await self.tell())

    def record_check(self) -> "RecordCheck":
        from shared.services.check import RecordCheck

        return RecordCheck(self.checks, self.changes, self.queue, now)

    async def plan(self) -> "Plan":
        from shared.services.plan import Plan
        from shared.services.touched_paths import TouchedPaths

        redispatch = self.settings.redispatch_after_seconds
        config = await self.config.latest()
        touched = TouchedPaths(config, self.compare, self.secrets)
        return Plan(
            config, self.changes, self.rollouts, self.configurations, self.fleet, self.audit, self.queue, now, redispatch, touched.fill
        )

    def step(self) -> "Step":
        from shared.services.gate_facts import GateFactsOf
        from shared.services.step import Step

        return Step(self.rollouts, self.pacer, GateFactsOf(self.rollouts, self.checks), self._effects(), now)

    def act(self) -> "ActOn":
        from shared.services.act import ActOn

        return ActOn(self.rollouts, self.changes, self._effects(), now)

    def person_answers(self) -> "PersonAnswers":
        from shared.services.person_answers import PersonAnswers

        return PersonAnswers(self.rollouts, self.answer_gate(), now)

    def _effects(self) -> "Effects":
        from shared.services.effects import Effects

        return Effects(self.audit, self.queue, now, self._are_targets_wanted)

    async def _are_targets_wanted(self, types: "Iterable[str]") -> bool:
        """Without a usable sluice.yaml nobody can say so, and they are told once there is one."""
        from shared.domain.endings import are_wanted
        from shared.domain.errors import NotConfigured

        try:
            config = await self.config.latest()
        except NotConfigured:
            return True
        return are_wanted(config.rules(), types)

    def apply(self) -> "Apply":
        from shared.services.apply import Apply

        lease = timedelta(seconds=self.settings.apply_lease_seconds)
        notify = self.notify_receiver()
        return Apply(self.rollouts, self.configurations, self.resource_manager, notify, self.pacer, self.audit, self.queue, now, lease)

    def notify_receiver(self) -> "NotifyReceiver":
        from shared.services.notify_receiver import NotifyReceiver

        return NotifyReceiver(self.secrets, self.flux_receivers)

    def call_gate(self) -> "Call":
        from shared.services.call_gate import Call

        return Call(self.rollouts, self.secrets, self.outbound_http, self.audit, now, self.settings.sluice_url)

    def answer_gate(self) -> "AnswerGate":
        from shared.services.answer_gate import AnswerGate

        return AnswerGate(self.rollouts, self.audit, self.queue, now)

    def callback(self) -> "Callback":
        from shared.services.answer_gate import Callback

        return Callback(self.rollouts, self.secrets, self.answer_gate(), now)

    def observe(self) -> "Observe":
        from shared.services.observe import Observe

        every = timedelta(seconds=self.settings.look_for_away_seconds)
        return Observe(self.rollouts, self.fleet, self.queue, now, every, self._looked)

    def on_azure_event(self) -> "OnAzureEvent":
        from shared.azure_events.resources import normal_identity
        from shared.services.look import Look
        from shared.services.on_azure_event import OnAzureEvent
        from shared.services.record_change import RecordChange

        return OnAzureEvent(
            Look(self.rollouts, self.configurations, self.resource_manager, self.queue, now),
            self.look_for_drift,
            RecordChange(self.changes, self.audit, self.queue),
            self.foreign_writes,
            self.policy_states,
            self.object_events,
            self.queue,
            now,
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
            now,
            timedelta(seconds=self.settings.apply_lease_seconds),
            timedelta(seconds=self.settings.redispatch_after_seconds),
        )

    async def sweep_clusters(self) -> "SweepClusters":
        from shared.services.sweep_clusters import SweepClusters

        lost_after = timedelta(seconds=self.settings.redispatch_after_seconds)
        return SweepClusters(self.onboardings, self.clusters, await self._wanted(), self.queue, now, lost_after)

    async def _wanted(self) -> "WantedOf":
        from shared.services.wanted import WantedOf

        return WantedOf(await self.config.latest(), self.clusters)

    def report_clusters(self) -> "ReportClusters":
        from shared.services.report_clusters import ReportClusters

        return ReportClusters(self.onboardings)

    async def sweep_fleet(self) -> "SweepFleet":
        from shared.services.fleet_effects import FleetEffects
        from shared.services.record_trend import RecordTrend
        from shared.services.sweep_fleet import SweepFleet

        config = await self.config.latest()
        effects = FleetEffects(await self.tell(), self.audit, self.queue, self.pacer, now)
        stores = (self.fleet_pages, self.configurations, self.resource_manager, self.foreign_writes)
        record_trend = RecordTrend(self.fleet_pages, [section.selector for section in config.digests], now)
        return SweepFleet(self.inventory, *stores, effects, record_trend, config.drift.policy(), now)

    async def look_for_drift(self) -> "LookForDrift":
        from shared.services.asides import Asides
        from shared.services.fleet_effects import FleetEffects
        from shared.services.look_for_drift import LookForDrift

        policy = (await self.config.latest()).drift.policy()
        effects = FleetEffects(await self.tell(), self.audit, self.queue, self.pacer, now)
        ports = (self.configurations, self.resource_manager, self.cluster_resources, self.foreign_writes, self.fleet_pages)
        return LookForDrift(*ports, Asides(self.fleet_pages, effects), policy, now)

    def restore(self) -> "Restore":
        from shared.services.restore import Restore

        lease = timedelta(seconds=self.settings.apply_lease_seconds)
        arm = self.resource_manager
        return Restore(self.rollouts, self.configurations, arm, self.pacer, self.audit, self.queue, now, lease)

    async def tell(self) -> "Tell":
        from shared.services.tell import Tell

        return Tell(await self.config.latest(), self.deliveries, self.queue, now, self.settings.sluice_url)

    async def tell_event(self) -> "TellEvent":
        from shared.services.tell import TellEvent

        return TellEvent(self.rollouts, await self.tell(), self.settings.sluice_url)

    async def tell_targets(self) -> "TellEnded":
        from shared.services.tell_targets import TellEnded

        return TellEnded(self.rollouts, await self.tell())

    async def post(self) -> "Post":
        from shared.services.post import Post
        from shared.services.undelivered import Undelivered

        undelivered = Undelivered(self.deliveries, self.audit, self.queue)
        return Post(await self.config.latest(), self.deliveries, self.queue, now, self._connect_to_tell, self.channel_pacer, undelivered)

    async def resend(self) -> "Resend":
        from shared.services.resend import Resend

        return Resend(await self.config.latest(), self.deliveries, self.audit, self.queue, now)

    async def _connect_to_tell(self, provider: "ProviderConfig") -> "Provider":
        """Where messages can be edited, what is posted goes into the conversation about its rollout."""
        from shared.services.converse import Conversing

        if not provider.converses:
            return await self.connect(provider)
        return Conversing(self._converse(), provider, await self.connect_converser(provider))

    def _converse(self) -> "Converse":
        from shared.services.converse import Converse

        return Converse(self.rollouts, self.conversations, self.queue, now, self.settings.sluice_url)

    async def show(self) -> "ShowOn":
        from shared.services.converse import ShowOn

        return ShowOn(await self.config.latest(), self._converse(), self.connect_converser)

    async def answer_in_slack(self) -> "AnswerInSlack":
        from shared.providers.slack_dialog import told_modal
        from shared.services.answer_in_slack import AnswerInSlack

        config = await self.config.latest()
        return AnswerInSlack(config, self.secrets, self.person_answers(), self.connect_dialog, told_modal, self.refusals, now)

    async def report_commit(self) -> "ReportOn":
        from shared.services.report_commit import ReportOn

        config, connect = await self.config.latest(), self.connect_git_host
        return ReportOn(config, self.rollouts, self.commit_reports, self.audit, self.queue, now, connect, self.settings.sluice_url)

    def bury(self) -> "Bury":
        from shared.services.bury import Bury

        return Bury(self.audit, self.tell, self.queue, now)

    async def remind(self) -> "Remind":
        from shared.services.remind import Remind

        return Remind(self.rollouts, await self.tell())

    async def watch_config(self) -> "WatchConfig":
        from shared.services.watch_config import WatchConfig

        tell = await self.tell()
        return WatchConfig(self.config.problem, tell)

    def export_logs(self) -> "ExportLogs | None":
        """None where the settings name no place for rows."""
        if not self.settings.logs_ingestion_endpoint:
            return None
        from shared.azure.cosmos.log_streams import CosmosLogStreams
        from shared.services.export_logs import ExportLogs

        return ExportLogs(CosmosLogStreams(self.database, self.sealer), self.log_rows, now)

    def replay(self) -> "Replay":
        from shared.services.bury import Replay

        return Replay(self.audit, self.queue)

    def report(self) -> "Report":
        from shared.services.report import Report

        return Report(self.rollouts, now)

    def history(self) -> "History":
        from shared.services.history import History

        return History(self.fleet_pages, self.audit)

    def report_deliveries(self) -> "ReportDeliveries":
        from shared.services.report_deliveries import ReportDeliveries

        return ReportDeliveries(self.deliveries)

    def report_fleet(self) -> "ReportFleet":
        from shared.services.report_fleet import ReportFleet

        return ReportFleet(self.fleet_pages)

    async def send_digests(self) -> "SendDigests":
        from shared.services.send_digests import SendDigests

        config = await self.config.latest()
        return SendDigests(config, self.digest_marks, self._make_digest(config), self.deliveries, self.queue, now)

    async def report_digest(self) -> "ReportDigest":
        from shared.services.send_digests import ReportDigest

        config = await self.config.latest()
        return ReportDigest(config, self.digest_marks, self._make_digest(config), now)

    def _make_digest(self, config: "Config") -> "MakeDigest":
        from shared.providers.trend_picture import paint
        from shared.services.make_digest import MakeDigest

        stores = (self.fleet_pages, self.fleet_pages, self.rollouts, self.onboardings, self.deliveries)
        return MakeDigest(config, *stores, self.secrets, paint, self.settings.sluice_url, now)

    def readiness(self) -> "Readiness":
        from shared.services.health import Readiness

        return Readiness(
            {
                "configuration": self.config,
                "database": self.database,
                "queues": self.queue,
                "fleet": self.fleet,
                "keys": self.key_encryption_key,
            }
        )

    async def close(self) -> None:
        """Closes what was opened. Only short-lived programs need it: a function app ends with its process."""
        azure = ("config", "database", "secrets", "queue", "resource_manager", "cluster_resources", "fleet", "log_rows")
        opened = (*azure, "outbound_http", "flux_receivers", "credential")
        await asyncio.gather(*(vars(self)[name].close() for name in opened if name in vars(self)))


_app: App | None = None


def app() -> App:
    """The process's app. Raises Malformed when settings are missing."""
    global _app  # noqa: PLW0603 -- one app a process: its clients are what makes a warm invocation cheap
    if _app is None:
        from shared.config.settings import read

        _app = App(read())
    return _app


async def create_database() -> list[str]:
    """Makes database, containers and queues where they are missing; what `sluice init` runs."""
    made = App(app().settings)
    try:
        return [*await made.database.create(), *await made.queue.create()]
    finally:
        await made.close()
