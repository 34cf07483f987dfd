"""What a digest tells: what needs people first, and the longest first of everything."""

from datetime import timedelta
from typing import Any

from builders import NOW, a_gate, a_rollout, a_stage
from builders import a_cluster as onboarded
from msgspec.structs import replace
from sightings import a_cluster, seen

from shared.domain.digest import NEAR, Asking, Digest, Expiry, Facts, left, of_routes, summarize
from shared.domain.fleet import Drift, Entry, Gone, Member, Page, Standing
from shared.domain.onboarding_progress import Progress
from shared.domain.periods import Period
from shared.domain.rollouts import Rollout, RolloutEvent
from shared.domain.trend import Counts, Point, Trend

DAY, HOUR = timedelta(days=1), timedelta(hours=1)
PERIOD = Period(id="2026-11-23", start=NOW - DAY, end=NOW)


def digest(*members: Member, **fields: Any) -> Digest:
    facts = Facts(**{"swept_at": NOW, "trend": Trend()} | fields)
    return summarize(PERIOD, members, [], facts, since=NOW - 14 * DAY, now=NOW)


def a_member(number: int, entry: Entry | None = None, **fields: Any) -> Member:
    values: dict[str, Any] = {"states": {"cluster": "connected"}, "entries": {"platform": entry} if entry else {}}
    return Member(cluster=a_cluster(number), **values | fields)


def offline(number: int, days: int | None) -> Member:
    return a_member(number, states={"cluster": "offline"}, since={} if days is None else {"cluster": NOW - days * DAY})


def test_the_longest_offline_are_first_and_those_of_nobody_knows_when_last() -> None:
    told = digest(offline(0, 1), offline(1, None), offline(2, 40), a_member(3)).away
    assert [away.cluster for away in told] == ["cluster-002", "cluster-000", "cluster-001"]


def test_open_drift_has_its_writer_and_the_oldest_is_first() -> None:
    def drifted(number: int, hours: int, *, found: bool = True) -> Member:
        drift = Drift(kind="spec", detail="", since=NOW - hours * HOUR, found_at=NOW if found else None, by="eve")
        return a_member(number, Entry(seen=seen(number), state="compliant", drift=drift))

    told = digest(drifted(0, 1), drifted(1, 9), drifted(2, 99, found=False)).drift
    assert [(drift.cluster, drift.by) for drift in told] == [("cluster-001", "eve"), ("cluster-000", "eve")]


def test_what_is_not_compliant_is_told_the_longest_first() -> None:
    def failing(number: int, hours: int | None, **fields: Any) -> Member:
        standing = None if hours is None else Standing(sweep=1, since=NOW - hours * HOUR)
        return a_member(number, Entry(seen=seen(number, message="no"), state="non-compliant", standing=standing, **fields))

    told = digest(failing(0, 1), failing(1, 2), failing(2, None), failing(3, 9, missing_since=NOW)).failing
    assert [(each.cluster, each.message) for each in told] == [("cluster-001", "no"), ("cluster-000", "no"), ("cluster-002", "no")]


def asking(hours: int, **fields: Any) -> Rollout:
    gate = a_gate(type="approval", name="board", asked_at=NOW - hours * HOUR, **fields)
    return a_rollout(a_stage(), a_stage("prod", gates=(gate,)), current=1, id=f"r-{hours}")


def test_approvals_that_a_running_rollout_waits_for_now() -> None:
    others = (
        replace(asking(9), state="paused"),
        asking(8, state="approved"),
        a_rollout(a_stage(gates=(a_gate(type="checks", asked_at=NOW),))),
        a_rollout(a_stage(gates=(a_gate(asked_at=None),))),
    )
    told = digest(rollouts=(asking(1), asking(30), *others)).movement.asking
    assert told[0] == Asking(rollout="r-30", route="platform", stage="prod", gate="board", title=told[0].title, since=NOW - 30 * HOUR)
    assert [ask.rollout for ask in told] == ["r-30", "r-1"]


