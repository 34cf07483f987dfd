"""Who asks: somebody whom App Service has signed in, or whoever holds a function key."""

import base64
import re
from collections.abc import Iterable
from typing import Literal
from urllib.parse import urlsplit

import msgspec

from shared.domain.errors import Refused
from shared.domain.record import Record

#: App roles. Whatever a gate's `approvers` names beside them is a role too, or the id of a group.
AppRole = Literal["Reader", "Operator", "Approver"]

#: App Service bounds a request's headers well below this.
_MAX_PRINCIPAL_CHARACTERS = 64 * 1024
_MAX_NAME_CHARACTERS = 256
_MAX_CLAIMED_CHARACTERS = 64

# A token's claims come under their own names, or mapped to these (learn.microsoft.com, work with user identities in App Service
# authentication: "default claims-mapping process"). An email address is none of them: people may set it themselves.
_NAME_CLAIMS = ("http://schemas.xmlsoap.org/ws/2005/05/identity/claims/upn", "upn", "preferred_username")
_ID_CLAIMS = ("http://schemas.microsoft.com/identity/claims/objectidentifier", "oid")
_ROLE_CLAIMS = ("roles", "http://schemas.microsoft.com/ws/2008/06/identity/claims/role")
_GROUP_CLAIMS = ("groups", "http://schemas.microsoft.com/ws/2008/06/identity/claims/groups")
_LOOPBACK = ("127.0.0.1", "localhost", "::1")
_GROUP_ID = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")


class Person(Record, frozen=True):
    """Somebody, or some application, and what it may do."""

    name: str  #: who it is where people are counted: its sign-in name, else its object id; "key" for all who hold a function key
    claimed: str = ""  #: who a key's holder says to be; nobody has checked it
    roles: frozenset[str] = frozenset()
    holds_every_role: bool = False

    @property
    def actor(self) -> str:
        """As records and messages name it."""
        return f"{self.name} (claimed: {self.claimed})" if self.claimed else self.name

    def roles_among(self, wanted: Iterable[str]) -> frozenset[str]:
        return frozenset(wanted) if self.holds_every_role else self.roles.intersection(wanted)


class _Claim(msgspec.Struct, frozen=True):
    typ: str
    val: str


class _Principal(msgspec.Struct, frozen=True):
    """The header X-MS-CLIENT-PRINCIPAL, decoded (learn.microsoft.com, work with user identities: decode the client principal header)."""

    claims: tuple[_Claim, ...]


def who_asks(principal: str, claimed: str, *, signs_in: bool) -> Person:
    """Who sent a request that the host has let in, from its headers X-MS-CLIENT-PRINCIPAL and X-Sluice-Actor.

    `signs_in`: App Service authentication is on, so the principal is App Service's own word; then nobody comes in without one.
    Otherwise anyone could have sent it: it is refused rather than ignored, so that no platform that signs people in without our
    knowledge makes key holders of them. Raises Refused.
    """
    if signs_in:
        return _signed_in(principal)
    if principal:
        raise Refused(401, "a principal was sent, but App Service authentication is off", explain=True)
    return _key_holder(claimed)


def known_person(name: str, roles: Iterable[str]) -> Person:
    """Somebody whom a chat has signed in, and whom sluice.yaml knows. Ids of groups count as those in a token do."""
    return Person(name=name, roles=frozenset(role.lower() if _GROUP_ID.fullmatch(role) else role for role in roles))


def require(person: Person, *roles: AppRole) -> None:
    """Raises Refused where the person has none of `roles`."""
    if not person.roles_among(roles):
        raise Refused(403, f"the role {' or '.join(roles)} is missing", explain=True)


def check_page(site: str, url: str, *, signs_in: bool, without_sign_in: bool) -> None:
    """Whether a request without a function key may be the dashboard's: of its header Sec-Fetch-Site and its address. Raises Refused.

    Browsers say themselves which site's page asks, and let no page say it (w3.org, Fetch Metadata Request Headers): another site's page
    cannot use its visitor's sign-in here. Without sign-in nobody is known, so only this machine is let in, and only by its own names:
    a page of another site can give its own name the address 127.0.0.1, but not the name localhost to itself.
    """
    if site != "same-origin":
        raise Refused(403, "only the dashboard's own page may ask here; programs use a function key", explain=True)
    if signs_in:
        return
    if not without_sign_in:
        raise Refused(403, "the dashboard needs App Service authentication, which is off: see docs/dashboard.md", explain=True)
    if urlsplit(url).hostname not in _LOOPBACK:
        raise Refused(403, "without sign-in the dashboard is for this machine only: open it as localhost", explain=True)


def _key_holder(claimed: str) -> Person:
    if len(claimed) > _MAX_CLAIMED_CHARACTERS or not claimed.isprintable():
        raise Refused(400, f"X-Sluice-Actor must be at most {_MAX_CLAIMED_CHARACTERS} printable characters", explain=True)
    return Person(name="key", claimed=claimed.strip(), holds_every_role=True)


def _signed_in(principal: str) -> Person:
    """Groups count by their ids only: their names are chosen by whoever may make one, and roles are an administrator's to give."""
    if not principal:
        raise Refused(401, "sign in: App Service authentication is on", explain=True)
    claims = _claims(principal)
    name = _first(claims, _NAME_CLAIMS) or _first(claims, _ID_CLAIMS)
    if not name or len(name) > _MAX_NAME_CHARACTERS or not name.isprintable():
        raise Refused(401, "the principal has no usable name", explain=True)
    roles = {claim.val for claim in claims if claim.typ in _ROLE_CLAIMS}
    groups = {claim.val.lower() for claim in claims if claim.typ in _GROUP_CLAIMS and _GROUP_ID.fullmatch(claim.val)}
    return Person(name=name, roles=frozenset(roles | groups))


def _claims(principal: str) -> tuple[_Claim, ...]:
    if len(principal) > _MAX_PRINCIPAL_CHARACTERS:
        raise Refused(401, "the principal is too large", explain=True)
    try:
        return msgspec.json.decode(base64.b64decode(principal, validate=True), type=_Principal).claims
    except (ValueError, RecursionError):  # not base64, not UTF-8, not JSON, or of another shape
        raise Refused(401, "the principal is malformed", explain=True) from None


def _first(claims: Iterable[_Claim], types: tuple[str, ...]) -> str:
    """The claim that comes first in `types`, not in the token."""
    found = {claim.typ: claim.val for claim in claims if claim.val}
    return next((found[each] for each in types if each in found), "")
