"""The composition root: settings become adapters, adapters become use cases. Everything is made at its first use and kept."""

import asyncio
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from shared.use_cases.answering import Answering
from shared.use_cases.looking import Looking

if TYPE_CHECKING:
    from collections.abc import Iterable

    from shared.config.settings import Settings
    from shared.services.act import ActOn
    from shared.services.answer_gate import AnswerGate, Callback
    from shared.services.answer_in_slack import AnswerInSlack
    from shared.services.apply import Apply
    from shared.services.call_gate import Call
    from shared.services.check import RecordCheck
    from shared.services.effects import Effects
    from shared.services.notify_receiver import NotifyReceiver
    from shared.services.observe import Observe
    from shared.services.person_answers import PersonAnswers
    from shared.services.plan import Plan
    from shared.services.receive import Receive
    from shared.services.report_flux import ReportFlux
    from shared.services.step import Step


class App(Looking, Answering):
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
            clock=self.clock,
            record_check=self.record_check(),
            report_flux=await self.report_flux(),
            rates=self.rates,
            refusals=self.refusals,
        )

    async def report_flux(self) -> "ReportFlux":
        from shared.services.report_flux import ReportFlux

        return ReportFlux(self.rollouts, self.queue, self.clock, await self.tell())

    def record_check(self) -> "RecordCheck":
        from shared.services.check import RecordCheck

        return RecordCheck(self.checks, self.changes, self.queue, self.clock)

    async def plan(self) -> "Plan":
        from shared.services.plan import Plan
        from shared.services.touched_paths import TouchedPaths

        redispatch = self.settings.redispatch_after_seconds
        config = await self.config.latest()
        touched = TouchedPaths(config, self.compare, self.secrets)
        return Plan(
            config,
            self.changes,
            self.rollouts,
            self.configurations,
            self.fleet,
            self.audit,
            self.queue,
            self.clock,
            redispatch,
            touched.fill,
        )

    def step(self) -> "Step":
        from shared.services.gate_facts import GateFactsOf
        from shared.services.step import Step

        return Step(self.rollouts, self.pacer, GateFactsOf(self.rollouts, self.checks), self._effects(), self.clock)

    def act(self) -> "ActOn":
        from shared.services.act import ActOn

        return ActOn(self.rollouts, self.changes, self._effects(), self.clock)

    def person_answers(self) -> "PersonAnswers":
        from shared.services.person_answers import PersonAnswers

        return PersonAnswers(self.rollouts, self.answer_gate(), self.clock)

    def _effects(self) -> "Effects":
        from shared.services.effects import Effects

        return Effects(self.audit, self.queue, self.clock, self._are_targets_wanted)

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
        return Apply(
            self.rollouts, self.configurations, self.resource_manager, notify, self.pacer, self.audit, self.queue, self.clock, lease
        )

    def notify_receiver(self) -> "NotifyReceiver":
        from shared.services.notify_receiver import NotifyReceiver

        return NotifyReceiver(self.secrets, self.flux_receivers)

    def call_gate(self) -> "Call":
        from shared.services.call_gate import Call

        return Call(self.rollouts, self.secrets, self.outbound_http, self.audit, self.clock, self.settings.sluice_url)

    def answer_gate(self) -> "AnswerGate":
        from shared.services.answer_gate import AnswerGate

        return AnswerGate(self.rollouts, self.audit, self.queue, self.clock)

    def callback(self) -> "Callback":
        from shared.services.answer_gate import Callback

        return Callback(self.rollouts, self.secrets, self.answer_gate(), self.clock)

    def observe(self) -> "Observe":
        from shared.services.observe import Observe

        every = timedelta(seconds=self.settings.look_for_away_seconds)
        return Observe(self.rollouts, self.fleet, self.queue, self.clock, every, self._looked)

    async def answer_in_slack(self) -> "AnswerInSlack":
        from shared.providers.slack_dialog import told_modal
        from shared.services.answer_in_slack import AnswerInSlack

        config = await self.config.latest()
        return AnswerInSlack(config, self.secrets, self.person_answers(), self.connect_dialog, told_modal, self.refusals, self.clock)

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
