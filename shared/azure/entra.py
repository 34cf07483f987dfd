"""Tokens of Microsoft Entra for services that are called without an Azure SDK."""

from typing import TYPE_CHECKING

from shared.domain.errors import Unavailable

if TYPE_CHECKING:
    from azure.core.credentials_async import AsyncTokenCredential

#: Azure DevOps, in every tenant (learn.microsoft.com, Azure DevOps: service principals and managed identities).
AZURE_DEVOPS = "499b84ac-1321-427f-aa17-267ca6975798/.default"


async def token_for(credential: "AsyncTokenCredential", scope: str) -> str:
    """A token for the app's own identity. Raises Unavailable: an identity that is refused now is given its rights by someone."""
    from azure.core.exceptions import AzureError

    try:
        return (await credential.get_token(scope)).token
    except AzureError as error:
        raise Unavailable("Microsoft Entra gives no token", code=type(error).__name__) from None
