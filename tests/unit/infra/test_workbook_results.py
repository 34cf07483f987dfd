"""Queries of the workbook and of alert rules, run on rows that the code makes: they say what is so."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

import pytest
from bicep import FOLDER
from builders import NOW, a_rollout, a_stage, at
from log_tables import Workspace
from msgspec.structs import replace
from sightings import a_cluster, a_look, looked, seen
from workbook import parameters, queries, tabs, workbook

from shared.domain.audit import Entry, make_link
from shared.domain.compliance_rows import compliance_rows
from shared.domain.fleet import Page, Sighting
from shared.domain.log_rows import audit_row, rollout_row
from shared.log import event_logger

#: What DuckDB's translation of KQL does not know; Microsoft's parser judges these (tests/contract/kql).
NOT_RUN = {"fluxConfigurations by day", "Hours offline"}
RUN = [(tab, title) for tab, by_title in queries().items() for title in by_title if title not in NOT_RUN]


@pytest.fixture
def workspace() -> Workspace:
    return Workspace(NOW)


def ask(workspace: Workspace, tab: str, title: str) -> list[dict[str, Any]]:
    return workspace.ask(queries()[tab][title])


def alert(workspace: Workspace, name: str) -> list[dict[str, Any]]:
    return workspace.ask((FOLDER / "queries" / "alerts" / f"{name}.kql").read_text())


def a_fleet() -> list[dict[str, object]]:
    """One cluster that is well, and one that is offline with a fluxConfiguration that is not compliant."""
    page = looked(Page(id="00"), Sighting(cluster=a_cluster(), configuration=seen()))
    ill = Sighting(cluster=a_cluster(1, connectivity="Offline"), configuration=seen(1, compliance="Non-Compliant", message="no such path"))
    page = looked(page, Sighting(cluster=a_cluster(), configuration=seen()), ill, look=a_look(3, now=at(300)))
    return list(compliance_rows(page, 0, 9))


def an_entry(action: str, *, actor: str = "sluice", resource: str = "r", **detail: str) -> dict[str, object]:
    entry = Entry(id=f"e-{action}", stream="s", at=at(-60), actor=actor, action=action, resource=resource, cause="c", detail=detail)
    return audit_row(replace(make_link(None, entry, "salt"), at=at(-60)))


def a_line(name: str, **fields: object) -> dict[str, object]:
    """As the app logs it."""
    text, _ = event_logger("sluice").process(name, {"extra": fields})
    return {"TimeGenerated": at(-60), "Message": text}


@pytest.mark.parametrize(("tab", "title"), RUN)
def test_a_query_runs_on_a_fleet_of_which_nothing_is_known(workspace: Workspace, tab: str, title: str) -> None:
    assert all(row.get("Count", 0) == 0 for row in ask(workspace, tab, title))


def test_each_tab_has_queries_and_each_title_is_there_once() -> None:
    titles = [title for by_title in queries().values() for title in by_title]
    assert tabs() == list(queries())
    assert len(titles) == len(set(titles))
    assert set(titles) >= NOT_RUN
    assert list(parameters()) == ["Days"]


def test_the_fleet_is_counted_by_what_is_newest_of_each_resource(workspace: Workspace) -> None:
    workspace.take("SluiceCompliance_CL", a_fleet())
    counts = {row["What"]: row["Count"] for row in ask(workspace, "compliance", "The fleet now")}
    assert counts == {
        "clusters": 2,
        "offline or expired": 1,
        "fluxConfigurations": 2,
        "compliant": 1,
        "non-compliant": 1,
        "drifted": 0,
        "in conflict with Azure Policy": 0,
    }
    (ill,) = ask(workspace, "compliance", "Not compliant")
    assert (ill["Cluster"], ill["Message"]) == ("cluster-001", "no such path")
    (offline,) = ask(workspace, "offline", "Offline now")
    assert offline["Cluster"] == "cluster-001"


@pytest.mark.parametrize(
    ("reason", "by"),
    [
        ("spec.branch is dev, asked main; by alex@contoso.example at 2026-11-23 10:59 UTC; is put back", "alex@contoso.example"),
        ("suspended; by someone unknown; the budget of the day is spent", "someone unknown"),
    ],
)
def test_drift_is_shown_with_who_made_it(workspace: Workspace, reason: str, by: str) -> None:
    workspace.take("SluiceAudit_CL", [an_entry("drift.found", reason=reason)] * 2)
    (found,) = ask(workspace, "drift", "Found, and by whom")
    assert (found["By"], found["Reason"]) == (by, reason)


def test_rollouts_show_what_they_wait_for_and_how_long_they_took(workspace: Workspace) -> None:
    waiting = replace(a_rollout(a_stage(), id="one"), waiting_for="approval: leads", updated_at=at(-60))
    done = replace(a_rollout(a_stage(), id="two"), state="succeeded", created_at=at(-3600), updated_at=at(-1800))
    workspace.take("SluiceRollouts_CL", [rollout_row(waiting), rollout_row(done)])
    (row,) = ask(workspace, "rollouts", "Under way, and what they wait for")
    assert (row["RolloutId"], row["WaitingFor"]) == ("one", "approval: leads")
    (took,) = ask(workspace, "rollouts", "How long they take")
    assert (took["Rollouts"], took["HalfWithinMinutes"]) == (1, 30)


def test_what_people_did_is_apart_from_what_sluice_did(workspace: Workspace) -> None:
    entries = [an_entry("target.failed", reason="no such path"), an_entry("rollout.paused", actor="alex", reason="odd")]
    workspace.take("SluiceAudit_CL", [*entries, an_entry("change.received", actor="bo")])
    assert [row["Actor"] for row in ask(workspace, "rollouts", "What people did")] == ["alex"]
    assert [row["Reason"] for row in ask(workspace, "rollouts", "Where they failed")] == ["no such path"]


def test_channels_and_refusals_are_read_from_the_lines_that_the_code_logs(workspace: Workspace) -> None:
    lines = [
        a_line("notification.sent", provider="ops", announcements=2),
        a_line("notification.not-sent", provider="ops", error="Throttled", code="429"),
        a_line("notification.failed", provider="old", delivery="d", reason="Rejected 404"),
        a_line("receiver.refused", receiver="platform", status=401, reason="signature wrong"),
        a_line("update.not-written", target="t", error="Throttled", code="429"),
    ]
    workspace.take("AppTraces", lines)
    channels = {row["Provider"]: (row["Sent"], row["Retried"], row["GivenUp"]) for row in ask(workspace, "notifications", "By channel")}
    assert channels == {"ops": (1, 1, 0), "old": (0, 0, 1)}
    (refused,) = ask(workspace, "throttling", "Deliveries that were refused")
    assert (refused["Receiver"], refused["Status"], refused["Refusals"]) == ("platform", "401", 1)
    (written,) = ask(workspace, "throttling", "Writes that Azure Resource Manager refused or did not take")
    assert (written["Error"], written["Writes"]) == ("Throttled", 1)


def test_each_timer_that_is_late_raises_an_alert_and_no_other(workspace: Workspace) -> None:
    def ran(name: str, ago: timedelta, *, success: bool = True) -> Mapping[str, object]:
        return {"TimeGenerated": NOW - ago, "Name": name, "Success": success, "DurationMs": 5.0}

    minute = timedelta(minutes=1)
    runs = [ran("sweep_rollouts", minute), ran("sweep_clusters", 4 * minute), ran("sweep_fleet", 31 * minute), ran("export_logs", minute)]
    workspace.take("AppRequests", [*runs, ran("sweep_fleet", minute, success=False)])
    assert {row["Name"] for row in alert(workspace, "sweep-late")} == {"sweep_fleet", "sweep_compliance"}


def test_a_rollout_is_stuck_that_moves_no_more_and_waits_for_nothing(workspace: Workspace) -> None:
    long_ago, lately = at(-7 * 3600), at(-60)
    rollouts = [
        replace(a_rollout(a_stage(), id="stuck"), updated_at=long_ago),
        replace(a_rollout(a_stage(), id="waits"), updated_at=long_ago, waiting_for="approval: leads"),
        replace(a_rollout(a_stage(), id="paused"), updated_at=long_ago, state="paused"),
        replace(a_rollout(a_stage(), id="moves"), updated_at=long_ago),
        replace(a_rollout(a_stage(), id="moves"), updated_at=lately),
        replace(a_rollout(a_stage(), id="ended"), updated_at=long_ago),
        replace(a_rollout(a_stage(), id="ended"), updated_at=lately, state="succeeded"),
    ]
    workspace.take("SluiceRollouts_CL", map(rollout_row, rollouts))
    assert [row["RolloutId"] for row in alert(workspace, "rollout-stuck")] == ["stuck"]


def test_a_channel_that_takes_nothing_raises_an_alert_and_one_that_limps_does_not(workspace: Workspace) -> None:
    down = [a_line("notification.not-sent", provider="down", error="Unavailable", code="503")] * 5
    limps = [a_line("notification.not-sent", provider="limps", error="Throttled", code="429")] * 9
    workspace.take("AppTraces", [*down, *limps, a_line("notification.sent", provider="limps", announcements=1)])
    assert [row["Provider"] for row in alert(workspace, "notification-delayed")] == ["down"]


def test_a_blob_in_dead_letters_raises_an_alert_and_an_upload_does_not(workspace: Workspace) -> None:
    def written(uri: str) -> dict[str, object]:
        return {"TimeGenerated": at(-60), "Category": "StorageWrite", "StatusText": "Success", "Uri": uri}

    account = "https://sluice.blob.core.windows.net:443"
    workspace.take("StorageBlobLogs", [written(f"{account}/dead-letters/topic/1.json"), written(f"{account}/config/sluice.yaml")])
    assert len(alert(workspace, "event-undelivered")) == 1


@pytest.mark.parametrize("name", sorted(path.stem for path in (FOLDER / "queries" / "alerts").glob("*.kql")))
def test_an_alert_rule_runs_and_says_nothing_of_a_fleet_that_is_well(workspace: Workspace, name: str) -> None:
    timers = ("sweep_rollouts", "sweep_compliance", "sweep_clusters", "sweep_fleet", "export_logs")
    workspace.take("AppRequests", [{"TimeGenerated": at(-60), "Name": each, "Success": True, "DurationMs": 5.0} for each in timers])
    workspace.take("SluiceCompliance_CL", a_fleet())
    assert alert(workspace, name) == []


def test_each_query_is_shown_in_a_way_that_workbooks_know() -> None:
    items = [item for group in workbook()["items"] for item in group["content"].get("items", [])]
    assert {item["content"]["visualization"] for item in items} == {"tiles", "table", "barchart", "timechart"}
    assert workbook()["fallbackResourceIds"] == ["__WORKSPACE__"]
    assert "'__WORKSPACE__', workspaceId" in (FOLDER / "modules" / "workbook.bicep").read_text()
