"""Block Kit: shape, Slack's limits, and nothing that Slack could read as markup."""

import re

import msgspec
from block_kit import check_message
from hypothesis import given, settings
from texts import HOSTILE, batches, failed_stage, nodes, strings

from shared.domain.announcements import ClusterLine
from shared.providers.slack import render
from shared.providers.wording import units


def shown(message: object) -> str:
    return "\n".join(str(node["text"]) for node in nodes(message) if node.get("type") in {"text", "plain_text"})


@settings(deadline=None, max_examples=50)
@given(batch=batches)
def test_whatever_is_told_keeps_the_limits(batch: list) -> None:
    message = render(batch)
    check_message(message)
    assert msgspec.json.decode(msgspec.json.encode(message)) == message
    assert units(message["text"]) <= 4000
    assert len(message["blocks"]) <= 50
    assert sum(units(str(node["text"])) for node in nodes(message["blocks"]) if isinstance(node.get("text"), str)) <= 13_200
    for block in message["blocks"]:
        if block["type"] == "header":
            assert 1 <= units(block["text"]["text"]) <= 150
        if block["type"] == "section":
            assert 1 <= units(block.get("text", {"text": "x"})["text"]) <= 3000
            assert len(block.get("fields", [])) <= 10
            assert all(1 <= units(each["text"]) <= 2000 for each in block.get("fields", []))
    runs = [node for node in nodes(message["blocks"]) if node.get("type") in {"text", "link"}]
    assert all(node["text"] for node in runs)
    assert all(node["elements"] for node in nodes(message["blocks"]) if "elements" in node)


@settings(deadline=None, max_examples=50)
@given(batch=batches)
def test_whatever_is_told_mentions_nobody_and_links_only_where_it_may(batch: list) -> None:
    message = render(batch)
    assert not any(re.search(r"<[!@#]|<https?:", text) for text in strings(message))
    assert not set("<>") & set(message["text"])
    assert not any(node.get("type") in {"mrkdwn", "user", "usergroup", "broadcast", "channel"} for node in nodes(message))
    assert all(str(node["url"]).startswith(("https://", "http://127.0.0.1")) for node in nodes(message) if "url" in node)


def test_one_announcement() -> None:
    message = render([failed_stage()])
    assert [block["type"] for block in message["blocks"]] == ["header", "section", "section", "rich_text"]
    assert message["text"] == "platform: stage canary failed: 3 of 12 clusters failed; the rollout is paused"
    told = shown(message)
    for text in (
        "\U0001f534 platform: stage canary failed",
        "Commit\n0a1b2c3",
        "refs/heads/feature_x_y",
        "store-001",
        " BuildFailed",
        "and 1 more",
    ):
        assert text in told
    (link,) = (node for node in nodes(message) if node.get("type") == "link")
    assert (link["text"], link["url"]) == ("Open rollout", "https://sluice.example/rollouts/1")


def test_the_notification_text_is_escaped() -> None:
    text = render([failed_stage(title="a & b <c>", summary=HOSTILE)])["text"]
    assert text.startswith("a &amp; b &lt;c&gt;: ")
    assert "!channel&gt;" in text


def test_clusters_give_way_to_the_limit_and_are_counted() -> None:
    lines = tuple(ClusterLine(f"cluster-{number:03}", "reason " * 40) for number in range(300))
    message = render([failed_stage(clusters=lines, more_clusters=700)])
    named = shown(message).count("cluster-")
    assert 0 < named <= 20
    assert f"and {1000 - named} more" in shown(message)


def test_several_announcements_are_one_header_and_sections() -> None:
    message = render([failed_stage(), failed_stage(title="second"), failed_stage(title="third", severity="info")])
    assert sum(block["type"] == "header" for block in message["blocks"]) == 1
    assert "\U0001f534 second" in shown(message)
    assert "\U0001f535 third" in shown(message)
    assert "and 38 more" in shown(render([failed_stage(clusters=())] * 51))


def test_what_to_do_next_is_told() -> None:
    message = render([failed_stage(next_step="sluice retry rollout-1"), failed_stage(next_step="<!here> look")])
    assert "sluice retry rollout-1" in shown(message)
    assert "\u2039!here> look" in shown(message)
