"""sluice.yaml, version sluice/v1. Unknown fields are refused, so that a misspelt rule never becomes no rule."""

import math
import re
from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from shared.domain.rollouts import Rules
from shared.domain.selectors import Selector
from shared.domain.templates import NAME_PATTERN
from shared.receivers import SENDERS
from shared.receivers.inbound import Sender

# `$(?!\n)`: Python's `$` also matches before a last line feed, which a block scalar (`|`) leaves. \Z is unknown to editors' JSON Schema.
Name = Annotated[str, Meta(pattern=r"^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$(?!\n)", description="lower-case letters, digits and hyphens")]
Duration = Annotated[
    str, Meta(pattern=r"^([0-9]{1,5}(\.[0-9]+)?(ms|s|m|h|d)){1,5}$(?!\n)", description="for example 90s, 10m, 1h30m, 2d", examples=["10m"])
]
Reference = Annotated[
    str,
    Meta(
        pattern=r"^(kv://[A-Za-z0-9-]+/[A-Za-z0-9-]+(/[A-Za-z0-9]+)?|env://SLUICE_SECRET_[A-Z0-9_]+)$(?!\n)",
        description="a secret: kv://vault/name or env://SLUICE_SECRET_NAME",
        examples=["kv://sluice/github-platform"],
    ),
]
Variable = Annotated[str, Meta(pattern=NAME_PATTERN, description="a name that Flux's post-build substitution takes", examples=["SITE"])]
Template = Annotated[str, Meta(description="text with {cluster}, {location}, {tags.site} or {tags.site:default} in it")]
Percentage = Annotated[str, Meta(pattern=r"^(100|[1-9][0-9]?)%$(?!\n)", examples=["25%"])]
Count = Annotated[int, Meta(ge=0)]
HeaderName = Annotated[
    str, Meta(pattern=r"^[A-Za-z0-9-]{1,64}$(?!\n)", description="the name of an HTTP header", examples=["X-Sluice-Key"])
]

_UNITS = {"ms": 0.001, "s": 1, "m": 60, "h": 3600, "d": 86400}
MAX_BODY_BYTES = 25 * 1024 * 1024  #: GitHub caps its payloads at 25 MB


def seconds(duration: str) -> float:
    """The length of a duration in seconds."""
    return sum(float(number) * _UNITS[unit] for number, unit in re.findall(r"(\d+(?:\.\d+)?)(ms|s|m|h|d)", duration))


class _Section(msgspec.Struct, frozen=True, kw_only=True, rename="camel", forbid_unknown_fields=True):
    """Base of every section."""


class Receiver(_Section, frozen=True):
    """An inbound endpoint: POST /api/receivers/{name}. The loader has checked that its type is one of SENDERS."""

    name: Name
    type: Annotated[str, Meta(extra_json_schema={"enum": list(SENDERS)})]
    secret_ref: Reference
    previous_secret_ref: Reference | None = None  #: also valid, while a secret is being rotated
    events: tuple[str, ...] = ()  #: as the sender spells them; empty = the sender's default
    header: HeaderName | None = None  #: carries the secret, or the signature, in place of the sender's usual header
    url: str = ""  #: the sender's own address, where its payloads do not tell it
    registry_credentials_ref: Reference | None = (
        None  #: user:password, to ask the registry what a tag is at, where the payload does not tell
    )
    automation_authors: tuple[str, ...] = ("fluxcdbot", "fluxcdbot@users.noreply.github.com")  #: may hold * and ?
    max_body_bytes: Annotated[int, Meta(ge=1024, le=MAX_BODY_BYTES)] = MAX_BODY_BYTES

    @property
    def sender(self) -> Sender:
        return SENDERS[self.type]

    def accepts(self, event: str) -> bool:
        return event in (self.events or self.sender.default_events or self.sender.events)


class Stage(_Section, frozen=True):
    """Clusters that move together. A cluster belongs to the first stage that selects it."""

    name: Name
    selector: Selector = Selector()
    max_concurrency: Annotated[int, Meta(ge=1)] | Percentage = "100%"
    after_stage_wait: Duration = "0s"

    @property
    def wait_seconds(self) -> float:
        return seconds(self.after_stage_wait)

    def concurrency(self, total: int) -> int:
        """How many of `total` targets may be in flight at once: at least one."""
        if isinstance(self.max_concurrency, int):
            return self.max_concurrency
        return max(1, math.floor(total * int(self.max_concurrency.removesuffix("%")) / 100))


