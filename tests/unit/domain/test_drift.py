"""How a fluxConfiguration departs from what was asked."""

from typing import Any

import pytest
from builders import NOW, at, sha
from msgspec.structs import replace
from sightings import HEALTHY, REPORT, a_cluster, asked, remediate, seen

from shared.domain.configurations import Configuration
from shared.domain.drift import DriftPolicy, DriftRule, asked_of, recent, restored, watch
from shared.domain.fleet import Cluster, Drift, Entry
from shared.domain.pins import Pin
from shared.domain.selectors import Selector

ARTIFACT = Pin(revision="a" * 64, kind="OCIRepository", tag="v1")


def departs(entry: Entry, cluster: Cluster | None = None) -> tuple[str, str] | None:
    drift = watch(entry, cluster or a_cluster(), REPORT, NOW)
    return (drift.kind, drift.detail) if drift else None


def entry(pin: Pin | None = None, **fields: Any) -> Entry:
    return Entry(seen=seen(**fields), asked=asked(pin=pin or asked().pin))


def test_what_is_as_asked_does_not_depart() -> None:
    assert departs(entry()) is None
    assert departs(Entry(seen=seen(commit=sha(9)))) is None, "nothing was asked"


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({"commit": ""}, "it is set to branch main, asked was branch main, commit 00000000"),
        ({"branch": "", "commit": ""}, "it is set to nothing, asked was branch main, commit 00000000"),
        ({"tag": "v2"}, "it is set to branch main, tag v2, commit 00000000, asked was branch main, commit 00000000"),
        ({"semver": ">=1"}, "it is set to branch main, semver >=1, commit 00000000, asked was branch main, commit 00000000"),
        ({"source_kind": "Bucket"}, "its source is a Bucket, asked was a GitRepository"),
        ({"url": "https://github.com/contoso/other"}, "it follows another source"),
        ({"url": "nowhere"}, "it follows another source"),
    ],
)
def test_another_spec(fields: dict[str, Any], expected: str) -> None:
    assert departs(entry(**fields)) == ("spec", expected)


def test_a_record_that_kept_no_source_is_not_compared_by_it() -> None:
    assert departs(Entry(seen=seen(url="https://github.com/contoso/other"), asked=asked(source=""))) is None


def test_a_tag_and_an_artifact_are_referred_to_in_their_own_way() -> None:
    tagged = Pin(revision=sha(1), tag="v1")
    assert departs(entry(tagged, branch="", commit="", tag="v1", revision=f"v1@sha1:{sha(1)}")) is None
    artifact = {"source_kind": "OCIRepository", "branch": "", "commit": "", "tag": "v1", "digest": f"sha256:{'a' * 64}"}
    kept = Entry(seen=seen(**artifact, revision=f"v1@sha256:{'a' * 64}"), asked=asked(pin=ARTIFACT, source=""))
    assert departs(kept) is None
    moved = replace(kept, seen=replace(kept.seen, digest=f"sha256:{'b' * 64}"))
    assert departs(moved) == ("spec", "it is set to tag v1, digest bbbbbbbb, asked was tag v1, digest aaaaaaaa")


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ({"apps": {"SITE": "berlin"}}, None),
        ({"apps": {"SITE": "berlin", "OTHER": "is not ours"}}, None),
        ({"apps": {"SITE": "lyon"}}, ("spec", "value SITE of kustomization apps differs")),
        ({"apps": {"SITE": "berlin", "RING": "x"}}, ("spec", "value RING of kustomization apps differs")),
        ({}, None),
    ],
)
def test_other_values(values: dict[str, dict[str, str]], expected: tuple[str, str] | None) -> None:
    pin = replace(asked().pin, substitutions={"apps": {"SITE": "berlin", "RING": None}})
    assert departs(entry(pin, values=values)) == expected


def test_a_commit_that_was_not_asked_for() -> None:
    assert departs(entry(revision=f"main@sha1:{'b' * 40}")) == ("revision", "it runs bbbbbbbb, asked was 00000000")
    assert departs(entry(revision="")) is None
    assert departs(entry(revision=f"main@sha1:{'b' * 40}", compliance="Non-Compliant")) is None, "that is told as what it is"


def test_an_extension_that_is_missing_or_not_well() -> None:
    assert departs(entry(), a_cluster(extension=None)) == ("extension", "its cluster has no microsoft.flux extension")
    failed = a_cluster(extension=replace(HEALTHY, state="Failed"))
    assert departs(entry(), failed) == ("extension", "the microsoft.flux extension is Failed")


