"""What a look at the fleet changes."""

from datetime import datetime, timedelta
from typing import Any

import pytest
from builders import at, resource_id, sha
from msgspec.structs import replace
from sightings import HEALTHY, a_cluster, a_look, a_page, asked, kinds, looked, remediate, seen, told

from shared.domain.fleet import PAGES, Cluster, Page, Sighting, page_id, page_number
from shared.domain.fleet_changes import Writer, new_drifts

HERE = Sighting(cluster=a_cluster(), configuration=seen())
KEY = resource_id(0)


def sighting(cluster: Cluster | None = None, **fields: Any) -> Sighting:
    return Sighting(cluster=cluster or a_cluster(), configuration=seen(**fields))


def test_the_same_look_again_gives_the_very_page() -> None:
    page = a_page(HERE)
    assert looked(page, HERE) is page


def test_every_cluster_has_one_page_whatever_the_case_of_its_id() -> None:
    assert page_number("/SUBSCRIPTIONS/A") == page_number("/subscriptions/a")
    assert {page_number(f"/subscriptions/{number}") for number in range(2000)} == set(range(PAGES))


def test_pages_are_named_by_their_number() -> None:
    assert [page_id(number) for number in (0, 9, 63)] == ["00", "09", "63"]


def test_a_change_of_one_configuration_is_a_page_of_its_sweep() -> None:
    page = looked(a_page(HERE), sighting(revision=f"main@sha1:{sha(2)}"), look=a_look(7))
    assert (page.sweep, page.news) == (7, ())
    assert page.members[a_cluster().id].entries[KEY].seen.revision == f"main@sha1:{sha(2)}"


def test_a_first_look_tells_only_what_is_bad() -> None:
    bad = a_cluster(connectivity="Offline", policies=("deny",), extension=replace(HEALTHY, state="Failed", message="no image"))
    first = looked(Page(id="00"), sighting(bad, compliance="Non-Compliant", message="why"), look=a_look(1, is_first=True))
    assert told(first) == [
        ("cluster.offline", "is Offline"),
        ("extension.degraded", "Failed: no image"),
        ("policy.non-compliant", "deny"),
        ("configuration.non-compliant", "why"),
    ]
    assert looked(Page(id="00"), HERE, look=a_look(1, is_first=True)).news == ()


def test_a_new_cluster_is_found_also_without_configurations() -> None:
    page = looked(a_page(), Sighting(cluster=a_cluster(kind="ProvisionedCluster", extension=None)))
    assert told(page) == [("cluster.found", "ProvisionedCluster in westeurope")]


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        ({}, {"connectivity": "Offline"}, [("cluster.offline", "is Offline")]),
        ({}, {"connectivity": "Expired"}, [("cluster.expired", "is Expired")]),
        ({}, {"connectivity": "Connecting"}, []),
        ({"connectivity": "Offline"}, {}, [("cluster.connected", "is Connected")]),
        ({"connectivity": "Offline"}, {"connectivity": "AgentNotInstalled"}, []),
        ({}, {"extension": replace(HEALTHY, state="Updating")}, []),
        ({}, {"extension": replace(HEALTHY, state="Canceled")}, [("extension.degraded", "Canceled")]),
        ({}, {"extension": None}, [("extension.missing", "no microsoft.flux extension")]),
        ({"extension": replace(HEALTHY, state="Failed")}, {}, [("extension.healthy", "Succeeded")]),
        ({}, {"extension": replace(HEALTHY, version="1.21.3")}, [("flux.unsupported", "microsoft.flux 1.21.3")]),
        ({"extension": replace(HEALTHY, version="1.21.3")}, {}, [("flux.supported", "microsoft.flux 1.24.1")]),
        ({}, {"policies": ("a", "b")}, [("policy.non-compliant", "a, b")]),
        ({"policies": ("a",)}, {}, [("policy.compliant", "")]),
    ],
)
def test_states_of_a_cluster_are_told_when_they_change(
    before: dict[str, Any], after: dict[str, Any], expected: list[tuple[str, str]]
) -> None:
    page = a_page(sighting(a_cluster(**before)))
    assert told(looked(page, sighting(a_cluster(**after)))) == expected


