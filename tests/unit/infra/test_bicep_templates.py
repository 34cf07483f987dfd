"""The templates make what the code uses, and nothing else: what one of them gains, the other must gain too."""

import json
import re
from pathlib import Path
from typing import Any, get_args

import pytest
from bicep import FOLDER, TEMPLATES, number, template, variable
from builders import a_change, a_rollout, a_stage, at
from sightings import a_cluster, a_look, looked, seen
from workbook import queries

from shared.azure.cosmos.changes import CHANGE
from shared.azure.cosmos.database import _INDEXING, CONTAINERS, Database
from shared.azure.cosmos.documents import Shelf
from shared.config.settings import read
from shared.domain.audit import Entry, make_link
from shared.domain.compliance_rows import compliance_rows
from shared.domain.fleet import Page, Sighting
from shared.domain.log_rows import AUDIT, COMPLIANCE, ROLLOUTS, audit_row, rollout_row
from shared.domain.messages import QUEUES
from shared.domain.people import AppRole

ROOT = FOLDER.parent
#: What is deployed by itself.
ENTRANCES = ("main.bicep", "events.bicep", "fleet-management-group.bicep", "policy/subscription.bicep", "policy/management-group.bicep")
USES = [(name, module) for name in TEMPLATES for module in template(name).get("modules", {}).values()]
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
    assert {_used(name, module) for name, module in USES} == set(TEMPLATES) - set(ENTRANCES)


@pytest.mark.parametrize(("name", "module"), USES, ids=lambda value: value if isinstance(value, str) else value["detail"]["path"])
def test_a_module_gets_each_parameter_that_it_asks_for_and_no_other(name: str, module: dict[str, Any]) -> None:
    config = module["config"]
    while "params" not in config:  # within a loop or a condition
        config = config["config"]
    asked = template(_used(name, module))["parameters"]
    required = {name for name, parameter in asked.items() if parameter.get("default") is None}
    given = set(config["params"])
    assert required <= given <= set(asked)


def _used(name: str, module: dict[str, Any]) -> str:
    path = (FOLDER / name).parent / module["detail"]["path"]
    return path.resolve().relative_to(FOLDER).as_posix()


def test_the_queues_are_those_of_the_code() -> None:
    assert tuple(variable("modules/storage.bicep", "work")) == QUEUES


def test_the_containers_are_those_of_the_code() -> None:
    made = {(each["name"], each["partitionKey"], number(each["days"])) for each in variable("modules/cosmos.bicep", "containers")}
    assert made == {(each.name, each.partition_key, _days(each.time_to_live_seconds)) for each in CONTAINERS}
    assert variable("modules/cosmos.bicep", "indexing") == _INDEXING


async def test_sealed_text_is_not_indexed_wherever_a_document_holds_it() -> None:
    shelf = Shelf(Database("https://nowhere.example", "sluice", "none"), _Stamp(), CHANGE)
    document = await shelf.encode(a_change())
    sealed = [f"/{name}/?" for name, value in document.items() if "SEALED" in json.dumps(value)]
    assert sealed == ["/sealed/?"]
    assert set(sealed) <= {excluded["path"] for excluded in _INDEXING["excludedPaths"]}


class _Stamp:
    """A sealer whose work can be seen."""

    async def seal(self, data: bytes, *, scope: str, binding: str) -> str:
        return f"SEALED {len(data)} {scope} {binding}"

    async def open(self, token: str, *, binding: str) -> bytes:
        raise AssertionError("nothing is opened here")


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


def test_queries_look_for_lines_functions_and_acts_that_the_code_has() -> None:
    code = "\n".join(path.read_text() for folder in ("shared", "functions") for path in (ROOT / folder).rglob("*.py"))
    texts = {path.name: path.read_text() for path in (FOLDER / "queries" / "alerts").glob("*.kql")}
    texts |= {title: text for tab in queries().values() for title, text in tab.items()}
    found = {(name, word) for name, text in texts.items() for word in _named(text)}
    assert len(found) > 20
    assert {(name, word) for name, word in found if not _is_known(word, code)} == set()


