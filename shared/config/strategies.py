"""The strategies of sluice.yaml, and what each of their parts is in a rollout."""

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Annotated, Literal

from msgspec import UNSET, Meta, UnsetType, field
from msgspec.structs import asdict, replace

from shared.config.fields import Count, Duration, Name, Percentage, Reference, Section, seconds, share
from shared.domain import rollouts, windows
from shared.domain.errors import Malformed
from shared.domain.gates import Gate
from shared.domain.observations import FluxConfiguration
from shared.domain.rollouts import OnFailure, Rules
from shared.domain.selectors import Selector
from shared.domain.windows import Calendar

_WEEK = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_TIME = r"([01][0-9]|2[0-3]):[0-5][0-9]"
_DATE = r"2[0-9]{3}-[01][0-9]-[0-3][0-9]"
_EVERY = Selector()

Role = Annotated[str, Meta(pattern=r"^[!-~]{1,120}$(?!\n)", description="the value of an app role", examples=["platform-leads"])]
Check = Annotated[str, Meta(min_length=1, max_length=255, description="as the CI system names it", examples=["ci/build"])]
#: "mon-fri", "mon,wed", "daily", or a list. No pattern says so: msgspec 0.22 crashes at exit over one in a union (its issue 717).
Days = str | tuple[str, ...]
Start = Annotated[str, Meta(pattern=rf"^({_DATE}T)?{_TIME}$(?!\n)", examples=["08:00", "2026-12-20T00:00"])]
End = Annotated[str, Meta(pattern=rf"^(({_DATE}T)?{_TIME}|24:00)$(?!\n)", examples=["17:00", "24:00", "2027-01-02T00:00"])]
Zone = Annotated[str, Meta(description="IANA name of a time zone", examples=["Europe/Berlin"])]


class Approval(Section, frozen=True, tag_field="type", tag="approval"):
    """A gate that people open: as many different ones as `required`, each with one of the roles."""

    approvers: Annotated[tuple[Role, ...], Meta(min_length=1)]
    required: Annotated[int, Meta(ge=1, le=20)] = 1
    name: Name | None = None
    expires_after: Duration | None = None

    def as_gate(self) -> Gate:
        return Gate(
            name=self.name or "",
            type="approval",
            approvers=self.approvers,
            required=self.required,
            expires_after_seconds=_seconds(self.expires_after),
        )


class Checks(Section, frozen=True, tag_field="type", tag="checks"):
    """A gate that opens when all of these have succeeded on the revision."""

    checks: Annotated[tuple[Check, ...], Meta(min_length=1)]
    name: Name | None = None
    expires_after: Duration | None = None

    def as_gate(self) -> Gate:
        return Gate(name=self.name or "", type="checks", checks=self.checks, expires_after_seconds=_seconds(self.expires_after))


class Webhook(Section, frozen=True, tag_field="type", tag="webhook"):
    """A gate that a called service opens or rejects."""

    url: str
    secret_ref: Reference
    name: Name | None = None
    expires_after: Duration = "1h"

    def as_gate(self) -> Gate:
        return Gate(
            name=self.name or "",
            type="webhook",
            url=self.url,
            secret_ref=self.secret_ref,
            expires_after_seconds=seconds(self.expires_after),
        )


class Window(Section, frozen=True):
    """A span of time on the wall clock of `time_zone`: every week, on `days`; or once, from one date and time to another."""

    start: Start = field(name="from")
    end: End = field(name="to")
    time_zone: Zone
    days: Days | None = None  #: those on which it begins; without them it is dated
    selector: Selector = _EVERY  #: the clusters that it concerns
    name: Name | None = None

    def as_window(self) -> windows.Window:
        name = self.name or ""
        if self.days is None:
            return windows.Window(time_zone=self.time_zone, first=self.start, last=self.end, name=name)
        end = "00:00" if self.end == "24:00" else self.end
        return windows.Window(time_zone=self.time_zone, days=weekdays(self.days), start=self.start, end=end, name=name)


class Success(Section, frozen=True):
    """When a target counts as failed, how many failures a stage may have, and what happens when it has more."""

    compliance_within: Duration = "30m"
    grace: Duration = "2m"  #: how long Non-Compliant may last: Flux retries what only needed a moment
    max_failures: Count | Percentage = 0  #: tolerated in a stage; one more stops it
    on_failure: OnFailure = "pause"

    def rules(self, total: int, redispatch_after_seconds: float) -> Rules:
        """Of a stage of `total` targets."""
        return Rules(
            compliance_within_seconds=seconds(self.compliance_within),
            grace_seconds=seconds(self.grace),
            max_failures=share(self.max_failures, total),
            redispatch_after_seconds=redispatch_after_seconds,
            on_failure=self.on_failure,
        )


class StageSuccess(Section, frozen=True):
    """What of `Success` a stage has otherwise than its strategy."""

    compliance_within: Duration | UnsetType = UNSET
    grace: Duration | UnsetType = UNSET
    max_failures: Count | Percentage | UnsetType = UNSET
    on_failure: OnFailure | UnsetType = UNSET

    def over(self, success: Success) -> Success:
        return replace(success, **{name: value for name, value in asdict(self).items() if value is not UNSET})


