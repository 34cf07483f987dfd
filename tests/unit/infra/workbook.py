"""The workbook as Azure Monitor would show it: its tabs, and the queries on each."""

import json
from typing import Any

from bicep import FOLDER

FILE = FOLDER / "workbook" / "fleet.workbook.json"
_TEXT, _QUERY, _PARAMETERS, _LINKS, _GROUP = 1, 3, 9, 11, 12


def workbook() -> dict[str, Any]:
    found: dict[str, Any] = json.loads(FILE.read_text())
    return found


def tabs() -> list[str]:
    (links,) = (item for item in workbook()["items"] if item["type"] == _LINKS)
    return [link["subTarget"] for link in links["content"]["links"]]


def parameters() -> dict[str, str]:
    """Each with the value that it has at first."""
    (item,) = (item for item in workbook()["items"] if item["type"] == _PARAMETERS)
    return {parameter["name"]: parameter["value"] for parameter in item["content"]["parameters"]}


def queries() -> dict[str, dict[str, str]]:
    """By tab and title, with parameters filled in."""
    found: dict[str, dict[str, str]] = {}
    for group in (item for item in workbook()["items"] if item["type"] == _GROUP):
        for item in group["content"]["items"]:
            text = item["content"]["query"]
            for name, value in parameters().items():
                text = text.replace(f"{{{name}}}", value)
            found.setdefault(group["conditionalVisibility"]["value"], {})[item["content"]["title"]] = text
    return found
