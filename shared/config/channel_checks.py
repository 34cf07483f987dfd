"""What providers for programs and on-call services must say, and what they must not."""

from collections.abc import Iterator

from shared.config.channels import CHANNELS, Channel
from shared.config.fields import Problem
from shared.config.models import Config, Provider


def check_programs(config: Config) -> Iterator[Problem]:
    for index, provider in enumerate(config.providers):
        path = f"$.providers[{index}]"
        channel = CHANNELS.get(provider.type, Channel())
        if not channel.signs:
            yield from _has_no(path, provider, signature=provider.signature, previousTokenRef=provider.previous_token_ref)
        if provider.type in CHANNELS:
            yield from _check_address(path, provider, channel)
            yield from _check_tokens(path, provider, channel)
            yield from _has_no(path, provider, channel=provider.channel)


def _check_address(path: str, provider: Provider, channel: Channel) -> Iterator[Problem]:
    if not channel.secret_address:
        yield from _has_no(path, provider, addressRef=provider.address_ref)
    elif provider.address and provider.address_ref:
        yield f"{path}.addressRef", "address and addressRef are two ways to say the same: one of them is needed"
    if not (provider.address or provider.address_ref or channel.default_address):
        yield path, f"a provider of type {provider.type} needs address{' or addressRef' if channel.secret_address else ''}"
    if provider.address and not provider.address.endswith(channel.address_end):
        yield f"{path}.address", f"the endpoint of a topic ends with {channel.address_end}"


def _check_tokens(path: str, provider: Provider, channel: Channel) -> Iterator[Problem]:
    if channel.token and not provider.token_ref:
        yield path, f"a provider of type {provider.type} needs tokenRef: {channel.token}"
    if provider.previous_token_ref and provider.signature == "generic-hmac":
        yield f"{path}.previousTokenRef", "generic-hmac has one signature; only standard-webhooks can carry two"


def _has_no(path: str, provider: Provider, **options: str | None) -> Iterator[Problem]:
    for option, value in options.items():
        if value:
            yield f"{path}.{option}", f"a provider of type {provider.type} has no {option}"
