"""What was last said of a commit, so that nothing is said twice and nothing old after something newer."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Literal

from msgspec.structs import replace

from shared.domain.commit_status import State, overall, statuses, summary
from shared.domain.record import Record, digest
from shared.domain.rollouts import Rollout

#: A status of the commit, its deployment to an environment, or a comment where it was reviewed.
Kind = Literal["status", "deployment", "comment"]

#: How long a host may be down before what was to be said is given up.
GIVE_UP_AFTER = timedelta(hours=24)
_MAX_BACKOFF_SECONDS = 900.0
#: While only the words change and not the state, they are said so often.
WORDS_EVERY = timedelta(seconds=30)
#: GitHub takes 1,000 statuses of one commit and context (docs.github.com, REST API, create a commit status): the last ones are for states.
WORDS_AT_MOST = 900
#: How long one attempt has a report to itself.
TURN_LASTS = timedelta(seconds=120)
#: Longer than the calls of one saying may take; whoever has less left stops.
SAYING_LASTS = timedelta(seconds=75)


class Saying(Record, frozen=True):
    """One thing to be said of a commit."""

    kind: Kind
    context: str
    environment: str
    state: State
    text: str


class Said(Record, frozen=True):
    """The newest thing that was said under one kind and context."""

    kind: Kind
    context: str
    state: State
    text: str
    at: datetime
    times: int = 1  #: how often something was said here
    reference: str = ""  #: the host's own id of the deployment or comment
    error: str = ""  #: the host's code where it refused it for good
    is_doubtful: bool = False  #: something older may have been said after it


class CommitReport(Record, frozen=True):
    """All that was said of one commit for one route, and who speaks now: the newest of the route's rollouts of that commit."""

    id: str
    rollout_id: str
    rollout_at: datetime  #: when that rollout was made
    said: tuple[Said, ...] = ()
    attempts: int = 0  #: failed ones since something was said
    failing_since: datetime | None = None
    held_until: datetime | None = None  #: an attempt is speaking
    wake_at: datetime | None = None  #: a message of the same rollout for this moment is in the queue


def report_id(provider: str, rollout: Rollout) -> str:
    return digest("commit-report", provider, rollout.source, rollout.revision, rollout.route)


def begin(report_id: str, rollout: Rollout) -> CommitReport:
    return CommitReport(id=report_id, rollout_id=rollout.id, rollout_at=rollout.created_at)


def is_overtaken(report: CommitReport, rollout: Rollout) -> bool:
    """Whether a newer rollout speaks for the commit: the older one is silent from then on."""
    return (report.rollout_at, report.rollout_id) > (rollout.created_at, rollout.id)


def take(report: CommitReport, rollout: Rollout, now: datetime) -> CommitReport | None:
    """The report in the hands of one attempt; None while another one has it. An attempt that died loses it in the end.

    The message that is to wake another rollout is none for this one.
    """
    if report.held_until and now < report.held_until:
        return None
    wake_at = report.wake_at if report.rollout_id == rollout.id else None
    return replace(report, rollout_id=rollout.id, rollout_at=rollout.created_at, held_until=now + TURN_LASTS, wake_at=wake_at)


def is_resting(report: CommitReport, now: datetime) -> bool:
    """Whether the host is not to be asked before `wake_at`: it is down, or has said so."""
    return report.failing_since is not None and report.wake_at is not None and now < report.wake_at


def must_wake(report: CommitReport, again_at: datetime, now: datetime) -> bool:
    """Whether a message is needed to look again: one that is on its way for an earlier moment will do."""
    return not (report.wake_at and now < report.wake_at <= again_at)


def may_go_on(report: CommitReport, now: datetime) -> bool:
    return report.held_until is not None and now + SAYING_LASTS <= report.held_until


def sayings(rollout: Rollout, link: str) -> list[Saying]:
    """All that should stand now, by what the rollout's route asks for."""
    report = rollout.report
    if report is None:
        return []
    told = statuses(rollout)
    wanted = [_saying("status", status.context, status.environment, status.state, status.description) for status in told]
    if report.deployments:
        wanted += [_saying("deployment", status.context, status.environment, status.state, status.description) for status in told]
    if report.comment:
        wanted.append(_saying("comment", rollout.route, "", overall(rollout), summary(rollout, link)))
    return wanted


def due(report: CommitReport, wanted: Sequence[Saying], now: datetime) -> tuple[list[Saying], datetime | None]:
    """What to say now, and when to look again for what has to wait."""
    now_due, later = [], []
    for saying in wanted:
        at = _due_at(last(report, saying), saying, now)
        if at is not None and at <= now:
            now_due.append(saying)
        elif at is not None:
            later.append(at)
    return now_due, min(later, default=None)


def last(report: CommitReport, saying: Saying) -> Said | None:
    return next((said for said in report.said if (said.kind, said.context) == (saying.kind, saying.context)), None)


def after_saying(report: CommitReport, saying: Saying, now: datetime, *, reference: str = "", error: str = "") -> CommitReport:
    """`error`: the host refused it, and will not be asked for the same again."""
    before = last(report, saying)
    said = Said(
        kind=saying.kind,
        context=saying.context,
        state=saying.state,
        text=saying.text,
        at=now,
        times=(before.times if before else 0) + 1,
        reference=reference or (before.reference if before else ""),
        error=error,
    )
    return replace(_with(report, said), attempts=0, failing_since=None)


def after_failure(report: CommitReport, retry_after: float | None, now: datetime) -> tuple[CommitReport, datetime | None]:
    """The report after a host did not do what it was asked, and when to try again: as it asked, else doubling; None when given up."""
    since, attempts = report.failing_since or now, report.attempts + 1
    if now - since > GIVE_UP_AFTER:
        return replace(report, attempts=0, failing_since=None), None
    delay = retry_after if retry_after is not None else min(2.0 ** min(attempts, 10), _MAX_BACKOFF_SECONDS)
    return replace(report, attempts=attempts, failing_since=since), now + timedelta(seconds=delay)


def doubt(report: CommitReport, spoken: Sequence[Saying]) -> CommitReport:
    """Someone whose turn was over has said these: what stands at the host may be older than what is written here."""
    keys = {(saying.kind, saying.context) for saying in spoken}
    return replace(report, said=tuple(replace(s, is_doubtful=s.is_doubtful or (s.kind, s.context) in keys) for s in report.said))


def _saying(kind: Kind, context: str, environment: str, state: State, text: str) -> Saying:
    return Saying(kind=kind, context=context, environment=environment, state=state, text=text)


def _due_at(said: Said | None, saying: Saying, now: datetime) -> datetime | None:
    """When it is to be said; None where there is nothing new to say."""
    if said is None or said.is_doubtful or said.state != saying.state:
        return now
    if said.text == saying.text or saying.kind == "deployment" or said.times >= WORDS_AT_MOST:
        return None
    return max(now, said.at + WORDS_EVERY)


def _with(report: CommitReport, said: Said) -> CommitReport:
    others = tuple(other for other in report.said if (other.kind, other.context) != (said.kind, said.context))
    return replace(report, said=(*others, said))
