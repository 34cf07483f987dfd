"""How a cluster comes to its baseline: one look and at most one write at a time, so that whoever dies in between is nobody's loss.

The extension first, then each fluxConfiguration once the one before is Compliant; then what no baseline wants any more.
"""

from datetime import datetime, timedelta
from typing import Literal

from msgspec.structs import replace

from shared.domain.baselines import Piece, Wanted
from shared.domain.cluster_resources import Found, Seen, Write
from shared.domain.observations import COMPLIANT, SUSPENDED
from shared.domain.onboarding_patches import asked, patch, unchangeable
from shared.domain.onboarding_progress import Made, Progress
from shared.domain.onboarding_tasks import Task, after, current, over, working
from shared.domain.policies import Governed
from shared.domain.record import Record

#: A resource that Azure has given up on is written again so often before people are told.
_MOST_ATTEMPTS = 3
_FIRST_LOOK, _LONGEST_LOOK = timedelta(seconds=10), timedelta(minutes=5)
_LOOK_WHILE_AWAY = timedelta(minutes=15)
#: What has failed is tried again so rarely: by then someone may have mended it.
_AFTER_FAILURE = timedelta(hours=1)


class Told(Record, frozen=True):
    """What people are told. It may be decided more than once, and is then the same."""

    kind: Literal["cluster.onboarded", "onboarding.failed"]


Effects = tuple[Write | Told, ...]
Decision = tuple[Progress, Effects]


def next_steps(wanted: Wanted | None, governed: Governed, seen: Seen, progress: Progress, now: datetime) -> Decision:
    """The progress after a look at what its step is about, and what is to be done now: at most one write.

    `again_at` of the progress says when to look again; None when there is nothing left to do.
    """
    task = current(wanted, progress)
    if task is None:
        return over(progress, now), ()
    looked = replace(progress, step=task.key, looked_at=now, refusals=0)
    if task.piece is None:
        return _take_away(task, wanted, governed, seen, looked, now)
    assignment = governed.by(task.piece)
    if assignment:
        return _leave_to_policy(task, wanted, assignment, seen, looked, now)
    if seen.found is None:
        made = _made(task.piece, wanted, Made(kind=task.kind, name=task.name, properties={}, created=True))
        return _write("PUT", task.piece, made, looked, now)
    return _bring(task.piece, wanted, seen.found, looked, now)


def refused(progress: Progress, reason: str, now: datetime) -> Decision:
    """Azure will not take what was asked, however often. It is asked again all the same, rarely: roles and quotas change."""
    since = progress.since if progress.state == "failed" else now
    failed = replace(progress, state="failed", reason=reason, since=since, attempts=0, again_at=now + _AFTER_FAILURE)
    return failed, (Told(kind="onboarding.failed"),)


def begun(before: Progress, decided: Progress, write: Write, until: datetime) -> Progress:
    """What is saved before a write: should its end never be recorded, the next look finds out what became of it.

    What is being made is remembered as ours already. What a resource was last asked for stays until the write is done: only by that
    is it known what has to be taken away.
    """
    made = dict(before.made)
    new, old = decided.made.get(decided.step), before.made.get(decided.step)
    if new and old:
        made[decided.step] = replace(new, properties=old.properties, secrets=old.secrets)
    elif new and write.method == "PUT":
        made[decided.step] = new
    visit = before.visit + 1
    return replace(before, step=decided.step, made=made, visit=visit, again_at=until, writing=f"{visit} {write.method} {decided.step}")


def _bring(piece: Piece, wanted: Wanted | None, found: Found, progress: Progress, now: datetime) -> Decision:
    """What is there is made what is wanted; then it is waited for."""
    if found.is_at_work:
        return _wait(wanted, f"Azure is at work: {found.provisioning}", progress, now)
    fixed = unchangeable(piece, found)
    if fixed:
        return refused(progress, fixed, now)
    known = progress.made.get(piece.key)
    made = _made(piece, wanted, known or Made(kind=piece.kind, name=found.name, properties={}))
    secrets = piece.secrets if known is None or known.secrets != piece.secrets else {}
    changes = patch(piece, known, found)
    if changes or secrets:
        return _write("PATCH", replace(piece, name=found.name, properties=changes, secrets=secrets), made, progress, now)
    progress = _remember(progress, made)
    if found.has_failed and found.compliance != COMPLIANT and not progress.is_away:
        return _once_more(piece, made, found, progress, now)
    if piece.kind == "extension" and found.provisioning != "Succeeded":
        return _wait(wanted, f"Azure says {found.provisioning or 'nothing'}", progress, now)
    if piece.kind == "configuration" and found.compliance not in (COMPLIANT, SUSPENDED):
        return _wait(wanted, found.complaint, progress, now)
    return _go_on(wanted, progress, now)


