"""GitHub's deliveries: recorded shapes, signatures, and whatever else someone may send."""

import hmac
import json
from datetime import datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import msgspec
import pytest
from builders import NOW, sha
from hypothesis import example, given
from hypothesis import strategies as st

from shared.domain.changes import Change
from shared.domain.errors import Refused
from shared.receivers import SENDERS
from shared.receivers.inbound import Inbound, Received

PAYLOADS = Path(__file__).parents[2] / "payloads" / "github"
SECRET = "correct horse battery staple"


def receive(headers: dict[str, str], body: bytes, *secrets: str) -> Received:
    inbound = Inbound(receiver="platform", headers={name.lower(): value for name, value in headers.items()}, body=body, received_at=NOW)
    return SENDERS["github"].receive(inbound, secrets or (SECRET,))


def signature(body: bytes, secret: str = SECRET) -> str:
    return f"sha256={hmac.digest(secret.encode(), body, 'sha256').hex()}"


def headers_for(body: bytes, event: str = "push", **more: str) -> dict[str, str]:
    named = {name.replace("_", "-"): value for name, value in more.items()}
    return {"X-GitHub-Event": event, "X-GitHub-Delivery": "delivery-1", "X-Hub-Signature-256": signature(body)} | named


def a_push(**fields: Any) -> bytes:
    """A push with no more than Sluice needs."""
    push = {
        "ref": "refs/heads/main",
        "before": sha(1),
        "after": sha(2),
        "repository": {"clone_url": "https://github.com/contoso/platform.git"},
    }
    return msgspec.json.encode(push | fields)


def change_of(body: bytes, **more: str) -> Change:
    (change,) = receive(headers_for(body, **more), body).changes
    return change


@pytest.mark.parametrize("folder", sorted(PAYLOADS.glob("*/*")), ids=lambda folder: f"{folder.parent.name}/{folder.name}")
def test_a_recorded_signature_is_right(folder: Path) -> None:
    """They were made when the deliveries were, not by these tests."""
    (body,) = folder.glob("body.*")
    headers = json.loads((folder / "headers.json").read_text())
    assert receive(headers, body.read_bytes()).delivery == headers["X-GitHub-Delivery"]


GOOD = a_push()


@pytest.mark.parametrize(
    ("given", "reason"),
    [
        (None, "signature-missing"),
        ("", "signature-missing"),
        ("sha256=", "signature-wrong"),
        ("sha256", "signature-wrong"),
        (f"sha1={hmac.digest(SECRET.encode(), GOOD, 'sha1').hex()}", "signature-wrong"),
        (f"sha1={signature(GOOD).removeprefix('sha256=')}", "signature-wrong"),
        (signature(GOOD).removeprefix("sha256="), "signature-wrong"),
        (f"SHA256={signature(GOOD).removeprefix('sha256=')}", "signature-wrong"),
        (signature(GOOD)[:-1], "signature-wrong"),
        (signature(GOOD) + "0", "signature-wrong"),
        (f" {signature(GOOD)}", "signature-wrong"),
        (signature(GOOD).replace("=", "=="), "signature-wrong"),
        (signature(GOOD + b" "), "signature-wrong"),
        (signature(GOOD, "another secret"), "signature-wrong"),
        (signature(GOOD, ""), "signature-wrong"),
        ("sha256=ümläut", "signature-wrong"),
        ("sha256=\u0660" * 64, "signature-wrong"),
        (f"sha256={'?' * 64}", "signature-wrong"),
        ("sha256=" + "0" * 100_000, "signature-wrong"),
    ],
)
def test_without_the_right_signature_nothing_is_read(given: str | None, reason: str) -> None:
    headers = headers_for(GOOD)
    del headers["X-Hub-Signature-256"]
    if given is not None:
        headers["X-Hub-Signature-256"] = given
    with pytest.raises(Refused) as refused:
        receive(headers, GOOD)
    assert (refused.value.status, refused.value.reason, refused.value.explain) == (401, reason, False)


def test_the_hexadecimal_digits_may_be_upper_case() -> None:
    assert receive(headers_for(GOOD, X_Hub_Signature_256=f"sha256={signature(GOOD)[7:].upper()}"), GOOD).changes


def test_both_secrets_are_valid_while_one_replaces_the_other() -> None:
    for secret in ("new", "old"):
        assert receive(headers_for(GOOD, X_Hub_Signature_256=signature(GOOD, secret)), GOOD, "new", "old").changes
    with pytest.raises(Refused, match="signature-wrong"):
        receive(headers_for(GOOD, X_Hub_Signature_256=signature(GOOD, "older")), GOOD, "new", "old")


@pytest.mark.parametrize("secrets", [("",), ("right", ""), ("", "right")])
def test_half_a_configuration_is_none(secrets: tuple[str, ...]) -> None:
    with pytest.raises(Refused, match="secret-empty") as refused:
        receive(headers_for(GOOD, X_Hub_Signature_256=signature(GOOD, secrets[-1])), GOOD, *secrets)
    assert refused.value.status == 401


