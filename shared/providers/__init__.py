"""Outbound channels. A new one is a file and a line here."""

from collections.abc import Callable

from shared.ports import Provider
from shared.providers.eventgrid import EventGridProvider
from shared.providers.means import Means
from shared.providers.msteams import TeamsProvider
from shared.providers.opsgenie import OpsgenieProvider
from shared.providers.pagerduty import PagerDutyProvider
from shared.providers.slack import SlackProvider
from shared.providers.webhook import WebhookProvider

#: provider type, as in sluice.yaml -> constructor
PROVIDERS: dict[str, Callable[[Means], Provider]] = {
    "msteams": lambda means: TeamsProvider(means.http, means.address),
    "slack": lambda means: SlackProvider(means.http, means.address, means.token, means.channel),
    "webhook": WebhookProvider,
    "eventgrid": EventGridProvider,
    "pagerduty": PagerDutyProvider,
    "opsgenie": OpsgenieProvider,
}
