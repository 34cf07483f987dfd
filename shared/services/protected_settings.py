"""Secrets are put into their places just before they are written, and are nowhere kept."""

from base64 import b64encode
from dataclasses import dataclass
from typing import Any

from msgspec.structs import replace

from shared.domain.cluster_resources import Write
from shared.domain.errors import Malformed, NotFound
from shared.ports import Secrets

_PROTECTED = "configurationProtectedSettings"


class Unreadable(Exception):
    """A secret is not there. The text names the reference, and nothing of the secret."""


@dataclass(frozen=True)
class ProtectedSettings:
    """Azure takes protected settings in base64, and the secrets inside of sources as they are (azure-cli-extensions, k8s-configuration)."""

    secrets: Secrets

    async def fill(self, write: Write) -> Write:
        """The write with every secret's value. Raises Unreadable, and Unavailable or Throttled where it may be there later."""
        properties = write.properties
        for place, reference in write.secrets.items():
            try:
                value = await self.secrets.get(reference)
            except (NotFound, Malformed) as error:
                raise Unreadable(f"{reference} cannot be read: {error}") from error
            section, _, name = place.partition(".")
            text = b64encode(value.encode()).decode() if section == _PROTECTED else value
            properties = {**properties, section: {**_section(properties, section), name: text}}
        return replace(write, properties=properties, secrets={})


def _section(properties: dict[str, Any], name: str) -> dict[str, Any]:
    return properties.get(name) or {}
