"""What stands before every service: who calls, for which audience, and Azure's answer to those it does not know."""

from aiohttp import web

from local.azure.answers import AzureError
from local.azure.origin import Origin
from local.azure.tokens import Principal, TokenAuthority, TokenRefusedError

ARM_AUDIENCES = frozenset({"https://management.azure.com", "https://management.core.windows.net"})
MONITOR_AUDIENCES = frozenset({"https://monitor.azure.com", "https://monitor.azure.com//"})
EVENT_GRID_AUDIENCES = frozenset({"https://eventgrid.azure.net"})


class Gate:
    def __init__(self, origin: Origin, tokens: TokenAuthority) -> None:
        self._tokens = tokens
        self._authorization_uri = f"{origin.url}/{tokens.tenant_id}"
        self._vault_resource = origin.vault_resource

    def admit(self, request: web.Request, audiences: frozenset[str]) -> Principal:
        """Raises AzureError 401 with the challenge ARM gives."""
        try:
            return self._tokens.check(request.headers.get("Authorization"), audiences)
        except TokenRefusedError as refusal:
            challenge = (
                f'Bearer authorization_uri="{self._authorization_uri}", error="invalid_token", error_description="{refusal.message}"'
            )
            raise AzureError(401, refusal.code, refusal.message, headers={"WWW-Authenticate": challenge}) from refusal

    def admit_to_vault(self, request: web.Request) -> Principal:
        """Raises AzureError 401 with Key Vault's challenge, which names the authority and the resource to ask for.
        https://learn.microsoft.com/azure/key-vault/general/authentication-requests-and-responses
        """
        audiences = frozenset({self._vault_resource, "https://vault.azure.net"})
        try:
            return self._tokens.check(request.headers.get("Authorization"), audiences)
        except TokenRefusedError as refusal:
            challenge = f'Bearer authorization="{self._authorization_uri}", resource="{self._vault_resource}"'
            raise AzureError(401, "Unauthorized", f"AKV10000: {refusal.message}", headers={"WWW-Authenticate": challenge}) from refusal
