"""The people and the systems around a rollout: they say yes at gates, and let a paused rollout go on, each after a while."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import timedelta
from functools import partial

from msgspec.structs import replace

from cli.simulation.database.others import MemoryChecks
from cli.simulation.database.rollouts import MemoryRollouts
from shared.domain.acts import Act, perform
from shared.domain.checks import CheckResult
from shared.domain.clock import Clock
from shared.domain.errors import Conflict
from shared.domain.gates import Gate, Verdict, answer
from shared.domain.messages import ROLLOUT_STEPS, StepRollout
from shared.domain.rollouts import Rollout, rollout_id
from shared.domain.stage_gates import gate_of, with_gate
from shared.ports import Queue


class People:
    """Hears of every saved rollout; what it then does happens once for each time that something is asked."""

    def __init__(
        self,
        rollouts: MemoryRollouts,
        checks: MemoryChecks,
        queue: Queue,
        clock: Clock,
        tasks: asyncio.TaskGroup,
        *,
        approve_after: timedelta,
        resume_after: timedelta | None,
    ) -> None:
        self._rollouts = rollouts
        self._checks = checks
        self._queue = queue
        self._clock = clock
        self._tasks = tasks
        self._approve_after = approve_after
        self._resume_after = resume_after
        self._seen: set[str] = set()
        self._plans: set[asyncio.Task[None]] = set()

    def hear(self, rollout: Rollout) -> None:
        if rollout.state == "paused" and self._resume_after is not None:
            self._once(f"paused {len(rollout.events)}", self._resume_after, partial(self._resume, rollout.id))
        if rollout.state == "running":
            for gate in rollout.stages[rollout.current].gates:
                if gate.state == "waiting" and gate.asked_at:
                    key = f"{rollout.current} {gate.name} {gate.asked_at}"
                    self._once(key, self._approve_after, partial(self._approve, rollout, gate))

    def stop(self) -> None:
        for plan in self._plans:
            plan.cancel()

    def _once(self, key: str, after: timedelta, act: Callable[[], Awaitable[None]]) -> None:
        if key not in self._seen:
            self._seen.add(key)
            plan = self._tasks.create_task(self._later(after, act))
            self._plans.add(plan)
            plan.add_done_callback(self._plans.discard)

    async def _later(self, after: timedelta, act: Callable[[], Awaitable[None]]) -> None:
        await asyncio.sleep(after.total_seconds())
        await act()

    async def _resume(self, key: str) -> None:
        act = Act(kind="resume", by="simulated people", reason="seen, and accepted")
        await self._change(key, lambda rollout: perform(rollout, act, self._clock()) if rollout.state == "paused" else rollout)
        await self._queue.send(ROLLOUT_STEPS, StepRollout(rollout_id=key))

    async def _approve(self, rollout: Rollout, gate: Gate) -> None:
        match gate.type:
            case "approval" | "webhook":
                await self._change(rollout.id, lambda now: self._answered(now, rollout.current, gate))
            case "checks":
                for name in gate.checks:
                    result = CheckResult(source=rollout.source, revision=rollout.revision, name=name, state="success", at=self._clock())
                    await self._checks.record(result)
            case "promotion":
                proved = replace(rollout, id=rollout_id(rollout.change_id, gate.route), route=gate.route, state="succeeded")
                await self._rollouts.create(proved)
        await self._queue.send(ROLLOUT_STEPS, StepRollout(rollout_id=rollout.id))

    def _answered(self, rollout: Rollout, stage: int, asked: Gate) -> Rollout:
        """With as many approvals as the gate requires; one that is closed meanwhile stays as it is."""
        gate = gate_of(rollout, stage, asked.name)
        if gate is None or gate.state != "waiting":
            return rollout
        for number in range(max(1, gate.required)):
            gate = answer(gate, Verdict(by=f"approver {number + 1}", approved=True, reason="", at=self._clock()))
        return with_gate(rollout, stage, gate)

    async def _change(self, key: str, change: Callable[[Rollout], Rollout]) -> None:
        while True:
            found = await self._rollouts.get(key)
            if found is None:
                return
            rollout, etag = found
            try:
                await self._rollouts.save(change(rollout), etag)
            except Conflict:
                continue
            return
