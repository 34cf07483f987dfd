"""What a stage waits for before it opens, beside the stage before it."""

from datetime import UTC, datetime, timedelta
from typing import Final, Literal
from urllib.parse import urlsplit

from msgspec.structs import replace

from shared.domain.errors import NotAllowed
from shared.domain.record import Record

GateType = Literal["approval", "checks", "webhook", "promotion"]
GateState = Literal["waiting", "approved", "rejected", "expired"]
#: What a CI system says of a revision.
CheckState = Literal["pending", "success", "failure"]

#: The gate that a route's own `requires` makes, before those of the strategy.
REQUIRES: Final = "requires"
#: Gates that somebody answers; the others look at facts.
_ANSWERED: frozenset[GateType] = frozenset({"approval", "webhook"})


class Verdict(Record, frozen=True):
    """What one person, or one called service, said at a gate."""

    by: str
    approved: bool
    reason: str
    at: datetime


class Gate(Record, frozen=True):
    """A gate as the strategy had it when the rollout began, and what has been said at it."""

    name: str  #: unique within its stage
    type: GateType
    state: GateState = "waiting"
    asked_at: datetime | None = None  #: since when the stage waits at it
    expires_after_seconds: float | None = None  #: None = never
    approvers: tuple[str, ...] = ()  #: approval: roles, any of which may approve
    required: int = 1  #: approval: how many different people
    checks: tuple[str, ...] = ()  #: checks: names that must have succeeded on the revision
    url: str = ""  #: webhook: what is called
    secret_ref: str = ""  #: webhook: what the call and the callback's token are signed with
    called_at: datetime | None = None  #: webhook: when it was called
    route: str = ""  #: promotion: the route whose rollout of the same change must have succeeded
    verdicts: tuple[Verdict, ...] = ()
    reason: str = ""  #: why it is rejected or expired


class GateFacts(Record, frozen=True):
    """What is known beside the verdicts."""

    checks: dict[str, CheckState] = {}  #: of the rollout's revision, by name
    proved: frozenset[str] = frozenset()  #: routes whose rollout of the same change has succeeded


def ask(gate: Gate, now: datetime) -> Gate:
    """The gate once its stage waits at it: since `now`, or since it first did."""
    return gate if gate.asked_at else replace(gate, asked_at=now)


def judge(gate: Gate, facts: GateFacts, now: datetime) -> Gate:
    """The gate with its state now. One that nobody waits at yet stays as it is, and a closed one stays closed; only checks that
    are not good any more before the stage has opened are waited for anew.

    What people and services said was said in time, since `answer` refuses the rest; so it counts however late it is looked at. One
    rejection outweighs every approval. Facts count until the gate expires. A failed check is waited for like one that has not
    run, since failed jobs are run again.
    """
    if gate.state == "approved" and _is_taken_back(gate, facts):
        return replace(gate, state="waiting", asked_at=now)
    if gate.state != "waiting" or gate.asked_at is None:
        return gate
    rejection = next((verdict for verdict in gate.verdicts if not verdict.approved), None)
    if rejection:
        return replace(gate, state="rejected", reason=f"rejected by {rejection.by}{rejection.reason and ': '}{rejection.reason}")
    if _is_approved(gate):
        return replace(gate, state="approved")
    if is_expired(gate, now):
        return replace(gate, state="expired", reason=f"expired at {_moment(wake_at(gate))}, still waiting for {_wanted(gate, facts)}")
    return replace(gate, state="approved") if _is_borne_out(gate, facts) else gate


