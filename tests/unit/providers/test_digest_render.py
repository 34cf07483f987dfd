"""A message with a picture keeps each channel's limits; the picture is the first to go."""

import base64

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st
from texts import HOSTILE, nodes

from shared.domain.announcements import Announcement, ClusterLine, Picture
from shared.providers import msteams, slack
from shared.providers.slack_files import illustrated

LARGEST = bytes(8 * 1024)
SPARKLINE = "98.6 % (2,958 of 3,000) ▇▇▅▂▇█ 14 days"


def a_digest(png: bytes = LARGEST, clusters: int = 10, text: str = "x") -> Announcement:
    return Announcement(
        id="1",
        kind="digest.daily",
        severity="info",
        title=f"Daily digest fleet: {text}",
        summary=text,
        facts=(("Compliance", SPARKLINE), *((f"Fact {number}", text) for number in range(7))),
        clusters=tuple(ClusterLine(name=f"cluster-{number} {text}", reason=text) for number in range(clusters)),
        picture=Picture(png=png, text=SPARKLINE),
    )


def images(message: object) -> list[dict[str, str]]:
    return [node for node in nodes(message) if node.get("type") in {"Image", "image"}]


def test_teams_shows_the_picture_within_the_card_and_the_same_in_words() -> None:
    message = msteams.render([a_digest(b"png")])
    [image] = images(message)
    assert image["url"] == f"data:image/png;base64,{base64.b64encode(b'png').decode()}"
    assert image["altText"] == SPARKLINE
    assert SPARKLINE in [node.get("text") for node in nodes(message)]
    assert len(images(msteams.render([a_digest(text="x" * 100)]))) == 1


@settings(deadline=None, max_examples=50)
@given(text=st.text(max_size=3000) | st.sampled_from(["\U0001f600" * 900, '"\\' * 900, *HOSTILE]), clusters=st.integers(0, 30))
def test_whatever_a_digest_says_teams_takes_it(text: str, clusters: int) -> None:
    assert len(msgspec.json.encode(msteams.render([a_digest(clusters=clusters, text=text)]))) <= msteams.MESSAGE_LIMIT


@settings(deadline=None, max_examples=50)
@given(text=st.text(max_size=3000) | st.sampled_from(HOSTILE))
def test_slack_names_the_file_before_the_lists(text: str) -> None:
    digest = a_digest(text=text)
    assert digest.picture is not None
    message = illustrated(slack.render([digest]), "F0123456", digest.picture)
    kinds = [block["type"] for block in message["blocks"]]
    assert kinds == ["header", *(["section"] * kinds.count("section")), "image", "rich_text"]
    assert images(message["blocks"]) == [{"type": "image", "slack_file": {"id": "F0123456"}, "alt_text": SPARKLINE}]


def test_without_lists_the_picture_comes_last() -> None:
    digest = a_digest(clusters=0)
    assert digest.picture is not None
    assert illustrated(slack.render([digest]), "F0123456", digest.picture)["blocks"][-1]["type"] == "image"
