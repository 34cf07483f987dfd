"""What must fit between Slack providers, and the people who may answer from Slack."""

from collections.abc import Iterator

from shared.config.fields import Problem
from shared.config.models import Config, Provider


def check_slack(config: Config) -> Iterator[Problem]:
    for index, provider in enumerate(config.providers):
        yield from _check_provider(f"$.providers[{index}]", provider)
    yield from _check_people(config)


def _check_provider(path: str, provider: Provider) -> Iterator[Problem]:
    for field, value in (("signingSecretRef", provider.signing_secret_ref), ("broadcast", provider.broadcast)):
        if value and not provider.converses:
            yield f"{path}.{field}", f"only a slack provider with tokenRef has {field}"
    if provider.previous_signing_secret_ref and not provider.signing_secret_ref:
        yield f"{path}.previousSigningSecretRef", "there is no signingSecretRef beside it"


def _check_people(config: Config) -> Iterator[Problem]:
    """Nobody stands for two, or whoever clicks would choose as whom."""
    identities: set[str] = set()
    users: set[tuple[str, str]] = set()
    for index, member in enumerate(config.people):
        name = member.identity.casefold()
        if name in identities:
            yield f"$.people[{index}].identity", f"{member.identity} stands here twice"
        identities.add(name)
        for position, known in enumerate(member.slack):
            if (known.team, known.user) in users:
                yield f"$.people[{index}].slack[{position}]", f"{known.user} of {known.team} stands here twice"
            users.add((known.team, known.user))