def test_where_no_extension_is_seen_at_all_none_is_missing() -> None:
    bare = sighting(a_cluster(extension=None))
    page = a_page(sighting(a_cluster(extension=None)), asked={KEY: asked()}, sees_extensions=False)
    assert looked(page, bare, look=a_look(3, now=at(3600), sees_extensions=False)) is page
    assert kinds(looked(page, bare, look=a_look(3, now=at(3600)))) == ["extension.missing"]


def test_between_two_states_the_last_one_stands() -> None:
    page = a_page(sighting(compliance="Non-Compliant"))
    pending = looked(page, sighting(compliance="Pending"))
    assert pending.news == ()
    assert kinds(looked(pending, sighting(compliance="Non-Compliant"))) == []
    assert kinds(looked(pending, HERE)) == ["configuration.compliant"]


def test_a_cluster_that_is_not_seen_is_gone_only_after_a_while() -> None:
    page = a_page(HERE)
    away = looked(page)
    assert away.news == ()
    assert looked(away, look=a_look(3, now=at(599))) is away
    gone = looked(away, look=a_look(3, now=at(600)))
    assert (kinds(gone), gone.members) == (["cluster.gone"], {})
    back = looked(away, HERE, look=a_look(3, now=at(300)))
    assert (back.members[a_cluster().id].missing_since, back.news) == (None, ())


def test_a_configuration_that_nobody_asked_anything_of_is_gone_after_a_while() -> None:
    alone = Sighting(cluster=a_cluster())
    page = looked(a_page(HERE), alone)
    assert page.news == ()
    gone = looked(page, alone, look=a_look(3, now=at(600)))
    assert (kinds(gone), gone.members[a_cluster().id].entries) == (["configuration.gone"], {})


def drifted(**look: Any) -> Page:
    """Someone has set the branch to another commit."""
    page = a_page(HERE, asked={KEY: asked()})
    return looked(page, sighting(commit=sha(5)), look=a_look(**look))


def test_a_change_by_others_is_told_once_with_its_writer() -> None:
    page = drifted(writers={KEY: Writer(by="eve@contoso.example", at=at(-60))})
    assert told(page) == [
        (
            "drift.found",
            "it is set to branch main, commit 00000000, asked was branch main, commit 00000000;"  # noqa: ISC004 -- one text
            " by eve@contoso.example at 2026-11-23 11:59 UTC; only reported",
        )
    ]
    assert [(news.cluster, news.configuration, news.route, news.severity, news.is_drift) for news in page.news] == [
        ("cluster-000", "platform", "platform", "error", True)
    ]
    again = looked(page, sighting(commit=sha(5)), look=a_look(3, now=at(300)))
    assert again is page


def test_without_a_known_writer_it_is_told_all_the_same() -> None:
    assert "by someone unknown; only reported" in drifted().news[0].reason


def test_drift_that_ends_by_itself_is_resolved() -> None:
    assert kinds(looked(drifted(), HERE, look=a_look(3))) == ["drift.resolved"]


def test_drift_is_put_back_within_the_budget_and_told_so() -> None:
    page = drifted(policy=remediate())
    [order] = page.orders
    assert (order.configuration_id, order.rollout_id, order.dispatch, order.resume) == (KEY, "rollout-1", 1, False)
    assert page.news[0].reason.endswith("is put back")
    back = looked(page, HERE, look=a_look(3, policy=remediate()))
    assert (kinds(back), back.orders) == (["drift.remediated"], ())
    again = looked(back, sighting(commit=sha(6)), look=a_look(4, now=at(600), policy=remediate()))
    assert (kinds(again), again.orders) == (["drift.found"], ())
    assert again.news[0].reason.endswith("the budget of 1 a day for its cluster is spent")
    next_day = looked(again, sighting(commit=sha(6)), look=a_look(5, now=at(86_400), policy=remediate()))
    assert (kinds(next_day), len(next_day.orders)) == ([], 1)