def _once_more(piece: Piece, made: Made, found: Found, progress: Progress, now: datetime) -> Decision:
    """Azure has given up on it: for a cluster that was away for 48 hours, or since it went wrong. All that is asked is written again."""
    if progress.attempts >= _MOST_ATTEMPTS:
        return refused(progress, found.error, now)
    again = replace(piece, name=found.name, properties=asked(piece, made, found))
    return _write("PATCH", again, made, replace(progress, attempts=progress.attempts + 1), now)


def _leave_to_policy(task: Task, wanted: Wanted | None, assignment: str, seen: Seen, progress: Progress, now: datetime) -> Decision:
    """Azure Policy would write it back, so it is not fought. Nothing can follow before there is an extension."""
    note = f"{task.key} is left to Azure Policy assignment {assignment}"
    noted = progress if note in progress.notes else replace(progress, notes=(*progress.notes, note))
    if task.kind == "configuration" or (seen.found and seen.found.provisioning == "Succeeded"):
        return _go_on(wanted, noted, now)
    return _look_again(f"{note}, which has not installed it yet", noted, now)


def _take_away(task: Task, wanted: Wanted | None, governed: Governed, seen: Seen, progress: Progress, now: datetime) -> Decision:
    """What no baseline wants any more, as the baseline said that wanted it last. Only what was made here is touched."""
    made, found = progress.made[task.key], seen.found
    if found is None:
        return _go_on(wanted, _forget(progress, task.key), now)
    is_kept = made.on_removal == "keep" or not made.created or task.key in governed.pieces
    if task.kind == "extension":
        is_kept = is_kept or made.on_removal == "suspend" or seen.others
    if is_kept or (made.on_removal == "suspend" and found.properties.get("suspend")):
        return _go_on(wanted, _remember(progress, replace(made, left=True)), now)
    if found.is_at_work:
        return _look_again(f"Azure is at work: {found.provisioning}", progress, now)
    if made.on_removal == "suspend":
        suspension = Write(method="PATCH", kind=task.kind, name=found.name, properties={"suspend": True})
        return _written(_remember(progress, replace(made, suspended=True)), now), (suspension,)
    return _written(progress, now), (Write(method="DELETE", kind=task.kind, name=found.name),)


def _made(piece: Piece, wanted: Wanted | None, before: Made) -> Made:
    return replace(
        before,
        properties=piece.properties,
        secrets=piece.secrets,
        on_removal=wanted.on_removal if wanted else before.on_removal,
        suspended=False,
        left=False,
    )


def _write(method: Literal["PUT", "PATCH"], piece: Piece, made: Made, progress: Progress, now: datetime) -> Decision:
    write = Write(method=method, kind=piece.kind, name=piece.name, properties=piece.properties, secrets=piece.secrets)
    return _written(_remember(progress, made), now), (write,)


def _written(progress: Progress, now: datetime) -> Progress:
    """After a write the time for it starts anew."""
    return replace(progress, state=working(progress), reason="", since=now, looks=1, again_at=now + _FIRST_LOOK)


def _wait(wanted: Wanted | None, reason: str, progress: Progress, now: datetime) -> Decision:
    """A cluster that is away is waited for without end: Azure keeps what was asked for 48 hours, and then it is asked again."""
    if progress.is_away:
        return _look_again(f"cluster is {progress.seen_as}", progress, now)
    if progress.state == "failed":
        return replace(progress, reason=reason, again_at=now + _LONGEST_LOOK), ()
    if wanted and now >= progress.since + timedelta(seconds=wanted.compliance_within_seconds):
        failed, told = refused(progress, f"not there within {wanted.compliance_within_seconds:g} s: {reason}", now)
        return replace(failed, again_at=now + _LONGEST_LOOK), told
    return _look_again(reason, progress, now)


def _look_again(reason: str, progress: Progress, now: datetime) -> Decision:
    pause = _LOOK_WHILE_AWAY if progress.is_away else min(_FIRST_LOOK * 2 ** min(progress.looks, 10), _LONGEST_LOOK)
    return replace(progress, reason=reason, looks=progress.looks + 1, again_at=now + pause), ()


def _go_on(wanted: Wanted | None, progress: Progress, now: datetime) -> Decision:
    ahead = after(progress, wanted, now)
    return ahead, (Told(kind="cluster.onboarded"),) if ahead.state == "done" else ()


def _remember(progress: Progress, made: Made) -> Progress:
    return replace(progress, made={**progress.made, progress.step: made})


def _forget(progress: Progress, key: str) -> Progress:
    return replace(progress, made={name: made for name, made in progress.made.items() if name != key})
