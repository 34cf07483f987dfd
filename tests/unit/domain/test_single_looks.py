"""What a look at one fluxConfiguration changes, and how it stands beside looks at the whole fleet."""

from typing import Any

import pytest
from builders import NOW, at, resource_id, sha
from msgspec.structs import replace
from sightings import REPORT, a_cluster, a_look, a_page, asked, kinds, looked, remediate, seen

from shared.domain.drift import DriftPolicy
from shared.domain.fleet import Cluster, Drift, Entry, Page, Sighting
from shared.domain.fleet_changes import SingleLook, Writer, renew_one

KEY = resource_id(0)
EVE = Writer(by="eve@contoso.example", at=at(-10))
HERE = Sighting(cluster=a_cluster(), configuration=seen())
ASKED = {KEY: asked()}


def single(
    number: int = 1, cluster: Cluster | None = None, *, is_there: bool = True, policy: DriftPolicy = REPORT, **fields: Any
) -> SingleLook:
    """A look at NOW, ten seconds after Eve wrote that it is at commit 5."""
    values: dict[str, Any] = {
        "id": f"look-{number}",
        "cause": "event 1",
        "key": KEY,
        "cluster": cluster or a_cluster(),
        "seen": seen(commit=sha(5)) if is_there else None,
        "now": NOW,
        "wrote_at": at(-10),
        "writer": EVE,
        "asked": asked(),
        "policy": policy,
    }
    return SingleLook(**values | fields)


def page() -> Page:
    return a_page(HERE, asked=ASKED)


def entry_of(page: Page) -> Entry:
    return page.members[a_cluster().id].entries[KEY]


def drift_of(page: Page) -> Drift:
    drift = entry_of(page).drift
    assert drift is not None
    return drift


def said(page: Page) -> list[str]:
    return [transition.kind for aside in page.asides for transition in aside.news]


def ordered(page: Page) -> list[str]:
    return [order.key for aside in page.asides for order in aside.orders]


class TestDriftIsFound:
    def test_at_once_with_its_writer(self) -> None:
        found = renew_one(page(), single())
        assert said(found) == ["drift.found"]
        assert (drift_of(found).kind, drift_of(found).by, drift_of(found).found_at) == ("spec", EVE.by, NOW)
        assert entry_of(found).looked_at == NOW

    def test_also_while_an_update_of_ours_settles_in_resource_graph(self) -> None:
        recent = asked(applied_at=at(-60))
        assert said(renew_one(page(), single(asked=recent))) == ["drift.found"]

    def test_what_the_sweep_has_yet_to_say_stays_beside_it(self) -> None:
        swept = looked(page(), Sighting(cluster=a_cluster(connectivity="Offline"), configuration=seen()))
        found = renew_one(swept, single())
        assert (kinds(found), found.sweep, said(found)) == (["cluster.offline"], 2, ["drift.found"])

    def test_what_is_deleted_is_missing_at_once(self) -> None:
        found = renew_one(page(), single(is_there=False))
        assert (drift_of(found).kind, said(found)) == ("missing", ["drift.found"])

    def test_what_was_never_seen_cannot_be_missed(self) -> None:
        empty = Page(id="00")
        assert renew_one(empty, single(is_there=False)) is empty

    def test_on_a_cluster_that_no_sweep_has_shown_yet(self) -> None:
        found = renew_one(Page(id="00"), single(cluster=a_cluster(extension=None)))
        assert said(found) == ["drift.found"]
        [order] = renew_one(Page(id="00"), single(policy=remediate())).asides[0].orders
        assert order.configuration_id == KEY

    def test_a_cluster_s_broken_extension_that_the_sweep_found_is_not_over_by_it(self) -> None:
        bare = Sighting(cluster=a_cluster(extension=None), configuration=seen())
        pending = looked(page(), bare, look=a_look(2, now=at(-900), asked=ASKED))
        broken = looked(pending, bare, look=a_look(3, now=at(-120)))
        found = renew_one(broken, single(seen=seen()))
        assert (drift_of(found).kind, said(found)) == ("extension", [])

    def test_one_put_right_by_its_writer_is_resolved(self) -> None:
        found = renew_one(page(), single())
        over = renew_one(found, single(2, seen=seen(), now=at(60), wrote_at=at(50)))
        assert (entry_of(over).drift, said(over)) == (None, ["drift.found", "drift.resolved"])