def test_a_receiver_without_secrets_accepts_nothing() -> None:
    inbound = Inbound(receiver="platform", headers={"x-hub-signature-256": signature(GOOD)}, body=GOOD, received_at=NOW)
    with pytest.raises(Refused, match="secret-empty"):
        SENDERS["github"].receive(inbound, ())


@pytest.mark.parametrize("name", ["X-GitHub-Event", "X-GitHub-Delivery"])
def test_a_delivery_without_its_headers_is_refused_with_a_reason(name: str) -> None:
    headers = headers_for(GOOD)
    del headers[name]
    with pytest.raises(Refused, match="headers-missing") as refused:
        receive(headers, GOOD)
    assert (refused.value.status, refused.value.explain) == (400, True)


BROKEN: dict[str, bytes] = {
    "empty": b"",
    "not json": b"pushed",
    "not utf-8": b'{"ref": "\xff"}',
    "cut": GOOD[:-2],
    "a list": b"[]",
    "null": b"null",
    "nested without end": b"[" * 200_000,
    "nested objects without end": b'{"a":' * 200_000,
    "no ref": b"{}",
    "short ref": a_push(ref="main"),
    "endless ref": a_push(ref="refs/heads/" + "x" * 2000),
    "not a sha": a_push(after="HEAD"),
    "sha with a line feed": a_push(after=sha(1) + "\n"),
    "no repository": a_push(repository=None),
    "no clone url": a_push(repository={}),
    "no url": a_push(repository={"clone_url": "https://"}),
    "hostile url": a_push(repository={"clone_url": "https://[::1/x"}),
    "commits are no list": a_push(commits="none"),
    "paths are no texts": a_push(commits=[{"added": [1]}]),
    "a lone surrogate in a path": a_push(commits=[{"added": ["MARK"]}]).replace(b"MARK", b"\\ud800"),
    "a lone surrogate in a title": a_push(head_commit={"id": sha(2), "message": "MARK"}).replace(b"MARK", b"\\ud800"),
    "a lone surrogate": b'{"ref": "refs/heads/\\ud800"}',
}


@pytest.mark.parametrize("body", BROKEN.values(), ids=BROKEN.keys())
def test_a_signed_body_that_is_no_push_is_refused_with_a_reason(body: bytes) -> None:
    with pytest.raises(Refused, match=r"^body-invalid: ") as refused:
        receive(headers_for(body), body)
    assert (refused.value.status, refused.value.explain) == (400, True)


@pytest.mark.parametrize("body", [b"", b"zen", b"[]", b"1", b"\xff\xfe", b'{"zen": ', b"[" * 200_000])
def test_a_signed_body_that_is_no_object_is_refused_for_every_event(body: bytes) -> None:
    with pytest.raises(Refused, match=r"^body-invalid: "):
        receive(headers_for(body, "ping"), body)


FORM = "application/x-www-form-urlencoded"


@pytest.mark.parametrize("content_type", [FORM, FORM.upper(), f"{FORM}; charset=utf-8"])
def test_a_form_carries_the_same_push(content_type: str) -> None:
    body = urlencode({"payload": GOOD.decode()}).encode()
    assert change_of(body, Content_Type=content_type).revision == sha(2)


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"payload",
        b"other=1",
        b"payload=",
        b"\xff",
        b"&".join([b"a=1"] * 9),
        urlencode({"a": "1", "b": "{}"}).encode(),
        urlencode([("payload", GOOD.decode())] * 5).encode(),
    ],
)
def test_a_form_without_its_payload_is_refused(body: bytes) -> None:
    with pytest.raises(Refused) as refused:
        receive(headers_for(body, Content_Type=FORM), body)
    assert refused.value.status == 400


def test_a_push_needs_no_more_than_what_is_read_of_it() -> None:
    change = change_of(GOOD)
    assert (change.kind, change.before, change.revision, change.forced) == ("updated", sha(1), sha(2), False)
    assert (change.author, change.title, change.paths, change.pushed_at) == ("", "", None, NOW)


@pytest.mark.parametrize(
    ("pushed_at", "expected"),
    [
        (1795435200, "2026-11-23T12:00:00+00:00"),
        ("2026-11-23T13:00:00+01:00", "2026-11-23T12:00:00+00:00"),
        ("2026-11-23T12:00:00Z", "2026-11-23T12:00:00+00:00"),
        ("2026-11-23T12:00:00", "2026-11-23T12:00:00+00:00"),
        (None, None),
        ("", None),
        ("yesterday", None),
        (10**15, None),
        (-(10**15), None),
        ("0001-01-01T00:00:00+14:00", None),
    ],
)
def test_the_time_of_the_push_is_the_sender_s_or_else_ours(pushed_at: int | str | None, expected: str | None) -> None:
    change = change_of(a_push(repository={"clone_url": "https://github.com/contoso/platform.git", "pushed_at": pushed_at}))
    assert change.pushed_at == (datetime.fromisoformat(expected) if expected else NOW)


