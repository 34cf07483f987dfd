"""What a change does to every fluxConfiguration, and why."""

from typing import Any

import pytest
from builders import a_change, a_flux_configuration, an_observation, sha
from hypothesis import given
from hypothesis import strategies as st

from shared.config.loader import load_text
from shared.config.models import Config
from shared.domain.changes import Change
from shared.domain.observations import FluxConfiguration
from shared.domain.pins import Pin
from shared.domain.windows import Calendar
from shared.services.matching import UNSTAGED, Verdict, explain, routes_for, targets_of

ARTIFACT = "oci://contoso.azurecr.io/platform/manifests"
HEAD = """
apiVersion: sluice/v1
strategies:
  - name: rings
    stages:
      - {name: canary, selector: {tags: {ring: canary}}}
      - {name: prod, selector: {tags: {ring: prod}}}
routes:
"""
PLAIN = "  - {name: plain, source: {url: https://github.com/contoso/platform, ref: refs/heads/main}, action: pin, strategy: rings}\n"
OTHER_SOURCE = "  - {name: far, source: {url: https://github.com/contoso/far}, action: pin}\n"
VERSIONS = """\
  - name: versions
    source: {url: https://github.com/contoso/platform, ref: refs/tags/v*, semver: ">=1.2 <2"}
    action: pin
"""
ARTIFACTS = f"  - {{name: artifacts, source: {{url: {ARTIFACT}, ref: refs/tags/*, semver: 1.x}}, action: pin}}\n"
VALUES = """\
  - name: values
    source: {url: https://github.com/contoso/platform}
    action: pin
    substitute: {SITE: "{tags.site}", WHERE: "{location}/{cluster}"}
    kustomizations: ["app*"]
"""


def config(*routes: str) -> Config:
    return load_text(HEAD + "".join(routes)) if routes else load_text("apiVersion: sluice/v1")


def one(routes: str, change: Change, **fields: Any) -> Verdict:
    (verdict,) = explain(config(routes), change, [a_flux_configuration(1, **fields)])
    assert (verdict.stage is None) == (verdict.pin is None) == bool(verdict.reason)
    return verdict


def a_tag(tag: str, **fields: Any) -> Change:
    return a_change(1, ref=f"refs/tags/{tag}", **fields)


def an_artifact(tag: str) -> Change:
    return a_tag(tag, url=ARTIFACT, source_kind="oci", revision="ab" * 32)


def test_what_follows_is_moved_in_the_first_stage_that_selects_its_cluster() -> None:
    found = [a_flux_configuration(number) for number in (0, 1)]
    assert [(v.route, v.stage, v.pin, v.reason) for v in explain(config(PLAIN), a_change(1), found)] == [
        ("plain", 0, Pin(revision=sha(1), branch="main"), ""),
        ("plain", 1, Pin(revision=sha(1), branch="main"), ""),
    ]


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({"url": "https://github.com/contoso/platform-2"}, "follows another source"),
        ({"url": ""}, "follows another source"),
        ({"source_kind": "OCIRepository"}, "follows another source"),
        ({"source_kind": "Bucket"}, "follows another source"),
        ({"source_kind": "HelmRepository"}, "its source is a HelmRepository, which has no revision to ask for"),
        ({"semver": "1.x"}, "chooses its tag by a semver range itself"),
        ({"tag": "v1"}, "is on a tag, not a branch"),
        ({"branch": "release"}, "follows another branch"),
        ({"branch": ""}, "follows another branch"),
    ],
)
def test_what_does_not_follow_the_ref_says_why_whatever_the_routes_are(fields: dict[str, str], reason: str) -> None:
    for routes in (PLAIN, OTHER_SOURCE, PLAIN + VALUES):
        verdict = one(routes, a_change(1), **fields)
        assert (verdict.route, verdict.reason) == ("", reason)


