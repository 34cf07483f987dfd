"""A commit is told how far its rollout is: one status a stage, and a deployment or a comment where the route asks for them."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from msgspec.structs import replace

from shared.config.git_hosts import GIT_HOSTS
from shared.config.models import Config
from shared.config.models import Provider as ProviderConfig
from shared.domain.audit import Entry
from shared.domain.clock import Clock
from shared.domain.commit_reports import (
    CommitReport,
    Saying,
    after_failure,
    after_saying,
    begin,
    doubt,
    due,
    is_overtaken,
    is_resting,
    last,
    may_go_on,
    must_wake,
    report_id,
    sayings,
    take,
)
from shared.domain.commits import commit_of, link_of
from shared.domain.errors import Conflict, Malformed, NotFound, Rejected, SluiceError, Upstream
from shared.domain.messages import COMMIT_REPORTS, ReportCommit
from shared.domain.record import digest
from shared.domain.rollouts import Rollout
from shared.log import event_logger
from shared.ports import Audit, CommitReports, GitHost, Queue, Rollouts

log = event_logger("sluice.report-commit")

#: Most turns are over within seconds; one whose holder died is not.
_LOOK_AGAIN_AFTER = timedelta(seconds=5)


@dataclass
class _Turn:
    """One attempt: what it has to say, and what came of it so far."""

    rollout: Rollout
    report: CommitReport
    spoken: list[Saying]
    again_at: datetime | None = None


@dataclass(frozen=True)
class ReportOn:
    """The use case behind the queue `commit-reports`.

    A message says only that there may be something to say. What it is, is read from the rollout while the report is held, so that
    messages may come twice, late and in any order; who holds it and dies loses it in the end, and the message comes back.
    """

    config: Config
    rollouts: Rollouts
    reports: CommitReports
    audit: Audit
    queue: Queue
    clock: Clock
    connect: Callable[[ProviderConfig], Awaitable[GitHost]]
    public_url: str  #: this app's own address; "" where no setting tells it

    async def __call__(self, message: ReportCommit) -> None:
        """A host that does not answer is tried again for 24 hours. Raises NotFound for an unknown rollout."""
        rollout = await self._rollout(message)
        if rollout.report is None:
            return
        key = report_id(rollout.report.provider, rollout)
        found = await self.reports.get(key)
        report, etag = found or (begin(key, rollout), "")
        if is_overtaken(report, rollout):
            log.info("commit.overtaken", extra={"rollout": rollout.id})
            return
        if is_resting(report, self.clock()):
            if rollout.id != report.rollout_id:
                await self.queue.send(COMMIT_REPORTS, message, not_before=report.wake_at)
            return
        held = take(report, rollout, self.clock())
        if held is None:
            await self.queue.send(COMMIT_REPORTS, message, not_before=self.clock() + _LOOK_AGAIN_AFTER)
            return
        try:
            etag = await self.reports.save(held, etag)
        except Conflict:
            await self(message)
            return
        await self._end(message, await self._speak(message, held), etag)

    async def _rollout(self, message: ReportCommit) -> Rollout:
        found = await self.rollouts.get(message.rollout_id)
        if found is None:
            raise NotFound(f"rollout {message.rollout_id} does not exist")
        return found[0]

    async def _speak(self, message: ReportCommit, held: CommitReport) -> _Turn:
        """Says what is due, by the rollout as it is now: a newer message may have been answered since this one was read."""
        turn = _Turn(await self._rollout(message), held, [])
        now_due, turn.again_at = due(held, sayings(turn.rollout, self._link(turn.rollout)), self.clock())
        if not now_due:
            return turn
        try:
            host = await self._connect(turn.rollout)
            for saying in now_due:
                if not may_go_on(held, self.clock()):
                    turn.again_at = self.clock()
                    break
                await self._say(host, turn, saying)
        except (Upstream, NotFound, Malformed) as error:
            await self._failed(turn, error)
        return turn

    async def _connect(self, rollout: Rollout) -> GitHost:
        name = rollout.report.provider if rollout.report else ""
        provider = self.config.provider(name)
        if provider is None or provider.type not in GIT_HOSTS:
            raise NotFound("the provider is no longer configured")
        return await self.connect(provider)

    async def _say(self, host: GitHost, turn: _Turn, saying: Saying) -> None:
        """What the host refuses for good is not said again until it changes; everything else is still said."""
        before = last(turn.report, saying)
        commit = commit_of(turn.rollout, turn.report.id, self._link(turn.rollout))
        turn.spoken.append(saying)
        try:
            reference = await host.say(commit, saying, before.reference if before else "")
        except Rejected as error:
            log.warning("commit.refused", extra={"rollout": turn.rollout.id, "kind": saying.kind, "code": error.code})
            reason = f"{saying.kind} {saying.context} {saying.state}: {error.code}"
            await self._note(turn, "commit-report.refused", reason, saying.text)
            turn.report = after_saying(turn.report, saying, self.clock(), error=error.code or "refused")
        else:
            log.info("commit.told", extra={"rollout": turn.rollout.id, "kind": saying.kind, "state": saying.state})
            turn.report = after_saying(turn.report, saying, self.clock(), reference=reference)

    async def _failed(self, turn: _Turn, error: SluiceError) -> None:
        """A missing secret is tried again like a host that is down: someone will put it there."""
        code, retry_after = (error.code, error.retry_after) if isinstance(error, Upstream) else ("", None)
        reason = f"{type(error).__name__} {code}".strip()
        log.warning("commit.not-told", extra={"rollout": turn.rollout.id, "reason": reason})
        since = turn.report.failing_since
        turn.report, turn.again_at = after_failure(turn.report, retry_after, self.clock())
        if turn.again_at is None:
            log.error("commit.given-up", extra={"rollout": turn.rollout.id, "reason": reason})
            await self._note(turn, "commit-report.failed", reason, since.isoformat() if since else "")

    async def _note(self, turn: _Turn, action: str, reason: str, key: str) -> None:
        """Nothing is dropped in silence: what a commit was not told stands in the audit trail."""
        rollout = turn.rollout
        await self.audit.append(
            Entry(
                id=f"{rollout.id}.{action}.{digest(reason, key)}",
                stream=rollout.id,
                at=self.clock(),
                actor="sluice",
                action=action,
                resource=rollout.report.provider if rollout.report else "",
                cause=rollout.change_id,
                detail={"revision": rollout.revision, "reason": reason},
            )
        )

    async def _end(self, message: ReportCommit, turn: _Turn, etag: str) -> None:
        """The message goes first, so that a crash leaves one more rather than none."""
        report = replace(turn.report, held_until=None)
        if turn.again_at is not None and must_wake(report, turn.again_at, self.clock()):
            await self.queue.send(COMMIT_REPORTS, message, not_before=turn.again_at)
            report = replace(report, wake_at=turn.again_at)
        try:
            await self.reports.save(report, etag)
        except Conflict:
            await self._set_right(message, turn)

    async def _set_right(self, message: ReportCommit, turn: _Turn) -> None:
        """This turn was over before it ended, and another one has spoken: what it said last is said once more."""
        log.warning("commit.too-late", extra={"rollout": turn.rollout.id})
        while True:
            found = await self.reports.get(turn.report.id)
            if found is None:
                break
            try:
                await self.reports.save(doubt(found[0], turn.spoken), found[1])
            except Conflict:
                continue
            message = ReportCommit(rollout_id=found[0].rollout_id)
            break
        await self.queue.send(COMMIT_REPORTS, message)

    def _link(self, rollout: Rollout) -> str:
        return link_of(rollout, self.public_url)
