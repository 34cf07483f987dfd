"""What Azure Monitor is told of the fleet: what changed with a sweep, once, and nothing else."""

from datetime import timedelta
from typing import Any

import pytest
from builders import NOW, at, resource_id, sha
from msgspec.structs import replace
from sightings import HEALTHY, a_cluster, a_look, a_page, asked, looked, seen

from shared.domain.compliance_rows import compliance_rows
from shared.domain.fleet import Page, Sighting
from shared.domain.log_rows import Row

HERE = Sighting(cluster=a_cluster(), configuration=seen())


def sighting(cluster: dict[str, Any] | None = None, **fields: Any) -> Sighting:
    return Sighting(cluster=a_cluster(**(cluster or {})), configuration=seen(**fields))


def rows(page: Page, after: int, upto: int = 99) -> list[Row]:
    return list(compliance_rows(page, after, upto))


def told(page: Page, after: int, upto: int = 99) -> list[tuple[object, ...]]:
    return [(row["Sweep"], row["Kind"], row["Presence"]) for row in rows(page, after, upto)]


def test_at_first_everything_is_told() -> None:
    cluster, configuration = rows(a_page(HERE), 0)
    assert (cluster["Kind"], cluster["ResourceId"], cluster["Cluster"]) == ("cluster", a_cluster().id, "cluster-000")
    assert (cluster["Connectivity"], cluster["Extension"], cluster["FluxVersion"]) == ("connected", "healthy", "1.24.1")
    assert (cluster["FluxSupport"], cluster["Policy"], cluster["PolicyAssignments"]) == ("supported", "compliant", [])
    assert (configuration["ResourceId"], configuration["ClusterId"]) == (resource_id(0), a_cluster().id)
    assert (configuration["Compliance"], configuration["Suspended"], configuration["Route"]) == ("compliant", False, "")
    assert {row["TimeGenerated"] for row in (cluster, configuration)} == {"2026-11-23T12:00:00Z"}


def test_what_is_as_it_was_is_not_told_again() -> None:
    page = looked(a_page(HERE), sighting({"tags": {"ring": "prod"}}, message="still looking"), look=a_look(2))
    assert page.sweep == 2
    assert rows(page, 1) == []


@pytest.mark.parametrize(
    "changed",
    [
        {"connectivity": "Offline"},
        {"extension": replace(HEALTHY, version="1.25.0")},
        {"extension": replace(HEALTHY, state="Failed", message="no image")},
        {"extension": None},
        {"policies": ("deny",)},
    ],
)
def test_a_changed_cluster_is_one_row_and_its_configurations_none(changed: dict[str, Any]) -> None:
    page = looked(a_page(HERE), sighting(changed), look=a_look(2))
    assert told(page, 1) == [(2, "cluster", "present")]


@pytest.mark.parametrize("changed", [{"compliance": "Non-Compliant"}, {"revision": f"main@sha1:{sha(2)}"}, {"suspended": True}])
def test_a_changed_configuration_is_one_row_and_its_cluster_none(changed: dict[str, Any]) -> None:
    page = looked(a_page(HERE), sighting(None, **changed), look=a_look(2))
    assert told(page, 1) == [(2, "fluxConfiguration", "present")]


def test_what_changes_twice_is_told_as_it_is_now_with_the_later_sweep() -> None:
    second = looked(a_page(HERE), sighting(None, compliance="Non-Compliant"), look=a_look(2))
    third = looked(second, HERE, look=a_look(3))
    assert rows(third, 1, 2) == []
    assert [(row["Sweep"], row["Compliance"]) for row in rows(third, 1)] == [(3, "compliant")]


def test_a_later_change_of_another_does_not_hide_one_that_is_not_told_yet() -> None:
    other, later = (Sighting(cluster=a_cluster(1), configuration=seen(1, suspended=each)) for each in (False, True))
    suspended = sighting(None, suspended=True)
    second = looked(a_page(HERE, other), suspended, other, look=a_look(2))
    third = looked(second, suspended, later, look=a_look(3))
    assert [(row["Sweep"], row["ResourceId"]) for row in rows(third, 1)] == [(2, resource_id(0)), (3, resource_id(1))]


def test_drift_is_told_when_it_is_found_with_the_route_that_asked() -> None:
    before = looked(a_page(), HERE, look=a_look(2, asked={resource_id(0): asked()}))
    page = looked(before, sighting(None, commit=sha(5)), look=a_look(3))
    assert [(row["Drift"], row["Route"]) for row in rows(page, 2)] == [("spec", "platform")]


def test_a_message_is_no_longer_than_a_field_may_be() -> None:
    page = looked(a_page(HERE), sighting(None, compliance="Non-Compliant", message="x" * 9000), look=a_look(2))
    assert [len(str(row["Message"])) for row in rows(page, 1)] == [8000]


def test_what_is_not_seen_is_missing_and_then_gone_and_may_come_back() -> None:
    missing = looked(a_page(HERE), look=a_look(2))
    assert told(missing, 1) == [(2, "cluster", "missing")]
    gone = looked(missing, look=a_look(3, now=at(600)))
    assert told(gone, 2) == [(3, "cluster", "gone"), (3, "fluxConfiguration", "gone")]
    assert [row["Configuration"] for row in rows(gone, 2)] == ["", "platform"]
    assert rows(gone, 3) == []
    back = looked(gone, HERE, look=a_look(4, now=at(900)))
    assert told(back, 3) == [(4, "cluster", "present"), (4, "fluxConfiguration", "present")]
    assert back.gone == {}


def test_a_configuration_that_was_deleted_is_missing_and_then_gone() -> None:
    bare = Sighting(cluster=a_cluster())
    missing = looked(a_page(HERE), bare, look=a_look(2))
    assert told(missing, 1) == [(2, "fluxConfiguration", "missing")]
    gone = looked(missing, bare, look=a_look(3, now=at(600)))
    assert told(gone, 2) == [(3, "fluxConfiguration", "gone")]


def test_what_is_gone_is_remembered_for_a_week() -> None:
    gone = looked(looked(a_page(HERE)), look=a_look(3, now=at(600)))
    other = Sighting(cluster=a_cluster(1))
    kept = looked(gone, other, look=a_look(4, now=NOW + timedelta(days=7)))
    assert set(kept.gone) == {a_cluster().id, resource_id(0)}
    forgotten = looked(kept, look=a_look(5, now=NOW + timedelta(days=8)))
    assert forgotten.gone == {}


def test_a_page_of_a_version_that_kept_no_standing_is_told_after_the_next_sweep() -> None:
    page = a_page(HERE)
    (member,) = page.members.values()
    entries = {key: replace(entry, standing=None) for key, entry in member.entries.items()}
    old = replace(page, members={member.cluster.id: replace(member, entries=entries, standing=None)})
    assert rows(old, 0) == []
    assert told(looked(old, HERE, look=a_look(2)), 0) == [(2, "cluster", "present"), (2, "fluxConfiguration", "present")]
