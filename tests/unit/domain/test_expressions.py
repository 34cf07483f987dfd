"""CEL over an event's fields."""

import pytest
from builders import NOW

from shared.domain.announcements import Announcement, ClusterLine
from shared.domain.errors import Malformed
from shared.domain.event_fields import FIELDS, as_event, of_cluster
from shared.domain.expressions import MAX_EXPRESSION, expression

CLUSTER = "/subscriptions/sub-1/resourceGroups/Edge/providers/Microsoft.Kubernetes/connectedClusters/Berlin-1"
EVENT = as_event(
    Announcement(
        id="a",
        kind="target.failed",
        severity="error",
        title="1 cluster failed",
        summary="",
        at=NOW,
        clusters=(ClusterLine(name="berlin-1", reason="down"),),
        fields={"route": "platform", "failed": 3, "tags": {"ring": "prod", "site-1": "berlin"}, "reason": "x" * 5000},
    )
)


@pytest.mark.parametrize(
    ("text", "outcome"),
    [
        ('event.type == "target.failed"', "yes"),
        ('event.type.startsWith("target.") && event.severity == "error"', "yes"),
        ('event.route in ["shop", "till"]', "no"),
        ("event.failed > 2", "yes"),
        ('event.tags.ring == "prod"', "yes"),
        ('event.tags["site-1"].matches("^ber.*$")', "yes"),
        ('event.tags.exists(name, name == "site-1")', "yes"),
        ("has(event.tags.owner)", "no"),
        ('"owner" in event.tags', "no"),
        ('event.tags.owner == "shop"', "missing"),
        ('event.tags.owner == "shop" || event.failed > 2', "yes"),
        ("event.failed / (event.failed - 3) == 1", "broken"),
        ("event.stage == '' ? true : false", "yes"),
        ('timestamp(event.at) < timestamp("2026-11-23T12:00:01Z")', "yes"),
        ("size(event.reason) == 1000", "yes"),
        ("event.count == 1 && event.offline == 0", "yes"),
        ("type(event.failed) == int", "yes"),
    ],
)
def test_an_expression_says_of_an_event_what_cel_says(text: str, outcome: str) -> None:
    assert expression(text)(EVENT).outcome == outcome


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("event.type ==", "not valid CEL: line 1, column 12"),
        ("", "not valid CEL"),
        ('evnt.type == "x"', "there is no evnt"),
        ("event.tpye == 'x'", "an event has no tpye; it has type, severity"),
        ("has(event.sverity)", "an event has no sverity"),
        ("((event)).nope == 1", "an event has no nope"),
        ('event["type"] == "x"', "written with a dot"),
        ("lower(event.type) == 'x'", "there is no function lower"),
        ("event.type.lower() == 'x'", "there is no function lower"),
        ('event.failed > "3"', "different types"),
        ("event.type", "neither true nor false"),
        ("1 / 0 == 1", "divides by zero"),
        ('event.type.matches("(")', "cannot be computed"),
        ("Event{type: 'x'} == event", "makes no objects"),
        ("(" * 950 + "true" + ")" * 950, "nested too deeply"),
        (f'event.type == "{"x" * MAX_EXPRESSION}"', "longer than"),
    ],
)
def test_what_could_never_be_true_is_refused_with_the_reason(text: str, reason: str) -> None:
    with pytest.raises(Malformed, match=reason.replace("(", r"\(")):
        expression(text)


def test_one_that_is_too_deep_for_its_caller_is_broken_and_no_error() -> None:
    nested = expression("(" * 20 + "true" + ")" * 20)
    answers = []

    def deeper() -> None:
        try:
            answers.append(nested(EVENT).outcome)
            deeper()
        except RecursionError:  # of this function, or of the first lines of the call
            return

    deeper()
    assert {"yes", "broken"} <= set(answers)


def test_it_is_compiled_once() -> None:
    assert expression("true") is expression("true")


def test_an_event_has_every_field_whatever_it_is_about() -> None:
    assert list(EVENT) == list(FIELDS)
    bare = as_event(Announcement(id="a", kind="config.refused", severity="error", title="", summary=""))
    assert (bare["at"], bare["count"], bare["tags"], bare["cluster"]) == ("", 0, {}, "")
    assert EVENT["at"] == "2026-11-23T12:00:00Z"
    assert {type(EVENT[name]) is type(described.empty) for name, described in FIELDS.items()} == {True}


def test_an_arm_id_tells_where_a_cluster_is() -> None:
    about = of_cluster(f"{CLUSTER}/providers/Microsoft.KubernetesConfiguration/fluxConfigurations/platform")
    assert about == {
        "cluster": "berlin-1",
        "clusterId": CLUSTER.lower(),
        "subscription": "sub-1",
        "resourceGroup": "edge",
        "fluxConfiguration": "platform",
        "fluxConfigurationId": f"{CLUSTER}/providers/Microsoft.KubernetesConfiguration/fluxConfigurations/platform".lower(),
    }
    assert "fluxConfiguration" not in of_cluster(CLUSTER)
    assert of_cluster("berlin") == {"cluster": "berlin", "clusterId": "berlin"}
