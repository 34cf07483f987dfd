"""The app settings: the only reader of the environment."""

import os
from collections.abc import Mapping
from dataclasses import dataclass, field

from shared.domain.errors import Malformed

_REQUIRED = ("COSMOS_ENDPOINT", "KEY_ENCRYPTION_KEY", "SLUICE_CONFIG")


@dataclass(frozen=True)
class Settings:
    """One field an app setting, under the same name in lower case. Defaults are Azure's public cloud."""

    cosmos_endpoint: str
    key_encryption_key: str  #: Key Vault key id (https), or file: and the path of a local key, made when missing
    sluice_config: str  #: path of sluice.yaml, or the https address of a blob
    sluice_url: str = ""  #: this app's own address, without a slash at its end: where webhook gates are answered
    cosmos_database: str = "sluice"
    cosmos_key: str = field(default="", repr=False)  #: emulators only; empty = the app's identity
    key_vault_uri_format: str = "https://{vault}.vault.azure.net"
    azure_resource_manager: str = "https://management.azure.com"
    azure_resource_manager_audience: str = "https://management.azure.com"  #: whom its tokens are for; other clouds have their own
    sluice_subscriptions: tuple[str, ...] = ()  #: empty = all that the identity may read
    sluice_identity: tuple[str, ...] = ()  #: client and object ids of the app's identity: whose writes are our own
    sluice_management_groups: tuple[str, ...] = ()  #: in place of subscriptions
    storage_connection_string: str = field(default="", repr=False)  #: AzureWebJobsStorage
    storage_queue_uri: str = ""  #: AzureWebJobsStorage__queueServiceUri, or made of __accountName
    azure_tenant_id: str = ""
    azure_client_id: str = ""
    azure_client_secret: str = field(default="", repr=False)
    azure_client_certificate_path: str = ""
    azure_federated_token_file: str = ""
    azure_authority_host: str = "https://login.microsoftonline.com"
    region_name: str = "local"  #: ARM's write limit is one a region that the calls come from
    logs_ingestion_endpoint: str = ""  #: of the data collection rule; empty = Azure Monitor gets no rows
    logs_ingestion_rule: str = ""  #: its immutable id
    apply_lease_seconds: float = 120.0
    redispatch_after_seconds: float = 300.0
    look_for_away_seconds: float = 300.0  #: how often a finished rollout looks for clusters that were away
    flux_receivers_on_loopback: bool = False  #: local stack only: clusters' Receivers are on this machine
    dashboard_without_sign_in: bool = False  #: local use only: the dashboard is open to whoever is on this machine
    signs_in: bool = False  #: App Service authentication is on: who asks is App Service's word

    @property
    def own_identities(self) -> tuple[str, ...]:
        return (*self.sluice_identity, *filter(None, [self.azure_client_id]))


def read(environment: Mapping[str, str] = os.environ) -> Settings:
    """The settings in the environment. Raises Malformed naming every setting that is missing or has no usable value."""
    missing = [name for name in _REQUIRED if not environment.get(name)]
    queue_uri = _queue_uri(environment)
    if not environment.get("AzureWebJobsStorage") and not queue_uri:
        missing.append("AzureWebJobsStorage__accountName")
    if missing:
        raise Malformed(f"app settings are missing: {', '.join(missing)}; local.settings.sample.json shows them all")
    _check_key(environment)
    if bool(environment.get("LOGS_INGESTION_ENDPOINT")) != bool(environment.get("LOGS_INGESTION_RULE")):
        raise Malformed("app settings LOGS_INGESTION_ENDPOINT and LOGS_INGESTION_RULE belong together: set both or neither")
    return Settings(
        cosmos_endpoint=environment["COSMOS_ENDPOINT"],
        key_encryption_key=environment["KEY_ENCRYPTION_KEY"],
        sluice_config=environment["SLUICE_CONFIG"],
        sluice_url=_public_url(environment),
        storage_connection_string=environment.get("AzureWebJobsStorage", ""),
        storage_queue_uri=queue_uri,
        sluice_identity=_list(environment.get("SLUICE_IDENTITY", "")),
        sluice_subscriptions=_list(environment.get("SLUICE_SUBSCRIPTIONS", "")),
        sluice_management_groups=_list(environment.get("SLUICE_MANAGEMENT_GROUPS", "")),
        apply_lease_seconds=_number(environment, "APPLY_LEASE_SECONDS", Settings.apply_lease_seconds),
        redispatch_after_seconds=_number(environment, "REDISPATCH_AFTER_SECONDS", Settings.redispatch_after_seconds),
        look_for_away_seconds=_number(environment, "LOOK_FOR_AWAY_SECONDS", Settings.look_for_away_seconds),
        flux_receivers_on_loopback=_for_local_use(environment, "FLUX_RECEIVERS_ON_LOOPBACK"),
        dashboard_without_sign_in=_for_local_use(environment, "DASHBOARD_WITHOUT_SIGN_IN"),
        # Injected by the platform (learn.microsoft.com, environment variables in Azure App Service: WEBSITE_AUTH_ENABLED).
        signs_in=environment.get("WEBSITE_AUTH_ENABLED", "").lower() == "true",
        **_texts(environment),
    )


