"""Outbound channels. A new one is a file and a line here."""

from collections.abc import Callable

from shared.ports import Provider
from shared.providers.msteams import TeamsProvider
from shared.providers.slack import SlackProvider

#: provider type, as in sluice.yaml -> constructor (http, address, token, channel)
PROVIDERS: dict[str, Callable[..., Provider]] = {
    "msteams": TeamsProvider,
    "slack": SlackProvider,
}