@pytest.mark.parametrize(
    ("route", "fields", "change", "reason"),
    [
        (PLAIN.replace("main}", "release}"), {}, {}, "follows refs/heads/release"),
        (PLAIN.replace("main}", 'main, paths: ["apps/**"]}'), {}, {"paths": ("docs/a",)}, "none of its paths was touched"),
        (PLAIN.replace("action: pin", "action: observe"), {}, {}, "only observes"),
        (PLAIN.replace("action", "configurations: [app*], action"), {}, {}, "its name is none of the route's configurations"),
        (PLAIN.replace("action", "selector: {location: north*}, action"), {}, {}, "the route's selector does not match"),
        (PLAIN, {"tags": {"ring": "lab"}}, {}, UNSTAGED),
    ],
)
def test_a_route_that_moves_nothing_says_why(route: str, fields: dict[str, Any], change: dict[str, Any], reason: str) -> None:
    verdict = one(route, a_change(1, **change), **fields)
    assert (verdict.route, verdict.reason) == ("plain", reason)


def test_without_a_route_of_its_source_that_is_the_reason() -> None:
    assert one(OTHER_SOURCE, a_change(1)).reason == "no route follows its source"
    (verdict,) = explain(config(), a_change(1), [a_flux_configuration(1)])
    assert verdict.reason == "no route follows its source"


@pytest.mark.parametrize(
    ("pushed", "on", "reason"),
    [
        ("v1.3.0", "v1.2.0", ""),
        ("v1.3.0", "v1.3.0", ""),
        ("v1.3.0", "stable", ""),
        ("v1.3.0", "1.10.0", "is on a newer version already"),
        ("v2.0.0", "v1.2.0", "the tag is no version in >=1.2 <2"),
        ("v1.3.0-rc.1", "v1.2.0", "the tag is no version in >=1.2 <2"),
        ("v1", "v1.2.0", "the tag is no version in >=1.2 <2"),
        ("1.3.0", "v1.2.0", "follows refs/tags/v*"),
    ],
)
def test_a_range_moves_versions_forwards_only(pushed: str, on: str, reason: str) -> None:
    verdict = one(VERSIONS, a_tag(pushed), tag=on, branch="")
    assert (verdict.route, verdict.reason) == ("versions", reason)
    assert verdict.pin == (None if reason else Pin(revision=sha(1), tag=pushed))


def test_a_tag_moves_nothing_that_follows_a_branch() -> None:
    assert one(VERSIONS, a_tag("v1.3.0")).reason == "follows a branch, not a tag"


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({"tag": "1.0.0"}, ""),
        ({"tag": ""}, ""),
        ({"digest": f"sha256:{'cd' * 32}"}, ""),
        ({"tag": "1.4.0"}, "is on a newer version already"),
        ({"semver": "1.x"}, "chooses its tag by a semver range itself"),
        ({"source_kind": "GitRepository"}, "follows another source"),
        ({"url": ARTIFACT + "-2"}, "follows another source"),
    ],
)
def test_an_artifact_is_held_at_its_digest(fields: dict[str, str], reason: str) -> None:
    values = {"source_kind": "OCIRepository", "url": ARTIFACT.upper(), "branch": ""}
    verdict = one(ARTIFACTS, an_artifact("1.3.0"), **values | fields)
    assert verdict.reason == reason
    assert verdict.pin == (None if reason else Pin(revision="ab" * 32, kind="OCIRepository", tag="1.3.0"))


def test_values_are_given_to_the_kustomizations_that_the_route_names() -> None:
    kustomizations = {"apps": {"OLD": "x"}, "app-2": {}, "infra": {}}
    verdict = one(VALUES, a_change(1), tags={"Site": "berlin"}, kustomizations=kustomizations)
    values = {"SITE": "berlin", "WHERE": "westeurope/cluster-001"}
    assert verdict.pin is not None
    assert verdict.pin.substitutions == {"apps": values, "app-2": values}


def test_without_a_kustomization_that_takes_them_there_are_no_values() -> None:
    verdict = one(VALUES, a_change(1), tags={"site": "berlin"}, kustomizations={"infra": {}})
    assert verdict.pin == Pin(revision=sha(1), branch="main")


