"""The command, against a running stack."""

import json
from pathlib import Path

import pytest
import pytest_asyncio
from conftest import Start
from playground import Playground
from waiting import eventually

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def play(start: Start) -> Playground:
    return await start(clusters=10, canary_share=0.3)


async def test_send_delivers_a_push_that_status_shows(play: Playground, tmp_path: Path) -> None:
    push = play.commit("Bring a till that accepts coins")
    payload = tmp_path / "push.json"
    payload.write_bytes(push.body)
    arguments = ("send", "--receiver", "platform", "--event", "push", "--delivery", "d-1", str(payload), *play.state)
    first, again = await play.sluice(*arguments), await play.sluice(*arguments)
    assert (first.status, first.output.split()[0], first.errors) == (0, "202", "")
    assert (again.status, again.output) == (0, first.output.replace("202", "200"))

    await play.ended(push)
    status = await play.sluice("status", "--json", *play.state)
    (rollout,) = json.loads(status.output)["rollouts"]
    assert (rollout["revision"], rollout["state"], rollout["title"]) == (push.commit, "succeeded", "Bring a till that accepts coins")
    assert {target["state"] for target in rollout["targets"]} == {"compliant"}
    assert len(rollout["targets"]) == 10
    shown = await play.sluice("status", *play.state)
    assert "canary" in shown.output
    assert "3/3" in shown.output


async def test_history_says_what_a_cluster_ran_and_who_asked(play: Playground) -> None:
    push = play.commit("Bring a till that says good morning")
    await play.deliver(push)
    await play.ended(push)
    configuration = (await play.sluice("status", "--json", *play.state)).output
    target = json.loads(configuration)["rollouts"][0]["targets"][0]
    shown = await play.sluice("history", target["resourceId"], "--json", *play.state)
    rows = json.loads(shown.output)["history"]
    assert {row["action"] for row in rows if row["revision"] == push.commit} == {"update.applied", "target.compliant"}
    assert [row["at"] for row in rows] == sorted((row["at"] for row in rows), reverse=True)
    table = await play.sluice("history", target["resourceId"], *play.state)
    assert push.commit[:12] in table.output
    nobody = await play.sluice("history", "nobody", *play.state)
    assert (nobody.status, "the fleet has no such cluster" in nobody.errors) == (1, True)


async def test_send_with_another_secret_is_refused(play: Playground, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    payload = tmp_path / "push.json"
    payload.write_bytes(play.commit().body)
    monkeypatch.setenv("OF_SOMEONE_ELSE", "another secret")
    sent = await play.sluice(
        *("send", "--receiver", "platform", "--event", "push", "--secret-env", "OF_SOMEONE_ELSE", str(payload), *play.state)
    )
    assert (sent.status, sent.output) == (1, "401\n")
    assert "refused with status 401" in sent.errors


async def test_validate_tells_a_good_configuration_from_a_broken_one(play: Playground, tmp_path: Path) -> None:
    good = play.stack.state.configuration
    checked = await play.sluice("validate", str(good))
    assert (checked.status, checked.output) == (0, f"{good}: ok (1 receivers, 1 strategies, 1 routes, 2 providers, 2 alerts)\n")
    broken = tmp_path / "sluice.yaml"
    broken.write_text(good.read_text().replace("strategy: rings", "strategy: circles"))
    line = broken.read_text().splitlines().index("    strategy: circles") + 1
    refused = await play.sluice("validate", str(broken))
    assert (refused.status, refused.errors) == (1, f"sluice: {broken}:{line}: routes[0].strategy: there is no strategy named circles\n")


async def test_a_broken_configuration_is_refused_with_its_line_while_the_last_good_one_stays_in_force(play: Playground) -> None:
    good = play.stack.state.configuration.read_text()
    play.configure("strategy: rings", "strategy: circles")
    line = good.splitlines().index("    strategy: rings") + 1
    try:
        push = await play.push("Bring a till that prints")
        await play.ended(push)
        assert await play.commits_of() == {push.commit}
        status, ready = await play.get("health/ready")
        assert (status, ready["dependencies"]["configuration"]) == (503, "Malformed")
        refusal = f"sluice.yaml:{line}: routes[0].strategy: there is no strategy named circles"
        assert refusal in play.logged()
        for channel in ("teams", "slack"):
            assert refusal in await play.told(channel, "sluice.yaml is refused")
    finally:
        play.configure("strategy: circles", "strategy: rings")

    async def is_ready() -> bool:
        return (await play.get("health/ready"))[0] == 200

    await eventually(is_ready, "the repaired configuration is in force", within_seconds=10)
