"""Flux's alerts: who may speak for which cluster, and until when."""

import json
from typing import Any

import pytest
from builders import NOW, at
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace
from proofs import SECRET, an_inbound, digest

from shared.domain.errors import Refused
from shared.receivers.flux import MAX_BYTES, SENDER, cluster_token
from shared.receivers.inbound import Inbound

BERLIN = "/subscriptions/0a7e/resourceGroups/shops/providers/Microsoft.Kubernetes/connectedClusters/berlin"
LYON = BERLIN.replace("berlin", "lyon")


def a_body(cluster: object = BERLIN, metadata: dict[str, str] | None = None, **fields: Any) -> bytes:
    event = {
        "involvedObject": {"kind": "Kustomization", "namespace": "cluster-config", "name": "platform-apps"},
        "severity": "info",
        "timestamp": NOW.isoformat(),
        "message": "Reconciliation finished",
        "reason": "ReconciliationSucceeded",
        "metadata": {"revision": "main@sha1:1f", "clusterArmId": cluster} | (metadata or {}),
    }
    return json.dumps(event | fields).encode()


def signed(body: bytes, key: str, prefix: str = "sha256", **fields: Any) -> Inbound:
    headers = {"x-signature": f"{prefix}={digest(body, key, prefix)}"}
    return replace(an_inbound("flux", headers, body, proven=False), **fields)


def refusal(inbound: Inbound, *secrets: str) -> tuple[int, str]:
    with pytest.raises(Refused) as refused:
        SENDER.receive(inbound, secrets or [SECRET])
    return refused.value.status, refused.value.reason.partition(":")[0]


def test_the_token_of_a_cluster_is_made_of_the_secret_and_its_id_whatever_its_case() -> None:
    assert cluster_token(SECRET, BERLIN) == digest(BERLIN.lower().encode(), SECRET) == cluster_token(SECRET, BERLIN.upper())


@pytest.mark.parametrize(
    "wrong", ["", "berlin", BERLIN + "/", BERLIN + "\n", BERLIN.replace("connectedClusters", "clusters"), BERLIN.replace("shops", "a/b")]
)
def test_what_is_no_cluster_has_no_token(wrong: str) -> None:
    with pytest.raises(ValueError, match="not the ARM id"):
        cluster_token(SECRET, wrong)


@pytest.mark.parametrize("algorithm", ["sha256", "sha512"])
@pytest.mark.parametrize("secrets", [[SECRET], ["new", SECRET]])
def test_a_cluster_speaks_for_itself_with_its_own_token(algorithm: str, secrets: list[str]) -> None:
    received = SENDER.receive(signed(a_body(), cluster_token(SECRET, BERLIN), algorithm), secrets)
    (report,) = received.reports
    assert (report.cluster_id, report.cluster, report.at) == (BERLIN.lower(), "berlin", NOW)


@pytest.mark.parametrize("key", [cluster_token(SECRET, LYON), SECRET, cluster_token("other", BERLIN)])
def test_nobody_else_speaks_for_it(key: str) -> None:
    assert refusal(signed(a_body(), key)) == (401, "signature-wrong")


@pytest.mark.parametrize("body", [a_body(""), a_body(7), a_body("lyon"), b"{}", b"", b"\xff", b"[" * 5000, a_body(LYON + "\x00")])
def test_without_a_cluster_nobody_can_have_signed(body: bytes) -> None:
    assert refusal(signed(body, SECRET)) == (401, "cluster-missing")


@given(st.binary(max_size=300) | st.integers(0, 300).map(lambda cut: a_body()[:cut]))
def test_no_body_signed_with_the_secret_itself_is_accepted(body: bytes) -> None:
    assert refusal(signed(body, SECRET))[0] == 401


def test_without_secrets_there_are_no_tokens() -> None:
    assert refusal(signed(a_body(), cluster_token("", BERLIN)), "") == (401, "secret-empty")
    with pytest.raises(Refused, match="secret-empty"):
        SENDER.receive(signed(a_body(), cluster_token(SECRET, BERLIN)), [])


def test_where_all_share_a_secret_each_may_name_any_cluster() -> None:
    for cluster in (BERLIN, LYON):
        assert SENDER.receive(signed(a_body(cluster), SECRET, identity="shared"), [SECRET]).reports[0].cluster_id == cluster.lower()
    assert refusal(signed(a_body(), cluster_token(SECRET, BERLIN), identity="shared")) == (401, "signature-wrong")
    assert refusal(signed(a_body("lyon"), SECRET, identity="shared")) == (400, "body-invalid")


@pytest.mark.parametrize(("seconds", "accepted"), [(-901, False), (-900, True), (0, True), (300, True), (301, False)])
def test_an_event_counts_for_a_quarter_of_an_hour(seconds: float, accepted: bool) -> None:
    inbound = signed(a_body(timestamp=at(seconds).isoformat()), cluster_token(SECRET, BERLIN))
    if accepted:
        assert SENDER.receive(inbound, [SECRET]).reports[0].at == at(seconds)
    else:
        assert refusal(inbound) == (400, "timestamp-away")


@pytest.mark.parametrize(
    "fields",
    [
        {"timestamp": "yesterday"},
        {"timestamp": ""},
        {"severity": "fatal"},
        {"reason": ""},
        {"reason": "x" * 129},
        {"message": None},
        {"involvedObject": {"kind": "Kustomization", "name": "platform-apps"}},
        {"involvedObject": {"kind": "Kustomization", "namespace": "", "name": "platform-apps"}},
        {"involvedObject": {"kind": "Kustomization", "namespace": "n" * 254, "name": "platform-apps"}},
    ],
)
def test_an_event_that_is_none_is_refused_with_the_reason(fields: dict[str, Any]) -> None:
    assert refusal(signed(a_body(**fields), cluster_token(SECRET, BERLIN))) == (400, "body-invalid")


def test_long_texts_are_cut_and_a_body_has_a_limit() -> None:
    body = a_body(message="m" * 39_000, metadata={"revision": "r" * 5000})
    (report,) = SENDER.receive(signed(body, cluster_token(SECRET, BERLIN)), [SECRET]).reports
    assert (report.message, report.revision) == ("m" * 500, "r" * 512)
    assert refusal(signed(a_body(message="m" * MAX_BYTES), cluster_token(SECRET, BERLIN))) == (413, "body-too-large")


@pytest.mark.parametrize(
    ("metadata", "revision"),
    [
        ({"revision": "plain", "kustomize.toolkit.fluxcd.io/revision": "documented"}, "plain"),
        ({"revision": "", "source.toolkit.fluxcd.io/revision": "documented"}, "documented"),
        ({"revision": "", "example.com/revision": "someone's own"}, ""),
    ],
)
def test_the_revision_is_what_a_controller_of_flux_says(metadata: dict[str, str], revision: str) -> None:
    body = a_body(metadata=metadata)
    assert SENDER.receive(signed(body, cluster_token(SECRET, BERLIN)), [SECRET]).reports[0].revision == revision
