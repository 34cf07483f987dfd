"""Texts made short and safe."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.providers import PROVIDERS
from shared.providers.http import parse_retry_after
from shared.providers.slack import SlackProvider
from shared.providers.wording import ELLIPSIS, paragraph, safe, shorten, units


@given(text=st.text(max_size=400), limit=st.integers(1, 100))
def test_a_short_text_is_kept_and_a_long_one_is_its_beginning(text: str, limit: int) -> None:
    cut = shorten(text, limit)
    assert units(cut) <= limit
    assert cut == text if units(text) <= limit else cut.endswith(ELLIPSIS) and text.startswith(cut[:-1])


def test_a_cut_is_made_between_words() -> None:
    assert shorten("the quick brown fox jumps", 22) == "the quick brown fox" + ELLIPSIS
    assert shorten("x" * 30, 10) == "x" * 9 + ELLIPSIS


@given(text=st.text(alphabet=st.characters(exclude_categories=[])))
def test_what_is_safe_can_be_sent(text: str) -> None:
    cleaned = safe(text, 1000)
    cleaned.encode()
    assert not any(ord(character) < 32 and character != "\n" for character in cleaned)
    assert safe(cleaned, 1000) == cleaned


def test_comparisons_and_ampersands_stay_readable() -> None:
    assert safe("1 < 2 & a->b", 100) == "1 < 2 & a->b"


def test_what_has_no_width_and_piles_of_accents_hide_nothing() -> None:
    assert safe("sto\u200bre \ufeffx\U000e0041", 100) == "sto re  x"
    assert safe("Z" + "\u0301" * 50 + "e\u0301", 100) == "Z" + "\u0301" * 4 + "e\u0301"
    assert safe("\U0001f469\u200d\U0001f4bb", 100) == "\U0001f469\u200d\U0001f4bb"


def test_a_paragraph_has_few_lines_and_no_empty_ones() -> None:
    assert paragraph("a\n\n \nb\n", 100) == "a\nb"
    assert paragraph("a\n" * 9, 100, most=2) == "a\na" + ELLIPSIS


@given(text=st.text(alphabet=st.sampled_from("ab\n \u0301\U0001f600"), max_size=300), limit=st.integers(2, 60))
def test_a_paragraph_keeps_its_limit(text: str, limit: int) -> None:
    assert units(paragraph(text, limit)) <= limit


NOW = 1_767_225_600.0  # Thu, 01 Jan 2026 00:00:00 GMT


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        ("30", 30),
        (" 0 ", 0),
        ("999999999", 86400),
        ("Thu, 01 Jan 2026 00:01:30 GMT", 90),
        ("Wed, 31 Dec 2025 23:59:00 GMT", 0),
        ("Sat, 01 Jan 2028 00:00:00 GMT", 86400),
        ("", None),
        ("soon", None),
        ("-5", None),
        ("1.5", None),
        ("Thu, 99 Jan 2026 00:00:00 GMT", None),
    ],
)
def test_retry_after(value: str, seconds: float | None) -> None:
    assert parse_retry_after(value, NOW) == seconds


@given(value=st.text())
def test_any_retry_after_is_survived(value: str) -> None:
    wait = parse_retry_after(value, NOW)
    assert wait is None or 0 <= wait <= 86400


def test_every_type_has_its_constructor() -> None:
    assert set(PROVIDERS) == {"msteams", "slack", "webhook", "eventgrid", "pagerduty", "opsgenie"}


@pytest.mark.parametrize(("address", "token", "channel"), [("", "", "C1"), ("", "t", ""), ("https://a", "t", "")])
def test_slack_needs_a_webhook_or_a_token_and_a_channel(address: str, token: str, channel: str) -> None:
    with pytest.raises(ValueError, match="Slack"):
        SlackProvider(None, address, token, channel)  # type: ignore[arg-type]
