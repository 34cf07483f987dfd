"""A rollout as it is now, for a message that is kept up to date: how far each stage is, what it waits for, what to do next."""

from datetime import datetime

from shared.domain.commit_status import State, about, overall, statuses
from shared.domain.gates import Gate
from shared.domain.pages import page
from shared.domain.record import Record, digest
from shared.domain.rollouts import FINISHED, Rollout, Stage

_SHORT_SHA = 8
_STEPS = 20  #: in which a stage's progress is followed, so that a message moves so often and not once for each cluster


class StageView(Record, frozen=True):
    """One stage, in numbers."""

    name: str
    state: State
    total: int
    done: int  #: where the rollout wants them: at its revision, or back at their own
    failed: int
    offline: int
    skipped: int


class Question(Record, frozen=True):
    """An approval gate that waits for people."""

    stage: str
    gate: str
    approvers: tuple[str, ...]
    approved: int
    required: int
    link: str  #: where it can be answered in a browser; "" where no setting tells the app's own address


class Overview(Record, frozen=True):
    """All that the message shows. Its texts come from outside: escape and cut them for the channel."""

    rollout: str  #: id
    route: str
    state: State
    words: str  #: what is going on, in a few words
    commit: str  #: short
    title: str
    source: str
    ref: str  #: branch or tag
    author: str
    forced: bool
    stages: tuple[StageView, ...]
    waiting_for: str
    since: datetime  #: what `words` tells of
    next_step: str
    questions: tuple[Question, ...]
    link: str
    failures_link: str

    @property
    def total(self) -> int:
        return sum(stage.total for stage in self.stages)

    @property
    def done(self) -> int:
        return sum(stage.done for stage in self.stages)

    @property
    def failed(self) -> int:
        return sum(stage.failed for stage in self.stages)

    @property
    def offline(self) -> int:
        return sum(stage.offline for stage in self.stages)


def overview(rollout: Rollout, public_url: str = "") -> Overview:
    """`public_url` is this app's own address: with it, there are links to its pages."""
    asked = _questions(rollout, public_url)
    return Overview(
        rollout=rollout.id,
        route=rollout.route,
        state=overall(rollout),
        words=_words(rollout),
        commit=rollout.revision[:_SHORT_SHA],
        title=rollout.title,
        source=rollout.url,
        ref=rollout.branch or rollout.tag or rollout.ref,
        author=rollout.author,
        forced=rollout.forced,
        stages=tuple(_view(rollout, index) for index in range(len(rollout.stages))),
        waiting_for=rollout.waiting_for or (rollout.reason if rollout.state not in ("running", "succeeded") else ""),
        since=_since(rollout),
        next_step=_next_step(rollout, asked),
        questions=asked,
        link=page(public_url, rollout=rollout.id),
        failures_link=page(public_url, rollout=rollout.id, state="failed"),
    )


def milestone(rollout: Rollout) -> str:
    """Changes with what people wait for: states, and what was said at gates."""
    gates = [f"{gate.name}.{gate.state}.{len(gate.verdicts)}.{gate.asked_at is not None}" for s in rollout.stages for gate in s.gates]
    return digest("milestone", rollout.state, str(rollout.current), *(stage.state for stage in rollout.stages), *gates)


def fingerprint(rollout: Rollout) -> str:
    """Changes when a message about it should: rarely, however many clusters it has."""
    counts = [
        f"{stage.total}.{_done(rollout, stage) * _STEPS // max(1, stage.total)}.{about(stage.counts.get('failed', 0))}"
        f".{about(stage.counts.get('offline', 0))}"
        for stage in rollout.stages
    ]
    return digest("overview", milestone(rollout), rollout.waiting_for, rollout.reason, *counts)


def _view(rollout: Rollout, index: int) -> StageView:
    stage = rollout.stages[index]
    return StageView(
        name=stage.name,
        state=statuses(rollout)[index].state,
        total=stage.total,
        done=_done(rollout, stage),
        failed=stage.counts.get("failed", 0),
        offline=stage.counts.get("offline", 0),
        skipped=stage.counts.get("skipped", 0),
    )


def _done(rollout: Rollout, stage: Stage) -> int:
    goes_back = rollout.state in ("rolling-back", "rolled-back")
    return stage.counts.get("rolled-back" if goes_back else "compliant", 0)


def _words(rollout: Rollout) -> str:
    match rollout.state:
        case "running":
            return "waiting" if rollout.waiting_for else "under way"
        case "succeeded":
            failed = sum(stage.counts.get("failed", 0) for stage in rollout.stages)
            return "finished, with failures" if failed else "finished"
        case "rolling-back":
            return "going back"
        case "rolled-back":
            return "rolled back"
        case state:
            return state


def _since(rollout: Rollout) -> datetime:
    """Since when it waits at a gate, else when the last thing worth telling happened."""
    asked = [gate.asked_at for gate in _waiting(rollout) if gate.asked_at]
    last = rollout.events[-1].at if rollout.events else rollout.created_at
    return min(asked) if asked else last


def _waiting(rollout: Rollout) -> tuple[Gate, ...]:
    """The gates that hold the rollout up now."""
    if rollout.state != "running" or not rollout.stages:
        return ()
    gates = rollout.stages[rollout.current].gates
    return tuple(gate for gate in gates if gate.state == "waiting" and gate.asked_at)


def _questions(rollout: Rollout, public_url: str) -> tuple[Question, ...]:
    return tuple(
        Question(
            stage=rollout.stages[rollout.current].name,
            gate=gate.name,
            approvers=gate.approvers,
            approved=sum(verdict.approved for verdict in gate.verdicts),
            required=gate.required,
            link=page(public_url, rollout=rollout.id, stage=rollout.stages[rollout.current].name, gate=gate.name),
        )
        for gate in _waiting(rollout)
        if gate.type == "approval"
    )


def _next_step(rollout: Rollout, asked: tuple[Question, ...]) -> str:
    if asked:
        return f"{' or '.join(asked[0].approvers)} approve or reject."
    match rollout.state:
        case "paused":
            return f"look at what failed, then: sluice resume, retry or rollback {rollout.id} --reason TEXT"
        case "rolled-back":
            return "mend it and push again."
        case "aborted":
            return "push again: an aborted rollout does not go on."
        case "succeeded" if any(stage.counts.get("failed") for stage in rollout.stages):
            return f"mend the failed clusters, then: sluice retry {rollout.id} --reason TEXT"
    return "" if rollout.state in FINISHED else "nothing to do, it goes on by itself."
