"""Azure Policy beside Sluice: the same at both scopes, and a definition of ours that only reports."""

import json
import re

from bicep import FOLDER, variable


def test_policy_is_the_same_at_both_scopes() -> None:
    one, other = (
        (FOLDER / "policy" / f"{name}.bicep").read_text().partition("\n\n")[2].replace("managementGroup()", "subscription()")
        for name in ("subscription", "management-group")
    )
    assert one == other


def test_the_policy_of_ours_reports_and_changes_nothing() -> None:
    rule, parameters = (json.loads((FOLDER / "policy" / f"{name}.json").read_text()) for name in ("without-configuration", "parameters"))
    assert rule["then"]["effect"] == "[parameters('effect')]"
    assert parameters["effect"]["allowedValues"] == ["AuditIfNotExists", "Disabled"]
    assert "deployment" not in rule["then"]["details"]
    assert set(re.findall(r"parameters\('(\w+)'\)", json.dumps(rule))) == set(parameters)


def test_a_team_is_asked_for_the_definitions_that_azure_has() -> None:
    """github.com/Azure/azure-policy, built-in-policies/policyDefinitions/Kubernetes, files Deploy-GitOps-Flux2-*."""
    ids = {name: variable("policy/subscription.bicep", name) for name in ("installFlux", "publicRepository", "localSecrets")}
    assert ids == {
        "installFlux": "f9175d5f-abc8-1dc3-bd3c-5d7476ada3d1",
        "publicRepository": "83ea2fd1-9eaf-2f6d-f672-cd7b2ac798f6",
        "localSecrets": "b6c7fd52-4723-5f4d-a157-3d39bd16a1d7",
    }
    parameters = set(variable("policy/subscription.bicep", "configuration"))
    assert parameters <= {
        "configurationName",
        "configurationNamespace",
        "configurationScope",
        "repositoryUrl",
        "repositoryTimeout",
        "repositorySyncInterval",
        "repositoryRefBranch",
        "repositoryRefTag",
        "repositoryRefSemver",
        "repositoryRefCommit",
        "kustomizationName",
        "kustomizationPath",
        "kustomizationTimeout",
        "kustomizationSyncInterval",
        "kustomizationRetryInterval",
        "kustomizationPrune",
        "kustomizationForce",
        "effect",
    }
