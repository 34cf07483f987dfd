"""How senders prove themselves: what is accepted, and all that is not."""

import base64
import hmac
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta

import pytest
from builders import NOW
from hypothesis import given
from hypothesis import strategies as st

from shared.domain.errors import Refused
from shared.receivers.inbound import Inbound
from shared.receivers.verification import verify_basic_auth, verify_hmac, verify_slack, verify_standard_webhooks, verify_token

BODY = b'{"ref": "refs/heads/main"}'
KEY = b"32 bytes of key, more or less..."
WHSEC = f"whsec_{base64.b64encode(KEY).decode()}"


def digest_of(body: bytes = BODY, *, secret: str = "s", algorithm: str = "sha256") -> str:  # noqa: S107 -- the tests' secret
    return hmac.digest(secret.encode(), body, algorithm).hex()


def reason(check: Callable[[], object]) -> str:
    with pytest.raises(Refused) as refused:
        check()
    assert (refused.value.status, refused.value.explain) == (401, False)
    return refused.value.reason.partition(":")[0]


@pytest.mark.parametrize(
    ("algorithms", "signature"),
    [
        ({"sha256=": "sha256"}, f"sha256={digest_of()}"),
        ({"sha256=": "sha256"}, f"sha256={digest_of().upper()}"),
        ({"sha256=": "sha256", "sha512=": "sha512"}, f"sha512={digest_of(algorithm='sha512')}"),
        ({"": "sha256"}, digest_of()),
        ({"": "sha1"}, digest_of(algorithm="sha1")),
    ],
)
def test_the_digest_of_an_accepted_hash_is_right(algorithms: dict[str, str], signature: str) -> None:
    verify_hmac(BODY, signature, ["other", "s"], algorithms)


@pytest.mark.parametrize(
    ("algorithms", "signature", "expected"),
    [
        ({"sha256=": "sha256"}, "", "signature-missing"),
        ({"sha256=": "sha256"}, "sha256=", "signature-wrong"),
        ({"sha256=": "sha256"}, digest_of(), "signature-wrong"),
        ({"sha256=": "sha256"}, f"sha512={digest_of(algorithm='sha512')}", "signature-wrong"),
        ({"sha256=": "sha256", "sha512=": "sha512"}, f"sha512={digest_of()}", "signature-wrong"),
        ({"sha256=": "sha256", "sha512=": "sha512"}, f"sha1={digest_of(algorithm='sha1')}", "signature-wrong"),
        ({"": "sha256"}, f"sha256={digest_of()}", "signature-wrong"),
        ({"": "sha256"}, digest_of(algorithm="sha1"), "signature-wrong"),
        ({"": "sha256"}, digest_of(secret="t"), "signature-wrong"),
        ({"": "sha256"}, "ü", "signature-wrong"),
    ],
)
def test_every_other_digest_is_wrong(algorithms: dict[str, str], signature: str, expected: str) -> None:
    assert reason(lambda: verify_hmac(BODY, signature, ["s"], algorithms)) == expected


def a_webhook(body: bytes = BODY, *, age: float = 0, key: bytes = KEY, **headers: str) -> Inbound:
    timestamp = str(int((NOW - timedelta(seconds=age)).timestamp()))
    signature = base64.b64encode(hmac.digest(key, f"msg_1.{timestamp}.".encode() + body, "sha256")).decode()
    signed = {"webhook-id": "msg_1", "webhook-timestamp": timestamp, "webhook-signature": f"v1,{signature}"}
    changed = {name.replace("_", "-"): value for name, value in headers.items()}
    return Inbound(receiver="r", headers=signed | changed, body=body, received_at=NOW)


def test_the_documented_example_of_standard_webhooks_is_right() -> None:
    """The test vector of its libraries: secret, id, time, body and signature as they publish them."""
    at = NOW.fromtimestamp(1614265330, NOW.tzinfo)
    headers = {
        "webhook-id": "msg_p5jXN8AQM9LWM0D4loKWxJek",
        "webhook-timestamp": "1614265330",
        "webhook-signature": "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
    }
    inbound = Inbound(receiver="r", headers=headers, body=b'{"test": 2432232314}', received_at=at)
    assert verify_standard_webhooks(inbound, ["whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"]) == "msg_p5jXN8AQM9LWM0D4loKWxJek"


