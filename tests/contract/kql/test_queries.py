"""Every query file is KQL to Microsoft's own parser, against the documented columns of Resource Graph's tables."""

import json
import re
import subprocess
from pathlib import Path

import pytest
from pycep import BicepParser

from local.node import PACKAGES, node
from shared.azure.resource_graph import query

QUERIES = sorted(path.stem for path in Path("shared/azure/queries").glob("*.kql"))
COLUMNS = (
    "id:string, name:string, type:string, tenantId:string, ['kind']:string, location:string, resourceGroup:string, subscriptionId:string,"
    " managedBy:string, sku:dynamic, plan:dynamic, properties:dynamic, tags:dynamic, identity:dynamic, zones:dynamic,"
    " extendedLocation:dynamic, systemData:dynamic"
)
TABLES = {"resources": COLUMNS, "kubernetesconfigurationresources": COLUMNS, "policyresources": COLUMNS}
#: What the adapters put into a query before they send it.
FILLED = {"{definitions}": "'f9175d5f-abc8-1dc3-bd3c-5d7476ada3d1'"}
#: Columns that our alert rules use (learn.microsoft.com, Azure Monitor Logs tables AppRequests and AppTraces).
TELEMETRY = {
    "AppRequests": "TimeGenerated:datetime, Name:string, OperationName:string, Success:bool, ResultCode:string, DurationMs:real",
    "AppTraces": "TimeGenerated:datetime, Message:string, SeverityLevel:int, OperationName:string, Properties:dynamic",
}


def diagnose(text: str, tables: dict[str, str] = TABLES) -> list[str]:
    script = Path(__file__).with_name("diagnose.js")
    command = [node(), str(script), str(PACKAGES), json.dumps(tables)]
    done = subprocess.run(command, input=text, capture_output=True, text=True, check=True, timeout=60)
    found: list[str] = json.loads(done.stdout)
    return found


@pytest.mark.parametrize("name", QUERIES)
def test_microsofts_parser_finds_nothing_wrong(name: str) -> None:
    text = query(name)
    for place, value in FILLED.items():
        text = text.replace(place, value)
    assert diagnose(text) == []


def test_the_parser_would_find_a_misspelt_column_and_a_missing_operator() -> None:
    assert diagnose("resources | project nme")
    assert diagnose("resources | wher name == 'a'")


@pytest.mark.parametrize("path", sorted(Path("infra/queries/alerts").glob("*.kql")), ids=lambda path: path.stem)
def test_microsofts_parser_finds_nothing_wrong_in_an_alert_rule(path: Path) -> None:
    assert diagnose(path.read_text(), TELEMETRY) == []


def test_microsofts_parser_finds_nothing_wrong_in_the_examples_of_the_documentation() -> None:
    columns = BicepParser().parse(text=Path("infra/modules/logs.bicep").read_text())["variables"]["columns"]["value"]
    tables = {name: ", ".join(f"{each['name']}:{each['type']}" for each in every) for name, every in columns.items()}
    examples = re.findall(r"```kusto\n(.*?)```", Path("docs/monitoring.md").read_text(), re.DOTALL)
    assert examples
    assert [diagnose(example, tables) for example in examples] == [[]] * len(examples)
