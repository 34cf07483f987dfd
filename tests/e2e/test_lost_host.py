"""The app is lost in the middle of its work."""

from collections import Counter

import pytest
import pytest_asyncio
from conftest import Start
from playground import Playground
from waiting import eventually

pytestmark = pytest.mark.asyncio(loop_scope="module")

#: As short as a turn can be without two at a time; in Azure these are minutes.
IMPATIENT = {"APPLY_LEASE_SECONDS": "4", "REDISPATCH_AFTER_SECONDS": "4", "SLUICE_HOST_LEASE_SECONDS": "4"}


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def play(start: Start) -> Playground:
    return await start(clusters=50, settings=IMPATIENT)


async def target_states(play: Playground) -> dict[str, str]:
    """The state of every target, by its id, as the database has it: nobody else is there to ask."""
    return {one["id"]: one["state"] for one in await play.database.documents("rollouts") if one["type"] == "target"}


async def being_written(play: Playground) -> int:
    return sum(bool(one["holder"]) for one in await play.database.documents("configurations"))


async def test_a_host_killed_in_the_middle_of_a_rollout_loses_no_target_and_repeats_only_what_was_in_flight(play: Playground) -> None:
    # For ten clusters of the second stage ARM takes its time: what is being written when the host dies takes effect unheard.
    await play.azure.fail_requests("PATCH", "/connectedClusters/cluster-01", delaySeconds=2)
    push = await play.push()

    async def is_in_the_middle() -> bool:
        return await being_written(play) >= 5

    await eventually(is_in_the_middle, "several slow updates are in flight")
    await play.stack.kill_host()
    states = await target_states(play)
    assert Counter(states.values())["pending"] > 0
    assert Counter(states.values())["queued"] >= 5
    await play.azure.clear_faults()
    await play.stack.start_host()

    rollout = await play.ended(push)
    assert Counter(target["state"] for target in rollout["targets"]) == {"compliant": 50}
    assert await play.commits_of() == {push.commit}
    written = await play.azure.accepted()
    assert set(written) == set(await play.azure.clusters())
    twice = {target["id"] for target in rollout["targets"] if written[target["cluster"]] == 2}
    assert max(written.values()) <= 2
    assert {states[target] for target in twice} <= {"queued"}