class TestOnce:
    def test_the_same_event_again_changes_nothing(self) -> None:
        found = renew_one(page(), single(policy=remediate()))
        assert (said(found), len(ordered(found))) == (["drift.found"], 1)
        assert renew_one(found, single(2, policy=remediate(), now=at(5))) is found

    def test_a_later_write_of_the_same_is_noted_and_not_told(self) -> None:
        found = renew_one(page(), single())
        again = renew_one(found, single(2, now=at(60), wrote_at=at(50)))
        assert (entry_of(again).looked_at, said(again)) == (at(60), ["drift.found"])

    def test_a_sweep_after_the_event_neither_tells_nor_orders(self) -> None:
        found = replace(renew_one(page(), single(policy=remediate())), asides=())
        shows = Sighting(cluster=a_cluster(), configuration=seen(commit=sha(5)))
        for after in (30, 301):
            swept = looked(found, shows, look=a_look(3, now=at(after), policy=remediate()))
            assert (kinds(swept), swept.orders) == ([], ()), after

    def test_an_event_after_the_sweep_neither_tells_nor_orders(self) -> None:
        shows = Sighting(cluster=a_cluster(), configuration=seen(commit=sha(5)))
        swept = looked(page(), shows, look=a_look(2, now=at(-5), policy=remediate(), asked=ASKED))
        assert (kinds(swept), len(swept.orders)) == (["drift.found"], 1)
        after = renew_one(swept, single(policy=remediate()))
        assert (after.asides, drift_of(after).by, entry_of(after).looked_at) == ((), EVE.by, NOW)

    def test_the_orders_of_two_looks_have_different_keys(self) -> None:
        first = renew_one(page(), single(policy=remediate(budget=2)))
        later = renew_one(first, single(2, policy=remediate(budget=2), now=at(700), wrote_at=at(690)))
        assert len(set(ordered(later))) == 2


class TestOlderRows:
    @pytest.mark.parametrize(("after", "expected"), [(-20, []), (30, []), (299, []), (300, ["drift.resolved"])])
    def test_a_row_resolves_nothing_before_resource_graph_has_settled(self, after: int, expected: list[str]) -> None:
        found = renew_one(page(), single())
        assert kinds(looked(found, HERE, look=a_look(3, now=at(after)))) == expected

    def test_nor_does_it_bring_back_what_is_deleted(self) -> None:
        found = renew_one(page(), single(is_there=False))
        after = looked(found, HERE, look=a_look(3, now=at(30)))
        assert (drift_of(after), kinds(after)) == (drift_of(found), [])

    def test_the_next_sweep_says_since_when_what_was_found_stands(self) -> None:
        found = renew_one(page(), single())
        assert entry_of(found).standing is None
        after = looked(found, HERE, look=a_look(3, now=at(30)))
        assert (standing := entry_of(after).standing)
        assert standing.sweep == 3
        assert looked(after, HERE, look=a_look(4, now=at(60))) is after

    def test_what_a_look_finds_as_it_was_stands_as_before(self) -> None:
        found = renew_one(page(), single(seen=seen(), writer=EVE))
        assert entry_of(found).standing == entry_of(page()).standing

    def test_an_update_of_ours_since_is_judged_as_ever(self) -> None:
        found = renew_one(page(), single(policy=remediate()))
        back = looked(found, HERE, look=a_look(3, now=at(30), asked={KEY: asked(applied_at=at(10))}))
        assert kinds(back) == ["drift.remediated"]
        assert back.asides == found.asides, "whoever looked says them"
