"""Eight instances of the app share one limit of Azure Resource Manager without talking to each other."""

from collections import Counter

import pytest
import pytest_asyncio
from conftest import Start
from playground import Playground

pytestmark = pytest.mark.asyncio(loop_scope="module")

CLUSTERS = 300  #: half as many again as ARM's bucket holds, so that these wait for its refill
#: Updates that come late by seconds, as on a machine that is busy with other tests, come together: a bucket that was full meanwhile has
#: gained nothing. In virtual time, where nobody is late, there is none at all (docs/simulation.md).
FEW = CLUSTERS // 20


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def play(start: Start) -> Playground:
    play = await start(clusters=CLUSTERS, canary_share=0)
    play.configure("    strategy: rings\n", "")  # all at once
    await play.stack.start_more_hosts(7)
    return play


async def test_eight_instances_write_to_every_cluster_once_and_are_hardly_ever_throttled(play: Playground) -> None:
    push = await play.push()
    rollout = await play.finished(push, within_seconds=400)
    assert rollout["stages"][0]["counts"] == {"compliant": CLUSTERS}
    answers = Counter(patch.status for patch in await play.azure.patches())
    assert answers.keys() <= {200, 202, 429}
    assert answers[429] <= FEW
    assert await play.azure.accepted() == dict.fromkeys(await play.azure.clusters(), 1)