def _check_key(environment: Mapping[str, str]) -> None:
    """A key that an instance makes for itself is lost with the instance, and all that is sealed with it."""
    key = environment["KEY_ENCRYPTION_KEY"]
    if not key.startswith(("https://", "file:")):
        raise Malformed("app setting KEY_ENCRYPTION_KEY must be a Key Vault key id (https://...), or file:PATH for local use")
    if key.startswith("file:") and _is_in_azure(environment):
        raise Malformed("app setting KEY_ENCRYPTION_KEY must be a Key Vault key id in Azure: a local file is lost with its instance")


_TEXTS = (
    "COSMOS_DATABASE",
    "COSMOS_KEY",
    "KEY_VAULT_URI_FORMAT",
    "AZURE_RESOURCE_MANAGER",
    "AZURE_RESOURCE_MANAGER_AUDIENCE",
    "AZURE_TENANT_ID",
    "AZURE_CLIENT_ID",
    "AZURE_CLIENT_SECRET",
    "AZURE_CLIENT_CERTIFICATE_PATH",
    "AZURE_FEDERATED_TOKEN_FILE",
    "AZURE_AUTHORITY_HOST",
    "REGION_NAME",
    "LOGS_INGESTION_ENDPOINT",
    "LOGS_INGESTION_RULE",
)

#: Bicep's environment() gives these with a slash at their end (learn.microsoft.com, Bicep deployment functions).
_ADDRESSES = ("AZURE_RESOURCE_MANAGER", "AZURE_RESOURCE_MANAGER_AUDIENCE", "AZURE_AUTHORITY_HOST")


def _texts(environment: Mapping[str, str]) -> dict[str, str]:
    given = {name: environment[name] for name in _TEXTS if environment.get(name)}
    return {name.lower(): value.rstrip("/") if name in _ADDRESSES else value for name, value in given.items()}


def _list(text: str) -> tuple[str, ...]:
    return tuple(part.strip().lower() for part in text.split(",") if part.strip())


def _number(environment: Mapping[str, str], name: str, default: float) -> float:
    try:
        value = float(environment.get(name) or default)
    except ValueError:
        raise Malformed(f"app setting {name} must be a number of seconds") from None
    if not 0 < value < float("inf"):
        raise Malformed(f"app setting {name} must be more than 0")
    return value


def _for_local_use(environment: Mapping[str, str], name: str) -> bool:
    """Whether what makes a machine of one's own easier to use is on. It would open ways in Azure, for the app or into it."""
    allowed = environment.get(name, "").lower() == "true"
    if allowed and _is_in_azure(environment):
        raise Malformed(f"app setting {name} is for local use, and must not be set in Azure")
    return allowed


def _is_in_azure(environment: Mapping[str, str]) -> bool:
    """WEBSITE_INSTANCE_ID is there in App Service plans only, not in Flex Consumption, which is told by the others
    (github.com/Azure/azure-functions-host, EnvironmentExtensions: IsAppService, IsFlexConsumptionSku, IsLinuxConsumptionOnLegion).
    CONTAINER_NAME, which is told there too, others set as well.
    """
    return any(environment.get(name) for name in ("WEBSITE_INSTANCE_ID", "WEBSITE_SKU", "WEBSITE_POD_NAME", "LEGION_SERVICE_HOST"))


def _public_url(environment: Mapping[str, str]) -> str:
    """This app's address: Azure tells an app its host name (learn.microsoft.com, environment variables in Azure App Service)."""
    host = environment.get("WEBSITE_HOSTNAME")
    url = (environment.get("SLUICE_URL") or (f"https://{host}" if host else "")).rstrip("/")
    allowed = ("https://",) if _is_in_azure(environment) else ("https://", "http://")
    if url and not url.startswith(allowed):
        raise Malformed("app setting SLUICE_URL must be an https address: the tokens of webhook gates are part of what is sent there")
    return url


def _queue_uri(environment: Mapping[str, str]) -> str:
    """Azure's naming of an identity-based connection (learn.microsoft.com, Functions: connecting to host storage with an identity)."""
    account = environment.get("AzureWebJobsStorage__accountName")
    return environment.get("AzureWebJobsStorage__queueServiceUri") or (f"https://{account}.queue.core.windows.net" if account else "")
