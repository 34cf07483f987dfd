"""The templates make what the code uses, and nothing else: what one of them gains, the other must gain too."""

import json
import re
from pathlib import Path
from typing import Any

import pytest
from bicep import FOLDER, TEMPLATES, number, template, variable
from builders import a_rollout, a_stage, at
from sightings import a_cluster, a_look, looked, seen

from shared.azure.cosmos.database import _INDEXING, CONTAINERS
from shared.azure_events import FAMILIES
from shared.config.settings import read
from shared.domain.audit import Entry, make_link
from shared.domain.compliance_rows import compliance_rows
from shared.domain.fleet import Page, Sighting
from shared.domain.log_rows import AUDIT, COMPLIANCE, ROLLOUTS, audit_row, rollout_row
from shared.domain.messages import QUEUES

ROOT = FOLDER.parent
ENTRANCES = ("main.bicep", "events.bicep")
#: The Functions host's own settings, which our code does not read.
OF_THE_HOST = {
    "AzureWebJobsStorage__accountName",  # read by both
    "AzureWebJobsStorage__credential",
    "AzureWebJobsStorage__clientId",
    "OVERRIDE_USE_MI_FIC_ASSERTION_CLIENTID",  # App Service authentication's
    "APPLICATIONINSIGHTS_CONNECTION_STRING",
    "APPLICATIONINSIGHTS_AUTHENTICATION_STRING",
}
#: Settings that a deployment in Azure leaves alone, and why.
NOT_IN_AZURE = {
    "AzureWebJobsStorage": "a connection string; Azure has an identity",
    "FUNCTIONS_WORKER_RUNTIME": "Flex Consumption takes it from functionAppConfig",
    "COSMOS_KEY": "emulators only",
    "DASHBOARD_WITHOUT_SIGN_IN": "for local use; in Azure people sign in",
    "AZURE_CLIENT_SECRET": "a managed identity has none",
    "AZURE_CLIENT_CERTIFICATE_PATH": "a managed identity has none",
    "AZURE_FEDERATED_TOKEN_FILE": "for apps outside Azure",
    "SLUICE_URL": "Azure tells the app its host name",
    "APPLY_LEASE_SECONDS": "the default fits",
    "REDISPATCH_AFTER_SECONDS": "the default fits",
    "LOOK_FOR_AWAY_SECONDS": "the default fits",
}


@pytest.mark.parametrize("name", TEMPLATES)
def test_every_template_is_bicep(name: str) -> None:
    assert template(name).get("resources") or template(name).get("modules")


def test_every_module_is_used_and_there() -> None:
    texts = "\n".join((FOLDER / name).read_text() for name in ENTRANCES)
    used = set(re.findall(r"^module \w+ '([^']+)'", texts, re.MULTILINE))
    assert used == set(TEMPLATES) - set(ENTRANCES)


@pytest.mark.parametrize("entrance", ENTRANCES)
def test_a_module_gets_each_parameter_that_it_asks_for_and_no_other(entrance: str) -> None:
    for module in template(entrance)["modules"].values():
        config = module["config"]
        while "params" not in config:  # within a loop or a condition
            config = config["config"]
        asked = template(module["detail"]["path"])["parameters"]
        required = {name for name, parameter in asked.items() if parameter.get("default") is None}
        given = set(config["params"])
        assert required <= given <= set(asked), module["detail"]["path"]


def test_the_queues_are_those_of_the_code() -> None:
    assert tuple(variable("modules/storage.bicep", "work")) == QUEUES


def test_the_containers_are_those_of_the_code() -> None:
    made = {(each["name"], each["partitionKey"], number(each["days"])) for each in variable("modules/cosmos.bicep", "containers")}
    assert made == {(each.name, each.partition_key, _days(each.time_to_live_seconds)) for each in CONTAINERS}
    assert variable("modules/cosmos.bicep", "indexing") == _INDEXING


def _days(seconds: int | None) -> int:
    return 0 if seconds is None else -1 if seconds < 0 else seconds // 86400


def test_every_setting_that_the_code_reads_is_made_and_the_reverse() -> None:
    made = set(variable("modules/app.bicep", "settings"))
    known = set(json.loads((ROOT / "local.settings.sample.json").read_text())["Values"])
    assert made - OF_THE_HOST == known - set(NOT_IN_AZURE)
    assert set(NOT_IN_AZURE) <= known


