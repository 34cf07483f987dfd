"""Ways out to chats, Git hosts, gates, registries and clusters."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Protocol

from shared.domain.commit_reports import Saying
from shared.domain.commits import Commit
from shared.domain.comparisons import Comparison
from shared.domain.conversations import Place
from shared.domain.deliveries import Parcel
from shared.domain.interactions import Answering, Asked
from shared.domain.overviews import Overview
from shared.domain.rollouts import Rollout


class Provider(Protocol):
    """An outbound channel."""

    async def post(self, parcel: Parcel) -> None:
        """Sends one message that tells all of the parcel's announcements.

        Raises Throttled or Unavailable when it may work later, Rejected when it never will.
        """
        ...


class EventTopics(Protocol):
    """Topics of an event broker."""

    async def publish(self, topic: str, events: Sequence[Mapping[str, object]], *, key: str = "") -> None:
        """Publishes events in the JSON format of CloudEvents, all or none. `topic` is an address; without a `key` as the app's identity.

        Raises Throttled or Unavailable when it may work later, Rejected when it never will.
        """
        ...


class Converser(Provider, Protocol):
    """A channel whose messages can be edited, and have threads. Raises Throttled or Unavailable when it may work later, Rejected when it
    never will.
    """

    async def open(self, overview: Overview, *, key: str, opens_with: str) -> Place:
        """Posts the message that is kept up to date from then on; `key` is what `find` finds it by."""
        ...

    async def edit(self, head: Place, overview: Overview) -> None:
        """Raises NotFound where the message is gone."""
        ...

    async def reply(self, head: Place, parcel: Parcel, *, broadcast: bool) -> None:
        """Into its thread, and with `broadcast` into the channel too. Raises NotFound where the message is gone."""
        ...

    async def find(self, key: str, since: datetime) -> Place | None:
        """The message that was posted with `key` since then; None also where we may not look."""
        ...


class Dialog(Protocol):
    """Words with one person in a chat."""

    async def ask(self, trigger: str, answering: Answering, asked: Asked, rollout: Rollout) -> None:
        """Asks whoever has just clicked for the reason. Raises Upstream where the dialog does not open."""
        ...

    async def whisper(self, channel: str, user: str, text: str) -> None:
        """Tells one user something in a channel that nobody else sees. Raises Upstream."""
        ...


class GitHost(Protocol):
    """Where a commit is, and is told how far its rollout is."""

    async def say(self, commit: Commit, saying: Saying, reference: str) -> str:
        """Says it in place of what was said there before; the host's own id of the deployment or comment, "" where it has none.

        `reference` is what saying the same kind and context gave before; "" the first time, or when that is not known any more.
        Raises Throttled or Unavailable when it may work later, Rejected when it never will.
        """
        ...


class GateCaller(Protocol):
    """The way out to the services behind webhook gates."""

    async def post_bytes(self, address: str, body: bytes, *, headers: Mapping[str, str]) -> object:
        """POSTs a JSON body as it is. Raises Throttled or Unavailable when it may work later, Rejected when it never will."""
        ...


class ReceiverCaller(Protocol):
    """The way to the Flux Receivers of clusters, whose addresses are partly made of what their tags say."""

    async def call(self, address: str, body: bytes, *, headers: Mapping[str, str], private_addresses: bool) -> None:
        """POSTs a JSON body as it is, to a host that is no address of this machine or of the platform, and of a private network only
        where `private_addresses` says so.

        Raises Throttled or Unavailable when it may work later, Rejected when it never will.
        """
        ...


class Registry(Protocol):
    """Container registries."""

    async def digest(self, url: str, tag: str, *, credentials: str = "") -> str:
        """The 64 hexadecimal digits of the sha256 digest that a tag names now. `url` is canonical; `credentials` are `user:password`.

        Raises Throttled or Unavailable when it may work later, Rejected when there is no such tag or the registry does not tell.
        """
        ...


class Compare(Protocol):
    """Git hosts' comparisons of two commits."""

    async def paths(self, host: str, comparison: Comparison) -> frozenset[str] | None:
        """Every file that differs; None where the host does not tell them all. `host` is a receiver's type.

        Raises Throttled, Unavailable, or Rejected.
        """
        ...
