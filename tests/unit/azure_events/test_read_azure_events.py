"""Events of Azure, read."""

import json
from datetime import UTC, datetime
from typing import Any

import msgspec
import pytest
from builders import NOW
from hypothesis import given
from hypothesis import strategies as st
from sampled import SAMPLES, SCHEMAS, Sample, Schema, delivered

from functions.on_azure_event import _read
from shared.azure_events import FAMILIES
from shared.azure_events.event import AzureEvent
from shared.azure_events.news import ConfigurationTouched, SecretExpiry
from shared.azure_events.resource_ids import resource_of
from shared.domain.errors import Refused


def as_json(value: object) -> Any:
    """With its kind; of a write the id of its event stands in the sample already."""
    if value is None:
        return None
    found = json.loads(msgspec.json.encode(value, order="sorted"))
    if found.get("write"):
        found["write"].pop("eventId")
    return found | {"kind": type(value).__name__}


def part_of(found: Any, expected: Any) -> Any:
    """Of what was found, what the sample is about."""
    if isinstance(found, dict) and isinstance(expected, dict):
        return {name: part_of(found[name], expected[name]) for name in expected}
    return found


def sample(name: str) -> Sample:
    return next(each for each in SAMPLES if each.name == name)


def an_event(name: str, **fields: Any) -> AzureEvent:
    return msgspec.structs.replace(_read(sample(name).as_delivered("EventGridSchema")), **fields)


def read(event: AzureEvent) -> Any:
    return FAMILIES[event.type].read(event, NOW)


@pytest.mark.parametrize("schema", SCHEMAS)
@pytest.mark.parametrize("each", SAMPLES, ids=lambda each: each.name)
def test_every_sample_means_the_same_in_both_schemas(each: Sample, schema: Schema) -> None:
    event = _read(each.as_delivered(schema))
    assert (event.id, event.type, event.topic) == (each.body["id"], each.body["eventType"], each.body["topic"])
    found = as_json(read(event))
    assert part_of(found, each.expected) == each.expected


def test_every_type_that_is_known_has_a_sample() -> None:
    assert set(FAMILIES) == {each.body["eventType"] for each in SAMPLES}


def test_a_foreign_write_keeps_the_id_of_its_event() -> None:
    event = an_event("resources/flux-configuration-deleted")
    news = read(event)
    assert isinstance(news, ConfigurationTouched)
    assert news.write is not None
    assert (news.write.event_id, news.write.at) == (event.id, event.at)


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"id": None}, "its id is not a text"),
        ({"id": "x" * 257}, "its id is not a text of at most 256"),
        ({"eventType": ""}, "its type is not a text"),
        ({"topic": 7}, "its topic is not a text"),
        ({"subject": "x" * 2049}, "its subject is not a text"),
        ({"data": None}, "its data is not an object"),
        ({"data": "text"}, "its data is not an object"),
        ({"eventTime": None}, "it tells no time"),
    ],
)
def test_what_is_no_event_is_refused_with_the_reason(change: dict[str, Any], reason: str) -> None:
    with pytest.raises(Refused, match=reason):
        _read(delivered(SAMPLES[0].body | change))


def test_a_time_without_a_zone_is_in_utc_and_a_subject_may_be_missing() -> None:
    event = _read(delivered({"specversion": "1.0", "id": "1", "source": "/s", "type": "t", "time": "2026-03-04T05:06:07", "data": {}}))
    assert (event.at, event.subject) == (datetime(2026, 3, 4, 5, 6, 7, tzinfo=UTC), "")


@pytest.mark.parametrize(
    ("name", "field"),
    [
        ("policy/cluster-not-compliant", "timestamp"),
        ("policy/cluster-not-compliant", "policyAssignmentId"),
        ("registry/image-pushed", "target"),
        ("registry/image-pushed", "request"),
        ("resource_notifications/cluster-updated", "resourceInfo"),
        ("key_vault/secret-expired", "VaultName"),
        ("key_vault/secret-expired", "Version"),
        ("storage/blob-created", "url"),
    ],
)
def test_an_event_without_what_it_needs_is_refused_and_repeats_nothing_of_it(name: str, field: str) -> None:
    event = an_event(name)
    for data in ({key: value for key, value in event.data.items() if key != field}, {**event.data, field: ["SECRET"]}):
        with pytest.raises(Refused, match="event-invalid") as caught:
            read(msgspec.structs.replace(event, data=data))
        assert "SECRET" not in caught.value.reason


def test_a_time_that_is_none_is_refused_where_the_order_hangs_on_it() -> None:
    event = an_event("policy/cluster-not-compliant")
    with pytest.raises(Refused, match="timestamp"):
        read(msgspec.structs.replace(event, data={**event.data, "timestamp": "yesterday"}))


@pytest.mark.parametrize(
    "repository", ["", "../platform", "platform manifests", "platform:v1", "https://contoso.azurecr.io/x", "x" * 600, "ü"]
)
def test_a_repository_that_no_registry_has_is_refused(repository: str) -> None:
    event = an_event("registry/image-pushed")
    with pytest.raises(Refused):
        read(msgspec.structs.replace(event, data={**event.data, "target": event.data["target"] | {"repository": repository}}))


