"""What a rollout says of its commit."""

from typing import Any

import pytest
from builders import NOW, a_gate, a_rollout, a_stage, sha

from shared.domain.commit_status import DESCRIPTION_LIMIT, CommitStatus, about, cut, fingerprint, overall, statuses, summary
from shared.domain.commits import commit_of, link_of
from shared.domain.rollouts import Reporting, Rollout, Stage

REPORT = Reporting(provider="hub")


def canary(state: str = "running", total: int = 10, **fields: Any) -> Stage:
    return a_stage("canary", total, state=state, **fields)


def the_status(*stages: Stage, **fields: Any) -> tuple[str, str]:
    """State and description of the first stage."""
    status = statuses(a_rollout(*stages, **fields))[0]
    return status.state, status.description


def test_each_stage_has_a_context_and_an_environment_of_its_own() -> None:
    canary_says, prod_says = statuses(a_rollout(canary("succeeded", counts={"compliant": 10}), a_stage("prod", 1000), current=1))
    assert canary_says == CommitStatus(
        context="sluice/platform/canary", environment="platform/canary", state="succeeded", description="10 clusters"
    )
    assert prod_says == CommitStatus(
        context="sluice/platform/prod", environment="platform/prod", state="pending", description="waits for its turn"
    )


@pytest.mark.parametrize(
    ("counts", "said"),
    [
        ({"pending": 10}, "0 % of 10 clusters"),
        ({"compliant": 3, "applied": 7}, "30 % of 10 clusters"),
        ({"compliant": 9, "offline": 1}, "90 % of 10 clusters, 1 offline"),
    ],
)
def test_a_stage_that_runs_tells_its_progress(counts: dict[str, int], said: str) -> None:
    assert the_status(canary(counts=counts)) == ("running", said)


def test_progress_is_told_in_tenths_and_trouble_in_few_steps() -> None:
    told = {the_status(canary(total=1000, counts={"compliant": done, "applied": 1000 - done})) for done in range(1001)}
    assert len(told) == 11
    assert len({about(count) for count in range(1000)}) == 10 + 9 + 9


@pytest.mark.parametrize(("count", "told"), [(0, "0"), (9, "9"), (10, "10+"), (19, "10+"), (20, "20+"), (347, "300+"), (4711, "4,000+")])
def test_counts_are_told_exactly_while_they_are_small(count: int, told: str) -> None:
    assert about(count) == told


def test_a_stage_that_bakes_is_done_and_watched() -> None:
    assert the_status(canary(counts={"compliant": 10}, done_at=NOW)) == ("running", "done, watched for a while; 10 clusters")


def test_a_paused_stage_says_so() -> None:
    assert the_status(canary(counts={"compliant": 5}), state="paused") == ("running", "paused; 50 % of 10 clusters")
    assert the_status(canary("pending"), state="paused") == ("pending", "the rollout is paused")


def test_a_stage_of_one_cluster_and_of_none() -> None:
    assert the_status(canary("succeeded", total=1, counts={"compliant": 1})) == ("succeeded", "1 cluster")
    assert the_status(canary("succeeded", total=0, counts={})) == ("succeeded", "0 clusters")
    assert the_status(canary(total=0, counts={})) == ("running", "0 % of 0 clusters")


def test_what_a_stage_waits_for() -> None:
    gates = (a_gate(), a_gate(name="again"), a_gate(name="ci", type="checks"), a_gate(name="done", type="webhook", state="approved"))
    assert the_status(canary("pending", gates=gates)) == ("pending", "waits for approval and checks")
    assert the_status(canary("pending", total=0, counts={}, gates=gates)) == ("pending", "waits for its turn")
    assert statuses(a_rollout(canary(), canary("pending")))[1].description == "waits for the stages before"


@pytest.mark.parametrize("state", ["running", "paused", "superseded", "aborted", "succeeded"])
def test_a_stage_with_too_many_failures_has_failed_whatever_became_of_the_rollout(state: str) -> None:
    counts = {"compliant": 6, "failed": 1, "skipped": 1, "offline": 2}
    said = ("failed", "too many failures; 10 clusters, 1 failed, 2 offline, 1 skipped")
    assert the_status(canary(counts=counts), state=state) == said
    assert the_status(canary("failed", counts=counts), state=state) == said


def test_failures_that_a_person_has_accepted_are_none() -> None:
    assert the_status(canary("succeeded", counts={"compliant": 9, "failed": 1}, forgiven=1)) == ("succeeded", "10 clusters, 1 failed")


def test_a_rollback_fails_the_stages_that_go_back_and_stops_the_others() -> None:
    stages = (canary("succeeded", counts={"compliant": 10}), a_stage("prod", 5, counts={"pending": 5}))
    back = statuses(a_rollout(*stages, state="rolling-back", back_stages=(0,)))
    assert [(status.state, status.description) for status in back] == [
        ("failed", "going back to the revision before; 10 clusters"),
        ("cancelled", "the rollout was rolled back before"),
    ]
    assert the_status(*stages, state="rolled-back", back_stages=(0,)) == ("failed", "back at the revision before; 10 clusters")
    kept = statuses(a_rollout(*stages, state="rolled-back", back_stages=(1,)))
    assert [status.state for status in kept] == ["succeeded", "failed"]


