"""What people send: limits first, and nothing that is misread."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.domain.asks import MAX_BODY_BYTES, Ask, read_ask
from shared.domain.errors import Refused

JSON = "application/json"


@pytest.mark.parametrize("content_type", [JSON, "Application/JSON; charset=utf-8"])
@pytest.mark.parametrize("site", ["", "same-origin", "none"])
def test_an_ask_is_read(content_type: str, site: str) -> None:
    body = '{"reason": "naïve tills 🙂", "stage": "prod"}'.encode()
    assert read_ask(content_type, site, body) == Ask(reason="naïve tills 🙂", stage="prod")


@pytest.mark.parametrize(
    ("content_type", "site", "body", "status", "says"),
    [
        (JSON, "cross-site", b'{"reason": "x"}', 403, "another site"),
        (JSON, "same-site", b'{"reason": "x"}', 403, "another site"),
        ("text/plain", "", b'{"reason": "x"}', 415, "Content-Type"),
        ("", "", b'{"reason": "x"}', 415, "Content-Type"),
        (JSON, "", b" " * (MAX_BODY_BYTES + 1), 413, "bytes"),
        (JSON, "", b"", 400, "not JSON"),
        (JSON, "", b"\xff", 400, "JSON"),
        (JSON, "", b"[" * 10_000, 400, ""),
        (JSON, "", b"{}", 400, "reason"),
        (JSON, "", b'{"reason": ""}', 400, "reason"),
        (JSON, "", b'{"reason": "  "}', 400, "reason"),
        (JSON, "", b'{"reason": 5}', 400, "reason"),
        (JSON, "", json.dumps({"reason": "x" * 501}).encode(), 400, "reason"),
        (JSON, "", b'{"reason": "a\\nb"}', 400, "printable"),
        (JSON, "", b'{"reason": "x", "stages": ["prod"]}', 400, "stages"),
        (JSON, "", b'{"reason": "x", "stage": ""}', 400, "stage"),
    ],
)
def test_anything_else_is_refused_with_what_is_wrong(content_type: str, site: str, body: bytes, status: int, says: str) -> None:
    with pytest.raises(Refused) as caught:
        read_ask(content_type, site, body)
    assert caught.value.status == status
    assert says in caught.value.reason
    assert len(caught.value.reason) <= 300


@given(st.binary(max_size=200))
def test_whatever_is_sent_is_read_or_refused(body: bytes) -> None:
    try:
        ask = read_ask(JSON, "", body)
    except Refused as error:
        assert error.status == 400  # noqa: PT017 -- both outcomes are right
    else:
        assert ask.reason.strip()