@pytest.mark.parametrize("age", [-300, -1, 0, 299, 300])
def test_a_signed_webhook_is_accepted_within_five_minutes(age: float) -> None:
    assert verify_standard_webhooks(a_webhook(age=age), ["whsec_b3RoZXI=", WHSEC]) == "msg_1"


def test_one_of_several_signatures_is_enough() -> None:
    signature = a_webhook().headers["webhook-signature"]
    for several in (f"v1a,AAAA v1,AAAA {signature}", f"{signature} v1,AAAA"):
        assert verify_standard_webhooks(a_webhook(webhook_signature=several), [WHSEC])


def test_secrets_of_another_scheme_are_passed_over() -> None:
    assert verify_standard_webhooks(a_webhook(), ["a plain token", WHSEC]) == "msg_1"


@pytest.mark.parametrize(
    ("inbound", "expected"),
    [
        (a_webhook(age=301), "timestamp-away"),
        (a_webhook(age=-301), "timestamp-away"),
        (a_webhook(age=400, webhook_timestamp=str(int(NOW.timestamp()))), "signature-wrong"),
        (a_webhook(key=b"another"), "signature-wrong"),
        (a_webhook(webhook_id="msg_2"), "signature-wrong"),
        (a_webhook(webhook_signature=""), "signature-missing"),
        (a_webhook(webhook_signature="v1"), "signature-wrong"),
        (a_webhook(webhook_signature="v1,"), "signature-wrong"),
        (a_webhook(webhook_signature=a_webhook().headers["webhook-signature"].replace("v1,", "v1a,")), "signature-wrong"),
        (a_webhook(webhook_id=""), "signature-incomplete"),
        (a_webhook(webhook_id="msg.1"), "signature-incomplete"),
        (a_webhook(webhook_id="x" * 257), "signature-incomplete"),
        (a_webhook(webhook_timestamp=""), "signature-incomplete"),
        (a_webhook(webhook_timestamp="now"), "signature-incomplete"),
        (a_webhook(webhook_timestamp="-1"), "signature-incomplete"),
        (a_webhook(webhook_timestamp="\u0661"), "signature-incomplete"),
        (a_webhook(webhook_timestamp="9" * 5000), "signature-incomplete"),
    ],
)
def test_every_other_webhook_is_refused(inbound: Inbound, expected: str) -> None:
    assert reason(lambda: verify_standard_webhooks(inbound, [WHSEC])) == expected


@pytest.mark.parametrize("secret", ["a plain token", "whsec_", "whsec_?", base64.b64encode(KEY).decode()])
def test_what_is_no_signing_secret_verifies_nothing(secret: str) -> None:
    assert reason(lambda: verify_standard_webhooks(a_webhook(key=secret.encode()), [secret])) == "secret-invalid"
    assert reason(lambda: verify_standard_webhooks(a_webhook(key=b""), [secret])) == "secret-invalid"


def test_a_token_is_compared_whole() -> None:
    verify_token("s3cret ü", ["other", "s3cret ü"])
    for wrong in ("s3cret", "s3cret ü ", "S3CRET Ü", "other,s3cret ü"):
        assert reason(lambda wrong=wrong: verify_token(wrong, ["s3cret ü"])) == "token-wrong"
    assert reason(lambda: verify_token("", ["s"])) == "token-missing"


def basic(text: str) -> str:
    return f"Basic {base64.b64encode(text.encode()).decode()}"


def test_basic_authentication_is_compared_whole() -> None:
    for right in (basic("user:pass:word"), basic("user:pass:word").replace("Basic", "basic")):
        verify_basic_auth(right, ["other:one", "user:pass:word"])
    for wrong in (basic("user:pass"), basic("user:"), basic("user:pass:word")[6:], "Basic", "Basic ", "Bearer user:pass:word", "Basic ü"):
        assert reason(lambda wrong=wrong: verify_basic_auth(wrong, ["user:pass:word"])) == "authorization-wrong"
    assert reason(lambda: verify_basic_auth("", ["user:password"])) == "authorization-missing"


