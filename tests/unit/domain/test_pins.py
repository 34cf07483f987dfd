"""What is asked of a fluxConfiguration, and what a rollback asks for."""

from typing import Any

import pytest
from builders import a_change, a_flux_configuration, an_observation, sha

from shared.domain.observations import FluxConfiguration
from shared.domain.pins import Pin, asked_pin, previous_pin

ARTIFACT = "oci://contoso.azurecr.io/platform/manifests"
NEW, OLD = "ab" * 32, "cd" * 32
BRANCH = Pin(revision=sha(1), branch="main")


def found(revision: str = f"main@sha1:{sha(0)}", compliance: str = "Compliant", **fields: Any) -> FluxConfiguration:
    return a_flux_configuration(1, observation=an_observation(revision=revision, compliance=compliance), **fields)


def an_artifact(**fields: Any) -> FluxConfiguration:
    values = {"source_kind": "OCIRepository", "url": ARTIFACT, "branch": "", "tag": "v1.0.0"}
    return found(revision=f"v1.0.0@sha256:{OLD}", **values | fields)


@pytest.mark.parametrize(
    ("change", "expected", "ref"),
    [
        (a_change(1), Pin(revision=sha(1), branch="main"), "refs/heads/main"),
        (a_change(1, ref="refs/tags/v1"), Pin(revision=sha(1), tag="v1"), "refs/tags/v1"),
        (
            a_change(1, url=ARTIFACT, source_kind="oci", ref="refs/tags/v1", revision=NEW),
            Pin(revision=NEW, kind="OCIRepository", tag="v1"),
            "refs/tags/v1",
        ),
    ],
    ids=["branch", "tag", "artifact"],
)
def test_a_change_asks_for_its_revision_by_its_ref(change: Any, expected: Pin, ref: str) -> None:
    assert asked_pin(change, {}) == expected
    assert expected.ref == ref


def test_a_digest_without_a_tag_is_of_no_ref() -> None:
    assert Pin(revision=OLD, kind="OCIRepository").ref == ""


def test_the_values_are_asked_for_with_it() -> None:
    values = {"apps": {"SITE": "berlin"}}
    assert asked_pin(a_change(1), values).substitutions == values


@pytest.mark.parametrize(
    ("item", "asked", "expected"),
    [
        (found(), BRANCH, Pin(revision=sha(0), branch="main")),
        (found(revision=f"main/{sha(0)}"), BRANCH, Pin(revision=sha(0), branch="main")),
        (found(commit=sha(0)), BRANCH, Pin(revision=sha(0), branch="main")),
        (found(branch=""), BRANCH, Pin(revision=sha(0), branch="master")),
        (found(branch="", tag="v0"), Pin(revision=sha(1), tag="v1"), Pin(revision=sha(0), tag="v0")),
        (found(tag="v0", commit=sha(0)), Pin(revision=sha(1), tag="v1"), Pin(revision=sha(0), branch="main")),
        (found(branch="", semver="1.x", revision=f"v1.2.3@sha1:{sha(0)}"), BRANCH, Pin(revision=sha(0), tag="v1.2.3")),
        (an_artifact(), Pin(revision=NEW, kind="OCIRepository", tag="v2"), Pin(revision=OLD, kind="OCIRepository", tag="v1.0.0")),
        (
            an_artifact(tag="", semver="1.x"),
            Pin(revision=NEW, kind="OCIRepository", tag="v2"),
            Pin(revision=OLD, kind="OCIRepository", tag="v1.0.0"),
        ),
        (an_artifact(tag=""), Pin(revision=NEW, kind="OCIRepository", tag="v2"), Pin(revision=OLD, kind="OCIRepository")),
    ],
    ids=["branch", "before Flux 2", "pinned", "default branch", "tag", "pinned beside a tag", "range", "artifact", "of a range", "digest"],
)
def test_a_rollback_asks_for_what_was_synced_as_it_was_referred_to(item: FluxConfiguration, asked: Pin, expected: Pin) -> None:
    assert previous_pin(item, asked) == expected


@pytest.mark.parametrize(
    "item",
    [found(compliance="Non-Compliant"), found(compliance="Pending"), found(revision=""), found(revision="main")],
    ids=["failing", "pending", "never synced", "no commit"],
)
def test_without_a_good_revision_there_is_none_unless_an_earlier_rollout_knew_one(item: FluxConfiguration) -> None:
    known = Pin(revision=sha(9), branch="main")
    assert previous_pin(item, BRANCH) is None
    assert previous_pin(item, BRANCH, known) == known


def test_what_was_synced_comes_before_what_was_known() -> None:
    assert previous_pin(found(), BRANCH, Pin(revision=sha(9), branch="main")) == Pin(revision=sha(0), branch="main")


def test_what_was_known_of_another_kind_of_source_is_of_no_use() -> None:
    assert previous_pin(found(compliance="Pending"), BRANCH, Pin(revision=OLD, kind="OCIRepository")) is None


def test_a_git_tag_that_has_moved_leads_nowhere_back() -> None:
    item = found(branch="", tag="v1")
    assert previous_pin(item, Pin(revision=sha(1), tag="v1")) is None
    assert previous_pin(item, Pin(revision=sha(0), tag="v1")) == Pin(revision=sha(0), tag="v1")
    moved = Pin(revision=NEW, kind="OCIRepository", tag="v1.0.0")
    assert previous_pin(an_artifact(), moved) == Pin(revision=OLD, kind="OCIRepository", tag="v1.0.0")


def test_a_rollback_gives_back_every_value_that_is_set() -> None:
    item = found(kustomizations={"apps": {"SITE": "berlin", "KEPT": "yes"}, "infra": {}})
    asked = Pin(revision=sha(1), branch="main", substitutions={"apps": {"SITE": "lyon", "RING": "prod"}, "infra": {"SITE": "lyon"}})
    previous = previous_pin(item, asked)
    assert previous is not None
    assert previous.substitutions == {"apps": {"SITE": "berlin", "RING": None}, "infra": {"SITE": None}}


def test_values_that_an_earlier_rollout_knew_come_before_those_of_now() -> None:
    item = found(compliance="Non-Compliant", kustomizations={"apps": {"SITE": "broken"}})
    asked = Pin(revision=sha(1), branch="main", substitutions={"apps": {"SITE": "lyon", "RING": "prod"}})
    known = Pin(revision=sha(0), branch="main", substitutions={"apps": {"SITE": "berlin"}, "gone": {"OLD": None}})
    previous = previous_pin(item, asked, known)
    assert previous is not None
    assert previous.substitutions == {"apps": {"SITE": "berlin", "RING": None}, "gone": {"OLD": None}}