def _named(text: str) -> list[str]:
    """What a query expects the code to have written: beginnings of log lines, names of timers, actions of the audit trail."""
    one = re.findall(r"(?:Message startswith|Name startswith|Name ==|Action ==|Action !=) '([^']+)'", text)
    several = re.findall(r"Action in \(([^)]+)\)", text)
    return [*one, *re.findall(r"'(\w+)', \d+m", text), *re.findall(r"'([^']+)'", ", ".join(several))]


def _is_known(word: str, code: str) -> bool:
    """As a whole, or as a kind and what is put behind it."""
    kind = word.partition(".")[0]
    return f'"{word}"' in code or f"def {word}" in code or f'f"{kind}.{{' in code


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


def test_whatever_can_tell_tells_the_workspace() -> None:
    """Diagnostic settings of every resource that has them (learn.microsoft.com, supported logs for Azure Monitor)."""
    tell = {
        "Microsoft.DocumentDB/databaseAccounts",
        "Microsoft.EventGrid/topics",
        "Microsoft.KeyVault/vaults",
        "Microsoft.Storage/storageAccounts/blobServices",
        "Microsoft.Storage/storageAccounts/queueServices",
        "Microsoft.Storage/storageAccounts/tableServices",
        "Microsoft.Web/sites",
    }
    told = set()
    for name in (name for name in TEMPLATES if name.startswith("modules/")):
        resources = template(name)["resources"]
        for resource in resources.values():
            if resource["type"] == "Microsoft.Insights/diagnosticSettings":
                told.add(resources[resource["config"]["scope"]]["type"])
    assert told == tell


def test_the_roles_of_the_registration_are_those_that_the_code_asks_for() -> None:
    roles = json.loads((FOLDER / "sign-in" / "app-roles.json").read_text())
    assert {role["value"] for role in roles} == set(get_args(AppRole))
    assert all(role["allowedMemberTypes"] == ["User", "Application"] and role["isEnabled"] for role in roles)
    assert len({role["id"] for role in roles}) == len(roles)


def test_every_table_is_a_stream_that_flows_into_it() -> None:
    streams = {f"Custom-{name}" for name in variable("modules/logs.bicep", "columns")}
    text = (FOLDER / "modules" / "logs.bicep").read_text()
    assert set(re.findall(r"'(Custom-\w+)': \{ columns", text)) == streams
    assert set(re.findall(r"streams: \['(Custom-\w+)'\], destinations: \['workspace'\], outputStream: '\1'", text)) == streams


def test_the_fleet_s_role_is_the_same_at_a_management_group() -> None:
    here, above = (
        template(name)["resources"]["role"]["config"]["properties"]["permissions"]
        for name in ("modules/fleet-role.bicep", "fleet-management-group.bicep")
    )
    assert here == above


def test_the_page_on_security_names_every_role_that_a_template_gives() -> None:
    page = (ROOT / "docs" / "security.md").read_text()
    text = "\n".join((FOLDER / name).read_text() for name in TEMPLATES)
    named = {
        *re.findall(r"name: '([^']+)', id: '[0-9a-f-]{36}'", text),
        *re.findall(r"= '[0-9a-f]{8}-[0-9a-f-]{27}' // ([A-Z][\w -]+?)(?::|$)", text, re.MULTILINE),
    }
    roles = {role for role in named if not role.startswith("Configure")}
    assert len(roles) >= 9
    assert {role for role in roles if role not in page} == set()


def test_the_guide_explains_every_parameter() -> None:
    guide = (ROOT / "docs" / "deploy.md").read_text()
    asked = {*template("main.bicep")["parameters"]} - {"environmentName", "location"}
    assert {name for name in asked if f"`{name}`" not in guide} == set()
    settable = re.findall(r"\$\{(SLUICE_\w+)[=:]", (FOLDER / "main.parameters.json").read_text() + (ROOT / "azure.yaml").read_text())
    assert len(settable) > 10
    assert {name for name in settable if f"`{name}`" not in guide} == set()
