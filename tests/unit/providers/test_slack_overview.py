"""The message that shows a rollout as it is: Block Kit that Slack takes, and nothing that it could read as markup."""

import json
import re
from datetime import UTC, datetime
from typing import Any

from block_kit import check_message, check_modal
from builders import NOW, a_gate, a_rollout, a_stage
from hypothesis import given, settings
from hypothesis import strategies as st
from texts import HOSTILE, nodes, strings, texts, urls

from shared.domain.interactions import Asked
from shared.domain.overviews import Overview, Question, StageView, overview
from shared.providers.slack_dialog import reason_modal, told_modal
from shared.providers.slack_overview import render_overview

counts = st.integers(0, 10**6)
stage_views = st.builds(
    StageView,
    name=texts,
    state=st.sampled_from(["pending", "running", "succeeded", "failed", "cancelled"]),
    total=counts,
    done=counts,
    failed=counts,
    offline=counts,
    skipped=counts,
)
names = st.text(st.characters(exclude_categories=["Cs"]), max_size=200)  # from sluice.yaml, where they are narrower still
questions = st.builds(
    Question,
    stage=names,
    gate=names,
    approvers=st.lists(texts, max_size=4).map(tuple),
    approved=st.integers(0, 20),
    required=st.integers(1, 20),
    link=urls,
)
overviews = st.builds(
    Overview,
    rollout=st.just("r-1"),
    route=texts,
    state=st.sampled_from(["pending", "running", "succeeded", "failed", "cancelled"]),
    words=st.sampled_from(["under way", "paused", "waiting", "finished"]),
    commit=texts,
    title=texts,
    source=texts,
    ref=texts,
    author=texts,
    forced=st.booleans(),
    stages=st.lists(stage_views, max_size=20).map(tuple),
    waiting_for=texts,
    since=st.datetimes(datetime(2001, 1, 1), datetime(2100, 1, 1), timezones=st.just(UTC)),  # noqa: DTZ001 -- the zone is given beside
    next_step=texts,
    questions=st.lists(questions, max_size=5).map(tuple),
    link=urls,
    failures_link=urls,
)
#: All that may stand in a text that Slack parses: bold labels of ours, numbers, and its own form of times.
OURS = re.compile(
    r"\*(Clusters|Failed|Offline|Since)\*\n([0-9,]+( of [0-9,]+)?|<!date\^[0-9]+\^\{date_short_pretty\} \{time\}\|[0-9 :-]+ UTC>)"
)


def text_of(message: object) -> str:
    return "\n".join(str(node["text"]) for node in nodes(message) if isinstance(node.get("text"), str))


@settings(deadline=None, max_examples=80)
@given(view=overviews, asks=st.booleans(), opens_with=texts)
def test_whatever_a_rollout_is_slack_takes_it(view: Overview, opens_with: str, *, asks: bool) -> None:
    check_message(render_overview(view, asks=asks, opens_with=opens_with))


@settings(deadline=None, max_examples=80)
@given(view=overviews, asks=st.booleans())
def test_nothing_that_others_wrote_is_markup(view: Overview, *, asks: bool) -> None:
    message = render_overview(view, asks=asks)
    assert not set("<>") & set(message["text"])
    parsed = [str(node["text"]) for node in nodes(message) if node.get("type") == "mrkdwn"]
    assert all(OURS.fullmatch(text) for text in parsed)
    others = [text for text in strings(message) if text not in parsed]
    assert not any(re.search(r"<[!@#]|<https?:", text) for text in others if not text.startswith('{"rollout"'))
    kinds = {str(node.get("type")) for node in nodes(message)}
    assert not kinds & {"user", "usergroup", "broadcast", "channel", "emoji"}
    assert all(str(node["url"]).startswith(("https://", "http://127.0.0.1")) for node in nodes(message) if "url" in node)


def a_thousand(**fields: Any) -> Overview:
    stages = (
        a_stage("canary", total=20, state="succeeded", counts={"compliant": 20}),
        a_stage("prod", total=980, state="running", counts={"compliant": 500, "failed": 30, "offline": 20, "pending": 430}),
    )
    return overview(a_rollout(*stages, **{"current": 1} | fields), "https://sluice.example")