@pytest.mark.parametrize("digest", ["", "sha256:12", "sha512:" + "ab" * 64])
def test_a_digest_that_flux_cannot_report_moves_nothing(digest: str) -> None:
    event = an_event("registry/image-pushed")
    assert read(msgspec.structs.replace(event, data={**event.data, "target": event.data["target"] | {"digest": digest}})) is None


def test_without_its_own_time_a_push_has_the_event_s() -> None:
    event = an_event("registry/image-pushed")
    change = read(msgspec.structs.replace(event, data={**event.data, "timestamp": None}))
    assert change.pushed_at == event.at


@pytest.mark.parametrize(
    "fields",
    [
        {"subject": "/blobServices/default/containers/fleet"},
        {"subject": "/blobServices/default/containers/x/blobs/2026/03"},
        {"subject": "/blobServices/default/containers/f l e e t/blobs/x"},
        {"data": {"url": "http://[x/fleet/y"}},
        {"data": {"url": "fleet/y"}},
    ],
)
def test_a_blob_that_is_nowhere_is_refused(fields: dict[str, Any]) -> None:
    with pytest.raises(Refused, match="event-invalid"):
        read(an_event("storage/blob-created", **fields))


@pytest.mark.parametrize("moment", [None, "soon", 10**30, [1]])
def test_a_moment_of_expiry_that_nobody_understands_is_none(moment: object) -> None:
    event = an_event("key_vault/secret-expired")
    expiry = read(msgspec.structs.replace(event, data={**event.data, "EXP": moment}))
    assert isinstance(expiry, SecretExpiry)
    assert expiry.expires_at is None


@pytest.mark.parametrize("claims", [None, 7, [], "", "[]", "{", "[" * 100_000, {"appid": 7}])
def test_claims_that_say_nothing_name_nobody(claims: object) -> None:
    event = an_event("resources/flux-configuration-deleted")
    news = read(msgspec.structs.replace(event, data={"claims": claims, "authorization": {"evidence": {"principalId": ""}}}))
    assert isinstance(news, ConfigurationTouched)
    assert (news.identities, news.write and news.write.caller) == (frozenset(), "")


def test_a_caller_s_name_has_an_end() -> None:
    event = an_event("resources/flux-configuration-deleted")
    news = read(msgspec.structs.replace(event, data={"claims": {"upn": "x" * 10_000}}))
    assert news.write.caller == "x" * 256


_CLUSTER = "/subscriptions/S/resourceGroups/R/providers/Microsoft.Kubernetes/connectedClusters/C"


@pytest.mark.parametrize(
    "arm_id",
    [
        "",
        "/subscriptions/S",
        f"{_CLUSTER}/",
        f"{_CLUSTER}\n",
        f"https://evil.example{_CLUSTER}",
        f"{_CLUSTER}/providers/Microsoft.KubernetesConfiguration/fluxConfigurations",
        f"{_CLUSTER}/providers/Microsoft.KubernetesConfiguration/fluxConfigurations/a/operations/b",
        f"{_CLUSTER}/providers/Microsoft.KubernetesConfiguration/sourceControlConfigurations/a",
        _CLUSTER.replace("Kubernetes/", "Compute/"),
        _CLUSTER.replace("/C", "/C D"),
    ],
)
def test_what_is_neither_a_cluster_nor_on_one_is_no_resource_of_ours(arm_id: str) -> None:
    assert resource_of(arm_id) is None


@pytest.mark.parametrize(
    "type_",
    ["Microsoft.ContainerService/managedClusters", "Microsoft.HybridContainerService/provisionedClusters"],
)
def test_other_kinds_of_clusters_have_configurations_too(type_: str) -> None:
    cluster = _CLUSTER.replace("Microsoft.Kubernetes/connectedClusters", type_)
    found = resource_of(f"{cluster}/providers/Microsoft.KubernetesConfiguration/fluxConfigurations/platform")
    assert found is not None
    assert (found.kind, found.cluster_id, found.subscription) == ("fluxConfiguration", cluster.lower(), "s")


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=10), inner, max_size=3),
    max_leaves=8,
)


@given(st.sampled_from(SAMPLES), st.data())
def test_whatever_the_data_holds_it_is_read_or_refused(each: Sample, chosen: st.DataObject) -> None:
    event = _read(each.as_delivered("EventGridSchema"))
    damaged = {name: chosen.draw(_JSON, label=name) if chosen.draw(st.booleans()) else value for name, value in event.data.items()}
    damaged |= chosen.draw(st.dictionaries(st.text(max_size=10), _JSON, max_size=2))
    event = msgspec.structs.replace(event, data=damaged, subject=chosen.draw(st.just(event.subject) | st.text(max_size=40)))
    try:
        news = read(event)
    except Refused:
        return
    msgspec.json.encode(news)
