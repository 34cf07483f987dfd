"""A month's bill: what it is made of agrees with what was counted, with the templates, and with the documentation."""

import json
import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cli.bill import usage
from cli.bill.prices import Price
from cli.bill.table import SIZES, markdown
from cli.bill.usage import Scale, uses
from cli.main import main

BENCHMARKS = Path("docs/benchmarks.md").read_text()
DOCUMENTED = Path("docs/costs.md").read_text()
scales = st.builds(
    Scale,
    clusters=st.integers(1, 100_000),
    pushes=st.integers(0, 1_000),
    always_ready=st.booleans(),
    logs=st.booleans(),
    private=st.booleans(),
)


def bill(scale: Scale) -> float:
    return sum(use.dollars for use in uses(scale))


def rows(title: str) -> list[list[str]]:
    """The table of a section of docs/benchmarks.md."""
    section = BENCHMARKS.split(f"## {title}\n")[1].split("\n## ")[0]
    lines = [line for line in section.splitlines() if line.startswith("| ")]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines[2:]]


class TestUse:
    @given(scales)
    def test_more_clusters_or_pushes_never_cost_less(self, scale: Scale) -> None:
        more_clusters = Scale(scale.clusters * 2, scale.pushes, scale.always_ready, scale.logs, scale.private)
        more_pushes = Scale(scale.clusters, scale.pushes + 1, scale.always_ready, scale.logs, scale.private)

        assert bill(more_clusters) >= bill(scale)
        assert bill(more_pushes) >= bill(scale)

    @given(scales)
    def test_a_cluster_of_a_larger_fleet_costs_no_more(self, scale: Scale) -> None:
        larger = Scale(scale.clusters * 10, scale.pushes, scale.always_ready, scale.logs, scale.private)

        # Free grants are used up once, so a large fleet may pay for what a small one is given.
        assert bill(larger) / larger.clusters <= bill(scale) / scale.clusters + 0.05

    def test_what_is_off_is_not_billed(self) -> None:
        services = {use.service for use in uses(Scale(clusters=10, pushes=0, always_ready=False, logs=False))}

        assert not services & {"Azure Monitor", "Private Link", "Storage"}

    def test_what_is_free_is_not_billed(self) -> None:
        assert Price("p", "u", 2.0, per=10, free=100).of(90) == 0
        assert Price("p", "u", 2.0, per=10, free=100).of(150) == pytest.approx(10)


class TestFigures:
    def test_a_target_costs_what_was_counted(self) -> None:
        counted = next(row for row in rows("What a rollout costs") if row[0] == "100")

        assert (float(counted[1]), float(counted[5])) == (usage.MESSAGES_A_TARGET, usage.UNITS_A_TARGET)

    def test_a_look_costs_what_was_counted(self) -> None:
        looks = {int(row[0].replace(",", "")): row for row in rows("A look at the whole fleet") if row[1] == "nothing new"}

        assert {size: float(row[6]) for size, row in looks.items()} == usage.UNITS_A_LOOK
        assert {size: float(row[7]) for size, row in looks.items()} == usage.SECONDS_A_LOOK

    def test_the_templates_have_the_alert_rules_that_are_billed(self) -> None:
        every = re.findall(r"every: '(PT\d+[MH])'", Path("infra/modules/alerts.bicep").read_text())

        assert (every.count("PT5M"), len(every) - every.count("PT5M")) == (usage.ALERTS_5M, usage.ALERTS_15M)

    def test_the_templates_have_the_private_network_that_is_billed(self) -> None:
        endpoints, monitor = (Path(f"infra/modules/private-{name}.bicep").read_text() for name in ("endpoints", "monitor"))
        ways = endpoints.count("{ service: ")
        zones = ways + len(re.findall(r"'privatelink\.", monitor))

        assert (ways + monitor.count("Microsoft.Network/privateEndpoints@"), zones) == (usage.ENDPOINTS, usage.ZONES)

    def test_the_templates_keep_rows_as_long_as_is_billed(self) -> None:
        (days,) = re.findall(r"param retentionDays int = (\d+)", Path("infra/modules/logs.bicep").read_text())

        assert int(days) == usage.DAYS_OF_ROWS


class TestCommand:
    def test_the_documented_table_is_what_the_command_prints(self, capsys: pytest.CaptureFixture[str]) -> None:
        assert main(["cost", "--table"]) == 0
        assert capsys.readouterr().out.strip() in DOCUMENTED
        assert all(f"{size:,} clusters" in markdown(50) for size in SIZES)

    def test_json_adds_up(self, capsys: pytest.CaptureFixture[str]) -> None:
        assert main(["cost", "--clusters", "10000", "--pushes", "50", "--private", "--json"]) == 0
        told = json.loads(capsys.readouterr().out)

        assert told["usdAMonth"] == pytest.approx(sum(line["usd"] for line in told["lines"]), abs=0.1)
        assert told["scale"] == {"clusters": 10000, "pushes": 50, "always_ready": True, "logs": True, "private": True}

    def test_people_read_a_line_a_use_and_the_sum(self, capsys: pytest.CaptureFixture[str]) -> None:
        assert main(["cost", "--clusters", "100", "--pushes", "1"]) == 0
        told = capsys.readouterr().out

        assert "request units" in told
        assert "100 clusters, 1 pushes" in told
        assert "docs/costs.md" in " ".join(told.split())

    @pytest.mark.parametrize("wrong", [["--clusters", "0"], ["--clusters", "ten"], ["--pushes", "-1"]])
    def test_a_wrong_number_is_refused(self, wrong: list[str], capsys: pytest.CaptureFixture[str]) -> None:
        with pytest.raises(SystemExit):
            main(["cost", *wrong])
        assert "must be a number from" in capsys.readouterr().err
