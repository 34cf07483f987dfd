"""sluice.yaml, version sluice/v1. Unknown fields are refused, so that a misspelt rule never becomes no rule."""

from typing import Annotated, Literal

from msgspec import Meta

from shared.config.drift import DriftSection
from shared.config.fields import Duration, Name, Reference, Section
from shared.config.strategies import Stage, Strategy
from shared.domain.selectors import Selector
from shared.domain.templates import NAME_PATTERN
from shared.receivers import SENDERS
from shared.receivers.inbound import Sender

Variable = Annotated[str, Meta(pattern=NAME_PATTERN, description="a name that Flux's post-build substitution takes", examples=["SITE"])]
Template = Annotated[str, Meta(description="text with {cluster}, {location}, {tags.site} or {tags.site:default} in it")]
# `$(?!\n)`: see shared/config/fields.py.
HeaderName = Annotated[
    str, Meta(pattern=r"^[A-Za-z0-9-]{1,64}$(?!\n)", description="the name of an HTTP header", examples=["X-Sluice-Key"])
]
MAX_BODY_BYTES = 25 * 1024 * 1024  #: GitHub caps its payloads at 25 MB


class Receiver(Section, frozen=True):
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


class Source(Section, frozen=True):
    """A Git repository, or an OCI artifact (oci://), and the refs of it that a route follows."""

    url: str
    ref: str = "refs/heads/*"  #: full name, may hold * and ?; the tags of an artifact are refs/tags/NAME
    paths: tuple[str, ...] = ()  #: patterns; empty = every change
    semver: str | None = None  #: of the tags only versions in this range, and none lower than what a fluxConfiguration is on


class Route(Section, frozen=True):
    """Which changes move which fluxConfigurations, and how."""

    name: Name
    source: Source
    configurations: tuple[str, ...] = ()  #: names of fluxConfigurations, may hold * and ?; empty = all that follow the source
    selector: Selector = Selector()
    action: Literal["pin", "observe"] = "observe"
    automation: Literal["follow", "ignore"] = "follow"  #: pushes of which automation wrote every commit
    substitute: dict[Variable, Template] = {}  #: values by name, for postBuild.substitute; they differ from cluster to cluster
    kustomizations: tuple[str, ...] = ("*",)  #: which kustomizations are given the values; may hold * and ?
    strategy: Name | None = None  #: required for action pin with more than one stage; without it all clusters move at once


class Provider(Section, frozen=True):
    """An outbound channel."""

    name: Name
    type: Literal["msteams", "slack"]
    address: str = ""
    address_ref: Reference | None = None  #: where the address itself is the secret
    token_ref: Reference | None = None
    channel: str = ""


class Group(Section, frozen=True):
    """Events that become one message: those alike in `by`, within `interval` of the first."""

    by: tuple[Literal["rollout", "stage", "route"], ...] = ("rollout", "stage")
    interval: Duration = "0s"


class Alert(Section, frozen=True):
    """Which events go to which provider. `info` takes errors too, as in Flux."""

    name: Name
    provider: Name
    severity: Literal["info", "error"] = "info"
    events: tuple[str, ...] = ("*",)  #: event types, may hold * and ?
    routes: tuple[str, ...] = ("*",)
    group: Group = Group()


class Config(Section, frozen=True):
    """The whole file."""

    api_version: Literal["sluice/v1"]
    receivers: tuple[Receiver, ...] = ()
    strategies: tuple[Strategy, ...] = ()
    routes: tuple[Route, ...] = ()
    providers: tuple[Provider, ...] = ()
    alerts: tuple[Alert, ...] = ()
    drift: DriftSection = DriftSection()

    def receiver(self, name: str) -> Receiver | None:
        return next((receiver for receiver in self.receivers if receiver.name == name), None)

    def provider(self, name: str) -> Provider | None:
        return next((provider for provider in self.providers if provider.name == name), None)

    def strategy(self, name: str | None) -> Strategy:
        """The named strategy; without a name one stage of all clusters. The loader has checked that names exist."""
        found = next((strategy for strategy in self.strategies if strategy.name == name), None)
        return found or Strategy(name="all", stages=(Stage(name="all"),))
