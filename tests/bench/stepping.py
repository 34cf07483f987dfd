"""A process of its own that moves one rollout of N targets through the real store and the real queues, and measures its steps.

`python -m tests.bench.stepping N`, with the settings of a running stack in the environment; prints one line of JSON.
"""

import asyncio
import json
import resource
import sys
from collections.abc import Sequence
from datetime import datetime, timedelta
from time import process_time

import msgspec
from msgspec.structs import replace

from shared import adapters, bootstrap
from shared.bootstrap import App
from shared.domain.crowd import Scope
from shared.domain.observations import COMPLIANT, Observation
from shared.domain.pins import Pin
from shared.domain.rollouts import FINISHED, Rollout, Rules, Stage, Target, rollout_id, target_id
from shared.domain.targets import scheduled

_SUBSCRIPTIONS = 10
_RULES = Rules(compliance_within_seconds=1800, grace_seconds=120, max_failures=0, redispatch_after_seconds=3600)
_COMMIT, _BEFORE = "c" * 40, "b" * 40
_MIB = 1024  #: KiB
_MOST_STEPS = 16  #: of a rollout of ten thousand the first ones: they see as many targets as the others


async def measure(count: int) -> dict[str, object]:
    """CPU seconds of every step, how often a target was queued or found compliant in them, the bytes of a target's document and of the
    rollout's, and the process's largest size in MiB.
    """
    app = bootstrap.app()
    rollout = await _create(app, count)
    steps: list[float] = []
    while len(steps) < _MOST_STEPS:
        began = process_time()
        await app.step()(rollout.id)
        steps.append(process_time() - began)
        if await _is_over(app, rollout.id):
            break
        await _let_the_fleet_work(app, rollout)
    seen = await app.rollouts.glances(rollout.id, Scope(stage=1, states=frozenset({"queued", "compliant"})))
    changes = len(seen) + sum(glance.state == "compliant" for glance in seen)
    size = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / _MIB
    document = len(msgspec.json.encode(await app.database.read("rollouts", target_id("fluxconfiguration-0"), rollout.id)))
    whole = len(msgspec.json.encode(await app.database.read("rollouts", "rollout", rollout.id)))
    await app.close()
    return {"steps": steps, "changes": changes, "mib": size, "target_bytes": document, "rollout_bytes": whole}


async def _create(app: App, count: int) -> Rollout:
    now = adapters.now()
    key = rollout_id(f"bench-{now.isoformat()}", "platform")
    await app.rollouts.create_targets([_target(key, number, now) for number in range(count)])
    stage = Stage(name="all", total=count, max_concurrency=count, after_wait_seconds=0, rules=_RULES, counts={"pending": count})
    rollout = Rollout(
        id=key,
        route="platform",
        source="bench",
        url="github.com/contoso/platform",
        ref="refs/heads/main",
        revision=_COMMIT,
        change_id="bench",
        sequence=1,
        author="bench",
        title="Move everything",
        forced=False,
        stages=(stage,),
        created_at=now,
        updated_at=now,
    )
    await app.rollouts.create(rollout)
    return rollout


def _target(rollout: str, number: int, now: datetime) -> Target:
    seen = Observation(
        compliance=COMPLIANT, revision=f"main@sha1:{_BEFORE}", provisioning="Succeeded", connectivity="Connected", observed_at=now
    )
    return Target(
        id=target_id(f"fluxconfiguration-{number}"),
        rollout_id=rollout,
        stage=0,
        order=number,
        configuration_id=f"/subscriptions/s/resourcegroups/fleet/providers/microsoft.kubernetes/connectedclusters/cluster-{number:05}"
        "/providers/microsoft.kubernetesconfiguration/fluxconfigurations/platform",
        configuration="platform",
        cluster=f"cluster-{number:05}",
        subscription=f"subscription-{number % _SUBSCRIPTIONS}",
        pin=Pin(revision=_COMMIT, branch="main"),
        previous=Pin(revision=_BEFORE, branch="main"),
        before=seen,
    )


async def _let_the_fleet_work(app: App, rollout: Rollout) -> None:
    """What apply and a look at the fleet would write, in one go: it is not what is measured here."""
    now = adapters.now()
    waiting = await app.rollouts.glances(rollout.id, Scope(stage=1, states=frozenset({"queued"})))
    opened = await app.rollouts.open(rollout.id, [glance.id for glance in waiting])
    await app.rollouts.save_targets([(_compliant(target, now), etag) for target, etag in opened])
    for number in range(_SUBSCRIPTIONS):  # as time would
        await app.pacer.give_back(f"subscription-{number}", len(opened) // _SUBSCRIPTIONS)


def _compliant(target: Target, now: datetime) -> Target:
    seen = Observation(
        compliance=COMPLIANT, revision=f"main@sha1:{_COMMIT}", provisioning="Succeeded", connectivity="Connected", observed_at=now
    )
    applied = replace(target, state="applied", applied_at=now - timedelta(seconds=1), observation=seen, has_news=True)
    return scheduled(applied, _RULES)


async def _is_over(app: App, rollout: str) -> bool:
    found = await app.rollouts.get(rollout)
    return found is not None and found[0].state in FINISHED


def main(arguments: Sequence[str]) -> None:
    print(json.dumps(asyncio.run(measure(int(arguments[0])))))  # noqa: T201 -- its output is what it is for


if __name__ == "__main__":
    main(sys.argv[1:])