def test_the_settings_are_enough_for_the_app_to_start() -> None:
    given = {name: _example(value) for name, value in variable("modules/app.bicep", "settings").items()}
    settings = read(given)
    assert settings.storage_queue_uri == "https://storageName.queue.core.windows.net"
    assert settings.cosmos_database == "sluice"


def _example(value: Any) -> str:
    """What the template computes becomes a text of the right kind."""
    return value.replace("keyId", "https://vault.example/keys/key") if isinstance(value, str) else "https://example/"


def test_parameters_of_azd_are_those_of_the_template() -> None:
    given = json.loads((FOLDER / "main.parameters.json").read_text())["parameters"]
    asked = template("main.bicep")["parameters"]
    assert {name for name, parameter in asked.items() if parameter.get("default") is None} <= set(given) <= set(asked)


def test_every_alert_rule_has_its_query_and_its_page_in_the_runbook() -> None:
    rules = [rule["name"] for rule in variable("modules/alerts.bicep", "rules")]
    queries = sorted(path.stem for path in (FOLDER / "queries" / "alerts").glob("*.kql"))
    runbook = (ROOT / "docs" / "runbook.md").read_text()
    assert sorted(rules) == queries
    assert [name for name in re.findall(r"^## (.+)$", runbook, re.MULTILINE) if name in rules] == rules


def test_alerts_look_for_lines_and_functions_that_the_code_has() -> None:
    code = "\n".join(path.read_text() for folder in ("shared", "functions") for path in (ROOT / folder).rglob("*.py"))
    for path in (FOLDER / "queries" / "alerts").glob("*.kql"):
        words = re.findall(r"(?:startswith|==) '([^']+)'", path.read_text())
        assert all(f'"{word}"' in code or f"def {word}" in code for word in words), path.name


def test_no_template_holds_a_key_or_lists_one() -> None:
    for path in [*FOLDER.rglob("*.bicep"), Path(FOLDER / "main.parameters.json")]:
        assert not re.search(r"listKeys|AccountKey|connectionStrings\[", path.read_text()), path


def test_the_tables_have_the_columns_of_the_rows() -> None:
    tables = variable("modules/logs.bicep", "columns")
    rollout = rollout_row(a_rollout(a_stage()))
    entry = Entry(id="e", stream="s", at=at(0), actor="a", action="b", resource="r", cause="c")
    page = looked(Page(id="00"), Sighting(cluster=a_cluster(), configuration=seen()))
    gone = looked(looked(page), look=a_look(3, now=at(600)))
    rows = {ROLLOUTS: rollout, AUDIT: audit_row(make_link(None, entry, "salt"))}
    for row in (*compliance_rows(page, 0, 9), *compliance_rows(gone, 0, 9)):
        assert list(row) == list(rows.setdefault(COMPLIANCE, row))
    assert {f"Custom-{name}": [column["name"] for column in columns] for name, columns in tables.items()} == {
        stream: list(row) for stream, row in rows.items()
    }


def test_events_go_to_a_function_that_is_there_and_knows_them() -> None:
    properties = template("events/fleet.bicep")["resources"]["events"]["config"]["properties"]
    assert properties["destination"]["properties"]["resourceId"].endswith("/functions/on_azure_event")
    assert "async def on_azure_event(" in (ROOT / "functions" / "on_azure_event.py").read_text()
    assert set(properties["filter"]["includedEventTypes"]) <= set(FAMILIES)
    assert properties["deadLetterDestination"]["properties"]["blobContainerName"] in (FOLDER / "modules" / "storage.bicep").read_text()


def test_every_table_is_a_stream_that_flows_into_it() -> None:
    streams = {f"Custom-{name}" for name in variable("modules/logs.bicep", "columns")}
    text = (FOLDER / "modules" / "logs.bicep").read_text()
    assert set(re.findall(r"'(Custom-\w+)': \{ columns", text)) == streams
    assert set(re.findall(r"streams: \['(Custom-\w+)'\], destinations: \['workspace'\], outputStream: '\1'", text)) == streams