@pytest.mark.parametrize("secrets", [(), ("",), ("right", ""), ("", "right")])
def test_half_a_configuration_is_none(secrets: Sequence[str]) -> None:
    checks: list[Callable[[], object]] = [
        lambda: verify_hmac(BODY, digest_of(secret="right"), secrets, {"": "sha256"}),
        lambda: verify_standard_webhooks(a_webhook(), secrets),
        lambda: verify_token("right", secrets),
        lambda: verify_basic_auth(basic("right"), secrets),
    ]
    assert [reason(check) for check in checks] == ["secret-empty"] * 4


@given(st.text(), st.text(min_size=1))
def test_whatever_is_given_proves_something_only_where_it_is_the_secret(given_text: str, secret: str) -> None:
    try:
        verify_token(given_text, [secret])
    except Refused:
        assert given_text != secret
    else:
        assert given_text == secret


def slack_headers(seconds: float = 0, *, secret: str = "s", body: bytes = BODY, version: str = "v0") -> dict[str, str]:  # noqa: S107 -- as above
    timestamp = str(int(NOW.timestamp() + seconds))
    signature = f"{version}={digest_of(f'{version}:{timestamp}:'.encode() + body, secret=secret)}"
    return {"x-slack-request-timestamp": timestamp, "x-slack-signature": signature}


def test_slack_signs_as_its_documentation_says() -> None:
    """The example of docs.slack.dev/authentication/verifying-requests-from-slack."""
    body = (
        b"token=xyzz0WbapA4vBCDEFasx0q6G&team_id=T1DC2JH3J&team_domain=testteamnow&channel_id=G8PSS9T3V&channel_name=foobar"
        b"&user_id=U2CERLKJA&user_name=roadrunner&command=%2Fwebhook-collect&text=&response_url=https%3A%2F%2Fhooks.slack.com%2Fcommands"
        b"%2FT1DC2JH3J%2F397700885554%2F96rGlfmibIGlgcZRskXaIFfN&trigger_id=398738663015.47445629121.803a0bc887a14d10d2c447fce8b6703c"
    )
    signature = "v0=a2114d57b48eac39b9ad189dd8316235a7b4a8d21a10bd27519666489c69b503"
    headers = {"x-slack-request-timestamp": "1531420618", "x-slack-signature": signature}
    verify_slack(headers, body, ["8f742231b10e8888abcd99yyyzzz85a5"], datetime.fromtimestamp(1531420618, UTC))


@pytest.mark.parametrize("seconds", [-300, 0, 300])
def test_slack_has_five_minutes_and_two_secrets(seconds: float) -> None:
    verify_slack(slack_headers(seconds), BODY, ["other", "s"], NOW)


@pytest.mark.parametrize(
    ("headers", "secrets", "expected"),
    [
        ({}, ["s"], "signature-incomplete"),
        ({"x-slack-signature": "v0=00"}, ["s"], "signature-incomplete"),
        ({"x-slack-request-timestamp": "soon", "x-slack-signature": "v0=00"}, ["s"], "signature-incomplete"),
        ({"x-slack-request-timestamp": "1"}, ["s"], "signature-missing"),
        (slack_headers(secret="t"), ["s"], "signature-wrong"),
        (slack_headers(body=b"other"), ["s"], "signature-wrong"),
        (slack_headers(version="v1"), ["s"], "signature-wrong"),
        (slack_headers() | {"x-slack-request-timestamp": str(int(NOW.timestamp()) + 1)}, ["s"], "signature-wrong"),
        (slack_headers(-301), ["s"], "timestamp-away"),
        (slack_headers(301), ["s"], "timestamp-away"),
        (slack_headers(), [], "secret-empty"),
        (slack_headers(secret=""), [""], "secret-empty"),
    ],
)
def test_slack_is_refused(headers: dict[str, str], secrets: list[str], expected: str) -> None:
    assert reason(lambda: verify_slack(headers, BODY, secrets, NOW)) == expected
