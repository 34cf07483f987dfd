"""The command's options and what it prints."""

import json
from pathlib import Path

import pytest

from cli.main import main

_FILE = """
apiVersion: sluice/v1
strategies:
  - name: careful
    stages: [{name: first, selector: {tags: {ring: canary}}}, {name: rest}]
  - {name: strict, stages: [{name: all}], success: {maxFailures: 0}}
receivers:
  - {name: ci, type: github, secretRef: kv://sluice/github, events: [push, status]}
routes:
  - {name: guarded, source: {url: https://github.com/contoso/platform}, strategy: careful, requires: {checks: [ci/build], within: 5m}}
  - {name: plain, source: {url: https://github.com/contoso/platform}}
"""


@pytest.fixture
def file(tmp_path: Path) -> str:
    path = tmp_path / "sluice.yaml"
    path.write_text(_FILE)
    return str(path)


def test_it_prints_the_timeline_and_both_makespans(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["simulate", "--clusters", "20", "--strategy", "rings"]) == 0
    out = capsys.readouterr().out
    assert "20 clusters in 1 subscription, strategy rings, seed 1: succeeded" in out
    assert "makespan" in out
    assert "theoretical" in out
    assert "0 refused by ARM" in out


def test_json_is_the_whole_report_and_the_same_each_time(capsys: pytest.CaptureFixture[str]) -> None:
    texts = []
    for _ in range(2):
        assert main(["simulate", "--clusters", "20", "--json"]) == 0
        texts.append(capsys.readouterr().out)
    report = json.loads(texts[0])
    assert texts[0] == texts[1]
    assert report["counts"] == {"compliant": 20}
    assert report["model"]["clusters"] == 20
    assert {"makespanSeconds", "leastSeconds", "ratio", "stages", "events", "series"} <= set(report)


def test_a_chart_is_drawn_where_one_is_asked_for(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["simulate", "--clusters", "5", "--svg", str(tmp_path / "chart.svg")]) == 0
    assert (tmp_path / "chart.svg").read_text("utf-8").startswith("<svg")
    assert capsys.readouterr().err == ""


def test_the_strategy_is_that_of_the_file(file: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["simulate", "--clusters", "30", "--config", file, "--strategy", "careful", "--json"]) == 0
    stages = json.loads(capsys.readouterr().out)["stages"]
    assert [(stage["name"], stage["total"]) for stage in stages] == [("first", 1), ("rest", 29)]


@pytest.mark.parametrize(("after", "told", "status"), [("4m", "gate requires of stage first is approved", 0), ("6m", "paused (", 1)])
def test_a_route_of_the_file_waits_for_what_it_requires(
    after: str, told: str, status: int, file: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["simulate", "--clusters", "30", "--config", file, "--route", "guarded", "--approve-after", after]) == status
    out = capsys.readouterr().out
    assert "stage first waits for check ci/build" in out
    assert told in out


def test_a_route_without_a_strategy_moves_all_at_once(file: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["simulate", "--clusters", "30", "--config", file, "--route", "plain", "--json"]) == 0
    report = json.loads(capsys.readouterr().out)
    assert [(stage["name"], stage["total"]) for stage in report["stages"]] == [("all", 30)]
    assert not [event for event in report["events"] if event["kind"].startswith("gate")]


def test_a_rollout_that_does_not_succeed_ends_with_1(file: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["simulate", "--clusters", "30", "--failure-rate", "10%", "--config", file, "--strategy", "strict"]) == 1
    assert "paused (stage all: " in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["--strategy", "fast"], "without --config: there is no strategy fast; there is all, rings"),
        (["--config", "FILE"], "name a strategy with --strategy; there is careful, strict"),
        (["--config", "FILE", "--strategy", "rings"], "there is no strategy rings; there is careful, strict"),
        (["--config", "FILE", "--route", "fast"], "there is no route fast; there is guarded, plain"),
        (["--route", "fast"], "without --config: there is no route fast; there is none"),
        (["--config", "/nowhere/sluice.yaml"], "/nowhere/sluice.yaml"),
        (["--svg", "/nowhere/chart.svg"], "/nowhere is no folder"),
    ],
)
def test_what_cannot_be_done_is_told(arguments: list[str], told: str, file: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["simulate", "--clusters", "5", *(file if word == "FILE" else word for word in arguments)]) == 1
    assert told in capsys.readouterr().err


@pytest.mark.parametrize(
    ("option", "value", "told"),
    [
        ("--clusters", "0", "a number from 1 to 100000"),
        ("--clusters", "many", "a number from 1 to 100000"),
        ("--subscriptions", "-1", "a number from 1 to 1000"),
        ("--failure-rate", "1", "is no percentage"),
        ("--offline-rate", "nan%", "is no percentage"),
        ("--offline-rate", "101%", "is no percentage"),
        ("--offline-for", "soon", "is no duration"),
        ("--start", "noon", "is no date and time"),
        ("--seed", "x", "invalid int value"),
    ],
)
def test_a_bad_option_is_told(option: str, value: str, told: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as exit_:
        main(["simulate", option, value])
    assert exit_.value.code == 2
    assert told in capsys.readouterr().err
