"""The composition root: settings become adapters, adapters become use cases. Everything is made at its first use and kept."""

import asyncio
import logging
import os
from datetime import UTC, datetime, timedelta
from functools import cached_property, partial
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from shared.azure.cluster_resources import ArmClusterResources
    from shared.azure.config_blob import ConfigBlob
    from shared.azure.cosmos.audit import CosmosAudit
    from shared.azure.cosmos.changes import CosmosChanges
    from shared.azure.cosmos.checks import CosmosChecks
    from shared.azure.cosmos.commit_reports import CosmosCommitReports
    from shared.azure.cosmos.configurations import CosmosConfigurations
    from shared.azure.cosmos.database import Database
    from shared.azure.cosmos.deliveries import CosmosDeliveries
    from shared.azure.cosmos.fleet import CosmosFleet
    from shared.azure.cosmos.foreign_writes import CosmosForeignWrites
    from shared.azure.cosmos.keys import CosmosDataKeys
    from shared.azure.cosmos.objects import CosmosObjectEvents
    from shared.azure.cosmos.onboardings import CosmosOnboardings
    from shared.azure.cosmos.policy_states import CosmosPolicyStates
    from shared.azure.cosmos.rollouts import CosmosRollouts
    from shared.azure.credential import AsyncCredential
    from shared.azure.inventory import GraphInventory
    from shared.azure.key_vault import KeyEncryptionKey, KeyVaultSecrets
    from shared.azure.logs_ingestion import LogsIngestion
    from shared.azure.queues import StorageQueue
    from shared.azure.resource_graph import GraphFleet
    from shared.azure.resource_graph_clusters import GraphClusters
    from shared.azure.resource_manager import ArmResourceManager
    from shared.azure.sealing import EnvelopeSealer
    from shared.config.models import App as AppConfig
    from shared.config.models import Provider as ProviderConfig
    from shared.config.settings import Settings
    from shared.config.source import ConfigFile
    from shared.ports import GitHost, Provider
    from shared.providers.commit_status.api import Authorize
    from shared.providers.commit_status.github_app import AppTokens
    from shared.providers.compares import HostCompare
    from shared.providers.flux_receivers import FluxReceivers
    from shared.providers.http import OutboundHttp
    from shared.providers.registry import OciRegistry
    from shared.services.act import ActOn
    from shared.services.answer_gate import AnswerGate, Callback
    from shared.services.apply import Apply
    from shared.services.bury import Bury, Replay
    from shared.services.call_gate import Call
    from shared.services.check import RecordCheck
    from shared.services.effects import Effects
    from shared.services.export_logs import ExportLogs
    from shared.services.health import Readiness
    from shared.services.look_for_drift import LookForDrift
    from shared.services.notify import Post, Tell, TellEvent
    from shared.services.notify_receiver import NotifyReceiver
    from shared.services.observe import Observe
    from shared.services.on_azure_event import OnAzureEvent
    from shared.services.onboard import Onboard
    from shared.services.pacing import Pacer
    from shared.services.person_answers import PersonAnswers
    from shared.services.plan import Plan
    from shared.services.rates import Rates
    from shared.services.receive import Receive
    from shared.services.refusals import Refusals
    from shared.services.report import Report
    from shared.services.report_clusters import ReportClusters
    from shared.services.report_commit import ReportOn
    from shared.services.report_fleet import ReportFleet
    from shared.services.report_flux import ReportFlux
    from shared.services.restore import Restore
    from shared.services.step import Step
    from shared.services.sweep_clusters import SweepClusters
    from shared.services.sweep_fleet import SweepFleet
    from shared.services.wanted import WantedOf
    from shared.services.watch_config import WatchConfig


def now() -> datetime:
    """The one clock of the app."""
    return datetime.now(UTC)


