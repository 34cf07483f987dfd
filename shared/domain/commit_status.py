"""What a rollout says of its commit: one status a stage, and a summary of all of them.

Commits may be public, so nothing that people or clusters wrote is in it: states, counts, and names from sluice.yaml.
"""

from typing import Literal

from shared.domain.record import Record, digest
from shared.domain.rollouts import GIVEN_UP, Rollout, RolloutState, Stage

#: What can become of a stage, in words that every Git host has a word for.
State = Literal["pending", "running", "succeeded", "failed", "cancelled"]

#: What every host takes: GitHub's is the smallest (docs.github.com, REST API, create a commit status).
DESCRIPTION_LIMIT = 140
_STEPS = 10  #: in which a stage's progress is told, so that it is told ten times and not once for each cluster
_EXACT = 10  #: counts up to here are told as they are, others by their first digit

_WORDS: dict[State, str] = {
    "pending": "waiting",
    "running": "under way",
    "succeeded": "done",
    "failed": "failed",
    "cancelled": "stopped",
}
_OVERALL: dict[RolloutState, State] = {
    "running": "running",
    "paused": "running",
    "rolling-back": "failed",
    "succeeded": "succeeded",
    "rolled-back": "failed",
    "superseded": "cancelled",
    "aborted": "cancelled",
}


class CommitStatus(Record, frozen=True):
    """What one stage says of the commit."""

    context: str  #: sluice/ROUTE/STAGE: what tells it from the statuses of others
    environment: str  #: ROUTE/STAGE: the place that a deployment is to
    state: State
    description: str  #: at most DESCRIPTION_LIMIT characters


def statuses(rollout: Rollout) -> tuple[CommitStatus, ...]:
    """The status of every stage, as it should stand now. Few different ones come out of a rollout, however many clusters it has."""
    return tuple(_status(rollout, index) for index in range(len(rollout.stages)))


def fingerprint(rollout: Rollout) -> str:
    """Changes when there is something new to say of the commit; "" where the rollout's route does not report."""
    if rollout.report is None:
        return ""
    return digest("statuses", rollout.state, *(part for status in statuses(rollout) for part in (status.state, status.description)))


def overall(rollout: Rollout) -> State:
    return _OVERALL[rollout.state]


def summary(rollout: Rollout, link: str) -> str:
    """The rollout as a comment, in the Markdown that all hosts have in common."""
    rows = [f"| {stage.name} | {_WORDS[status.state]} | {status.description} |" for stage, status in _rows(rollout)]
    head = [f"**Sluice: {rollout.route}, {rollout.state}**", "", "| Stage | State | Clusters |", "|---|---|---|"]
    return "\n".join([*head, *rows, "", f"[Rollout {rollout.id}]({link}) of {rollout.revision}"])


def _rows(rollout: Rollout) -> list[tuple[Stage, CommitStatus]]:
    return list(zip(rollout.stages, statuses(rollout), strict=True))


def _status(rollout: Rollout, index: int) -> CommitStatus:
    place = f"{rollout.route}/{rollout.stages[index].name}"
    state, words = _standing(rollout, index)
    return CommitStatus(context=f"sluice/{place}", environment=place, state=state, description=cut(words))


def _standing(rollout: Rollout, index: int) -> tuple[State, str]:
    stage = rollout.stages[index]
    if rollout.state == "rolling-back" and index in rollout.back_stages:
        return "failed", f"going back to the revision before; {_of(stage)}"
    if rollout.state == "rolled-back" and index in rollout.back_stages:
        return "failed", f"back at the revision before; {_of(stage)}"
    if stage.state == "failed" or (stage.state != "pending" and _has_too_many_failures(stage)):
        return "failed", f"too many failures; {_of(stage)}"
    if stage.state == "succeeded":
        return "succeeded", _of(stage)
    if rollout.state in GIVEN_UP:
        return "cancelled", "a newer push took its place" if rollout.state == "superseded" else "the rollout was aborted"
    if rollout.state in ("rolling-back", "rolled-back"):
        return "cancelled", "the rollout was rolled back before"
    if stage.state == "running":
        return "running", _progress(rollout, stage)
    return "pending", _waits(rollout, index)


def _has_too_many_failures(stage: Stage) -> bool:
    """Those that a person has accepted do not count. A strategy may go on all the same: the commit failed there nevertheless."""
    return stage.counts.get("failed", 0) - stage.forgiven > stage.rules.max_failures


def _progress(rollout: Rollout, stage: Stage) -> str:
    paused = "paused; " if rollout.state == "paused" else ""
    if stage.done_at is not None:
        return f"{paused}done, watched for a while; {_of(stage)}"
    share = stage.counts.get("compliant", 0) * _STEPS // max(1, stage.total) * (100 // _STEPS)
    return f"{paused}{share} % of {_of(stage)}"


def _waits(rollout: Rollout, index: int) -> str:
    if rollout.state == "paused":
        return "the rollout is paused"
    if index != rollout.current:
        return "waits for the stages before"
    kinds = sorted({gate.type for gate in rollout.stages[index].gates if gate.state == "waiting"})
    return f"waits for {' and '.join(kinds)}" if kinds and rollout.stages[index].total else "waits for its turn"


def _of(stage: Stage) -> str:
    """How many clusters, and how many of them are not where they should be."""
    told = [f"{about(stage.counts.get(state, 0))} {state}" for state in ("failed", "offline", "skipped") if stage.counts.get(state)]
    return ", ".join([f"{stage.total:,} {'cluster' if stage.total == 1 else 'clusters'}", *told])


def about(count: int) -> str:
    """A count in few steps: 7, 10+, 20+, 300+."""
    if count < _EXACT:
        return str(count)
    unit = 10 ** (len(str(count)) - 1)
    return f"{count // unit * unit:,}+"


def cut(text: str, limit: int = DESCRIPTION_LIMIT) -> str:
    """At the end of a word, and so that it shows."""
    if len(text) <= limit:
        return text
    shortened = text[: limit - 1]
    at_word = shortened.rpartition(" ")[0]
    return f"{at_word or shortened}\u2026"
