"""The channels of providers that are for programs and on-call services, and what each must be told. Chats are in loader.py."""

from typing import NamedTuple


class Channel(NamedTuple):
    """What sluice.yaml may say about a provider of this type."""

    default_address: str = ""  #: "" where one is always needed
    address_end: str = ""  #: with what a written address must end
    secret_address: bool = False  #: whether the address may be a secret
    token: str = ""  #: what tokenRef holds, where it is needed
    signs: bool = False
    on_call: bool = False  #: it hears of trouble and of its end, and of nothing else


CHANNELS: dict[str, Channel] = {
    "webhook": Channel(secret_address=True, token="the secret that signs", signs=True),  # noqa: S106 -- in words
    "eventgrid": Channel(address_end="/api/events"),
    "pagerduty": Channel("https://events.pagerduty.com", token="the integration's routing key", on_call=True),  # noqa: S106 -- in words
    "opsgenie": Channel("https://api.opsgenie.com", token="the key of an API integration", on_call=True),  # noqa: S106 -- in words
}


def is_on_call(provider_type: str) -> bool:
    return provider_type in CHANNELS and CHANNELS[provider_type].on_call
