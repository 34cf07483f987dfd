"""A secret that sluice.yaml refers to comes to its end: whoever runs Sluice must know before its users stop working."""

from collections.abc import Iterator, Mapping

import msgspec

from shared.azure_events.news import SecretExpiry
from shared.config.models import Config
from shared.domain.announcements import Announcement
from shared.domain.record import digest

_KEY_VAULT = "kv://"


def users_of(config: Config, expiry: SecretExpiry) -> list[str]:
    """The entries of sluice.yaml that refer to the secret, as section/name. A reference with a version means no other one."""
    secret = f"{_KEY_VAULT}{expiry.vault}/{expiry.name}".lower()
    meant = {secret, f"{secret}/{expiry.version}".lower()}
    return [entry for entry, reference in references(config) if reference.lower() in meant]


def announce_expiry(expiry: SecretExpiry, users: list[str]) -> Announcement:
    """One for each version and event, however often it is told."""
    what = "has expired" if expiry.expired else "expires soon"
    when = f" on {expiry.expires_at:%Y-%m-%d %H:%M} UTC" if expiry.expires_at else ""
    secret = f"{_KEY_VAULT}{expiry.vault}/{expiry.name}"
    return Announcement(
        id=digest("secret", secret.lower(), expiry.version.lower(), what),
        kind="secret.expired" if expiry.expired else "secret.near-expiry",
        severity="error",
        title=f"Secret {expiry.name} {what}",
        summary=f"{secret} {'expired' if expiry.expired else 'expires'}{when}. What uses it: {', '.join(users)}.",
        facts=(("Secret", secret), ("Version", expiry.version), ("Used by", ", ".join(users))),
        subject=secret.lower(),
        next_step="Put a new version there: what uses it takes it up by itself.",
        fields={"secret": secret, "reason": what},
    )


def references(config: Config) -> Iterator[tuple[str, str]]:
    """Every reference to Key Vault, with the entry that holds it; each once an entry."""
    for section in config.__struct_fields__:
        for entry in _items(getattr(config, section)):
            name = f"{section}/{getattr(entry, 'name', '')}".removesuffix("/")
            yield from ((name, reference) for reference in dict.fromkeys(_texts(entry)))


def _items(value: object) -> tuple[object, ...]:
    return value if isinstance(value, tuple) else (value,)


def _texts(value: object) -> Iterator[str]:
    """References at any depth, so that a section that is new brings its own."""
    if isinstance(value, str):
        if value.startswith(_KEY_VAULT):
            yield value
    elif isinstance(value, msgspec.Struct):
        yield from (text for name in value.__struct_fields__ for text in _texts(getattr(value, name)))
    elif isinstance(value, Mapping):
        yield from (text for each in value.values() for text in _texts(each))
    elif isinstance(value, tuple | list):
        yield from (text for each in value for text in _texts(each))
