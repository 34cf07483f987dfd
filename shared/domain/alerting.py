"""Which events an alert takes, which of them become one message, and when that goes out. Pure."""

from datetime import UTC, datetime, timedelta
from fnmatch import fnmatchcase
from typing import Protocol

from shared.domain.announcements import Announcement, Field
from shared.domain.deliveries import MOST_ANNOUNCEMENTS, Limits
from shared.domain.event_fields import as_event
from shared.domain.expressions import Outcome, expression
from shared.domain.incidents import effect, has_end, may_resolve
from shared.domain.record import Record
from shared.domain.selectors import Selector
from shared.domain.windows import Calendar, Window, is_open, opens_at

#: How long what may be told of many clusters at once is gathered, where the alert does not say: at first, and at most while it goes on.
GATHERED = timedelta(minutes=2)
GATHERED_AT_MOST = timedelta(hours=1)
#: What waits longer would be forgotten: messages are kept for seven days.
_HELD_AT_MOST = timedelta(days=6)
_HOUR, _DAY = timedelta(hours=1), timedelta(days=1)
#: As many as an event of 20 KB can name, each with its ARM id and a reason (cloud_events.py).
_NAMED_FOR_PROGRAMS = 25
#: Of each cluster, in every rollout: told where they are asked for by name, or to a program.
FOR_PROGRAMS = frozenset({"target.compliant"})


class Rule(Record, frozen=True):
    """An alert of sluice.yaml."""

    name: str
    provider: str
    severity: str = "info"
    events: tuple[str, ...] = ("*",)
    routes: tuple[str, ...] = ("*",)
    selector: Selector | None = None
    include: str = ""
    exclude: str = ""
    by: tuple[str, ...] = ("rollout", "stage")
    interval: timedelta = timedelta(0)
    maximum: int = MOST_ANNOUNCEMENTS
    quiet: tuple[Window, ...] = ()
    holds_errors: bool = True
    repeat: timedelta = timedelta(0)
    is_for_programs: bool = False  #: its provider hands events on to programs
    is_on_call: bool = False  #: its provider calls people: of trouble that the alert asks for, and of its end, and of nothing else


class Before(Protocol):
    """A message that was begun before."""

    @property
    def created_at(self) -> datetime: ...
    @property
    def due_at(self) -> datetime: ...


class Trouble(Record, frozen=True):
    """An expression that could not be computed, and what was done then."""

    field: str
    reason: str


def limits_of(rule: Rule) -> Limits:
    """A program is told of every cluster by name."""
    if rule.is_for_programs:
        return Limits(announcements=rule.maximum, clusters=_NAMED_FOR_PROGRAMS, by_name=True)
    return Limits(announcements=rule.maximum)


def takes_kind(rule: Rule, kind: str, severity: str) -> bool:
    """Whether it may want an event of this type: all that can be said before there is one."""
    if rule.is_on_call and may_resolve(kind):
        return True
    if rule.severity == "error" and severity != "error":
        return False
    patterns = rule.events if rule.is_for_programs or kind not in FOR_PROGRAMS else tuple(each for each in rule.events if each != "*")
    return any(fnmatchcase(kind, pattern) for pattern in patterns)


def takes(rule: Rule, announcement: Announcement, route: str) -> tuple[bool, list[Trouble]]:
    """Whether the alert wants the event.

    What an expression cannot be computed for is told: a mistake in a filter must never silence an alert, nor what is not known of a
    cluster. A tag that is known not to be there is no mistake: the event is not what the expression asks for, so `include` does not
    take it, and `exclude` keeps it.
    """
    if rule.is_on_call and (what := effect(announcement)) != "opens":
        return what == "resolves" and _is_of_its_routes(rule, route), []  # who was called is called off, whatever it asks for
    if not takes_kind(rule, announcement.kind, announcement.severity):
        return False, []
    if not _is_of_its_routes(rule, route):
        return False, []
    if rule.selector is not None and not selects(rule.selector, announcement.fields):
        return False, []
    return _passes(rule, announcement)


def _is_of_its_routes(rule: Rule, route: str) -> bool:
    """What is of no route is for all of them."""
    return not route or any(fnmatchcase(route, pattern) for pattern in rule.routes)


def _passes(rule: Rule, announcement: Announcement) -> tuple[bool, list[Trouble]]:
    included, trouble = _ask(rule.include, "include", announcement)
    if rule.include and included in ("no", "missing"):
        return False, trouble
    excluded, more = _ask(rule.exclude, "exclude", announcement)
    return excluded != "yes", trouble + more


def _ask(text: str, field: str, announcement: Announcement) -> tuple[Outcome, list[Trouble]]:
    if not text:
        return "no", []
    answer = expression(text)(as_event(announcement))
    outcome, reason = answer.outcome, answer.trouble
    if outcome == "missing":
        is_unknown = bool(announcement.fields.get("cluster")) and "tags" not in announcement.fields
        outcome = "broken" if is_unknown else outcome
        reason = "asks for a tag of a cluster whose tags are not known" if is_unknown else "asks for a tag that the event does not have"
    return outcome, [Trouble(field=field, reason=reason)] if reason else []