def test_the_budget_is_its_clusters() -> None:
    others = [sighting(id=resource_id(0, name=name), name=name) for name in ("apps", "platform")]
    page = a_page(*others, asked={other.configuration.id: asked() for other in others if other.configuration})
    changed = [sighting(id=resource_id(0, name=name), name=name, commit=sha(5)) for name in ("apps", "platform")]
    result = looked(page, *changed, look=a_look(policy=remediate()))
    assert [order.configuration_id for order in result.orders] == [resource_id(0, name="apps")]
    assert len(looked(page, *changed, look=a_look(policy=remediate(budget=2))).orders) == 2


def test_one_that_is_being_written_is_not_judged() -> None:
    page = drifted(busy=frozenset({KEY}))
    assert (page.news, page.orders, new_drifts(a_page(HERE), page)) == ((), (), [])


def test_drift_stays_as_it_is_while_a_rollout_writes() -> None:
    page = drifted(policy=remediate())
    busy = looked(page, sighting(commit=sha(9)), look=a_look(3, now=at(900), policy=remediate(), busy=frozenset({KEY})))
    assert (busy.news, busy.orders) == ((), ())
    assert busy.members[a_cluster().id].entries[KEY].drift == page.members[a_cluster().id].entries[KEY].drift


def test_what_departs_anew_is_named() -> None:
    page = a_page(HERE, asked={KEY: asked()})
    changed = drifted()
    assert new_drifts(page, changed) == [KEY]
    assert new_drifts(changed, changed) == []
    suspended = looked(changed, sighting(suspended=True))
    assert new_drifts(changed, suspended) == [KEY]
    assert kinds(suspended) == ["drift.found"]


def test_a_suspended_one_is_resumed_only_where_that_is_said() -> None:
    page = a_page(HERE, asked={KEY: asked()})
    left = looked(page, sighting(suspended=True), look=a_look(policy=remediate()))
    assert left.orders == ()
    assert left.news[0].reason.endswith("someone has suspended it")
    resumed = looked(page, sighting(suspended=True), look=a_look(policy=remediate(resume_suspended=True)))
    assert [order.resume for order in resumed.orders] == [True]


def test_a_deleted_one_that_was_asked_something_is_missed_for_a_month() -> None:
    alone = Sighting(cluster=a_cluster())
    page = looked(a_page(HERE, asked={KEY: asked()}), alone)
    assert page.news == ()
    found = looked(page, alone, look=a_look(3, now=at(600)))
    assert told(found) == [("drift.found", "it is no longer in Azure; by someone unknown; only reported")]
    assert looked(found, alone, look=a_look(4, now=at(900))) is found
    forgotten = looked(found, alone, look=a_look(5, now=at(timedelta(days=30).total_seconds())))
    assert kinds(forgotten) == ["configuration.gone"]
    back = looked(found, HERE, look=a_look(4, now=at(900)))
    assert kinds(back) == ["drift.resolved"]


def test_nothing_is_put_back_on_a_cluster_that_is_not_seen() -> None:
    page = drifted()
    assert looked(page, look=a_look(3, now=at(60), policy=remediate())).orders == ()


def test_since_when_a_cluster_is_away_is_kept_whatever_else_changes() -> None:
    def then(page: Page, minutes: int, connectivity: str, **fields: Any) -> Page:
        shown = sighting(a_cluster(connectivity=connectivity, **fields))
        return looked(page, shown, look=a_look(minutes, now=at(60 * minutes)))

    def since(page: Page) -> datetime | None:
        return page.members[a_cluster().id].since.get("cluster")

    here = a_page(HERE)
    away = then(here, 2, "Offline")
    still = then(then(away, 3, "Offline", policies=("audit",)), 4, "Expired")
    assert (since(here), since(away), since(still)) == (None, at(120), at(120))
    assert since(then(still, 5, "Connecting")) == at(120), "what it was last stands"
    assert since(then(still, 5, "Connected")) is None
