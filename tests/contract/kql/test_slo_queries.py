"""The queries of the service levels are KQL to Microsoft's own parser, against the tables of the templates and of Azure Monitor."""

import re
from pathlib import Path

import pytest
from pycep import BicepParser
from test_queries import TELEMETRY, diagnose

DOCUMENT = Path("docs/slo.md").read_text()
QUERIES = dict(re.findall(r"^## (.+?)\n.*?```kusto\n(.*?)```", DOCUMENT, re.DOTALL | re.MULTILINE))


def tables() -> dict[str, str]:
    columns = BicepParser().parse(text=Path("infra/modules/logs.bicep").read_text())["variables"]["columns"]["value"]
    return {**TELEMETRY, **{name: ", ".join(f"{each['name']}:{each['type']}" for each in every) for name, every in columns.items()}}


@pytest.mark.parametrize("title", QUERIES)
def test_microsofts_parser_finds_nothing_wrong(title: str) -> None:
    assert diagnose(QUERIES[title], tables()) == []


def test_each_promise_has_its_query() -> None:
    promises = re.findall(r"^\| (\d) \|", DOCUMENT, re.MULTILINE)

    assert promises == [title.partition(".")[0] for title in QUERIES]
