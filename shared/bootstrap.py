"""The composition root: settings become adapters, adapters become use cases. Everything is made at its first use and kept."""

import asyncio
import logging
import os
from datetime import UTC, datetime, timedelta
from functools import cached_property
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from shared.azure.config_blob import ConfigBlob
    from shared.azure.cosmos.audit import CosmosAudit
    from shared.azure.cosmos.changes import CosmosChanges
    from shared.azure.cosmos.checks import CosmosChecks
    from shared.azure.cosmos.configurations import CosmosConfigurations
    from shared.azure.cosmos.database import Database
    from shared.azure.cosmos.deliveries import CosmosDeliveries
    from shared.azure.cosmos.fleet import CosmosFleet
    from shared.azure.cosmos.keys import CosmosDataKeys
    from shared.azure.cosmos.rollouts import CosmosRollouts
    from shared.azure.credential import AsyncCredential
    from shared.azure.inventory import GraphInventory
    from shared.azure.key_vault import KeyEncryptionKey, KeyVaultSecrets
    from shared.azure.queues import StorageQueue
    from shared.azure.resource_graph import GraphFleet
    from shared.azure.resource_manager import ArmResourceManager
    from shared.azure.sealing import EnvelopeSealer
    from shared.config.models import Provider as ProviderConfig
    from shared.config.settings import Settings
    from shared.config.source import ConfigFile
    from shared.ports import Provider
    from shared.providers.http import OutboundHttp
    from shared.providers.registry import OciRegistry
    from shared.services.act import ActOn
    from shared.services.answer_gate import AnswerGate, Callback
    from shared.services.apply import Apply
    from shared.services.bury import Bury, Replay
    from shared.services.call_gate import Call
    from shared.services.check import RecordCheck
    from shared.services.effects import Effects
    from shared.services.health import Readiness
    from shared.services.notify import Post, Tell, TellEvent
    from shared.services.observe import Observe
    from shared.services.pacing import Pacer
    from shared.services.person_answers import PersonAnswers
    from shared.services.plan import Plan
    from shared.services.receive import Receive
    from shared.services.report import Report
    from shared.services.report_fleet import ReportFleet
    from shared.services.restore import Restore
    from shared.services.step import Step
    from shared.services.sweep_fleet import SweepFleet
    from shared.services.watch_config import WatchConfig


def now() -> datetime:
    """The one clock of the app."""
    return datetime.now(UTC)


