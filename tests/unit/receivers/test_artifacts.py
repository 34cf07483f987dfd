"""Pushes to registries: what is a change, what is none, and whatever else someone may send."""

import json
from typing import Any

import pytest
from builders import NOW
from hypothesis import given
from hypothesis import strategies as st

from shared.domain.changes import Change
from shared.domain.errors import Refused
from shared.receivers import SENDERS, ghcr
from shared.receivers.artifacts import Artifact, changes, is_unresolved, split_image, verify_header
from shared.receivers.inbound import Inbound, Received

SECRET = "correct horse battery staple"
HEX = "0123456789abcdef" * 4
DIGEST = f"sha256:{HEX}"


def an_inbound(body: object = None, *, headers: dict[str, str] | None = None, **fields: Any) -> Inbound:
    sent = body if isinstance(body, bytes) else json.dumps(body).encode()
    given = {"authorization": SECRET} if headers is None else headers
    return Inbound(**{"receiver": "platform", "headers": given, "body": sent, "received_at": NOW, "token": SECRET} | fields)


def receive(sender: str, body: object, **fields: Any) -> Received:
    return SENDERS[sender].receive(an_inbound(body, **fields), [SECRET])


def of(*artifacts: Artifact, **more: Any) -> tuple[Change, ...]:
    return changes(an_inbound(), "delivery-1", artifacts, **more)


def pushed(tag: str = "v1", *, repository: str = "contoso.azurecr.io/platform", digest: str = DIGEST) -> Artifact:
    return Artifact(repository=repository, tag=tag, digest=digest)


class TestChanges:
    @pytest.mark.parametrize("tag", ["", DIGEST, "-v1", ".v1", "v1/2", "v 1", "v1\n", "x" * 129, "ü", f"sha256-{HEX}", f"sha256-{HEX}.sig"])
    def test_what_has_no_tag_or_is_attached_to_an_artifact_is_no_change(self, tag: str) -> None:
        assert of(pushed(tag)) == ()

    @pytest.mark.parametrize("tag", ["v1", "latest", "_x", "2026.11.23-rc.1", "x" * 128, "sha256-abc", f"sha256-{HEX[:-1]}", "sha-33cefd3"])
    def test_every_other_tag_is_one(self, tag: str) -> None:
        (change,) = of(pushed(tag))
        assert (change.ref, change.tag, change.revision) == (f"refs/tags/{tag}", tag, HEX)

    @pytest.mark.parametrize(
        "digest", ["", "sha256:", HEX, f"sha512:{HEX}{HEX}", f"sha256:{HEX.upper()}", f"{DIGEST}\n", f"sha256:{HEX[:40]}"]
    )
    def test_a_digest_that_flux_cannot_report_is_unknown(self, digest: str) -> None:
        (change,) = of(pushed(digest=digest))
        assert change.revision == ""
        assert is_unresolved(change)

    def test_a_deleted_tag_has_no_digest_and_needs_none(self) -> None:
        (change,) = of(pushed(), deleted=True)
        assert (change.kind, change.revision, is_unresolved(change)) == ("deleted", "", False)

    def test_one_tag_twice_is_one_change(self) -> None:
        assert len(of(pushed(), pushed())) == 1

    def test_a_delivery_has_not_more_tags_than_can_be_looked_up_in_time(self) -> None:
        assert len(of(*(pushed(f"v{number}") for number in range(50)))) == 50
        with pytest.raises(Refused, match="body-invalid: more than 50 tags"):
            of(*(pushed(f"v{number}") for number in range(51)))

    @pytest.mark.parametrize(
        "repository",
        [
            "",
            "/",
            "host",
            "/platform",
            "host/",
            "host:port/platform",
            "host/../platform",
            "host/plat form",
            "host/platform?x",
            "host/platform:v1",
            "host/a@b",
            "[::1/platform",
            "host/" + "x" * 600,
        ],
    )
    def test_a_name_that_no_registry_has_is_refused(self, repository: str) -> None:
        with pytest.raises(Refused, match=r"^body-invalid: ") as refused:
            of(pushed(repository=repository))
        assert (refused.value.status, refused.value.explain) == (400, True)

    def test_a_name_in_upper_case_is_the_same_repository(self) -> None:
        assert of(pushed(repository="ghcr.io/Contoso/Platform"))[0].source == of(pushed(repository="ghcr.io/contoso/platform"))[0].source

    @pytest.mark.parametrize(
        ("image", "artifact"),
        [
            ("host/a/b:v1", Artifact(repository="host/a/b", tag="v1")),
            ("host:8443/a:v1", Artifact(repository="host:8443/a", tag="v1")),
            ("host:8443/a", Artifact(repository="host:8443/a", tag="")),
            ("host/a:", Artifact(repository="host/a", tag="")),
            (f"host/a@{DIGEST}", Artifact(repository="host/a", tag="", digest=DIGEST)),
            ("", Artifact(repository="", tag="")),
        ],
    )
    def test_an_image_is_read_as_everyone_writes_it(self, image: str, artifact: Artifact) -> None:
        assert split_image(image) == artifact


