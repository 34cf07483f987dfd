"""What must fit between channels and their fallbacks."""

from collections.abc import Iterator

from shared.config.fields import Problem
from shared.config.git_hosts import GIT_HOSTS
from shared.config.models import Config, Provider


def check_fallbacks(config: Config) -> Iterator[Problem]:
    """Problems of providers that name another to fall back to."""
    for index, provider in enumerate(config.providers):
        if provider.fallback is not None:
            for reason in _problems(config, provider, provider.fallback):
                yield f"$.providers[{index}].fallback", reason


def _problems(config: Config, provider: Provider, fallback: str) -> Iterator[str]:
    named = config.provider(fallback)
    if provider.type in GIT_HOSTS:
        yield f"a provider of type {provider.type} has no fallback: commits are told by their own host"
    elif named is None:
        yield f"there is no provider named {fallback}"
    elif named.type in GIT_HOSTS:
        yield f"{fallback} is a Git host: it takes no messages"
    elif provider.name in (round_trip := _chain(config, fallback)):
        yield f"it comes back to {provider.name}: {' -> '.join([provider.name, *round_trip])}"


def _chain(config: Config, name: str) -> list[str]:
    """The provider, its fallback, that one's fallback, and so on, to the first that comes twice."""
    chain: list[str] = []
    following: str | None = name
    while following and following not in chain:
        chain.append(following)
        named = config.provider(following)
        following = named.fallback if named else None
    return chain