def test_suspended_and_missing_come_first() -> None:
    assert departs(entry(suspended=True, commit="")) == ("suspended", "it is suspended: Flux does not apply anything")
    assert departs(entry(compliance="Suspended")) == ("suspended", "it is suspended: Flux does not apply anything")
    gone = replace(entry(suspended=True), missing_since=NOW)
    assert departs(gone) == ("missing", "it is no longer in Azure")


def test_nothing_counts_before_an_update_of_ours_has_settled() -> None:
    late = Entry(seen=seen(commit=sha(9)), asked=asked(applied_at=at(-299)))
    assert watch(late, a_cluster(), REPORT, NOW) is None
    assert watch(late, a_cluster(), REPORT, at(1)) is not None


@pytest.mark.parametrize(
    ("fields", "cluster", "patience"),
    [
        ({"commit": sha(9)}, a_cluster(), 0),
        ({"suspended": True}, a_cluster(), 0),
        ({}, a_cluster(extension=None), 600),
        ({"revision": f"main@sha1:{sha(9)}"}, a_cluster(), 1800),
    ],
)
def test_it_is_found_once_it_has_lasted(fields: dict[str, Any], cluster: Cluster, patience: int) -> None:
    first = watch(entry(**fields), cluster, REPORT, NOW)
    assert first is not None
    lasting = replace(entry(**fields), drift=first)
    if patience:
        assert first.found_at is None
        assert watch(lasting, cluster, REPORT, at(patience - 1)) == first
    assert watch(lasting, cluster, REPORT, at(patience)) == replace(first, found_at=first.found_at or at(patience))


def test_another_kind_begins_anew() -> None:
    before = Drift(kind="suspended", detail="", since=at(-60), found_at=at(-60), restores=1)
    drift = watch(replace(entry(commit=""), drift=before), a_cluster(), REPORT, NOW)
    assert drift is not None
    assert (drift.kind, drift.since, drift.restores) == ("spec", NOW, 0)


def found(**fields: Any) -> Drift:
    values: dict[str, Any] = {"kind": "spec", "detail": "d", "since": NOW, "found_at": NOW}
    return Drift(**values | fields)


RULE = remediate().rules[0]


@pytest.mark.parametrize(
    ("drift", "rule", "note"),
    [
        (found(), REPORT.rules[0], "only reported"),
        (found(kind="suspended"), RULE, "someone has suspended it"),
        (found(kind="missing"), RULE, "no update would mend it"),
        (found(kind="revision"), RULE, "no update would mend it"),
        (found(), replace(RULE, budget=0), "the budget of 0 a day for its cluster is spent"),
    ],
)
def test_what_is_not_put_back_says_why(drift: Drift, rule: DriftRule, note: str) -> None:
    assert restored(drift, (), rule, NOW) == (replace(drift, note=note), False)


def test_what_is_put_back_is_given_time() -> None:
    ordered, yes = restored(found(note="only reported"), (), RULE, NOW)
    assert (yes, ordered.restores, ordered.restored_at, ordered.note) == (True, 1, NOW, "")
    two_a_day = replace(RULE, budget=2)
    assert restored(ordered, (NOW,), two_a_day, at(599)) == (ordered, False)
    again, yes = restored(ordered, (NOW,), two_a_day, at(600))
    assert (yes, again.restores) == (True, 2)


def test_what_may_yet_pass_is_not_put_back() -> None:
    assert restored(found(found_at=None), (), RULE, NOW)[1] is False


def test_the_budget_counts_a_day() -> None:
    assert recent((at(-86_400), at(-86_399), NOW), NOW) == (at(-86_399), NOW)


def test_the_first_rule_that_means_it_decides() -> None:
    special = DriftRule(mode="remediate", budget=3, routes=("plat*",), selector=Selector(tags={"ring": "canary"}))
    policy = DriftPolicy(rules=(special, DriftRule(mode="report", budget=1)), settle_seconds=0)
    assert policy.rule(a_cluster(), entry(), NOW) == special
    assert policy.rule(a_cluster(tags={}), entry(), NOW).mode == "report"
    other = Entry(seen=seen(), asked=asked(route="other"))
    assert policy.rule(a_cluster(), other, NOW).mode == "report"
    assert policy.rule(a_cluster(), Entry(seen=seen()), NOW).mode == "report"


def test_only_what_arm_has_accepted_is_asked() -> None:
    record = Configuration(id="c", cluster_id="k", subscription="s", rollout_id="r", dispatch=2, retry=1, route="p", source="q")
    pin = Pin(revision=sha(1), branch="main")
    assert asked_of(replace(record, pin=pin)) is None
    assert asked_of(replace(record, applied_at=NOW)) is None
    assert asked_of(replace(record, pin=pin, applied_at=NOW)) == asked(
        pin=pin, applied_at=NOW, rollout_id="r", dispatch=2, retry=1, route="p", source="q"
    )