@pytest.mark.parametrize(
    "fields",
    [
        {"forced": True},
        {"created": True},
        {"commits": []},
        {"commits": [{"added": ["a"]}] * 2048},
        {"commits": [{"modified": [f"file-{number}" for number in range(3000)]}]},
        {"commits": [{"modified": ["x" * 199_999, "yy"]}]},
    ],
    ids=["forced", "created", "no commits", "cut list of commits", "cut list of files", "more paths than a document holds"],
)
def test_where_the_payload_cannot_tell_all_paths_none_are_told(fields: dict[str, Any]) -> None:
    assert change_of(a_push(**{"commits": [{"added": ["a"]}]} | fields)).paths is None


def test_all_paths_are_told_once_and_in_order() -> None:
    commits = [{"added": ["b", "c"]}, {"removed": ["a"], "modified": ["b"]}]
    assert change_of(a_push(commits=commits)).paths == ("a", "b", "c")


def test_paths_are_told_up_to_what_a_document_holds() -> None:
    assert change_of(a_push(commits=[{"modified": ["x" * 199_999, "y"]}])).paths == ("x" * 199_999, "y")


def test_a_ref_is_deleted_when_the_sender_says_so_or_when_nothing_is_left() -> None:
    for body in (a_push(deleted=True), a_push(after="0" * 40)):
        assert (change_of(body).kind, change_of(body).revision) == ("deleted", "")


def test_a_title_is_the_first_line_and_short() -> None:
    head = {"id": sha(2), "message": "x" * 500 + "\nmore"}
    assert change_of(a_push(head_commit=head)).title == "x" * 200


def test_a_branch_s_revision_is_what_it_was_pushed_to_whatever_its_head_commit_says() -> None:
    assert change_of(a_push(head_commit={"id": sha(9)})).revision == sha(2)


def test_a_repository_of_sha256_commits_has_its_own_none() -> None:
    none, some = "0" * 64, "a" * 64
    assert change_of(a_push(before=none, after=some)).before == ""
    assert change_of(a_push(before=none, after=some)).kind == "created"
    assert change_of(a_push(before=some, after=none)).kind == "deleted"


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=10), inner, max_size=3),
    max_leaves=8,
)


@given(
    st.binary(max_size=300)
    | st.dictionaries(
        st.sampled_from(["ref", "before", "after", "repository", "commits", "head_commit", "pusher", "forced"]), json_values
    ).map(lambda fields: a_push(**fields)),
    st.dictionaries(st.sampled_from(["x-hub-signature-256", "x-github-event", "content-type", "x-other"]) | st.text(max_size=9), st.text()),
    st.booleans(),
)
@example(GOOD, {}, True)
@example(GOOD, {"content-type": FORM}, True)
@example(b"payload=" + GOOD, {"content-type": FORM}, True)
@example(GOOD, {"x-hub-signature-256": SECRET}, False)
def test_whatever_is_sent_is_received_with_a_valid_signature_or_refused(body: bytes, more: dict[str, str], is_signed: bool) -> None:
    headers = {"x-github-event": "push", "x-github-delivery": "d"} | more | ({"x-hub-signature-256": signature(body)} if is_signed else {})
    try:
        received = receive(headers, body)
    except Refused as refused:
        right = {400} if headers.get("x-hub-signature-256") == signature(body) else {401}
        assert refused.status in right  # noqa: PT017 -- both ways out are right, each with its own condition
        assert SECRET not in refused.reason  # noqa: PT017 -- as above
        return
    assert headers["x-hub-signature-256"] == signature(body)
    assert received.delivery == "d"


#: Letters that none of our own reasons has.
foreign_texts = st.text("ΑΒΓΔΕΖΗΘ", min_size=1, max_size=12)
foreign_values = st.recursive(
    st.none() | st.booleans() | foreign_texts,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(foreign_texts, inner, max_size=3),
    max_leaves=8,
)


@given(
    st.dictionaries(st.sampled_from(["ref", "after", "commits", "pusher", "created"]) | foreign_texts, foreign_values, max_size=2),
    foreign_texts.flatmap(
        lambda text: st.sampled_from(
            [
                {"head_commit": {"id": text}},
                {"repository": {"clone_url": f"https://{text}"}},
                {"repository": {"clone_url": f"https://h:{text}/x"}},
            ]
        )
    ),
)
def test_nothing_of_the_body_is_in_the_reason(fields: dict[str, Any], wrong: dict[str, Any]) -> None:
    body = a_push(**fields | wrong)
    with pytest.raises(Refused) as refused:
        receive(headers_for(body), body)
    assert refused.value.reason.startswith("body-invalid: ")
    assert refused.value.reason.isascii()
