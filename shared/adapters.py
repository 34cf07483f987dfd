"""The adapters: every way to the outside, made at its first use and kept for the life of the process."""

import logging
import os
from datetime import UTC, datetime
from functools import cached_property, partial
from typing import TYPE_CHECKING

from shared.stores import Stores

if TYPE_CHECKING:
    from shared.azure.cluster_resources import ArmClusterResources
    from shared.azure.config_blob import ConfigBlob
    from shared.azure.event_grid import EventGridTopics
    from shared.azure.inventory import GraphInventory
    from shared.azure.key_vault import KeyVaultSecrets
    from shared.azure.logs_ingestion import LogsIngestion
    from shared.azure.queues import StorageQueue
    from shared.azure.resource_graph import GraphFleet
    from shared.azure.resource_graph_clusters import GraphClusters
    from shared.azure.resource_manager import ArmResourceManager
    from shared.config.models import App as AppConfig
    from shared.config.models import Provider as ProviderConfig
    from shared.config.settings import Settings
    from shared.config.source import ConfigFile
    from shared.domain.clock import Clock
    from shared.ports import Converser, Dialog, GitHost, Provider
    from shared.providers.commit_status.api import Authorize
    from shared.providers.commit_status.github_app import AppTokens
    from shared.providers.compares import HostCompare
    from shared.providers.flux_receivers import FluxReceivers
    from shared.providers.http import OutboundHttp
    from shared.providers.registry import OciRegistry
    from shared.services.channel_pacing import ChannelPacer
    from shared.services.pacing import Pacer
    from shared.services.rates import Rates
    from shared.services.refusals import Refusals


def now() -> datetime:
    """The one clock of the app."""
    return datetime.now(UTC)


class Adapters(Stores):
    """One instance a process and event loop. Each is an attribute that a test may set to another."""

    def __init__(self, settings: "Settings") -> None:
        super().__init__(settings)
        self.clock: Clock = now
        self._app_tokens: dict[tuple[str, AppConfig], AppTokens] = {}
        # The SDKs log every request with its address at INFO: names of secrets and clusters, and half of the CPU of a call.
        logging.getLogger("azure").setLevel(logging.WARNING)

    async def connect(self, provider: "ProviderConfig") -> "Provider":
        """The outbound channel of a configured provider, with its secrets."""
        from shared.providers import PROVIDERS
        from shared.providers.means import Means

        means = Means(
            http=self.outbound_http,
            address=await self._secret(provider.address_ref) or provider.address,
            token=await self._secret(provider.token_ref),
            previous_token=await self._secret(provider.previous_token_ref),
            channel=provider.channel,
            signature=provider.signature or "",
            source=self.settings.sluice_url or "/sluice",
            topics=self.event_topics,
            clock=self.clock,
        )
        return PROVIDERS[provider.type](means)

    async def _secret(self, reference: str | None) -> str:
        return await self.secrets.get(reference) if reference else ""

    async def connect_converser(self, provider: "ProviderConfig") -> "Converser":
        """The channel of a provider that keeps one message a rollout up to date."""
        from shared.providers.slack_conversation import SlackConversation

        token = await self.secrets.get(provider.token_ref or "")
        asks = provider.signing_secret_ref is not None
        return SlackConversation(self.outbound_http, provider.address, token, provider.channel, asks=asks)

    async def connect_dialog(self, provider: "ProviderConfig") -> "Dialog":
        """The way to whoever has clicked in such a channel."""
        from shared.providers.slack_dialog import SlackDialog

        return SlackDialog(self.outbound_http, provider.address, await self.secrets.get(provider.token_ref or ""))

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
    def secrets(self) -> "KeyVaultSecrets":
        from shared.azure.key_vault import KeyVaultSecrets

        return KeyVaultSecrets(self.credential, os.environ, vault_uri=self.settings.key_vault_uri_format)

    @cached_property
    def queue(self) -> "StorageQueue":
        from shared.azure.queues import StorageQueue

        connection = self.settings.storage_connection_string
        return StorageQueue(connection, self.settings.storage_queue_uri, None if connection else self.credential, self.clock)

    @cached_property
    def resource_manager(self) -> "ArmResourceManager":
        from shared.azure.resource_manager import ArmResourceManager

        settings = self.settings
        return ArmResourceManager(self.credential, settings.azure_resource_manager, settings.azure_resource_manager_audience, self.clock)

    @cached_property
    def fleet(self) -> "GraphFleet":
        from shared.azure.resource_graph import GraphFleet

        settings = self.settings
        return GraphFleet(
            self.credential,
            settings.azure_resource_manager,
            settings.azure_resource_manager_audience,
            settings.sluice_subscriptions,
            self.clock,
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
    def event_topics(self) -> "EventGridTopics":
        from shared.azure.event_grid import EventGridTopics

        return EventGridTopics(self.credential)

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

        return Pacer(CosmosPace(self.database), self.settings.region_name, self.clock)

    @cached_property
    def rates(self) -> "Rates":
        from shared.azure.cosmos.pace import CosmosPace
        from shared.services.rates import Rates

        return Rates(CosmosPace(self.database), self.clock)

    @cached_property
    def channel_pacer(self) -> "ChannelPacer":
        from shared.azure.cosmos.pace import CosmosPace
        from shared.services.channel_pacing import ChannelPacer

        return ChannelPacer(CosmosPace(self.database), self.clock)

    @cached_property
    def refusals(self) -> "Refusals":
        from shared.services.refusals import Refusals

        return Refusals(self.clock)