class TestHeader:
    @pytest.mark.parametrize("given", [SECRET, f"Bearer {SECRET}", f"bearer {SECRET}", f"Bearer  {SECRET}"])
    def test_the_secret_alone_or_as_a_bearer_token_is_right(self, given: str) -> None:
        verify_header(an_inbound(headers={"authorization": given}), [SECRET])

    @pytest.mark.parametrize("given", ["", "Bearer", "Bearer ", f"Basic {SECRET}", SECRET[:-1], f"{SECRET} ", "ümläut"])
    def test_anything_else_is_refused(self, given: str) -> None:
        with pytest.raises(Refused) as refused:
            verify_header(an_inbound(headers={"authorization": given}), [SECRET])
        assert (refused.value.status, refused.value.explain) == (401, False)

    def test_another_header_may_be_named_and_takes_the_place_of_the_usual_one(self) -> None:
        verify_header(an_inbound(headers={"x-sluice-key": SECRET}, header="x-sluice-key"), [SECRET])
        with pytest.raises(Refused, match="token-missing"):
            verify_header(an_inbound(headers={"authorization": SECRET}, header="x-sluice-key"), [SECRET])


GOOD: dict[str, dict[str, Any]] = {
    "acr": {"action": "push", "target": {"repository": "a", "tag": "v1", "digest": DIGEST}, "request": {"host": "contoso.azurecr.io"}},
    "dockerhub": {"push_data": {"tag": "v1"}, "repository": {"repo_name": "contoso/platform"}},
    "harbor": {"type": "PUSH_ARTIFACT", "event_data": {"resources": [{"resource_url": "harbor.example/a/b:v1", "digest": DIGEST}]}},
    "quay": {"repository": "contoso/platform", "updated_tags": ["v1"]},
}


@pytest.mark.parametrize("sender", GOOD)
def test_a_push_needs_no_more_than_what_is_read_of_it(sender: str) -> None:
    (change,) = receive(sender, GOOD[sender]).changes
    assert (change.kind, change.ref, change.pushed_at, change.author) == ("updated", "refs/tags/v1", NOW, "")


@pytest.mark.parametrize("sender", GOOD)
@pytest.mark.parametrize("body", [b"", b"pushed", b"[]", b"null", b"1", b"\xff", b"{", b"[" * 200_000, b'{"a":' * 200_000])
def test_a_body_that_is_no_object_is_refused_with_a_reason(sender: str, body: bytes) -> None:
    with pytest.raises(Refused, match=r"^body-invalid: ") as refused:
        receive(sender, body)
    assert (refused.value.status, refused.value.explain) == (400, True)


