"""A route that requires a check moves no cluster until a signed event tells that it has succeeded."""

import pytest
import pytest_asyncio
from conftest import Start
from playground import Answer, Json, Playground, Push
from waiting import eventually

from local.demo import push as github
from local.stack.repository import URL

pytestmark = pytest.mark.asyncio(loop_scope="module")

REQUIRES = "requires: {checks: [ci/build], within: 1h}"


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def play(start: Start) -> Playground:
    play = await start(clusters=6, canary_share=0.5)
    play.configure("secretRef: kv://sluice/github-platform", "secretRef: kv://sluice/github-platform\n    events: [push, ping, status]")
    play.configure("    strategy: rings", f"    strategy: rings\n    {REQUIRES}")
    return play


async def tell(play: Playground, push: Push, state: str, *, secret: str = "") -> Answer:
    """GitHub's event of a status on the pushed commit, signed with the receiver's secret unless another one is given."""
    body = github.encode({"sha": push.commit, "context": "ci/build", "state": state, "repository": {"clone_url": f"{URL}.git"}})
    return await play.post(body, github.signed_headers(body, secret or play.stack.github_secret, event="status"))


async def waits_for(play: Playground, push: Push, reason: str) -> Json:
    """The push's rollout, once it waits for that; nothing of it has been written then."""

    async def look() -> Json | None:
        rollout = await play.rollout(push)
        return rollout if rollout["waitingFor"] == reason else None

    found = await eventually(look, f"the rollout waits for {reason}")
    assert found is not None
    assert (found["state"], {target["state"] for target in found["targets"]}) == ("running", {"pending"})
    return found


async def test_nothing_moves_until_the_check_has_succeeded(play: Playground) -> None:
    push = await play.push()
    await waits_for(play, push, "check ci/build")
    assert (await tell(play, push, "success", secret="of somebody else")).status == 401
    assert (await tell(play, push, "failure")).status == 202
    await waits_for(play, push, "check ci/build (failed)")
    assert (await tell(play, push, "pending")).status == 202
    await waits_for(play, push, "check ci/build")
    assert await play.azure.patches() == []
    assert (await tell(play, push, "success")).status == 202
    await play.ended(push)
    assert await play.commits_of() == {push.commit}


async def test_a_check_that_is_told_before_its_push_is_not_waited_for(play: Playground) -> None:
    push = play.commit()
    assert (await tell(play, push, "success")).status == 202
    assert (await play.deliver(push)).status == 202
    await play.ended(push)
    assert await play.commits_of() == {push.commit}


async def test_after_its_time_people_are_told_and_whoever_resumes_it_has_it_wait_again(play: Playground) -> None:
    before = await play.azure.patches()
    play.configure(REQUIRES, REQUIRES.replace("1h", "2s"))
    push = await play.push()
    rollout = await play.ended(push, until="paused")
    assert rollout["reason"].startswith("stage canary: gate requires expired at ")
    assert rollout["reason"].endswith("still waiting for check ci/build")
    assert "still waiting for check ci/build" in await play.told("teams", "Gate expired")
    assert await play.azure.patches() == before
    assert (await tell(play, push, "success")).status == 202
    assert (await play.act(push, "resume", reason="CI is back")).status == 200
    await play.ended(push)
    assert await play.commits_of() == {push.commit}
