"""What a channel is made of: what sluice.yaml says about it, its secrets, and the ways out."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from shared.ports import EventTopics
from shared.providers.http import OutboundHttp


@dataclass(frozen=True)
class Means:
    """Each channel takes what it needs. Never shown: addresses and tokens are secrets."""

    http: OutboundHttp
    address: str = ""
    token: str = ""
    previous_token: str = ""  #: also signs, while a secret is being rotated
    channel: str = ""
    signature: str = ""  #: how a webhook is signed
    source: str = ""  #: this app's own address, for programs
    topics: EventTopics | None = None
    clock: Callable[[], datetime] | None = None

    def __repr__(self) -> str:
        return "Means()"
