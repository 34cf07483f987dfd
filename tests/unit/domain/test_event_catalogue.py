"""The catalogue holds every kind that the code tells, and no other."""

import ast
import json
import re
from collections.abc import Iterator
from fnmatch import fnmatchcase
from pathlib import Path

import jsonschema
import pytest

from cli.events import catalogue
from shared.domain.endings import SEVERITIES
from shared.domain.event_catalogue import EVENTS
from shared.domain.event_fields import DIGEST_FIELDS, FIELDS
from shared.domain.event_schema import events_schema, example
from shared.domain.fleet import BAD, ERRORS
from shared.services import announce, fleet_news, flux_alert

ROOT = Path(__file__).parents[3]
_KIND = re.compile(r"[a-z]+\.[a-z*-]+")
#: What makes an event, and at which place of its arguments the kind stands.
_MAKERS = {
    "Announcement": None,
    "Told": None,
    "Transition": None,
    "_announcement": None,
    "with_event": 0,
    "_told": 1,
    "of_member": 1,
    "of_entry": 2,
}


def constants(node: ast.expr) -> Iterator[str]:
    """The texts that an expression may be; a piece that is computed is written *."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        yield node.value
    elif isinstance(node, ast.JoinedStr):
        yield "".join(part.value if isinstance(part, ast.Constant) else "*" for part in node.values)  # type: ignore[misc]  # texts
    elif isinstance(node, ast.IfExp):
        yield from constants(node.body)
        yield from constants(node.orelse)


def kinds_in(tree: ast.Module) -> Iterator[str]:
    for node in ast.walk(tree):
        if not isinstance(node, ast.Call):
            continue
        name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
        if name not in _MAKERS:
            continue
        place = _MAKERS[name]
        given = [keyword.value for keyword in node.keywords if keyword.arg == "kind"]
        given += node.args[place : place + 1] if place is not None else []
        yield from (text for value in given for text in constants(value))


def written() -> set[str]:
    """Every kind, or pattern of kinds, of which the code makes events."""
    trees = [ast.parse(path.read_text()) for path in (ROOT / "shared").rglob("*.py") if path.name != "event_catalogue.py"]
    found = {kind for tree in trees for kind in kinds_in(tree)}
    assert {"rollout.started", "gate.*", "config.refused", "secret.near-expiry", "drift.found"} <= found
    return {kind for kind in found if _KIND.fullmatch(kind)} | {flux_alert.KIND, *BAD, *ERRORS, *SEVERITIES}


def test_every_kind_of_the_code_is_in_the_catalogue() -> None:
    kinds = written() | set(announce._TITLES) | set(fleet_news._TITLES)
    assert [kind for kind in sorted(kinds) if not any(fnmatchcase(known, kind) for known in EVENTS)] == []


def test_every_kind_of_the_catalogue_is_in_the_code() -> None:
    kinds = {kind for kind in written() if not kind.startswith("*")} | set(fleet_news._TITLES)
    assert [known for known in EVENTS if not any(fnmatchcase(known, kind) for kind in kinds)] == []


@pytest.mark.parametrize("kind", EVENTS)
def test_its_example_is_valid(kind: str) -> None:
    jsonschema.Draft202012Validator(events_schema()).validate(example(kind))
    assert set(EVENTS[kind].fields) | set(EVENTS[kind].of_one) <= set(FIELDS | DIGEST_FIELDS)


def test_the_schema_is_one() -> None:
    jsonschema.Draft202012Validator.check_schema(events_schema())


@pytest.mark.parametrize(
    "wrong",
    [
        {"type": "sluice.rollout.exploded"},
        {"type": "Microsoft.Resources.ResourceWriteSuccess"},
        {"id": "rollout.1"},
        {"specversion": "0.3"},
        {"data": {**example("stage.failed")["data"], "severity": "info"}},
        {"data": {**example("stage.failed")["data"], "fields": {"rollout": "r1"}}},
        {"data": {**example("stage.failed")["data"], "fields": {**example("stage.failed")["data"]["fields"], "failed": "1"}}},
        {"data": {}},
    ],
)
def test_the_schema_refuses_what_is_none_of_ours(wrong: dict[str, object]) -> None:
    assert list(jsonschema.Draft202012Validator(events_schema()).iter_errors(example("stage.failed") | wrong))


def test_severities_are_those_of_targets_and_of_the_fleet() -> None:
    assert {kind: EVENTS[kind].severity for kind in SEVERITIES} == SEVERITIES
    fleet = {kind: known.severity for kind, known in EVENTS.items() if kind in fleet_news._TITLES}
    assert fleet == {kind: "error" if kind in ERRORS else "info" for kind in fleet}


def test_the_published_catalogue_is_the_one_of_the_code() -> None:
    published = json.loads((ROOT / "docs" / "events.schema.json").read_text())
    assert published == json.loads(json.dumps(events_schema())), "run: sluice events --schema > docs/events.schema.json"
    assert (ROOT / "docs" / "events.md").read_text() == f"{catalogue()}\n", "run: sluice events > docs/events.md"