def answer(gate: Gate, verdict: Verdict) -> Gate:
    """The gate with one more verdict; the same verdict of the same person again changes nothing.

    Raises NotAllowed when nobody is asked here, the gate is closed or has expired, or the person has said something else before.
    """
    if gate.type not in _ANSWERED:
        raise NotAllowed(f"nobody is asked at a gate of type {gate.type}")
    before = next((known for known in gate.verdicts if _is_by_the_same(known, verdict)), None)
    if before:
        if before.approved != verdict.approved:
            raise NotAllowed(f"{verdict.by} has {'approved' if before.approved else 'rejected'} already")
        return gate
    if gate.state != "waiting":
        raise NotAllowed(f"the gate is {gate.state} already")
    if gate.asked_at is None:
        raise NotAllowed("the stage does not wait at this gate yet")
    if is_expired(gate, verdict.at):
        raise NotAllowed(f"the gate expired at {_moment(wake_at(gate))}")
    return replace(gate, verdicts=(*gate.verdicts, verdict))


def may_answer(gate: Gate, roles: frozenset[str]) -> bool:
    """Whether somebody with these roles may approve or reject. Webhook gates are answered by their service only."""
    return gate.type == "approval" and not roles.isdisjoint(gate.approvers)


def waits_for(gate: Gate, facts: GateFacts, now: datetime) -> str:
    """What it waits for, in words for people; "" once it is closed, or its time is over."""
    return _wanted(gate, facts) if gate.state == "waiting" and not is_expired(gate, now) else ""


def failed_checks(gate: Gate, facts: GateFacts) -> tuple[str, ...]:
    """Those of the gate's checks whose newest result is a failure."""
    return tuple(name for name in gate.checks if facts.checks.get(name) == "failure")


def wake_at(gate: Gate) -> datetime | None:
    """When time alone changes it: its expiry, while it waits."""
    if gate.state != "waiting" or gate.asked_at is None or gate.expires_after_seconds is None:
        return None
    return gate.asked_at + timedelta(seconds=gate.expires_after_seconds)


def is_expired(gate: Gate, now: datetime) -> bool:
    expiry = wake_at(gate)
    return expiry is not None and now >= expiry


def _wanted(gate: Gate, facts: GateFacts) -> str:
    """Of a URL only the host is told: its path may be a secret."""
    match gate.type:
        case "approval":
            approvals = sum(verdict.approved for verdict in gate.verdicts)
            progress = f" ({approvals} of {gate.required})" if gate.required > 1 else ""
            return f"approval of {' or '.join(gate.approvers)}{progress}"
        case "checks":
            missing = [name for name in gate.checks if facts.checks.get(name) != "success"]
            failed = failed_checks(gate, facts)
            named = ", ".join(f"{name} (failed)" if name in failed else name for name in missing)
            return f"check{'s' if len(missing) > 1 else ''} {named}"
        case "webhook":
            return f"an answer from https://{_host(gate.url)}"
    return f"route {gate.route}"


def _is_approved(gate: Gate) -> bool:
    """By those who were asked: as many as are required of people, and the one service."""
    required = max(1, gate.required) if gate.type == "approval" else 1
    return gate.type in _ANSWERED and sum(verdict.approved for verdict in gate.verdicts) >= required


def _is_borne_out(gate: Gate, facts: GateFacts) -> bool:
    """By facts. A gate that names no check is no open door."""
    if gate.type == "checks":
        return bool(gate.checks) and all(facts.checks.get(name) == "success" for name in gate.checks)
    return gate.type == "promotion" and gate.route in facts.proved


def _is_taken_back(gate: Gate, facts: GateFacts) -> bool:
    """Whether a check that had succeeded was run again, and has not succeeded since. One of which nothing is known any more, since
    results are not kept for ever, has been good.
    """
    return gate.type == "checks" and any(facts.checks.get(name, "success") != "success" for name in gate.checks)


def _is_by_the_same(one: Verdict, other: Verdict) -> bool:
    """Names of people are compared without case, as Microsoft Entra ID does: nobody counts twice."""
    return one.by.casefold() == other.by.casefold()


def _moment(at: datetime | None) -> str:
    return f"{at.astimezone(UTC):%Y-%m-%d %H:%M} UTC" if at else "never"


def _host(url: str) -> str:
    try:
        return urlsplit(url).hostname or ""
    except ValueError:
        return ""
