"""A thousand clusters, thirty failures and an approval, seen from Slack: one message, edited as it moves, one thread, two buttons."""

import json

import pytest
import pytest_asyncio
from conftest import Start
from messages import text_of
from playground import Json, Playground
from slack_side import TEAM, Interaction, SlackSide
from waiting import eventually

pytestmark = pytest.mark.asyncio(loop_scope="module")

CLUSTERS, CANARIES = 1000, 20
FAILING = [f"cluster-{number:03}" for number in range(201, 231)]
STRATEGY = """
        maxConcurrency: 50%
    success: {complianceWithin: 5m, maxFailures: 2, onFailure: pause}
"""
WITH_APPROVAL = """
        gates: [{name: go, type: approval, approvers: [platform-leads]}]
    success: {complianceWithin: 10m, grace: 1s, maxFailures: 40}
"""
PEOPLE = f"""people:
  - {{identity: alice@contoso.example, slack: [{{team: {TEAM}, user: U0ALICE}}], roles: [platform-leads]}}
  - {{identity: bob@contoso.example, slack: [{{team: {TEAM}, user: U0BOB}}], roles: [Reader]}}

alerts:
"""
#: Twenty steps of each stage's progress, the failures by their first digit, and the moments that matter.
MANY_EDITS = 60


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def play(start: Start) -> Playground:
    play = await start(clusters=CLUSTERS, subscriptions=4, canary_share=CANARIES / CLUSTERS)
    play.configure(STRATEGY, WITH_APPROVAL)
    play.configure("alerts:\n", PEOPLE)
    return play


async def test_a_thousand_clusters_are_one_message_and_one_thread_and_go_on_by_a_click(play: Playground) -> None:
    slack = SlackSide(play)
    commit = play.commit("Bring a till that some shops <!channel> cannot run")
    await play.azure.fail_commit(commit.commit, clusters=FAILING, reason="HealthCheckFailed", message="timeout <@U0ALICE> & more")
    assert (await play.deliver(commit)).status in (202, 503)

    buttons = await eventually(slack.buttons, "the message asks for approval", within_seconds=400)
    assert list(buttons)[:2] == ["approve", "reject"]
    assert "20/20" in text_of(await slack.head())
    await refused(play, slack, buttons["approve"])
    await approved(play, slack, buttons["approve"])

    async def is_over() -> bool:
        return "finished, with failures" in text_of(await slack.head())

    await eventually(is_over, "the message shows the end", within_seconds=400)
    await eventually(lambda: play.queues.are_empty("notifications"), "nothing is on its way", within_seconds=240)
    summary = await play.summary(commit)
    assert (summary["state"], summary["stages"][1]["counts"]) == ("succeeded", {"compliant": 950, "failed": 30})

    head = await slack.head()
    shown = text_of(head)
    for text in ("*Clusters*\n970 of 1,000", "*Failed*\n30", "950/980  30 failed"):
        assert text in shown
    assert not await slack.buttons()
    replies = await slack.replies()
    assert {reply["thread_ts"] for reply in replies} == {head["ts"]}
    assert not any(reply.get("reply_broadcast") for reply in replies)
    assert len(replies) <= 8
    assert not any(mention in text_of(body) for body in [head, *replies] for mention in ("<!channel>", "<@U0ALICE>"))
    edits = await play.azure.slack("chat.update")
    assert 3 <= len(edits) <= MANY_EDITS
    assert not [path for path in await play.azure.throttled_paths() if path.endswith("chat.update")]


async def refused(play: Playground, slack: SlackSide, approve: Json) -> None:
    """Whoever does not prove it is Slack, and whoever may not, changes nothing."""
    forged = slack.click("U0ALICE", approve, secret="guessed")
    old = slack.click("U0ALICE", approve, seconds=-301)
    unsigned = Interaction({"Content-Type": "application/x-www-form-urlencoded"}, forged.body)
    assert [(await slack.send(each)).status for each in (forged, old, unsigned)] == [401, 401, 401]
    assert (await play.post_to("slack/interactions/ops-teams", forged.body, forged.headers)).status == 404
    for user, says in (("U0NOBODY", f"you (U0NOBODY of {TEAM}) are not among the people"), ("U0BOB", "platform-leads is missing")):
        assert (await slack.send(slack.click(user, approve))).status == 200
        whispered = (await play.azure.slack("chat.postEphemeral"))[-1]["body"]
        assert (whispered["user"], says in whispered["text"]) == (user, True), whispered
    view = {"callback_id": "gate.approve", "private_metadata": approve["value"]}
    answer = json.loads((await slack.send(slack.submission("U0BOB", view, "let me"))).text)
    assert "platform-leads is missing" in answer["errors"]["reason"]
    assert await play.azure.slack("views.open") == []
    assert list(await slack.buttons())[:2] == ["approve", "reject"]


async def approved(play: Playground, slack: SlackSide, approve: Json) -> None:
    """The click asks why; the reason approves, once however often the request comes."""
    assert (await slack.send(slack.click("U0ALICE", approve))).status == 200
    (asked,) = await play.azure.slack("views.open")
    given = slack.submission("U0ALICE", asked["body"]["view"], "the canaries look well")
    for _ in range(2):
        answer = await slack.send(given)
        assert answer.status == 200
        assert "Approved as alice@contoso.example: the canaries look well" in text_of(json.loads(answer.text)["view"])

    async def is_gone() -> bool:
        return not await slack.buttons()

    await eventually(is_gone, "the buttons are gone")
    opened = await eventually(slack.replies, "the thread tells of the approval")
    assert opened
    trail = await play.sluice("audit", "verify", *play.state)
    assert trail.status == 0, trail
