"""A secret in Key Vault comes to its end: learn.microsoft.com/azure/event-grid/event-schema-key-vault.

Both events are of a secret's current version, once each, and only of versions made since the subscription.
"""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from shared.azure_events.event import AzureEvent, Family
from shared.azure_events.news import SecretExpiry
from shared.domain.errors import Refused

_NEAR = "Microsoft.KeyVault.SecretNearExpiry"
_EXPIRED = "Microsoft.KeyVault.SecretExpired"
_MAX_NAME = 127  #: characters, of a vault's or a secret's name (learn.microsoft.com, Key Vault: object identifiers)


def read(event: AzureEvent, received_at: datetime) -> SecretExpiry:
    told = {name.strip().lower(): value for name, value in event.data.items()}  # the documented sample has a blank after `ObjectName`
    return SecretExpiry(
        vault=_name(told, "vaultname"),
        name=_name(told, "objectname"),
        version=_name(told, "version"),
        expired=event.type == _EXPIRED,
        expires_at=_moment(told.get("exp")),
    )


def _name(told: Mapping[str, Any], field: str) -> str:
    value = told.get(field)
    if not isinstance(value, str) or not 0 < len(value) <= _MAX_NAME:
        raise Refused(400, f"event-invalid: `{field}` is missing, or too long")
    return value


def _moment(value: Any) -> datetime | None:
    """Unix seconds, which the documentation types as a number and its sample writes as text."""
    try:
        return datetime.fromtimestamp(int(value), UTC)
    except (ValueError, TypeError, OverflowError, OSError):
        return None


FAMILY = Family(read, frozenset({_NEAR, _EXPIRED}))