class App:
    """One instance a process and event loop. Adapters are attributes; use cases are methods, made anew with the configuration in force."""

    def __init__(self, settings: "Settings") -> None:
        self.settings = settings
        self._looked: dict[str, datetime] = {}
        # The SDKs log every request with its address at INFO: names of secrets and clusters, and half of the CPU of a call.
        logging.getLogger("azure").setLevel(logging.WARNING)

    async def receive(self) -> "Receive":
        from shared.services.receive import Receive

        return Receive(
            await self.config.latest(), self.secrets, self.changes, self.audit, self.queue, self.registry, now, self.record_check()
        )

    def record_check(self) -> "RecordCheck":
        from shared.services.check import RecordCheck

        return RecordCheck(self.checks, self.changes, self.queue, now)

    async def plan(self) -> "Plan":
        from shared.services.plan import Plan

        redispatch = self.settings.redispatch_after_seconds
        config = await self.config.latest()
        return Plan(config, self.changes, self.rollouts, self.configurations, self.fleet, self.audit, self.queue, now, redispatch)

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

        return Effects(self.audit, self.queue, now)

    def apply(self) -> "Apply":
        from shared.services.apply import Apply

        lease = timedelta(seconds=self.settings.apply_lease_seconds)
        return Apply(self.rollouts, self.configurations, self.resource_manager, self.pacer, self.audit, self.queue, now, lease)

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

    async def sweep_fleet(self) -> "SweepFleet":
        from shared.services.fleet_effects import FleetEffects
        from shared.services.sweep_fleet import SweepFleet

        policy = (await self.config.latest()).drift.policy()
        effects = FleetEffects(await self.tell(), self.audit, self.queue, self.pacer, now)
        return SweepFleet(self.inventory, self.fleet_pages, self.configurations, self.resource_manager, effects, policy, now)

    def restore(self) -> "Restore":
        from shared.services.restore import Restore

        lease = timedelta(seconds=self.settings.apply_lease_seconds)
        arm = self.resource_manager
        return Restore(self.rollouts, self.configurations, arm, self.pacer, self.audit, self.queue, now, lease)

    async def tell(self) -> "Tell":
        from shared.services.notify import Tell

        return Tell(await self.config.latest(), self.deliveries, self.queue, now)

    async def tell_event(self) -> "TellEvent":
        from shared.services.notify import TellEvent

        return TellEvent(self.rollouts, await self.tell())

    async def post(self) -> "Post":
        from shared.services.notify import Post

        return Post(await self.config.latest(), self.deliveries, self.audit, self.queue, now, self.connect)

    def bury(self) -> "Bury":
        from shared.services.bury import Bury

        return Bury(self.audit, self.tell, self.queue, now)

    async def watch_config(self) -> "WatchConfig":
        from shared.services.watch_config import WatchConfig

        tell = await self.tell()
        return WatchConfig(self.config.problem, tell)

    def replay(self) -> "Replay":
        from shared.services.bury import Replay

        return Replay(self.audit, self.queue)

    def report(self) -> "Report":
        from shared.services.report import Report

        return Report(self.rollouts)

    def report_fleet(self) -> "ReportFleet":
        from shared.services.report_fleet import ReportFleet

        return ReportFleet(self.fleet_pages)

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

    async def connect(self, provider: "ProviderConfig") -> "Provider":
        """The outbound channel of a configured provider, with its secrets."""
        from shared.providers import PROVIDERS

        address = await self.secrets.get(provider.address_ref) if provider.address_ref else provider.address
        token = await self.secrets.get(provider.token_ref) if provider.token_ref else ""
        return PROVIDERS[provider.type](self.outbound_http, address=address, token=token, channel=provider.channel)

    @cached_property
    def config(self) -> "ConfigFile | ConfigBlob":
        if self.settings.sluice_config.startswith("https://"):
            from shared.azure.config_blob import ConfigBlob

            return ConfigBlob(self.settings.sluice_config, self.credential)
        from shared.config.source import ConfigFile

        return ConfigFile(self.settings.sluice_config)

    @cached_property
    def credential(self) -> "AsyncCredential":
        from shared.azure.credential import AsyncCredential, Credential, CredentialSettings

        return AsyncCredential(
            Credential(
                CredentialSettings(
                    tenant_id=self.settings.azure_tenant_id,
                    client_id=self.settings.azure_client_id,
                    client_secret=self.settings.azure_client_secret,
                    certificate_path=self.settings.azure_client_certificate_path,
                    federated_token_file=self.settings.azure_federated_token_file,
                    authority_host=self.settings.azure_authority_host,
                )
            )
        )

    @cached_property
    def database(self) -> "Database":
        from shared.azure.cosmos.database import Database

        key = self.settings.cosmos_key or self.credential
        return Database(self.settings.cosmos_endpoint, self.settings.cosmos_database, key)

    @cached_property
    def key_encryption_key(self) -> "KeyEncryptionKey":
        from shared.azure.key_vault import KeyEncryptionKey

        return KeyEncryptionKey(self.settings.key_encryption_key.removeprefix("file:"), self.credential)

    @cached_property
    def data_keys(self) -> "CosmosDataKeys":
        from shared.azure.cosmos.keys import CosmosDataKeys

        return CosmosDataKeys(self.database)

    @cached_property
    def sealer(self) -> "EnvelopeSealer":
        from shared.azure.sealing import EnvelopeSealer

        return EnvelopeSealer(self.data_keys, self.key_encryption_key)

    @cached_property
    def secrets(self) -> "KeyVaultSecrets":
        from shared.azure.key_vault import KeyVaultSecrets

        return KeyVaultSecrets(self.credential, os.environ, vault_uri=self.settings.key_vault_uri_format)

    @cached_property
    def queue(self) -> "StorageQueue":
        from shared.azure.queues import StorageQueue

        connection = self.settings.storage_connection_string
        return StorageQueue(connection, self.settings.storage_queue_uri, None if connection else self.credential, now)

    @cached_property
    def resource_manager(self) -> "ArmResourceManager":
        from shared.azure.resource_manager import ArmResourceManager

        settings = self.settings
        return ArmResourceManager(self.credential, settings.azure_resource_manager, settings.azure_resource_manager_audience)

    @cached_property
    def fleet(self) -> "GraphFleet":
        from shared.azure.resource_graph import GraphFleet

        settings = self.settings
        return GraphFleet(
            self.credential,
            settings.azure_resource_manager,
            settings.azure_resource_manager_audience,
            settings.sluice_subscriptions,
            now,
            settings.sluice_management_groups,
        )

    @cached_property
    def inventory(self) -> "GraphInventory":
        from shared.azure.inventory import GraphInventory

        return GraphInventory(self.fleet)

    @cached_property
    def outbound_http(self) -> "OutboundHttp":
        from shared.providers.http import OutboundHttp

        return OutboundHttp()

    @cached_property
    def registry(self) -> "OciRegistry":
        from shared.providers.registry import OciRegistry

        return OciRegistry(self.outbound_http)

    @cached_property
    def pacer(self) -> "Pacer":
        from shared.azure.cosmos.pace import CosmosPace
        from shared.services.pacing import Pacer

        return Pacer(CosmosPace(self.database), self.settings.region_name, now)

    @cached_property
    def changes(self) -> "CosmosChanges":
        from shared.azure.cosmos.changes import CosmosChanges

        return CosmosChanges(self.database, self.sealer)

    @cached_property
    def checks(self) -> "CosmosChecks":
        from shared.azure.cosmos.checks import CosmosChecks

        return CosmosChecks(self.database, self.sealer)

    @cached_property
    def rollouts(self) -> "CosmosRollouts":
        from shared.azure.cosmos.rollouts import CosmosRollouts

        return CosmosRollouts(self.database, self.sealer)

    @cached_property
    def configurations(self) -> "CosmosConfigurations":
        from shared.azure.cosmos.configurations import CosmosConfigurations

        return CosmosConfigurations(self.database, self.sealer)

    @cached_property
    def deliveries(self) -> "CosmosDeliveries":
        from shared.azure.cosmos.deliveries import CosmosDeliveries

        return CosmosDeliveries(self.database, self.sealer)

    @cached_property
    def fleet_pages(self) -> "CosmosFleet":
        from shared.azure.cosmos.fleet import CosmosFleet

        return CosmosFleet(self.database, self.sealer)

    @cached_property
    def audit(self) -> "CosmosAudit":
        from shared.azure.cosmos.audit import CosmosAudit

        return CosmosAudit(self.database, self.sealer)

    async def close(self) -> None:
        """Closes what was opened. Only short-lived programs need it: a function app ends with its process."""
        opened = ("config", "database", "secrets", "queue", "resource_manager", "fleet", "outbound_http", "credential")
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
