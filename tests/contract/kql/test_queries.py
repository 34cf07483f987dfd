"""Every query file is KQL to Microsoft's own parser, against the documented columns of Resource Graph's tables."""

import json
import subprocess
from pathlib import Path

import pytest

from local.node import PACKAGES, node
from shared.azure.resource_graph import query

QUERIES = sorted(path.stem for path in Path("shared/azure/queries").glob("*.kql"))
COLUMNS = (
    "id:string, name:string, type:string, tenantId:string, ['kind']:string, location:string, resourceGroup:string, subscriptionId:string,"
    " managedBy:string, sku:dynamic, plan:dynamic, properties:dynamic, tags:dynamic, identity:dynamic, zones:dynamic,"
    " extendedLocation:dynamic, systemData:dynamic"
)
TABLES = {"resources": COLUMNS, "kubernetesconfigurationresources": COLUMNS, "policyresources": COLUMNS}


def diagnose(text: str) -> list[str]:
    script = Path(__file__).with_name("diagnose.js")
    command = [node(), str(script), str(PACKAGES), json.dumps(TABLES)]
    done = subprocess.run(command, input=text, capture_output=True, text=True, check=True, timeout=60)
    found: list[str] = json.loads(done.stdout)
    return found


@pytest.mark.parametrize("name", QUERIES)
def test_microsofts_parser_finds_nothing_wrong(name: str) -> None:
    assert diagnose(query(name)) == []


def test_the_parser_would_find_a_misspelt_column_and_a_missing_operator() -> None:
    assert diagnose("resources | project nme")
    assert diagnose("resources | wher name == 'a'")
