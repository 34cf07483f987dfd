"""What is kept: the database, what seals it, and one store a kind of document; each made at its first use."""

from functools import cached_property
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from shared.azure.cosmos.audit import CosmosAudit
    from shared.azure.cosmos.changes import CosmosChanges
    from shared.azure.cosmos.checks import CosmosChecks
    from shared.azure.cosmos.commit_reports import CosmosCommitReports
    from shared.azure.cosmos.configurations import CosmosConfigurations
    from shared.azure.cosmos.conversations import CosmosConversations
    from shared.azure.cosmos.database import Database
    from shared.azure.cosmos.deliveries import CosmosDeliveries
    from shared.azure.cosmos.digest_marks import CosmosDigestMarks
    from shared.azure.cosmos.fleet import CosmosFleet
    from shared.azure.cosmos.foreign_writes import CosmosForeignWrites
    from shared.azure.cosmos.keys import CosmosDataKeys
    from shared.azure.cosmos.objects import CosmosObjectEvents
    from shared.azure.cosmos.onboardings import CosmosOnboardings
    from shared.azure.cosmos.policy_states import CosmosPolicyStates
    from shared.azure.cosmos.rollouts import CosmosRollouts
    from shared.azure.credential import AsyncCredential
    from shared.azure.key_vault import KeyEncryptionKey
    from shared.azure.sealing import EnvelopeSealer
    from shared.config.settings import Settings


class Stores:
    """Each is an attribute that a test may set to another."""

    def __init__(self, settings: "Settings") -> None:
        self.settings = settings

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
    def digest_marks(self) -> "CosmosDigestMarks":
        from shared.azure.cosmos.digest_marks import CosmosDigestMarks

        return CosmosDigestMarks(self.database, self.sealer)

    @cached_property
    def commit_reports(self) -> "CosmosCommitReports":
        from shared.azure.cosmos.commit_reports import CosmosCommitReports

        return CosmosCommitReports(self.database, self.sealer)

    @cached_property
    def conversations(self) -> "CosmosConversations":
        from shared.azure.cosmos.conversations import CosmosConversations

        return CosmosConversations(self.database, self.sealer)

    @cached_property
    def fleet_pages(self) -> "CosmosFleet":
        from shared.azure.cosmos.fleet import CosmosFleet

        return CosmosFleet(self.database, self.sealer)

    @cached_property
    def audit(self) -> "CosmosAudit":
        from shared.azure.cosmos.audit import CosmosAudit

        return CosmosAudit(self.database, self.sealer)