class Stage(Section, frozen=True):
    """Clusters that move together. A cluster belongs to the first stage that selects it."""

    name: Name
    selector: Selector = _EVERY
    max_concurrency: Annotated[int, Meta(ge=1)] | Percentage = "100%"
    after_stage_wait: Duration = "0s"
    bake: Duration = "0s"  #: how long all must stay compliant once the last is done
    success: StageSuccess = StageSuccess()
    gates: tuple[Approval | Checks | Webhook, ...] = ()
    promote_from: Name | None = None  #: a route whose rollout of the same change must have succeeded
    windows: tuple[Window, ...] | UnsetType = UNSET  #: in place of the strategy's, if only to have none
    freezes: tuple[Window, ...] = ()  #: beside the strategy's

    def concurrency(self, total: int) -> int:
        """How many of `total` targets may be in flight at once: at least one."""
        return max(1, share(self.max_concurrency, total))

    def named_gates(self) -> tuple[Gate, ...]:
        """The promotion and then the gates. One without a name has its type's, with a number from the second of its type on."""
        promotion = [Gate(name="", type="promotion", route=self.promote_from)] if self.promote_from else []
        return tuple(_named([*promotion, *(gate.as_gate() for gate in self.gates)]))


class Strategy(Section, frozen=True):
    """How a rollout moves: its stages in order."""

    name: Name
    stages: Annotated[tuple[Stage, ...], Meta(min_length=1)]
    success: Success = Success()
    offline_clusters: Literal["catch-up"] = "catch-up"
    windows: tuple[Window, ...] = ()
    freezes: tuple[Window, ...] = ()

    def planned(self, index: int, total: int, redispatch_after_seconds: float) -> rollouts.Stage:
        """The stage of a new rollout that has `total` targets in it."""
        stage = self.stages[index]
        return rollouts.Stage(
            name=stage.name,
            total=total,
            max_concurrency=stage.concurrency(total),
            after_wait_seconds=seconds(stage.after_stage_wait),
            rules=stage.success.over(self.success).rules(total, redispatch_after_seconds),
            bake_seconds=seconds(stage.bake),
            gates=stage.named_gates(),
            counts={"pending": total} if total else {},
        )


_Bound = list[tuple[Selector, windows.Window]]  #: windows, each with the clusters that it concerns


def place(strategy: Strategy, staged: Sequence[tuple[int, FluxConfiguration]]) -> tuple[tuple[Calendar, ...], list[int]]:
    """The different calendars of a rollout, and the index among them for each fluxConfiguration, given with its stage."""
    bound = [
        (_bound(strategy.windows if stage.windows is UNSET else stage.windows), _bound((*strategy.freezes, *stage.freezes)))
        for stage in strategy.stages
    ]
    known: dict[Calendar, int] = {}
    places = [known.setdefault(_calendar(*bound[stage], found), len(known)) for stage, found in staged]
    return tuple(known), places


def weekdays(days: Days) -> tuple[int, ...]:
    """Days by number from Monday = 0, in order. A range may go over the end of the week: fri-mon. Raises Malformed."""
    if days == "daily":
        return tuple(range(7))
    pieces = [piece.strip() for piece in days.split(",")] if isinstance(days, str) else days
    if not pieces:
        raise Malformed("days names no day")
    return tuple(sorted({day for piece in pieces for day in _range(piece)}))


def _range(days: str) -> Iterator[int]:
    first, hyphen, last = days.partition("-")
    start, end = _day(first), _day(last if hyphen else first)
    return (number % 7 for number in range(start, start + (end - start) % 7 + 1))


def _day(name: str) -> int:
    if name not in _WEEK:
        raise Malformed(f"there is no day named {name}; days are {', '.join(_WEEK)}, with a hyphen from one to another, or daily")
    return _WEEK.index(name)


def _calendar(allowed: _Bound, forbidden: _Bound, found: FluxConfiguration) -> Calendar:
    """A cluster that windows with a selector match keeps to them alone; every other one to the windows without."""
    own = tuple(window for selector, window in allowed if selector != _EVERY and selector.matches(found))
    common = tuple(window for selector, window in allowed if selector == _EVERY)
    return Calendar(windows=own or common, freezes=tuple(window for selector, window in forbidden if selector.matches(found)))


def _bound(listed: Sequence[Window]) -> _Bound:
    return [(window.selector, window.as_window()) for window in listed]


def _named(listed: Sequence[Gate]) -> Iterator[Gate]:
    seen: Counter[str] = Counter()
    for gate in listed:
        seen[gate.type] += 1
        number = f"-{seen[gate.type]}" if seen[gate.type] > 1 else ""
        yield replace(gate, name=gate.name or f"{gate.type}{number}")


def _seconds(duration: str | None) -> float | None:
    return None if duration is None else seconds(duration)
