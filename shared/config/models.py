"""sluice.yaml, version sluice/v1. Unknown fields are refused, so that a misspelt rule never becomes no rule."""

from typing import Annotated, Literal

from msgspec import Meta

from shared.config.alerts import Alert
from shared.config.baselines import Baseline
from shared.config.digests import DigestSection
from shared.config.drift import DriftSection
from shared.config.fields import Name, Rate, Reference, Section, Template, Variable
from shared.config.people import Member
from shared.config.requires import Requires
from shared.config.strategies import Stage, Strategy
from shared.domain.alerting import Rule
from shared.domain.clusters import Cluster
from shared.domain.following import RouteAction
from shared.domain.interactions import SlackUser
from shared.domain.rollouts import Reporting
from shared.domain.selectors import Selector
from shared.receivers import SENDERS
from shared.receivers.inbound import Sender

# `$(?!\n)`: see shared/config/fields.py.
HeaderName = Annotated[
    str, Meta(pattern=r"^[A-Za-z0-9-]{1,64}$(?!\n)", description="the name of an HTTP header", examples=["X-Sluice-Key"])
]
AppId = Annotated[int, Meta(ge=1)] | Annotated[str, Meta(pattern=r"^[A-Za-z0-9._-]{1,64}$(?!\n)", description="client ID of a GitHub App")]
HostName = Annotated[
    str, Meta(pattern=r"^[A-Za-z0-9]([A-Za-z0-9.:-]{0,251}[A-Za-z0-9])?$(?!\n)", description="a host", examples=["contoso.net"])
]
ObjectName = Annotated[
    str, Meta(pattern=r"^[a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?$(?!\n)", description="a name in Kubernetes", examples=["sluice"])
]
EVERY_BRANCH = "refs/heads/*"
MAX_BODY_BYTES = 25 * 1024 * 1024  #: GitHub caps its payloads at 25 MB


class CompareApi(Section, frozen=True):
    """A Git host's API, asked for the files of a push where the payload does not list them all."""

    token_ref: Reference | None = None  #: may read the repositories; none for public ones
    url: str = ""  #: of the API; empty = the public one of the receiver's type


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
    compare: CompareApi | None = None  #: asks what a push touched, for routes with paths
    identity: Literal["derived", "shared"] | None = None  #: flux: a token for each cluster (the default), or one secret for all
    automation_authors: tuple[str, ...] = ("fluxcdbot", "fluxcdbot@users.noreply.github.com")  #: may hold * and ?
    max_body_bytes: Annotated[int, Meta(ge=1024, le=MAX_BODY_BYTES)] = MAX_BODY_BYTES
    rate_limit: Rate = "600/m"  #: proven deliveries of all instances that are planned at once; refusals of each that are logged

    @property
    def sender(self) -> Sender:
        return SENDERS[self.type]

    def accepts(self, event: str) -> bool:
        return event in (self.events or self.sender.default_events or self.sender.events)


class Source(Section, frozen=True):
    """A Git repository, or an OCI artifact (oci://), and the refs of it that a route follows; or a bucket (bucket://, azureblob://)."""

    url: str
    ref: str = EVERY_BRANCH  #: full name, may hold * and ?; the tags of an artifact are refs/tags/NAME
    paths: tuple[str, ...] = ()  #: patterns; empty = every change
    semver: str | None = None  #: of the tags only versions in this range, and none lower than what a fluxConfiguration is on


class Report(Section, frozen=True):
    """The Git host that is told how far a commit is."""

    provider: Name
    deployments: bool = False  #: one a stage, where the host has deployments
    comment: bool = False  #: on the merged pull request, where the host is able to

    @property
    def asked(self) -> Reporting:
        return Reporting(provider=self.provider, deployments=self.deployments, comment=self.comment)


class FluxReceiver(Section, frozen=True):
    """The Receiver of each cluster's own Flux, of type generic-hmac."""

    address: Template  #: its URL; with `name`, what stands before /hook
    token_ref: Reference
    allowed_hosts: Annotated[tuple[HostName, ...], Meta(min_length=1)]  #: nothing but these, and what is below them, is called
    name: ObjectName | None = None  #: of the Receiver, where its path is to be computed
    namespace: ObjectName | None = None
    private_addresses: bool = False  #: whether these hosts may be in private networks


