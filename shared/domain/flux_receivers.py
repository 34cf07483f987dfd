"""How a cluster's own Flux Receiver is called, so that Flux reconciles at once (fluxcd.io, Receivers, type generic-hmac)."""

import hmac
import re
from collections.abc import Mapping, Sequence
from hashlib import sha256
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from shared.domain.errors import Malformed
from shared.domain.observations import FluxConfiguration
from shared.domain.record import Record
from shared.domain.templates import Field, Template, Unfilled

if TYPE_CHECKING:
    from urllib.parse import SplitResult

#: What a cluster may put into an address: a piece of a host name or of a path, and nothing that ends either.
_PIECE = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9._-]{0,251}[A-Za-z0-9])?")
_STAND_IN = "x"


class FluxReceiver(Record, frozen=True):
    """A cluster's Receiver, as planning found it."""

    address: str  #: https URL: the whole one, or what stands before /hook where `name` is told
    token_ref: str  #: where its token is
    name: str = ""  #: of the Receiver, and with its namespace a part of its path; "" where the address is whole
    namespace: str = ""
    private_addresses: bool = False  #: whether its host may be in a private network


class Notice(Record, frozen=True):
    """The body of a call: what has moved. A Receiver's `resourceFilter` can read it, and it is the same for every attempt."""

    rollout: str
    url: str  #: the source's, in its canonical spelling
    ref: str
    revision: str


def address_for(template: Template, found: FluxConfiguration, allowed_hosts: Sequence[str]) -> str:
    """The address for one cluster. Raises Unfilled.

    Whoever may tag a cluster writes tags: none may hold what begins another part of the address, and whatever they make of the host,
    it must be one of the route's.
    """
    address = "".join(part if isinstance(part, str) else _piece(part, found) for part in template)
    if reason := why_not_an_address(address, allowed_hosts):
        raise Unfilled(f"its Receiver's address is not usable: {reason}")
    return address


def check_address(template: Template, allowed_hosts: Sequence[str]) -> None:
    """Raises Malformed when no cluster could ever have a usable address: the end of the host must be written out."""
    if reason := why_not_an_address("".join(part if isinstance(part, str) else _STAND_IN for part in template), allowed_hosts):
        raise Malformed(reason)


def why_not_an_address(address: str, allowed_hosts: Sequence[str]) -> str:
    """What keeps an address from being called; "" where nothing does. Of the address nothing is part of the reason."""
    parts = _parts(address)
    if parts is None or parts.scheme != "https" or not parts.hostname or "@" in parts.netloc or parts.query or parts.fragment:
        return "it must begin with https://, and have a host and a path but no user name, query or fragment"
    host = parts.hostname.rstrip(".")
    if not any(host == allowed or host.endswith(f".{allowed}") for allowed in map(str.lower, allowed_hosts)):
        return "its host is none of allowedHosts, nor below one of them"
    return ""


def url_of(receiver: FluxReceiver, token: str) -> str:
    """The URL to call. A Receiver's path is made of its token, name and namespace (fluxcd.io, Receivers, Webhook Path)."""
    if not receiver.name:
        return receiver.address
    path = sha256(f"{token}{receiver.name}{receiver.namespace}".encode()).hexdigest()
    return f"{receiver.address.rstrip('/')}/hook/{path}"


def call_headers(body: bytes, token: str) -> Mapping[str, str]:
    """The signature over the body, as the type generic-hmac wants it (fluxcd.io, Receivers, Generic HMAC)."""
    return {"X-Signature": f"sha256={hmac.digest(token.encode(), body, 'sha256').hex()}"}


def _piece(field: Field, found: FluxConfiguration) -> str:
    value = field.value(found)
    if not _PIECE.fullmatch(value):
        raise Unfilled(f"its {field.name} is nothing that an address may hold")
    return value


def _parts(address: str) -> "SplitResult | None":
    try:
        parts = urlsplit(address)
        _ = parts.port  # read here, since only reading it tells that it is invalid
    except ValueError:
        return None
    return parts