class App:
    """One instance a process and event loop. Adapters are attributes; use cases are methods, made anew with the configuration in force."""

    def __init__(self, settings: "Settings") -> None:
        self.settings = settings
        self._looked: dict[str, datetime] = {}
        self._app_tokens: dict[tuple[str, AppConfig], AppTokens] = {}
        # The SDKs log every request with its address at INFO: names of secrets and clusters, and half of the CPU of a call.
        logging.getLogger("azure").setLevel(logging.WARNING)

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

        return Effects(self.audit, self.queue, now)

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
        from shared.services.sweep_fleet import SweepFleet

        policy = (await self.config.latest()).drift.policy()
        effects = FleetEffects(await self.tell(), self.audit, self.queue, self.pacer, now)
        stores = (self.fleet_pages, self.configurations, self.resource_manager, self.foreign_writes)
        return SweepFleet(self.inventory, *stores, effects, policy, now)

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
        from shared.services.notify import Tell

        return Tell(await self.config.latest(), self.deliveries, self.queue, now)

    async def tell_event(self) -> "TellEvent":
        from shared.services.notify import TellEvent

        return TellEvent(self.rollouts, await self.tell())

    async def post(self) -> "Post":
        from shared.services.notify import Post

        return Post(await self.config.latest(), self.deliveries, self.audit, self.queue, now, self.connect)

    async def report_commit(self) -> "ReportOn":
        from shared.services.report_commit import ReportOn

        config, connect = await self.config.latest(), self.connect_git_host
        return ReportOn(config, self.rollouts, self.commit_reports, self.audit, self.queue, now, connect, self.settings.sluice_url)

    def bury(self) -> "Bury":
        from shared.services.bury import Bury

        return Bury(self.audit, self.tell, self.queue, now)

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

    async def connect_git_host(self, provider: "ProviderConfig") -> "GitHost":
        """The Git host of a configured provider. Its secrets are read when it is called."""
        from shared.providers.commit_status import GIT_HOSTS

        return GIT_HOSTS[provider.type](self.outbound_http, provider.address, self._caller(provider))

    def _caller(self, provider: "ProviderConfig") -> "Authorize":
        """A GitHub App, a token, or else the app's own identity."""
        from shared.providers.commit_status.credentials import as_identity, with_token

        if provider.app is not None:
            return self._app_tokens_of(provider.address, provider.app)
        if provider.token_ref is not None:
            return with_token(provider.type, partial(self.secrets.get, provider.token_ref))
        from shared.azure.entra import AZURE_DEVOPS, token_for

        return as_identity(partial(token_for, self.credential, AZURE_DEVOPS))

    def _app_tokens_of(self, address: str, app: "AppConfig") -> "AppTokens":
        """Kept, since GitHub gives a token for an hour."""
        from shared.providers.commit_status.github_app import AppTokens

        key = partial(self.secrets.get, app.private_key_ref)
        made = AppTokens(self.outbound_http, address, str(app.id), app.installation_id, key)
        return self._app_tokens.setdefault((address, app), made)

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
        return ArmResourceManager(self.credential, settings.azure_resource_manager, settings.azure_resource_manager_audience, now)

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
    def log_rows(self) -> "LogsIngestion":
        from shared.azure.logs_ingestion import LogsIngestion

        return LogsIngestion(self.credential, self.settings.logs_ingestion_endpoint, self.settings.logs_ingestion_rule)

    @cached_property
    def clusters(self) -> "GraphClusters":
        from shared.azure.resource_graph_clusters import GraphClusters

        return GraphClusters(self.fleet)

    @cached_property
    def cluster_resources(self) -> "ArmClusterResources":
        from shared.azure.cluster_resources import ArmClusterResources

        settings = self.settings
        return ArmClusterResources(self.credential, settings.azure_resource_manager, settings.azure_resource_manager_audience)

    @cached_property
    def inventory(self) -> "GraphInventory":
        from shared.azure.inventory import GraphInventory

        return GraphInventory(self.fleet)

    @cached_property
    def outbound_http(self) -> "OutboundHttp":
        from shared.providers.http import OutboundHttp

        return OutboundHttp()

    @cached_property
    def flux_receivers(self) -> "FluxReceivers":
        from shared.providers.flux_receivers import FluxReceivers

        return FluxReceivers(loopback=self.settings.flux_receivers_on_loopback)

    @cached_property
    def registry(self) -> "OciRegistry":
        from shared.providers.registry import OciRegistry

        return OciRegistry(self.outbound_http)

    @cached_property
    def compare(self) -> "HostCompare":
        from shared.providers.compares import HostCompare

        return HostCompare(self.outbound_http)

    @cached_property
    def pacer(self) -> "Pacer":
        from shared.azure.cosmos.pace import CosmosPace
        from shared.services.pacing import Pacer

        return Pacer(CosmosPace(self.database), self.settings.region_name, now)

    @cached_property
    def rates(self) -> "Rates":
        from shared.azure.cosmos.pace import CosmosPace
        from shared.services.rates import Rates

        return Rates(CosmosPace(self.database), now)

    @cached_property
    def refusals(self) -> "Refusals":
        from shared.services.refusals import Refusals

        return Refusals(now)

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
    def foreign_writes(self) -> "CosmosForeignWrites":
        from shared.azure.cosmos.foreign_writes import CosmosForeignWrites

        return CosmosForeignWrites(self.database, self.sealer)

    @cached_property
    def policy_states(self) -> "CosmosPolicyStates":
        from shared.azure.cosmos.policy_states import CosmosPolicyStates

        return CosmosPolicyStates(self.database, self.sealer)

    @cached_property
    def object_events(self) -> "CosmosObjectEvents":
        from shared.azure.cosmos.objects import CosmosObjectEvents

        return CosmosObjectEvents(self.database, self.sealer)

    @cached_property
    def onboardings(self) -> "CosmosOnboardings":
        from shared.azure.cosmos.onboardings import CosmosOnboardings

        return CosmosOnboardings(self.database, self.sealer)

    @cached_property
    def deliveries(self) -> "CosmosDeliveries":
        from shared.azure.cosmos.deliveries import CosmosDeliveries

        return CosmosDeliveries(self.database, self.sealer)

    @cached_property
    def commit_reports(self) -> "CosmosCommitReports":
        from shared.azure.cosmos.commit_reports import CosmosCommitReports

        return CosmosCommitReports(self.database, self.sealer)

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