class Route(Section, frozen=True):
    """Which changes move which fluxConfigurations, and how."""

    name: Name
    source: Source
    configurations: tuple[str, ...] = ()  #: names of fluxConfigurations, may hold * and ?; empty = all that follow the source
    selector: Selector = Selector()
    action: RouteAction = "observe"
    receiver: FluxReceiver | None = None  #: action notify-receiver: whom it calls
    automation: Literal["follow", "ignore"] = "follow"  #: pushes of which automation wrote every commit
    substitute: dict[Variable, Template] = {}  #: values by name, for postBuild.substitute; they differ from cluster to cluster
    kustomizations: tuple[str, ...] = ("*",)  #: which kustomizations are given the values; may hold * and ?
    strategy: Name | None = None  #: required for action pin with more than one stage; without it all clusters move at once
    requires: Requires | None = None
    report: Report | None = None  #: the commit is told how far each stage is


class App(Section, frozen=True):
    """A GitHub App that is installed where the repository is."""

    id: AppId  #: its client ID, or the older application ID
    installation_id: Annotated[int, Meta(ge=1)]
    private_key_ref: Reference  #: PEM, as GitHub makes it


Chat = Literal["msteams", "slack"]
Program = Literal["webhook", "eventgrid", "pagerduty", "opsgenie"]  #: see `channels`
Host = Literal["github", "gitlab", "bitbucket-cloud", "bitbucket-data-center", "azure-devops", "gitea"]


class Provider(Section, frozen=True):
    """An outbound channel: a chat, a program or on-call service, or a Git host that commits are reported to (see `git_hosts`)."""

    name: Name
    type: Literal[Chat, Program, Host]
    address: str = ""
    address_ref: Reference | None = None  #: where the address itself is the secret
    token_ref: Reference | None = None
    previous_token_ref: Reference | None = None  #: of a webhook: also signs, while a secret is being rotated
    channel: str = ""
    signature: Literal["standard-webhooks", "generic-hmac"] | None = None  #: of a webhook; None = standard-webhooks
    app: App | None = None  #: of a Git host, in place of tokenRef
    fallback: Name | None = None  #: a channel that gets what this one has not taken
    signing_secret_ref: Reference | None = None  #: slack: of the app, so that people may answer with buttons
    previous_signing_secret_ref: Reference | None = None  #: also valid, while the signing secret is being rotated
    broadcast: tuple[Literal["error", "question"], ...] = ()  #: slack: which replies in a thread are shown in the channel too

    @property
    def converses(self) -> bool:
        """Whether it keeps one message a rollout up to date, and tells the rest in its thread."""
        return self.type == "slack" and self.token_ref is not None


class Config(Section, frozen=True):
    """The whole file."""

    api_version: Literal["sluice/v1"]
    receivers: tuple[Receiver, ...] = ()
    strategies: tuple[Strategy, ...] = ()
    routes: tuple[Route, ...] = ()
    baselines: tuple[Baseline, ...] = ()
    providers: tuple[Provider, ...] = ()
    alerts: tuple[Alert, ...] = ()
    digests: tuple[DigestSection, ...] = ()
    drift: DriftSection = DriftSection()
    people: tuple[Member, ...] = ()  #: who may answer from Slack

    @property
    def conversing(self) -> tuple[Provider, ...]:
        """The providers that keep a message a rollout up to date, if any alert tells them anything."""
        named = {alert.provider for alert in self.alerts}
        return tuple(provider for provider in self.providers if provider.converses and provider.name in named)

    def member(self, user: SlackUser) -> Member | None:
        return next((member for member in self.people if member.is_known_as(user)), None)

    def receiver(self, name: str) -> Receiver | None:
        return next((receiver for receiver in self.receivers if receiver.name == name), None)

    def provider(self, name: str) -> Provider | None:
        return next((provider for provider in self.providers if provider.name == name), None)

    def rules(self) -> tuple[Rule, ...]:
        """The alerts. The loader has checked that their providers exist."""
        types = {provider.name: provider.type for provider in self.providers}
        return tuple(alert.rule(types.get(alert.provider, "")) for alert in self.alerts)

    @property
    def asks_of_clusters(self) -> bool:
        """Whether any alert chooses events by what their clusters are."""
        return any(alert.selector or alert.include or alert.exclude for alert in self.alerts)

    def digest(self, name: str) -> DigestSection | None:
        return next((digest for digest in self.digests if digest.name == name), None)

    def baseline(self, cluster: Cluster) -> Baseline | None:
        """The first of the file that selects the cluster."""
        return next((baseline for baseline in self.baselines if baseline.selector.matches(cluster)), None)

    def strategy(self, name: str | None) -> Strategy:
        """The named strategy; without a name one stage of all clusters. The loader has checked that names exist."""
        found = next((strategy for strategy in self.strategies if strategy.name == name), None)
        return found or Strategy(name="all", stages=(Stage(name="all"),))