@pytest.mark.parametrize(
    ("tags", "reason"),
    [
        ({}, "value SITE: the cluster has no tags.site"),
        ({"site": "a\nb"}, "value SITE: it would hold characters that cannot be printed"),
    ],
)
def test_a_cluster_without_its_value_is_left_alone(tags: dict[str, str], reason: str) -> None:
    assert one(VALUES, a_change(1), tags=tags, kustomizations={"apps": {}}).reason == reason


def test_of_several_routes_the_first_that_selects_it_has_it() -> None:
    routes = PLAIN.replace("action", "configurations: [apps], action"), VALUES, PLAIN.replace("plain", "last")
    item = a_flux_configuration(1, tags={"ring": "prod", "site": "berlin"})
    assert [(v.route, v.reason) for v in explain(config(*routes), a_change(1), [item])] == [
        ("plain", "its name is none of the route's configurations"),
        ("values", ""),
        ("last", "route values has it"),
    ]


def test_the_route_that_has_it_has_it_whatever_it_does_with_it() -> None:
    routes = config(PLAIN, PLAIN.replace("plain", "second").replace(", strategy: rings", ""))
    item = a_flux_configuration(1, tags={"ring": "lab"})
    assert [(v.route, v.reason) for v in explain(routes, a_change(1), [item])] == [("plain", UNSTAGED), ("second", "route plain has it")]


def test_a_route_that_only_observes_has_nothing() -> None:
    routes = config(PLAIN.replace("action: pin", "action: observe"), PLAIN.replace("plain", "second"))
    verdicts = explain(routes, a_change(1), [a_flux_configuration(1)])
    assert [(v.route, v.reason) for v in verdicts] == [("plain", "only observes"), ("second", "")]


ROUTES = st.permutations([PLAIN, VALUES, VERSIONS, ARTIFACTS, OTHER_SOURCE, PLAIN.replace("plain", "second")])
FOUND = st.builds(
    a_flux_configuration,
    st.integers(0, 20),
    tag=st.sampled_from(["", "v1.2.0", "v1.9.0"]),
    branch=st.sampled_from(["main", "release"]),
    semver=st.sampled_from(["", "1.x"]),
    url=st.sampled_from(["git@github.com:contoso/platform", "https://github.com/contoso/far", ARTIFACT]),
    source_kind=st.sampled_from(["GitRepository", "OCIRepository", "AzureBlob"]),
    tags=st.dictionaries(st.sampled_from(["ring", "site"]), st.sampled_from(["canary", "prod", "x"])),
)


@given(ROUTES, st.lists(FOUND, max_size=5), st.sampled_from([a_change(1), a_tag("v1.3.0"), an_artifact("1.3.0")]))
def test_everything_has_a_verdict_and_nothing_is_moved_twice(routes: list[str], found: list[FluxConfiguration], change: Change) -> None:
    whole = config(*routes)
    fitting = {route.name for route in routes_for(whole, change)}
    for item in found:
        verdicts = explain(whole, change, [item])
        assert verdicts
        moved = [verdict for verdict in verdicts if verdict.pin is not None]
        assert len(moved) <= 1
        assert all(verdict.route in fitting for verdict in moved)
        assert all((verdict.stage is None) == (verdict.pin is None) == bool(verdict.reason) for verdict in verdicts)


def test_targets_know_what_is_asked_and_what_a_rollback_asks() -> None:
    found = [a_flux_configuration(3), a_flux_configuration(0), a_flux_configuration(1, observation=an_observation(compliance="Pending"))]
    known = Pin(revision=sha(7), branch="main")
    rings = config(PLAIN).strategy("rings")
    targets, calendars = targets_of(rings, explain(config(PLAIN), a_change(1), found), "rollout-1", {found[2].id: known})
    assert (calendars, {target.calendar for target in targets}) == ((Calendar(),), {0})
    assert [(target.cluster, target.stage, target.order) for target in targets] == [
        ("cluster-000", 0, 0),
        ("cluster-001", 1, 1),
        ("cluster-003", 1, 2),
    ]
    assert all(target.pin == Pin(revision=sha(1), branch="main") for target in targets)
    assert [target.previous for target in targets] == [Pin(revision=sha(0), branch="main"), known, Pin(revision=sha(0), branch="main")]
