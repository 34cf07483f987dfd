"""The call of a webhook gate, and the token of its answer."""

import base64
import hmac
from datetime import timedelta
from urllib.parse import parse_qs, urlsplit

import pytest
from builders import NOW, a_gate, a_rollout, a_stage, at
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from shared.domain.errors import Malformed
from shared.domain.gate_calls import call_headers, call_id, is_token_for, make_call, make_token, signing_key

KEY = bytes(range(32))
SECRET = f"whsec_{base64.b64encode(KEY).decode()}"
GATE = a_gate(name="change-window", type="webhook", expires_after_seconds=3600.5)
ROLLOUT = a_rollout(a_stage(gates=(GATE,)))


def test_a_secret_is_a_key_of_random_bytes() -> None:
    assert signing_key(SECRET) == KEY


@pytest.mark.parametrize(
    "secret", ["", "whsec_", SECRET.removeprefix("whsec_"), "whsec_not base64!", "whsec_é", f"whsec_{base64.b64encode(bytes(23)).decode()}"]
)
def test_another_secret_is_refused_without_being_told(secret: str) -> None:
    with pytest.raises(Malformed) as malformed:
        signing_key(secret)
    assert secret.removeprefix("whsec_") == "" or secret.removeprefix("whsec_") not in str(malformed.value)


def test_a_call_is_signed_as_standard_webhooks_says() -> None:
    """Over id, time and body, with the key's bytes."""
    headers = call_headers("msg_1", b'{"a": 1}', KEY, at(0.7))
    timestamp = str(int(NOW.timestamp()))
    expected = base64.b64encode(hmac.digest(KEY, f'msg_1.{timestamp}.{{"a": 1}}'.encode(), "sha256")).decode()
    assert headers == {"webhook-id": "msg_1", "webhook-timestamp": timestamp, "webhook-signature": f"v1,{expected}"}


def test_the_worked_example_of_the_specification_comes_out() -> None:
    """The one in its reference libraries' tests (github.com/standard-webhooks)."""
    key = signing_key("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")
    moment = NOW + timedelta(seconds=1614265330 - NOW.timestamp())
    headers = call_headers("msg_p5jXN8AQM9LWM0D4loKWxJek", b'{"test": 2432232314}', key, moment)
    assert headers["webhook-signature"] == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


def test_a_question_is_the_same_for_every_attempt_and_says_where_to_answer() -> None:
    call = make_call(ROLLOUT, 0, GATE, KEY, "https://sluice.example")
    assert make_call(ROLLOUT, 0, GATE, KEY, "https://sluice.example") == call
    assert (call.timestamp, call.data.expires_at) == (NOW, at(3600))
    assert (call.data.stage, call.data.gate, call.data.revision) == ("canary", "change-window", ROLLOUT.revision)
    address = urlsplit(call.data.callback_url)
    assert (address.netloc, address.path) == ("sluice.example", "/api/gates/rollout-1/0/change-window")
    (token,) = parse_qs(address.query)["token"]
    assert is_token_for(token, KEY, "rollout-1", 0, "change-window", at(3599))
    assert not is_token_for(token, KEY, "rollout-1", 0, "change-window", at(3600))


def test_a_gate_that_never_expires_is_answered_as_long_as_its_rollout_is_kept() -> None:
    call = make_call(ROLLOUT, 0, a_gate(type="webhook"), KEY, "https://sluice.example")
    assert call.data.expires_at == NOW + timedelta(days=180)


def test_a_gate_that_nobody_waits_at_is_not_asked() -> None:
    with pytest.raises(Malformed):
        make_call(ROLLOUT, 0, a_gate(asked_at=None), KEY, "https://sluice.example")


def test_a_call_s_id_names_one_question() -> None:
    gates = [a_gate(name=name, asked_at=asked_at) for name in ("g", "h") for asked_at in (NOW, at(60))]
    ids = {call_id(rollout, stage, gate) for rollout in ("r", "s") for stage in (0, 1) for gate in gates}
    assert len(ids) == 16
    assert call_id("r", 0, replace(gates[0], called_at=at(5), verdicts=())) in ids


TOKEN = make_token(KEY, "rollout-1", 0, "go", at(60))


@pytest.mark.parametrize(
    ("key", "rollout", "stage", "gate"),
    [
        (bytes(32), "rollout-1", 0, "go"),
        (KEY, "rollout-2", 0, "go"),
        (KEY, "rollout-1", 1, "go"),
        (KEY, "rollout-1", 0, "stop"),
        (KEY, "rollout-10", 0, "go"),
    ],
)
def test_a_token_opens_one_gate(key: bytes, rollout: str, stage: int, gate: str) -> None:
    assert is_token_for(TOKEN, KEY, "rollout-1", 0, "go", NOW)
    assert not is_token_for(TOKEN, key, rollout, stage, gate, NOW)


@given(
    st.text(max_size=60)
    | st.integers(0, len(TOKEN) - 1).flatmap(lambda at: st.characters().map(lambda c: TOKEN[:at] + c + TOKEN[at + 1 :]))
)
def test_whatever_is_no_token_is_refused(text: str) -> None:
    assert is_token_for(text, KEY, "rollout-1", 0, "go", NOW) == (text == TOKEN)


def test_a_token_cannot_be_given_more_time() -> None:
    seconds, _, mac = TOKEN.partition(".")
    for longer in (str(int(seconds) + 1), f"0{seconds}", "99999999999"):
        assert not is_token_for(f"{longer}.{mac}", KEY, "rollout-1", 0, "go", NOW)
