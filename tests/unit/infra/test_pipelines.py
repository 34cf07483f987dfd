"""The two pipelines do the same, and neither knows a secret."""

import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from bicep import FOLDER, template

ROOT = FOLDER.parent
GITHUB = ROOT / ".github" / "workflows" / "deploy.yml"
AZURE = ROOT / ".azure-pipelines" / "deploy.yml"
STEPS = ROOT / ".azure-pipelines" / "steps.yml"
CI = ROOT / ".github" / "workflows" / "ci.yml"


def read(path: Path) -> Any:
    return yaml.safe_load(path.read_text())


def test_both_test_first_and_go_to_production_by_way_of_staging() -> None:
    jobs = read(GITHUB)["jobs"]
    stages = {stage["stage"]: stage for stage in read(AZURE)["stages"]}
    assert list(jobs) == list(stages) == ["test", "staging", "production"]
    for name, before in (("staging", "test"), ("production", "staging")):
        assert (jobs[name]["needs"], jobs[name]["environment"]) == (before, name)
        assert (stages[name]["dependsOn"], stages[name]["jobs"][0]["environment"]) == (before, name)


@pytest.mark.parametrize("path", [GITHUB, AZURE, STEPS, CI], ids=lambda path: f"{path.parent.name}-{path.stem}")
def test_no_pipeline_knows_a_secret(path: Path) -> None:
    assert not re.search(r"secrets\.|client-secret|CLIENT_SECRET|creds:|password", path.read_text(), re.IGNORECASE)


def test_both_test_the_same_publish_the_sbom_and_deploy_the_same_way() -> None:
    for word in ("make test", "make run", "sbom.cdx.json"):
        assert word in CI.read_text()
        assert word in AZURE.read_text()
    for command in ("azd config set auth.useAzCliAuth true", "azd provision --preview --no-prompt", "azd up --no-prompt", "/api/health"):
        assert command in GITHUB.read_text()
        assert command in STEPS.read_text()
    assert read(GITHUB)["permissions"] == {"contents": "read", "id-token": "write"}


def test_what_the_pipelines_and_the_hook_call_is_there() -> None:
    targets = re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE)
    assert {"test", "run", "sbom"} <= set(targets)
    assert set(read(ROOT / "azure.yaml")["hooks"]) == {"postdeploy"}
    assert template("events.bicep")["modules"]