class _Concerned(Record, frozen=True):
    """The cluster that an event is about, as selectors read it."""

    cluster_id: str
    tags: dict[str, str]
    name: str = ""
    cluster_name: str = ""
    subscription: str = ""
    resource_group: str = ""
    location: str = ""
    distribution: str = ""
    kubernetes_version: str = ""


#: A selector's conditions beside tags: the event's field that each is about, and what a selector reads.
_CONDITIONS = {
    "location": ("location", "location"),
    "resource_group": ("resourceGroup", "resource_group"),
    "subscription": ("subscription", "subscription"),
    "distribution": ("distribution", "distribution"),
    "kubernetes_version": ("kubernetesVersion", "kubernetes_version"),
    "cluster": ("cluster", "cluster_name"),
    "configuration": ("fluxConfiguration", "name"),
}


def selects(selector: Selector, fields: dict[str, Field]) -> bool:
    """Whether an event is about a cluster that is selected, or about none. What is not known of a cluster keeps nothing back."""
    if not fields.get("cluster"):
        return True
    tags = fields.get("tags")
    known = {condition: (str(fields[field]), read) for condition, (field, read) in _CONDITIONS.items() if field in fields}
    found = _Concerned(
        cluster_id=str(fields.get("clusterId", "")),
        tags=tags if isinstance(tags, dict) else {},
        **{read: value for value, read in known.values()},
    )
    asked = {condition: getattr(selector, condition) for condition in known}
    return Selector(tags=selector.tags if isinstance(tags, dict) else {}, **asked).matches(found)


def quiet_until(rule: Rule, severity: str, moment: datetime) -> datetime | None:
    """When the quiet hours end that `moment` falls into; None where it does not, or they do not hold this back."""
    if not rule.quiet or (severity == "error" and not rule.holds_errors):
        return None
    calendar = Calendar(freezes=rule.quiet)
    return None if is_open(calendar, moment) else opens_at(calendar, moment)


def group_of(rule: Rule, announcement: Announcement, values: dict[str, str], moment: datetime | None) -> tuple[str, ...]:
    """What is alike in it becomes one message. `moment` is when the event happened: told again, it must come to the same group; one
    without a time comes to one that has none.

    What quiet hours hold back is one group, whatever it is. What many clusters may have at once is one as well where the alert has no
    interval of its own, so that a storm of several kinds is still one message. Groups that have no end of their own end with the hour or
    the day: whoever looks for what was told looks through all messages of a group.
    Where quiet hours let errors through, these are told apart: a message is held back whole, or not at all.
    """
    key = _group(rule, announcement, values, moment)
    return (*key, announcement.severity) if rule.quiet and not rule.holds_errors else key


def _group(rule: Rule, announcement: Announcement, values: dict[str, str], moment: datetime | None) -> tuple[str, ...]:
    if "reminder" in values:
        return ("reminder", values["reminder"])
    until = quiet_until(rule, announcement.severity, moment) if moment else None
    if until is not None:
        return ("quiet", until.astimezone(UTC).isoformat())
    if rule.interval:
        named = tuple(f"{by}={values[by]}" for by in rule.by if by in values)
        return named if "rollout" in values else (*named, _span(max(_HOUR, 24 * rule.interval), moment))
    if not announcement.many:
        return ("alone", announcement.id)
    if _is_at_once(rule, announcement.kind):
        return ("crowd", values.get("batch", announcement.id))
    return ("crowd", _span(_DAY, moment))


def _span(length: timedelta, moment: datetime | None) -> str:
    return slot(length, moment).isoformat() if moment else ""


def due_at(rule: Rule, severity: str, now: datetime, interval: timedelta) -> datetime:
    """When a message that begins now goes out: after its interval, but not in quiet hours, unless these last too long."""
    due = now + interval
    return min(quiet_until(rule, severity, due) or due, due + _HELD_AT_MOST)


def interval_of(rule: Rule, announcement: Announcement, before: Before | None, now: datetime) -> timedelta:
    """How long a message that begins with this one is open. `before`: the message of its group that went out last.

    What many clusters may have at once is gathered twice as long as the time before where that is just over, so that what goes on for
    hours makes few messages.
    """
    if not announcement.many or rule.interval:
        return rule.interval
    if _is_at_once(rule, announcement.kind):
        return timedelta(0)
    gathered = timedelta(0)
    if before is not None:
        last = max(GATHERED, min(before.due_at - before.created_at, GATHERED_AT_MOST))
        gathered = 2 * last if now - before.due_at <= 2 * last else gathered
    return max(GATHERED, min(gathered, GATHERED_AT_MOST))


def _is_at_once(rule: Rule, kind: str) -> bool:
    """Whether nothing is gathered beyond what is told together."""
    return rule.is_for_programs or (rule.is_on_call and has_end(kind))


def slot(every: timedelta, now: datetime) -> datetime:
    """The moment at which all that lasts is told again: one for all, so that a thousand of them are one message."""
    return datetime.fromtimestamp(now.timestamp() // every.total_seconds() * every.total_seconds(), UTC)