def test_a_rollout_under_way() -> None:
    message = render_overview(a_thousand(), asks=True)
    told = text_of(message)
    assert message["text"] == "platform: under way, 520 of 1,000 clusters, 30 failed"
    assert [block["type"] for block in message["blocks"]] == ["header", "context", "section", "rich_text", "rich_text"]
    for text in (
        "\U0001f534 platform: under way",
        "00000000 Change the platform",
        "by alice",
        "*Failed*\n30",
        f"*Since*\n<!date^{int(NOW.timestamp())}^",
        "\u2714 canary  \u2588\u2588\u2588\u2588\u2588\u2588\u2588\u2588\u2588\u2588  20/20",
        "prod    \u2588\u2588\u2588\u2588\u2588\u2592\u2591\u2591\u2591\u2591  500/980  30 failed  20 offline",
        "30 clusters failed",
    ):
        assert text in told
    assert "https://sluice.example/api/dashboard?rollout=rollout-1&state=failed" in list(strings(message))


def test_colours_say_how_it_goes() -> None:
    def mark(**fields: Any) -> str:
        message = render_overview(overview(a_rollout(**fields)), asks=False)
        return str(message["blocks"][0]["text"]["text"][0])

    assert mark() == "\U0001f535"
    assert mark(state="paused") == "\U0001f534"
    assert mark(state="succeeded") == "\U0001f7e2"
    assert mark(state="superseded") == "\u26aa"


def test_what_holds_it_up_is_told_as_what_it_is() -> None:
    waiting = render_overview(overview(a_rollout(waiting_for="the window from 08:00")), asks=True)
    assert "Waits for: \nthe window from 08:00" in text_of(waiting)
    paused = render_overview(overview(a_rollout(state="paused", reason="paused by alice: odd")), asks=True)
    assert "Because: \npaused by alice: odd" in text_of(paused)


def asking() -> Overview:
    rollout = a_rollout(a_stage("prod", total=1, gates=(a_gate(required=2),)), waiting_for="approval")
    return overview(rollout, "https://sluice.example")


def test_a_question_has_buttons_and_a_page_where_slack_calls_us() -> None:
    message = render_overview(asking(), asks=True)
    (actions,) = (block for block in message["blocks"] if block["type"] == "actions")
    assert [button["action_id"] for button in actions["elements"]] == ["approve", "reject", "page"]
    assert json.loads(actions["elements"][0]["value"]) == {"rollout": "rollout-1", "stage": "prod", "gate": "go"}
    assert actions["elements"][2]["url"].endswith("?rollout=rollout-1&stage=prod&gate=go")
    assert " needs the approval of platform-leads (0 of 2)" in text_of(message)
    assert message["blocks"][0]["text"]["text"].startswith("\U0001f7e1")


def test_without_a_signing_secret_a_question_has_its_page_only() -> None:
    message = render_overview(asking(), asks=False)
    assert not any(block["type"] == "actions" for block in message["blocks"])
    assert "Approval page of prod / go" in text_of(message)
    nowhere = render_overview(overview(a_rollout(a_stage(gates=(a_gate(),)), author="")), asks=True)
    assert not any("url" in node for node in nodes(nowhere))


@settings(deadline=None, max_examples=50)
@given(stage=names, title=texts, told=texts)
def test_dialogs_are_valid_whatever_stands_in_them(stage: str, title: str, told: str) -> None:
    asked = Asked(rollout="r-1", stage=stage, gate="go")
    check_modal(reason_modal("approve", asked, a_rollout(title=title)))
    check_modal(told_modal("Approved", told))


def test_a_dialog_shows_texts_as_they_are() -> None:
    view = reason_modal("reject", Asked(rollout="r-1", stage="prod", gate="go"), a_rollout(title=HOSTILE))
    assert (view["callback_id"], view["title"]["text"]) == ("gate.reject", "Reject")
    assert not any(node.get("type") == "mrkdwn" for node in nodes(view))
    assert "<!channel>" not in text_of(view)
