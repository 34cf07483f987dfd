"""The fleet is looked at: what Resource Graph says of the targets that a rollout is waiting for."""

from collections import defaultdict
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from msgspec.structs import replace

from shared.domain.clock import Clock
from shared.domain.crowd import Scope
from shared.domain.errors import Conflict
from shared.domain.messages import ROLLOUT_STEPS, StepRollout
from shared.domain.observations import Observation
from shared.domain.rollouts import FINISHED, IN_FLIGHT, Rollout, Target, TargetState
from shared.domain.sources import search_term
from shared.domain.targets import seems_new
from shared.log import event_logger
from shared.ports import Fleet, Queue, Rollouts

log = event_logger("sluice.observe")

_WATCHED: frozenset[TargetState] = frozenset({"applied", "offline"})
_WATCHED_IN_BAKE: frozenset[TargetState] = frozenset({*_WATCHED, "compliant"})


@dataclass(frozen=True)
class Observe:
    """The use case behind `sweep_compliance`: one query a repository serves all rollouts of it."""

    rollouts: Rollouts
    fleet: Fleet
    queue: Queue
    clock: Clock
    look_for_away_every: timedelta
    looked: dict[str, datetime]  #: kept between calls: when this instance last looked for a finished rollout's offline clusters

    async def __call__(self) -> None:
        """Records what changed, and wakes the rollouts that it concerns. Without a waiting rollout nothing is asked."""
        waiting: dict[str, list[tuple[Rollout, list[tuple[Target, str]]]]] = defaultdict(list)
        for rollout_id, _ in await self.rollouts.active():
            found = await self.rollouts.get(rollout_id)
            if found is None or not self._is_due(found[0]):
                continue
            targets = await self._watched(found[0])
            if targets:
                waiting[search_term(found[0].url)].append((found[0], targets))
        for term, rollouts in waiting.items():
            seen = {item.id: item.observation async for item in self.fleet.configurations(term)}
            for rollout, targets in rollouts:
                await self._record(rollout, targets, seen)

    async def _watched(self, rollout: Rollout) -> list[tuple[Target, str]]:
        """Those that wait for their cluster, and while a stage bakes also those that must stay well."""
        stage = rollout.stages[rollout.current]
        states = _WATCHED_IN_BAKE if stage.is_baking else _WATCHED
        glances = await self.rollouts.glances(rollout.id, Scope(stage=len(rollout.stages), states=states))
        wanted = [g.id for g in glances if g.state in _WATCHED or g.stage == rollout.current]
        return await self.rollouts.open(rollout.id, wanted)

    def _is_due(self, rollout: Rollout) -> bool:
        """A rollout that only waits for clusters that are away is not worth a look at the whole fleet every time. One that is back is."""
        if rollout.state not in FINISHED or any(stage.counts.get(state) for stage in rollout.stages for state in IN_FLIGHT):
            return True
        if self.clock() - self.looked.get(rollout.id, datetime.min.replace(tzinfo=UTC)) < self.look_for_away_every:
            return False
        self.looked[rollout.id] = self.clock()
        return True

    async def _record(self, rollout: Rollout, targets: list[tuple[Target, str]], seen: dict[str, Observation]) -> None:
        now = self.clock()
        news = []
        for target, etag in targets:
            observation = (seen.get(target.configuration_id) or Observation.missing(now)).seen_after(target.observation)
            if _is_news(target, observation):
                news.append((_with(target, observation, rollout, now), etag))
        late = await self.rollouts.save_targets(news)
        news_again = [await self._record_late(rollout, target) for target in late]
        if any(target.has_news for target, _ in news) or any(news_again):
            await self.queue.send(ROLLOUT_STEPS, StepRollout(rollout_id=rollout.id))

    async def _record_late(self, rollout: Rollout, late: Target) -> bool:
        """For a target that was changed meanwhile: whether there was news for it as it is now."""
        return late.observation is not None and await record_observation(self.rollouts, rollout, late.id, late.observation, self.clock)


async def record_observation(rollouts: Rollouts, rollout: Rollout, target_id: str, observation: Observation, clock: Clock) -> bool:
    """Records a look at one target, as that is now; whether it was news. Where the look does not tell how the cluster is connected,
    what was known of it stays true.
    """
    while True:
        loaded = await rollouts.target(rollout.id, target_id)
        if loaded is None or not is_watched(rollout, loaded[0]):
            return False
        target, etag = loaded
        known = target.observation.connectivity if target.observation else ""
        seen = observation if observation.connectivity else replace(observation, connectivity=known)
        seen = seen.seen_after(target.observation)
        if not _is_news(target, seen):
            return False
        try:
            await rollouts.save_target(_with(target, seen, rollout, clock()), etag)
        except Conflict:
            continue
        return True


def is_watched(rollout: Rollout, target: Target) -> bool:
    """Whether anything waits for what the target is: its cluster, or, while its stage bakes, that it stays well."""
    return target.state in (_WATCHED_IN_BAKE if _is_baking(rollout, target) else _WATCHED)


def _is_baking(rollout: Rollout, target: Target) -> bool:
    return target.stage == rollout.current and rollout.stages[target.stage].is_baking


def _with(target: Target, observation: Observation, rollout: Rollout, now: datetime) -> Target:
    rules, baking = rollout.stages[target.stage].rules, _is_baking(rollout, target)
    news = target.has_news or seems_new(target, observation, rules, now, baking=baking)
    return replace(target, observation=observation, has_news=news)


def _is_news(target: Target, observation: Observation) -> bool:
    """A look that shows nothing new is not written, unless the last one was from before the update; nor is one that is older."""
    newest = target.observation
    if newest is not None and newest.observed_at > observation.observed_at:
        return False
    is_fresh = newest is not None and target.applied_at is not None and newest.observed_at >= target.applied_at
    return not (is_fresh and observation.says_same(newest))
