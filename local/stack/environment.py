"""The environment of the stack's children: the caller's, without what would lead the app to a real Azure."""

import os
import secrets
from base64 import b64encode
from collections.abc import Mapping
from pathlib import Path

from local.azure.identity import MANAGED_IDENTITY_APP_ID
from local.stack.storage import StorageUrls
from local.tls import TlsFiles

#: Settings of the app, of MSAL and of the Functions host that a developer's shell may hold.
_FOREIGN = (
    "AZURE_",
    "COSMOS_",
    "FLUX_",
    "SLUICE_",
    "IDENTITY_",
    "MSI_",
    "KEY_",
    "AzureWebJobs",
    "FUNCTIONS_",
    "WEBSITE_",
    "REGION_NAME",
    "LOGS_",
    "DASHBOARD_",
)
_KEPT = ("SLUICE_HOST_",)


def inherited(environment: Mapping[str, str] = os.environ) -> dict[str, str]:
    """The caller's environment for a child; loopback never goes through a proxy."""
    kept = {name: value for name, value in environment.items() if not name.startswith(_FOREIGN) or name.startswith(_KEPT)}
    no_proxy = ",".join(filter(None, [environment.get("NO_PROXY") or environment.get("no_proxy"), "127.0.0.1,localhost"]))
    return kept | {"NO_PROXY": no_proxy, "no_proxy": no_proxy, "PYTHONUNBUFFERED": "1"}


def account_key() -> str:
    """A Cosmos DB account key: 64 random bytes in base64."""
    return b64encode(secrets.token_bytes(64)).decode()


def app_settings(
    *, storage: StorageUrls, cosmos: str, cosmos_key: str, azure: str, identity_header: str, configuration: Path, tls: TlsFiles
) -> dict[str, str]:
    """The app settings of the local stack: those of Azure, with other addresses, and sweeps that come often."""
    return {
        "FUNCTIONS_WORKER_RUNTIME": "python",
        "AzureWebJobsStorage": storage.connection_string(),
        "COSMOS_ENDPOINT": cosmos,
        "COSMOS_DATABASE": "sluice",
        "COSMOS_KEY": cosmos_key,
        "SLUICE_CONFIG": str(configuration),
        "SLUICE_SUBSCRIPTIONS": "",
        "SLUICE_IDENTITY": MANAGED_IDENTITY_APP_ID,
        "KEY_ENCRYPTION_KEY": f"{azure}/keys/sluice",
        "KEY_VAULT_URI_FORMAT": azure,
        "AZURE_RESOURCE_MANAGER": azure,
        "IDENTITY_ENDPOINT": f"{azure}/msi/token",
        "IDENTITY_HEADER": identity_header,
        "SWEEP_ROLLOUTS_SCHEDULE": "*/5 * * * * *",
        "SWEEP_COMPLIANCE_SCHEDULE": "*/2 * * * * *",
        "EXPORT_LOGS_SCHEDULE": "*/15 * * * * *",
        "LOGS_INGESTION_ENDPOINT": azure,
        "LOGS_INGESTION_RULE": "dcr-local",
        "SWEEP_CLUSTERS_SCHEDULE": "*/5 * * * * *",
        "SWEEP_FLEET_SCHEDULE": "*/30 * * * * *",
        "APPLY_LEASE_SECONDS": "120",
        "FLUX_RECEIVERS_ON_LOOPBACK": "true",
        "DASHBOARD_WITHOUT_SIGN_IN": "true",
        **tls.trust_environment(),
    }
