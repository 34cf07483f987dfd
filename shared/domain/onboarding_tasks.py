"""What there is to do on a cluster, in order, and where its progress is among it."""

from datetime import datetime

from msgspec.structs import replace

from shared.domain.baselines import Kind, Piece, Wanted
from shared.domain.clusters import Cluster
from shared.domain.onboarding_progress import OVER, Made, OnboardingState, Progress
from shared.domain.policies import Governed
from shared.domain.record import Record, digest


class Task(Record, frozen=True):
    """A piece that is to be as wanted; or, without one, something made that is to go."""

    key: str
    kind: Kind
    name: str
    piece: Piece | None = None


def tasks(wanted: Wanted | None, progress: Progress) -> list[Task]:
    """All there is to do. What was made last goes first, and so the extension last of all."""
    keep = [Task(key=piece.key, kind=piece.kind, name=piece.name, piece=piece) for piece in (wanted.pieces if wanted else ())]
    keys = {task.key for task in keep}
    stale = [(key, made) for key, made in progress.made.items() if key not in keys and not made.left]
    return keep + [Task(key=key, kind=made.kind, name=made.name) for key, made in reversed(stale)]


def current(wanted: Wanted | None, progress: Progress) -> Task | None:
    """The task at work; the first one where what was at work is no longer among them."""
    ahead = tasks(wanted, progress)
    return next((task for task in ahead if task.key == progress.step), ahead[0] if ahead else None)


def aim(wanted: Wanted | None, governed: Governed) -> str:
    """Another one as soon as anything else is wanted, or is Azure Policy's; "" where nothing is wanted."""
    if wanted is None:
        return ""
    left = [f"{piece.key}\n{governed.by(piece)}" for piece in wanted.pieces if governed.by(piece)]
    return digest("aim", wanted.fingerprint, *left)


def take_up(progress: Progress, cluster: Cluster, wanted: Wanted | None, governed: Governed, now: datetime) -> Progress:
    """The progress after a look at the cluster itself: it goes on where it was unless something else is wanted now."""
    new_aim = aim(wanted, governed)
    seen = replace(progress, cluster=cluster, seen_as=cluster.connectivity, looked_at=now, refusals=0)
    if new_aim == progress.aim and progress.step == OVER:
        return over(seen, now) if progress.state == "starting" else seen
    if new_aim == progress.aim and progress.step:
        return replace(seen, state=working(seen), reason="", since=now, looks=0, again_at=now)
    begun = replace(
        seen,
        aim=new_aim,
        baseline=wanted.baseline if wanted else progress.baseline,
        made=_released(progress, wanted),
        notes=(),
    )
    first = tasks(wanted, begun)
    return at(begun, first[0], now) if first else over(begun, now)


def after(progress: Progress, wanted: Wanted | None, now: datetime) -> Progress:
    """The progress at the task after this one, or over. What has just gone is no longer among them: then the first of those that go."""
    ahead = tasks(wanted, progress)
    keys = [task.key for task in ahead]
    to_go = next((index for index, task in enumerate(ahead) if task.piece is None), len(ahead))
    position = keys.index(progress.step) + 1 if progress.step in keys else to_go
    return at(progress, ahead[position], now) if position < len(ahead) else over(progress, now)


def at(progress: Progress, task: Task, now: datetime) -> Progress:
    """At the beginning of a task."""
    return replace(progress, state=working(progress), step=task.key, reason="", since=now, looks=0, attempts=0, again_at=now)


def over(progress: Progress, now: datetime) -> Progress:
    state: OnboardingState = "done" if progress.aim else "left"
    return replace(progress, state=state, step=OVER, reason="", since=now, looks=0, attempts=0, again_at=None)


def working(progress: Progress) -> OnboardingState:
    return "onboarding" if progress.aim else "leaving"


def _released(progress: Progress, wanted: Wanted | None) -> dict[str, Made]:
    """What is no longer wanted and is to be kept is done with at once: there is nothing to look at."""
    keys = {piece.key for piece in wanted.pieces} if wanted else set()
    return {key: replace(made, left=True) if key not in keys and made.on_removal == "keep" else made for key, made in progress.made.items()}