def test_paused_rollouts_are_told_since_their_last_pause() -> None:
    events = [RolloutEvent(id=str(hours), kind="rollout.paused", at=NOW - hours * HOUR, summary="") for hours in (30, 2)]
    paused = a_rollout(state="paused", events=tuple(events), reason="too many failures", id="one")
    without = a_rollout(state="paused", updated_at=NOW - 5 * HOUR, id="two")
    told = digest(rollouts=(paused, without)).movement.halted
    assert [(each.rollout, each.since) for each in told] == [("two", NOW - 5 * HOUR), ("one", NOW - 2 * HOUR)]


def test_what_ended_in_the_period_is_counted_once() -> None:
    ended = [a_rollout(state="succeeded", updated_at=PERIOD.start + hours * HOUR) for hours in (-1, 0, 23, 24)]
    others = [a_rollout(state="rolled-back", updated_at=NOW - HOUR), a_rollout(), a_rollout(state="rolling-back")]
    moved = digest(rollouts=(*ended, *others)).movement
    assert (moved.ended, moved.running) == ({"succeeded": 2, "rolled-back": 1}, 2)


def test_rollouts_of_other_routes_are_not_told() -> None:
    one, other = a_rollout(route="platform"), a_rollout(route="shops-eu")
    assert of_routes([one, other], ["shops-*"]) == (other,)
    assert of_routes([one, other], ["*"]) == (one, other)


def test_clusters_that_are_new_and_gone() -> None:
    def gone(name: str, hours: int, configuration: str = "") -> Gone:
        standing = Standing(sweep=1, since=NOW - hours * HOUR)
        return Gone(cluster=name, cluster_id=name, standing=standing, configuration=configuration)

    page = Page(id="00", gone={"1": gone("oslo", 1), "2": gone("bern", 2), "3": gone("rome", 30), "4": gone("oslo", 1, "platform")})
    assert left([page], PERIOD) == ["bern", "oslo"]
    trend = Trend(points=(Point(at=PERIOD.start - HOUR, counts=Counts(clusters=5)),))
    facts = Facts(swept_at=NOW, trend=trend)
    members = [a_member(number) for number in range(6)]
    assert summarize(PERIOD, members, ["bern", "oslo"], facts, since=NOW - DAY, now=NOW).appeared == 3
    assert digest(*members).appeared is None


def test_the_trend_ends_with_what_is_now_as_of_the_last_look() -> None:
    old, newer = (Point(at=NOW - hours * HOUR, counts=Counts(clusters=hours)) for hours in (400, 2))
    told = digest(a_member(0), trend=Trend(points=(old, newer)), swept_at=NOW - HOUR)
    assert told.trend == (newer, Point(at=NOW - HOUR, counts=Counts(clusters=1, connected=1)))
    assert digest(a_member(0), trend=Trend(points=(newer,)), swept_at=NOW - 2 * HOUR).trend[-1].counts.clusters == 1
    assert digest(swept_at=None).trend == (Point(at=NOW, counts=Counts()),)


def test_clusters_that_do_not_come_to_their_baseline() -> None:
    def failed(hours: int, **fields: Any) -> Progress:
        key = f"/subscriptions/s/resourcegroups/g/providers/microsoft.kubernetes/connectedclusters/c{hours}"
        since = NOW - hours * HOUR
        return Progress(id="p", cluster_id=key, subscription="s", since=since, state="failed", reason="no room", **fields)

    told = digest(unready=(failed(1), failed(9, cluster=onboarded(cluster_name="Lyon")))).unready
    assert [(each.cluster, each.reason) for each in told] == [("Lyon", "no room"), ("c1", "no room")]


def test_secrets_that_end_soon_and_those_that_cannot_be_read() -> None:
    def secret(name: str, ends: timedelta | None, problem: str = "") -> Expiry:
        return Expiry(reference=name, used_by=("providers/ops",), expires_at=None if ends is None else NOW + ends, problem=problem)

    ends = {"soon": NEAR, "later": NEAR + HOUR, "over": -DAY, "endless": None}
    told = digest(expiries=(*(secret(name, end) for name, end in ends.items()), secret("lost", None, "gone")))
    assert [each.reference for each in told.expiring] == ["over", "soon"]
    assert [each.reference for each in told.unreadable] == ["lost"]