def test_what_a_rollout_gives_up_is_cancelled_and_what_it_has_done_stays() -> None:
    stages = (canary("succeeded", counts={"compliant": 10}), a_stage("prod", 5))
    for state, words in (("superseded", "a newer push took its place"), ("aborted", "the rollout was aborted")):
        done, open_one = statuses(a_rollout(*stages, state=state))
        assert done.state == "succeeded"
        assert (open_one.state, open_one.description) == ("cancelled", words)


def test_the_fingerprint_changes_with_what_is_said_and_with_nothing_else() -> None:
    rollout = a_rollout(canary(total=1000, counts={"compliant": 100}), report=REPORT)
    same = a_rollout(canary(total=1000, counts={"compliant": 199}), report=REPORT, waiting_for="a window", title="another")
    assert fingerprint(rollout) == fingerprint(same) != ""
    others = [
        a_rollout(canary(total=1000, counts={"compliant": 200}), report=REPORT),
        a_rollout(canary(total=1000, counts={"compliant": 100}), report=REPORT, state="paused"),
    ]
    assert len({fingerprint(each) for each in [rollout, *others]}) == 3


def test_a_rollout_that_does_not_report_has_nothing_to_say() -> None:
    assert fingerprint(a_rollout()) == ""


def test_nothing_that_people_wrote_is_said() -> None:
    hostile = "<script>@all"
    rollout = a_rollout(
        canary("failed"), state="aborted", reason=hostile, title=hostile, author=hostile, waiting_for=hostile, report=REPORT
    )
    assert hostile not in f"{statuses(rollout)} {summary(rollout, 'https://sluice.example')}"


def test_the_summary_is_a_table_of_the_stages() -> None:
    rollout = a_rollout(canary("succeeded", counts={"compliant": 10}), a_stage("prod", 1000, state="running", counts={"compliant": 100}))
    assert summary(rollout, "https://sluice.example/r").splitlines() == [
        "**Sluice: platform, running**",
        "",
        "| Stage | State | Clusters |",
        "|---|---|---|",
        "| canary | done | 10 clusters |",
        "| prod | under way | 10 % of 1,000 clusters |",
        "",
        f"[Rollout rollout-1](https://sluice.example/r) of {sha(1)}",
    ]


@pytest.mark.parametrize(
    ("state", "said"),
    [
        ("running", "running"),
        ("paused", "running"),
        ("rolling-back", "failed"),
        ("rolled-back", "failed"),
        ("succeeded", "succeeded"),
        ("superseded", "cancelled"),
        ("aborted", "cancelled"),
    ],
)
def test_the_rollout_as_a_whole(state: str, said: str) -> None:
    assert overall(a_rollout(state=state)) == said


@pytest.mark.parametrize(
    ("text", "short"),
    [("short", "short"), ("one two three", "one two\u2026"), ("onetwothreefour", "onetwoth\u2026"), ("ninechars", "ninechars")],
)
def test_long_texts_are_cut_at_a_word(text: str, short: str) -> None:
    assert cut(text, 9) == short


def test_no_description_is_longer_than_a_host_takes() -> None:
    gates = tuple(a_gate(name=kind, type=kind) for kind in ("approval", "checks", "webhook", "promotion"))
    crowd = dict.fromkeys(("failed", "offline", "skipped"), 99999)
    for rollout in (a_rollout(canary("pending", gates=gates)), a_rollout(canary("failed", total=10**6, counts=crowd))):
        assert all(len(status.description) <= DESCRIPTION_LIMIT for status in statuses(rollout))


class TestCommit:
    def rollout(self, **fields: Any) -> Rollout:
        return a_rollout(report=REPORT, **fields)

    def test_a_commit_is_that_of_the_rollout(self) -> None:
        commit = commit_of(self.rollout(), "key-1", "https://sluice.example/r")
        assert (commit.url, commit.revision, commit.key, commit.since) == ("github.com/contoso/platform", sha(1), "key-1", NOW)
        assert (commit.link, commit.branch, commit.tag) == ("https://sluice.example/r", "main", None)

    def test_a_tag_is_no_branch(self) -> None:
        commit = commit_of(self.rollout(ref="refs/tags/v1"), "", "")
        assert (commit.branch, commit.tag) == (None, "v1")

    def test_the_link_leads_to_the_app_or_else_to_the_repository(self) -> None:
        assert link_of(self.rollout(), "https://sluice.example") == "https://sluice.example/api/dashboard?rollout=rollout-1"
        assert link_of(self.rollout(), "") == "https://github.com/contoso/platform"
