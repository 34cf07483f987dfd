"""All fakes together, and the use cases on them, as the composition root puts them together."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from fake_chat import FakeChat, FakeDialog
from fake_fleet_of_clusters import FakeArm, FakeClusters, FakeOnboardings
from fake_fleet_pages import FakeDigestMarks, FakeFleetPages
from fakes import (
    FakeAudit,
    FakeChanges,
    FakeChecks,
    FakeClock,
    FakeCommitReports,
    FakeCompare,
    FakeConfigurations,
    FakeConversations,
    FakeDeliveries,
    FakeFleet,
    FakeFluxConfigurations,
    FakeForeignWrites,
    FakeGateCaller,
    FakeGitHost,
    FakeObjectEvents,
    FakePace,
    FakePolicyStates,
    FakeProvider,
    FakeQueue,
    FakeReceiverCaller,
    FakeRegistry,
    FakeResourceManager,
    FakeRollouts,
    FakeSecrets,
    Faults,
)

from shared.config.loader import load_text
from shared.config.models import Config
from shared.config.models import Provider as ProviderConfig
from shared.domain.drift import DriftPolicy
from shared.domain.endings import are_wanted
from shared.domain.messages import Deliver, Notify, ShowRollout, TellTargets
from shared.domain.trend import Point
from shared.ports import GitHost, Provider
from shared.providers.slack_dialog import told_modal
from shared.services.act import ActOn
from shared.services.answer_gate import AnswerGate, Callback
from shared.services.answer_in_slack import AnswerInSlack
from shared.services.apply import Apply
from shared.services.asides import Asides
from shared.services.bury import Bury, Replay
from shared.services.call_gate import Call
from shared.services.channel_pacing import ChannelPacer
from shared.services.check import RecordCheck
from shared.services.converse import Converse, Conversing, ShowOn
from shared.services.effects import Effects
from shared.services.fleet_effects import FleetEffects
from shared.services.gate_facts import GateFactsOf
from shared.services.look import Look
from shared.services.look_for_drift import LookForDrift
from shared.services.make_digest import MakeDigest
from shared.services.notify_receiver import NotifyReceiver
from shared.services.observe import Observe
from shared.services.on_azure_event import OnAzureEvent
from shared.services.onboard import Onboard
from shared.services.onboarding_news import OnboardingNews
from shared.services.pacing import Pacer
from shared.services.person_answers import PersonAnswers
from shared.services.plan import Plan
from shared.services.post import Post
from shared.services.protected_settings import ProtectedSettings
from shared.services.rates import Rates
from shared.services.receive import Receive
from shared.services.record_change import RecordChange
from shared.services.refusals import Refusals
from shared.services.report_commit import ReportOn
from shared.services.report_flux import ReportFlux
from shared.services.resend import Resend
from shared.services.send_digests import ReportDigest, SendDigests
from shared.services.step import Step
from shared.services.sweep_clusters import SweepClusters
from shared.services.tell import Tell, TellEvent
from shared.services.tell_targets import TellEnded
from shared.services.touched_paths import TouchedPaths
from shared.services.undelivered import Undelivered
from shared.services.wanted import WantedOf

CONFIG = """
apiVersion: sluice/v1
receivers:
  - {name: platform, type: github, secretRef: kv://sluice/github, previousSecretRef: kv://sluice/github-old, maxBodyBytes: 4096}
strategies:
  - name: rings
    stages:
      - {name: canary, selector: {tags: {ring: canary}}, maxConcurrency: 5, afterStageWait: 60s}
      - {name: prod, selector: {tags: {ring: prod}}, maxConcurrency: 50%}
    success: {complianceWithin: 30m, grace: 2m, maxFailures: 2}
routes:
  - {name: platform, source: {url: https://github.com/contoso/platform, ref: refs/heads/main}, action: pin, strategy: rings}
providers:
  - {name: ops, type: msteams, addressRef: kv://sluice/teams}
alerts:
  - {name: all, provider: ops}
"""
REDISPATCH_AFTER_SECONDS = 300.0
OURS = frozenset({"5111ce00000040008000000000000000"})  #: the app's own identity, as callers of ARM are compared
LEASE = timedelta(seconds=120)
LOST_AFTER = timedelta(seconds=REDISPATCH_AFTER_SECONDS)


@dataclass
class World:
    config: Config = field(default_factory=lambda: load_text(CONFIG))
    clock: FakeClock = field(default_factory=FakeClock)
    faults: Faults = field(default_factory=Faults)

    def __post_init__(self) -> None:
        self.queue = FakeQueue(self.faults, self.clock)
        self.secrets = FakeSecrets(github="new", github_old="old", teams="https://teams.example/hook")
        self.changes = FakeChanges(self.faults, self.clock)
        self.checks = FakeChecks(self.faults)
        self.rollouts = FakeRollouts(self.faults, self.clock)
        self.configurations = FakeConfigurations(self.faults)
        self.foreign_writes = FakeForeignWrites(self.faults)
        self.policy_states = FakePolicyStates(self.faults)
        self.object_events = FakeObjectEvents(self.faults)
        self.flux_configurations = FakeFluxConfigurations(self.clock)
        self.deliveries = FakeDeliveries(self.faults)
        self.commit_reports = FakeCommitReports(self.faults)
        self.conversations = FakeConversations(self.faults)
        self.chat = FakeChat(self.faults)
        self.dialog = FakeDialog()
        self.git_host = FakeGitHost(self.faults)
        self.audit = FakeAudit(self.faults)
        self.resource_manager = FakeResourceManager()
        self.fleet = FakeFleet()
        self.registry = FakeRegistry()
        self.compare = FakeCompare()
        self.provider = FakeProvider()
        self.gate_caller = FakeGateCaller()
        self.receiver_caller = FakeReceiverCaller()
        self.pace = FakePace(self.faults)
        self.onboardings = FakeOnboardings(self.faults)
        self.arm = FakeArm()
        self.clusters = FakeClusters(self.arm)
        self.pages = FakeFleetPages(self.faults)
        self.digest_marks = FakeDigestMarks(self.faults)
        self.painted: list[tuple[tuple[Point, ...], datetime, datetime, str]] = []
        self.pacer = Pacer(self.pace, "westeurope", self.clock)
        self.receiver_pace = FakePace(Faults())  # its own, since what it does is no part of what a delivery writes
        self.rates = Rates(self.receiver_pace, self.clock)
        self.channel_pacer = ChannelPacer(FakePace(Faults()), self.clock)  # its own, for the same reason
        self.refusals = Refusals(self.clock)
        self.looked: dict[str, datetime] = {}
        self._attempts = 0

    def receive(self) -> Receive:
        return Receive(
            config=self.config,
            secrets=self.secrets,
            changes=self.changes,
            audit=self.audit,
            queue=self.queue,
            registry=self.registry,
            clock=self.clock,
            record_check=self.record_check(),
            report_flux=self.report_flux(),
            rates=self.rates,
            refusals=self.refusals,
        )

    def record_check(self) -> RecordCheck:
        return RecordCheck(self.checks, self.changes, self.queue, self.clock)

    def call_gate(self) -> Call:
        return Call(self.rollouts, self.secrets, self.gate_caller, self.audit, self.clock, "https://sluice.example")

    def answer_gate(self) -> AnswerGate:
        return AnswerGate(self.rollouts, self.audit, self.queue, self.clock)

    def callback(self) -> Callback:
        return Callback(self.rollouts, self.secrets, self.answer_gate(), self.clock)

    def plan(self) -> Plan:
        after = REDISPATCH_AFTER_SECONDS
        ports = (self.changes, self.rollouts, self.configurations, self.fleet, self.audit, self.queue, self.clock)
        return Plan(self.config, *ports, after, TouchedPaths(self.config, self.compare, self.secrets).fill)

    def step(self) -> Step:
        effects = Effects(self.audit, self.queue, self.clock, self.are_targets_wanted)
        return Step(self.rollouts, self.pacer, GateFactsOf(self.rollouts, self.checks), effects, self.clock)

    async def are_targets_wanted(self, types: Iterable[str]) -> bool:
        return are_wanted(self.config.rules(), types)

    def tell_targets(self) -> TellEnded:
        return TellEnded(self.rollouts, self.tell())

    def act(self) -> ActOn:
        return ActOn(self.rollouts, self.changes, Effects(self.audit, self.queue, self.clock), self.clock)

    def apply(self) -> Apply:
        notify = NotifyReceiver(self.secrets, self.receiver_caller)
        arm, pacer = self.resource_manager, self.pacer
        return Apply(self.rollouts, self.configurations, arm, notify, pacer, self.audit, self.queue, self.clock, LEASE)

    def observe(self) -> Observe:
        return Observe(self.rollouts, self.fleet, self.queue, self.clock, timedelta(minutes=5), self.looked)

    def report_flux(self) -> ReportFlux:
        return ReportFlux(self.rollouts, self.queue, self.clock, self.tell())

    def look(self) -> Look:
        return Look(self.rollouts, self.configurations, self.flux_configurations, self.queue, self.clock)

    def on_azure_event(self, *, subscriptions: frozenset[str] = frozenset(), identities: frozenset[str] = OURS) -> OnAzureEvent:
        async def config() -> Config:
            return self.config

        async def tell() -> Tell:
            return self.tell()

        record_change = RecordChange(self.changes, self.audit, self.queue)
        stores = (self.foreign_writes, self.policy_states, self.object_events)
        looks = (self.look(), self.look_for_drift)
        return OnAzureEvent(*looks, record_change, *stores, self.queue, self.clock, config, tell, subscriptions, identities)

    async def look_for_drift(self) -> LookForDrift:
        ports = (self.configurations, self.flux_configurations, self.arm, self.foreign_writes, self.pages)
        return LookForDrift(*ports, Asides(self.pages, self.fleet_effects()), self.drift_policy(), self.clock)

    def drift_policy(self) -> DriftPolicy:
        return self.config.drift.policy()

    def fleet_effects(self) -> FleetEffects:
        return FleetEffects(self.tell(), self.audit, self.queue, self.pacer, self.clock)

    def wanted(self) -> WantedOf:
        return WantedOf(self.config, self.clusters)

    def onboard(self) -> Onboard:
        async def tell() -> Tell:
            return self.tell()

        return Onboard(
            self.onboardings,
            self.wanted(),
            self.arm,
            ProtectedSettings(self.secrets),
            self.pacer,
            self.audit,
            self.queue,
            OnboardingNews(tell),
            self.clock,
            LEASE,
            LOST_AFTER,
        )

    def sweep_clusters(self) -> SweepClusters:
        return SweepClusters(self.onboardings, self.clusters, self.wanted(), self.queue, self.clock, LOST_AFTER)

    def tell(self) -> Tell:
        return Tell(self.config, self.deliveries, self.queue, self.clock, "https://sluice.example")

    def tell_event(self) -> TellEvent:
        return TellEvent(self.rollouts, self.tell(), "")

    def post(self) -> Post:
        undelivered = Undelivered(self.deliveries, self.audit, self.queue)
        return Post(self.config, self.deliveries, self.queue, self.clock, self.connect, self.channel_pacer, undelivered, self.clock.wait)

    def resend(self) -> Resend:
        return Resend(self.config, self.deliveries, self.audit, self.queue, self.clock)

    def make_digest(self) -> MakeDigest:
        stores = (self.pages, self.pages, self.rollouts, self.onboardings, self.deliveries)
        return MakeDigest(self.config, *stores, self.secrets, self.paint, "https://sluice.example", self.clock)

    def paint(self, points: Sequence[Point], start: datetime, end: datetime, zone: str) -> bytes:
        self.painted.append((tuple(points), start, end, zone))
        return b"a picture"

    def send_digests(self) -> SendDigests:
        return SendDigests(self.config, self.digest_marks, self.make_digest(), self.deliveries, self.queue, self.clock)

    def report_digest(self) -> ReportDigest:
        return ReportDigest(self.config, self.digest_marks, self.make_digest(), self.clock)

    def report_commit(self) -> ReportOn:
        address = "https://sluice.example"
        return ReportOn(self.config, self.rollouts, self.commit_reports, self.audit, self.queue, self.clock, self.connect_git_host, address)

    async def connect_git_host(self, provider: ProviderConfig) -> GitHost:
        await self.secrets.get(provider.token_ref or "")
        return self.git_host

    def bury(self) -> Bury:
        async def tell() -> Tell:
            return self.tell()

        return Bury(self.audit, tell, self.queue, self.clock)

    def replay(self) -> Replay:
        return Replay(self.audit, self.queue)

    async def connect(self, provider: ProviderConfig) -> Provider:
        if provider.converses:
            return Conversing(self.converse(), provider, self.chat)
        await self.secrets.get(provider.address_ref or provider.token_ref or "")
        return self.provider

    def converse(self) -> Converse:
        return Converse(self.rollouts, self.conversations, self.queue, self.clock, "https://sluice.example")

    def show(self) -> ShowOn:
        async def connect(provider: ProviderConfig) -> FakeChat:
            return self.chat

        return ShowOn(self.config, self.converse(), connect)

    def answer_in_slack(self) -> AnswerInSlack:
        async def connect(provider: ProviderConfig) -> FakeDialog:
            return self.dialog

        answers = PersonAnswers(self.rollouts, self.answer_gate(), self.clock)
        return AnswerInSlack(self.config, self.secrets, answers, connect, told_modal, self.refusals, self.clock)

    async def deliver(self, queue: str, message: Any) -> None:
        """What the functions do with a message: call its use case. The holder is new for every attempt."""
        self._attempts += 1
        match queue:
            case "changes":
                await self.plan()(message)
            case "rollout-steps":
                await self.step()(message.rollout_id)
            case "config-updates":
                await self.apply()(message, holder=f"attempt-{self._attempts}")
            case "onboarding":
                await self.onboard()(message)
            case "gate-calls":
                await self.call_gate()(message)
            case "commit-reports":
                await self.report_commit()(message)
            case "notifications":
                await self._tell(message)

    async def _tell(self, message: Any) -> None:
        """As functions/send_notification.py."""
        match message:
            case Notify():
                await self.tell_event()(message)
            case TellTargets():
                await self.tell_targets()(message)
            case Deliver():
                await self.post()(message)
            case ShowRollout():
                await self.show()(message)
