"""What every receiver is given, what it answers with, and what is known of each type of sender."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from shared.domain.changes import Change
from shared.domain.checks import CheckResult
from shared.domain.flux_reports import FluxReport
from shared.domain.record import Record


class Inbound(Record, frozen=True):
    """One HTTP request to a receiver. Header names are lower case."""

    receiver: str
    headers: Mapping[str, str]
    body: bytes
    received_at: datetime
    token: str = ""  #: what follows the receiver's name in the URL
    header: str = ""  #: name of the header that proves the sender, lower case; "" = the sender's usual one
    url: str = ""  #: the sender's own address, for payloads that do not tell it
    identity: str = ""  #: flux: "shared" where every cluster signs with the same secret
    automation_authors: tuple[str, ...] = ()  #: names or e-mail addresses that commit by themselves; may hold * and ?


class Received(Record, frozen=True):
    """A verified request: the changes in it, results of checks, reports of a cluster, or the name of the event that is none of them."""

    delivery: str
    event: str
    changes: tuple[Change, ...] = ()
    checks: tuple[CheckResult, ...] = ()
    reports: tuple[FluxReport, ...] = ()


class Outbound(Record, frozen=True):
    """A delivery that is made here, to try a receiver without its sender."""

    body: bytes
    secret: str
    event: str  #: as the sender spells it
    delivery: str  #: its id
    at: datetime
    header: str = ""  #: the one that the receiver names for the proof; "" = the sender's usual one
    identity: str = ""  #: as the receiver has it


#: Verifies and parses, in that order. Raises Refused; never stores or sends anything.
Receive = Callable[[Inbound, Sequence[str]], Received]

#: The headers of a delivery, as the sender sends them. Raises Malformed for a secret that is none for this sender.
Sign = Callable[[Outbound], dict[str, str]]


@dataclass(frozen=True)
class Sender:
    """One type of receiver: how its deliveries are read, and what sluice.yaml may say about it."""

    receive: Receive
    sign: Sign
    events: tuple[str, ...]  #: that Sluice knows, as the sender spells them
    default_events: tuple[str, ...] = ()  #: accepted where sluice.yaml names none; empty = all known ones
    check_events: frozenset[str] = frozenset()  #: of the events: those that tell how a check on a commit ended
    options: frozenset[str] = frozenset()  #: of the fields that only some senders have: those with a meaning here
    required: frozenset[str] = frozenset()  #: of the options: those that it cannot do without; `compare.url`, where no API is public
    takes_token: bool = False  #: proves itself by a secret in the URL, since it can do no better