@pytest.mark.parametrize(
    ("sender", "body"),
    [
        ("acr", {}),
        ("acr", {"action": ""}),
        ("acr", {"action": "x" * 65}),
        ("acr", {"action": "push"}),
        ("acr", {"action": "push", "target": {"repository": "a", "tag": "v1"}}),
        ("acr", {"action": "push", "target": {"tag": "v1"}, "request": {"host": "contoso.azurecr.io"}}),
        ("acr", {"action": "push", "target": {"repository": "a", "tag": "v1"}, "request": {}}),
        ("acr", {"action": "push", "id": "x" * 257}),
        ("dockerhub", {}),
        ("dockerhub", {"push_data": {"tag": None}, "repository": {"repo_name": "a/b"}}),
        ("dockerhub", {"push_data": {"tag": "v1"}, "repository": {}}),
        ("dockerhub", {"push_data": {"tag": "v1"}, "repository": {"repo_name": "../evil.example"}}),
        ("harbor", {}),
        ("harbor", {"type": "PUSH_ARTIFACT", "event_data": {"resources": [{}]}}),
        ("harbor", {"type": "PUSH_ARTIFACT", "event_data": []}),
        ("harbor", {"type": "PUSH_ARTIFACT", "event_data": {"resources": [{"resource_url": "nowhere:v1"}]}}),
        ("harbor", {"type": "x" * 65}),
        ("quay", {"updated_tags": 5}),
        ("quay", {"updated_tags": [5]}),
        ("quay", {"updated_tags": ["v1"]}),
        ("quay", {"repository": "../evil.example", "updated_tags": ["v1"]}),
    ],
)
def test_a_push_that_tells_too_little_is_refused_with_a_reason(sender: str, body: dict[str, Any]) -> None:
    with pytest.raises(Refused, match=r"^body-invalid: ") as refused:
        receive(sender, body)
    assert (refused.value.status, refused.value.explain) == (400, True)


@pytest.mark.parametrize("timestamp", ["yesterday", "", None])
def test_a_time_that_cannot_be_read_is_that_of_the_arrival(timestamp: str | None) -> None:
    (change,) = receive("acr", GOOD["acr"] | {"timestamp": timestamp}).changes
    assert change.pushed_at == NOW


def test_a_harbor_event_without_data_is_no_change() -> None:
    assert receive("harbor", {"type": "PUSH_ARTIFACT"}).changes == ()
    assert receive("harbor", {"type": "harbor.artifact.pushed", "specversion": "1.0", "data": None}).changes == ()


def test_a_type_of_cloudevents_is_none_of_the_default_format() -> None:
    event = {"type": "harbor.artifact.pushed", "event_data": GOOD["harbor"]["event_data"]}
    assert receive("harbor", event) == Received(delivery=receive("harbor", event).delivery, event="harbor.artifact.pushed")


def test_what_a_payload_calls_its_registry_changes_nothing() -> None:
    body = GOOD["quay"] | {"docker_url": "contoso.azurecr.io/contoso/platform"}
    assert [change.url for change in receive("quay", body).changes] == ["quay.io/contoso/platform"]
    assert [change.url for change in receive("quay", body, url="https://quay.example:8443/").changes] == [
        "quay.example:8443/contoso/platform"
    ]


def test_deliveries_without_an_id_are_the_same_when_their_bodies_are() -> None:
    for sender in ("acr", "dockerhub", "harbor"):
        assert receive(sender, GOOD[sender]) == receive(sender, GOOD[sender])
        assert receive(sender, GOOD[sender]).delivery != receive(sender, GOOD[sender] | {"more": 1}).delivery


@pytest.mark.parametrize(
    "event",
    [
        {},
        {"action": "published"},
        {"action": "published", "package": None},
        {"action": "published", "package": {}},
        {"action": "published", "package": {"package_version": None}},
        {"action": "published", "package": {"package_version": {"package_url": None, "container_metadata": {}}}},
        {"action": "published", "package": {"package_version": {"package_url": "ghcr.io/a/b:v1", "container_metadata": None}}},
        {"action": "deleted", "package": {"package_version": {"package_url": "ghcr.io/a/b:v1", "container_metadata": {"tag": {}}}}},
    ],
)
def test_a_package_that_is_no_tagged_container_is_no_change(event: dict[str, Any]) -> None:
    assert ghcr.pushed(an_inbound(), "d", json.dumps(event).encode()) == ()


#: Letters that none of our own reasons has.
foreign = st.text("ΑΒΓΔΕΖΗΘ", min_size=1, max_size=12)
values = st.recursive(
    st.none() | st.booleans() | foreign | st.integers(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(foreign, inner, max_size=3),
    max_leaves=6,
)


@given(st.sampled_from(sorted(GOOD)), st.data())
def test_whatever_is_said_is_a_change_or_refused_without_repeating_it(sender: str, data: st.DataObject) -> None:
    body = {key: data.draw(st.just(value) | values) for key, value in GOOD[sender].items()}
    try:
        received = receive(sender, body)
    except Refused as refused:
        assert refused.status == 400  # noqa: PT017 -- both ways out are right, each with its own condition
        assert refused.reason.isascii()  # noqa: PT017 -- as above
        return
    assert all(change.source_kind == "oci" for change in received.changes)
