"""People act on rollouts, over HTTP and with the command; every act is recorded, and refused where the state forbids it."""

import pytest
import pytest_asyncio
from conftest import Start
from playground import Ended, Json, Playground
from waiting import eventually

pytestmark = pytest.mark.asyncio(loop_scope="module")

WHY = ("--reason", "tills are down in Ghent")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def play(start: Start) -> Playground:
    play = await start(clusters=10, canary_share=0.3)
    play.configure("success: {complianceWithin", "success: {grace: 1s, complianceWithin")
    return play


async def act(play: Playground, verb: str, rollout: Json, *more: str) -> Ended:
    return await play.sluice(verb, rollout["id"][:12], *WHY, *more, *play.state)


async def recorded(play: Playground, rollout: Json) -> list[str]:
    """Kinds of the rollout's events that are in its chain of audit records. The database shows no more of a record than its id."""
    found = [one for one in await play.database.documents("audit") if one["stream"] == rollout["id"]]
    return [str(one["entryId"]).removeprefix(f"{rollout['id']}.").split(".")[1] for one in sorted(found, key=lambda one: one["number"])]


async def test_a_rollout_is_paused_resumed_and_aborted_in_the_wait_between_its_stages(play: Playground) -> None:
    play.configure("afterStageWait: 2s", "afterStageWait: 1h")
    push = await play.push()
    rollout = await play.waiting(push)
    play.configure("afterStageWait: 1h", "afterStageWait: 2s")

    paused = await act(play, "pause", rollout)
    said = (await play.rollout(push))["reason"]
    assert (paused.status, paused.output) == (0, f"{rollout['id']}: paused: {said}\n")
    assert said.startswith("paused by key (claimed: ")
    assert said.endswith("): tills are down in Ghent")
    again = await act(play, "pause", rollout)
    assert (again.status, again.errors) == (1, f"sluice: a rollout that is paused cannot be paused ({said})\n")

    assert (await act(play, "resume", rollout)).output == f"{rollout['id']}: running\n"
    assert (await act(play, "retry", rollout)).errors == "sluice: none of its clusters has failed\n"
    assert (await act(play, "abort", rollout)).status == 0
    await play.ended(push, until="aborted")

    async def has_let_go() -> bool:
        return [stage["counts"] for stage in (await play.summary(push))["stages"]] == [{"compliant": 3}, {"skipped": 7}]

    await eventually(has_let_go, "what had not started is let go")
    assert "cannot be rolled back" in (await act(play, "rollback", rollout)).errors
    assert set(await play.azure.accepted()) == await play.azure.ring("canary")

    kinds = await recorded(play, rollout)
    assert [kind for kind in kinds if kind in ("paused", "resumed", "aborted")] == ["paused", "resumed", "aborted"]
    for title in ("Rollout paused", "Rollout resumed", "Rollout aborted"):
        assert "tills are down in Ghent" in await play.told("teams", title)
    assert (await play.sluice("audit", "verify", *play.state)).status == 0


async def test_a_rollout_that_has_succeeded_is_rolled_back_to_what_each_cluster_had(play: Playground) -> None:
    good = await play.push()
    await play.ended(good)
    push = await play.push()
    rollout = await play.ended(push)
    assert await play.commits_of() == {push.commit}
    assert (await act(play, "rollback", rollout)).output.startswith(f"{rollout['id']}: rolling-back: rolled back by key")
    ended = await play.ended(push, until="rolled-back", passing=("succeeded", "rolling-back"))
    assert {(target["state"], target["askedRevision"]) for target in ended["targets"]} == {("rolled-back", good.commit)}
    assert await play.commits_of() == {good.commit}
    assert "rolling-back" in await recorded(play, rollout)

    # The rollout before it was overtaken, and stays so.
    older = (await play.rollouts_of(good))[0]
    assert (await act(play, "rollback", older)).errors == "sluice: a newer push has taken its place\n"


async def test_clusters_that_failed_are_tried_again(play: Playground) -> None:
    commit = play.commit("Bring a till that needs a database")
    await play.azure.fail_commit(commit.commit, tags={"ring": "canary"}, count=3, reason="HealthCheckFailed", message="no database")
    assert (await play.deliver(commit)).status == 202
    rollout = await play.ended(commit, until="paused")
    shown = await play.sluice("status", *play.state)
    assert "no database" in shown.output

    await play.azure.clear_faults()
    assert (await act(play, "retry", rollout)).output == f"{rollout['id']}: running\n"
    await play.ended(commit)
    assert await play.commits_of() == {commit.commit}
    assert "retried" in await recorded(play, rollout)


async def test_what_is_asked_wrongly_is_refused(play: Playground) -> None:
    push = await play.push()
    rollout = await play.ended(push)
    path = f"rollouts/{rollout['id']}/pause"
    for body, headers, status in (
        (b"{}", {"Content-Type": "application/json"}, 400),
        (b'{"reason": "x"}', {"Content-Type": "text/plain"}, 415),
        (b'{"reason": "x"}', {"Content-Type": "application/json", "X-MS-CLIENT-PRINCIPAL": "e30="}, 401),
        (b'{"reason": "x"}', {"Content-Type": "application/json"}, 409),
    ):
        answer = await play.post_to(path, body, headers)
        assert (answer.status, "error" in answer.text) == (status, True), answer
    assert (await play.sluice("pause", "ffff", *WHY, *play.state)).errors == "sluice: no rollout among the newest 100 begins with ffff\n"
    assert (await play.get(f"rollouts/{rollout['id']}/targets?state=compliant&limit=4"))[1]["continuation"] == "3"