class Success(_Section, frozen=True):
    """When a target counts as failed, and how many failures a stage may have."""

    compliance_within: Duration = "30m"
    grace: Duration = "2m"  #: how long Non-Compliant may last: Flux retries what only needed a moment
    max_failures: Count = 0  #: tolerated in a stage; one more stops the rollout
    on_failure: Literal["pause"] = "pause"


class Strategy(_Section, frozen=True):
    """How a rollout moves: its stages in order."""

    name: Name
    stages: Annotated[tuple[Stage, ...], Meta(min_length=1)]
    success: Success = Success()
    offline_clusters: Literal["catch-up"] = "catch-up"

    def rules(self, redispatch_after_seconds: float) -> Rules:
        return Rules(
            compliance_within_seconds=seconds(self.success.compliance_within),
            grace_seconds=seconds(self.success.grace),
            max_failures=self.success.max_failures,
            redispatch_after_seconds=redispatch_after_seconds,
        )


class Source(_Section, frozen=True):
    """A Git repository, or an OCI artifact (oci://), and the refs of it that a route follows."""

    url: str
    ref: str = "refs/heads/*"  #: full name, may hold * and ?; the tags of an artifact are refs/tags/NAME
    paths: tuple[str, ...] = ()  #: patterns; empty = every change
    semver: str | None = None  #: of the tags only versions in this range, and none lower than what a fluxConfiguration is on


class Route(_Section, frozen=True):
    """Which changes move which fluxConfigurations, and how."""

    name: Name
    source: Source
    configurations: tuple[str, ...] = ()  #: names of fluxConfigurations, may hold * and ?; empty = all that follow the source
    selector: Selector = Selector()
    action: Literal["pin", "observe"] = "observe"
    substitute: dict[Variable, Template] = {}  #: values by name, for postBuild.substitute; they differ from cluster to cluster
    kustomizations: tuple[str, ...] = ("*",)  #: which kustomizations are given the values; may hold * and ?
    automation: Literal["follow", "ignore"] = "follow"  #: pushes of which automation wrote every commit
    strategy: Name | None = None  #: required for action pin with more than one stage; without it all clusters move at once


class Provider(_Section, frozen=True):
    """An outbound channel."""

    name: Name
    type: Literal["msteams", "slack"]
    address: str = ""
    address_ref: Reference | None = None  #: where the address itself is the secret
    token_ref: Reference | None = None
    channel: str = ""


class Group(_Section, frozen=True):
    """Events that become one message: those alike in `by`, within `interval` of the first."""

    by: tuple[Literal["rollout", "stage", "route"], ...] = ("rollout", "stage")
    interval: Duration = "0s"


class Alert(_Section, frozen=True):
    """Which events go to which provider. `info` takes errors too, as in Flux."""

    name: Name
    provider: Name
    severity: Literal["info", "error"] = "info"
    events: tuple[str, ...] = ("*",)  #: event types, may hold * and ?
    routes: tuple[str, ...] = ("*",)
    group: Group = Group()


class Config(_Section, frozen=True):
    """The whole file."""

    api_version: Literal["sluice/v1"]
    receivers: tuple[Receiver, ...] = ()
    strategies: tuple[Strategy, ...] = ()
    routes: tuple[Route, ...] = ()
    providers: tuple[Provider, ...] = ()
    alerts: tuple[Alert, ...] = ()

    def receiver(self, name: str) -> Receiver | None:
        return next((receiver for receiver in self.receivers if receiver.name == name), None)

    def provider(self, name: str) -> Provider | None:
        return next((provider for provider in self.providers if provider.name == name), None)

    def strategy(self, name: str | None) -> Strategy:
        """The named strategy; without a name one stage of all clusters. The loader has checked that names exist."""
        found = next((strategy for strategy in self.strategies if strategy.name == name), None)
        return found or Strategy(name="all", stages=(Stage(name="all"),))
