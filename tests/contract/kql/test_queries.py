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
#: Columns that our alert rules and the workbook use (learn.microsoft.com, Azure Monitor Logs tables).
TELEMETRY = {
    "AppRequests": "TimeGenerated:datetime, Name:string, OperationName:string, Success:bool, ResultCode:string, DurationMs:real",
    "AppTraces": "TimeGenerated:datetime, Message:string, SeverityLevel:int, OperationName:string, Properties:dynamic",
    "AppMetrics": "TimeGenerated:datetime, Name:string, Sum:real, Min:real, Max:real, ItemCount:int, Properties:dynamic",
    "StorageBlobLogs": "TimeGenerated:datetime, Category:string, OperationName:string, StatusText:string, Uri:string",
}
OURS = {
    name: ", ".join(f"{each['name']}:{each['type']}" for each in columns)
    for name, columns in BicepParser().parse(text=Path("infra/modules/logs.bicep").read_text())["variables"]["columns"]["value"].items()
}
WORKBOOK = [
    item["content"]
    for group in json.loads(Path("infra/workbook/fleet.workbook.json").read_text())["items"]
    for item in group["content"].get("items", [])
]


def diagnose(text: str, tables: dict[str, str] = TABLES) -> list[str]:
    return diagnose_all([text], tables)[0]


def diagnose_all(texts: list[str], tables: dict[str, str]) -> list[list[str]]:
    """What is wrong with each; one start of the parser for all."""
    script = Path(__file__).with_name("diagnose.js")
    command = [node(), str(script), str(PACKAGES), json.dumps(tables)]
    done = subprocess.run(command, input=json.dumps(texts), capture_output=True, text=True, check=True, timeout=60)
    found: list[list[str]] = json.loads(done.stdout)
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


def test_microsofts_parser_finds_nothing_wrong_in_an_alert_rule() -> None:
    rules = {path.stem: path.read_text() for path in Path("infra/queries/alerts").glob("*.kql")}
    assert rules
    found = dict(zip(rules, diagnose_all(list(rules.values()), TELEMETRY | OURS), strict=True))
    assert not any(found.values()), found


def test_microsofts_parser_finds_nothing_wrong_in_the_examples_of_the_documentation() -> None:
    examples = re.findall(r"```kusto\n(.*?)```", Path("docs/monitoring.md").read_text(), re.DOTALL)
    assert examples
    assert diagnose_all(examples, OURS) == [[]] * len(examples)


def test_microsofts_parser_finds_nothing_wrong_in_the_workbook() -> None:
    texts = {content["title"]: content["query"].replace("{Days}", "30") for content in WORKBOOK}
    assert len(texts) == len(WORKBOOK)
    assert not [title for title, text in texts.items() if "{" in text], "a parameter that nobody fills in"
    found = dict(zip(texts, diagnose_all(list(texts.values()), TELEMETRY | OURS), strict=True))
    assert not any(found.values()), found


def test_the_parser_would_find_a_column_that_a_table_of_ours_lacks() -> None:
    assert diagnose("SluiceCompliance_CL | project ClusterName", OURS)
