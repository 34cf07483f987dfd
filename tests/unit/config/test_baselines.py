"""The baselines of sluice.yaml: what they are in Azure's words, and what is refused."""

from typing import Any

import pytest
from builders import a_cluster

from shared.config.baselines import Baseline
from shared.config.loader import load_text
from shared.domain.baselines import Piece
from shared.domain.errors import Malformed
from shared.domain.templates import Unfilled

HEAD = "apiVersion: sluice/v1\nbaselines:\n"
GIT = "source: {kind: GitRepository, url: https://github.com/contoso/platform, branch: main}"
INFRA = f"{{name: infra, namespace: flux-infra, {GIT}, kustomizations: [{{name: infra, path: ./infra}}]}}"


def load(text: str) -> Baseline:
    return load_text(HEAD + text).baselines[0]


def piece(source: str, more: str = "kustomizations: [{name: infra}]") -> Piece:
    """The one configuration of a baseline with this source, on cluster 0."""
    text = f"  - {{name: edge, configurations: [{{name: infra, namespace: flux-infra, source: {source}, {more}}}]}}"
    return load(text).wanted(a_cluster()).pieces[1]


def refusal(text: str) -> str:
    with pytest.raises(Malformed) as caught:
        load_text(HEAD + text)
    return str(caught.value)


def in_configuration(fields: str) -> str:
    return refusal(f"  - {{name: edge, configurations: [{{name: infra, namespace: flux-infra, {fields}}}]}}")


def test_a_baseline_without_anything_wants_the_extension_as_azure_installs_it() -> None:
    wanted = load("  - {name: edge}").wanted(a_cluster())
    assert (wanted.baseline, wanted.on_removal, wanted.compliance_within_seconds) == ("edge", "keep", 1800)
    (extension,) = wanted.pieces
    assert extension.properties == {
        "extensionType": "microsoft.flux",
        "releaseTrain": "Stable",
        "autoUpgradeMinorVersion": True,
        "scope": {"cluster": {"releaseNamespace": "flux-system"}},
        "configurationSettings": {
            "source-controller.enabled": "true",
            "kustomize-controller.enabled": "true",
            "helm-controller.enabled": "true",
            "notification-controller.enabled": "true",
            "image-automation-controller.enabled": "false",
            "image-reflector-controller.enabled": "false",
            "multiTenancy.enforce": "true",
        },
    }


def test_a_version_is_kept_and_other_settings_are_passed_on() -> None:
    settings = "settings: {helm-controller.detectDrift: 'true'}"
    text = f"{{version: 1.24.1, releaseTrain: Preview, multiTenancy: false, controllers: [source, kustomize], {settings}}}"
    properties = load(f"  - {{name: edge, extension: {text}}}").wanted(a_cluster()).pieces[0].properties
    assert (properties["version"], properties["autoUpgradeMinorVersion"], properties["releaseTrain"]) == ("1.24.1", False, "Preview")
    asked = properties["configurationSettings"]
    assert (asked["multiTenancy.enforce"], asked["helm-controller.enabled"]) == ("false", "false")
    assert asked["helm-controller.detectDrift"] == "true"


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        (
            (
                "{kind: GitRepository, url: https://github.com/contoso/platform, branch: main, commit: abc,"
                " interval: 2m, httpsUser: git, httpsCACert: eA==}"
            ),
            {
                "url": "https://github.com/contoso/platform",
                "syncIntervalInSeconds": 120,
                "timeoutInSeconds": 600,
                "repositoryRef": {"branch": "main", "commit": "abc"},
                "httpsUser": "git",
                "httpsCACert": "eA==",
            },
        ),
        (
            (
                "{kind: OCIRepository, url: 'oci://contoso.azurecr.io/manifests', semver: 1.x,"
                " useWorkloadIdentity: true, serviceAccountName: puller}"
            ),
            {
                "url": "oci://contoso.azurecr.io/manifests",
                "syncIntervalInSeconds": 600,
                "timeoutInSeconds": 600,
                "repositoryRef": {"semver": "1.x"},
                "insecure": False,
                "useWorkloadIdentity": True,
                "serviceAccountName": "puller",
            },
        ),
        (
            "{kind: Bucket, url: https://s3.example, bucketName: flux, localAuthRef: auth}",
            {
                "url": "https://s3.example",
                "bucketName": "flux",
                "insecure": False,
                "syncIntervalInSeconds": 600,
                "timeoutInSeconds": 600,
                "localAuthRef": "auth",
            },
        ),
        (
            "{kind: AzureBlob, url: https://a.blob.core.windows.net, containerName: flux, localAuthRef: auth}",
            {
                "url": "https://a.blob.core.windows.net",
                "containerName": "flux",
                "syncIntervalInSeconds": 600,
                "timeoutInSeconds": 600,
                "localAuthRef": "auth",
            },
        ),
    ],
)
def test_a_source_is_written_in_azure_s_words(source: str, expected: dict[str, Any]) -> None:
    properties = piece(source).properties
    kind = properties["sourceKind"]
    assert f"kind: {kind}" in source
    assert properties[kind[0].lower() + kind[1:] if kind != "OCIRepository" else "ociRepository"] == expected
    assert (properties["scope"], properties["namespace"]) == ("cluster", "flux-infra")


def test_secrets_stay_references() -> None:
    git = piece(
        "{kind: GitRepository, url: https://github.com/contoso/platform, branch: main}",
        "protectedSettings: {httpsKey: kv://sluice/git}, kustomizations: [{name: a}]",
    )
    assert git.secrets == {"configurationProtectedSettings.httpsKey": "kv://sluice/git"}
    blob = piece("{kind: AzureBlob, url: https://a.blob.core.windows.net, containerName: flux, accountKeyRef: kv://sluice/blob}")
    assert blob.secrets == {"azureBlob.accountKey": "kv://sluice/blob"}
    bucket = piece(
        "{kind: Bucket, url: https://s3.example, bucketName: b, accessKey: id}",
        "protectedSettings: {bucketSecretKey: kv://sluice/s3}, kustomizations: [{name: a}]",
    )
    assert bucket.secrets == {"configurationProtectedSettings.bucketSecretKey": "kv://sluice/s3"}


def test_kustomizations_depend_wait_and_get_values_of_their_cluster() -> None:
    text = (
        "kustomizations: [{name: infra}, {name: apps, path: ./apps, dependsOn: [infra], prune: true, force: true,"
        " wait: false, retryInterval: 1m, timeout: 5m,"
        " postBuild: {substitute: {SITE: '{tags.site}'}, substituteFrom: [{kind: ConfigMap, name: values, optional: true}]}}]"
    )
    kustomizations = piece("{kind: GitRepository, url: https://github.com/contoso/platform, tag: v1}", text).properties["kustomizations"]
    assert kustomizations["apps"] == {
        "path": "./apps",
        "dependsOn": ["infra"],
        "prune": True,
        "force": True,
        "wait": False,
        "syncIntervalInSeconds": 600,
        "timeoutInSeconds": 300,
        "retryIntervalInSeconds": 60,
        "postBuild": {"substitute": {"SITE": "berlin"}, "substituteFrom": [{"kind": "ConfigMap", "name": "values", "optional": True}]},
    }
    assert "postBuild" not in kustomizations["infra"]


def test_a_value_that_a_cluster_does_not_have_is_no_baseline_for_it() -> None:
    text = INFRA.replace("path: ./infra", "postBuild: {substitute: {SITE: '{tags.shop}'}}")
    with pytest.raises(Unfilled, match=r"no tags\.shop"):
        load(f"  - {{name: edge, configurations: [{text}]}}").wanted(a_cluster())


def test_a_cluster_has_the_first_baseline_that_selects_it() -> None:
    config = load_text(f"{HEAD}  - {{name: berlin, selector: {{tags: {{site: berlin}}}}}}\n  - {{name: all}}")
    found = [config.baseline(cluster) for cluster in (a_cluster(), a_cluster(tags={"site": "lyon"}))]
    assert [baseline.name if baseline else "" for baseline in found] == ["berlin", "all"]
    assert load_text("apiVersion: sluice/v1").baseline(a_cluster()) is None


def test_another_wish_has_another_fingerprint() -> None:
    one, same, other = (load(f"  - {{name: edge, onRemoval: {what}}}").wanted(a_cluster()) for what in ("keep", "keep", "delete"))
    assert one.fingerprint == same.fingerprint != other.fingerprint


@pytest.mark.parametrize(
    ("text", "line", "reason"),
    [
        ("  - {name: a}\n  - {name: a, selector: {cluster: x}}", 4, "the name a is used twice"),
        ("  - {name: a}\n  - {name: b, selector: {cluster: x}}", 4, "baseline a before it has every cluster that this selects"),
        ("  - {name: a, selector: {cluster: x}}\n  - {name: b, selector: {cluster: x}}", 4, "baseline a before it has every cluster"),
        ("  - {name: a, selector: {configuration: x}}", 3, "a baseline selects clusters"),
        (f"  - {{name: a, configurations: [{INFRA}, {INFRA}]}}", 3, "there are two configurations named infra"),
        ("  - {name: a, extension: {controllers: [source, helm]}}", 3, "without the kustomize controller"),
        ("  - {name: a, extension: {controllers: [kustomize]}}", 3, "without the source controller"),
        ("  - {name: a, extension: {controllers: [source, kustomize, image-automation]}}", 3, "image-automation needs image-reflector"),
        ("  - {name: a, extension: {settings: {helm-controller.enabled: 'false'}}}", 3, "that is what controllers and multiTenancy say"),
        ("  - {name: a, extension: {settings: {multiTenancy.enforce: 'false'}}}", 3, "that is what controllers and multiTenancy say"),
        ("  - {name: a, extension: {version: 1.24}}", 3, "version"),
        ("  - {name: a, onRemoval: forget}", 3, "Invalid enum value 'forget'"),
        ("  - {name: a, colour: red}", 3, "unknown field `colour`"),
    ],
)
def test_what_is_wrong_is_named_with_its_line(text: str, line: int, reason: str) -> None:
    told = refusal(text)
    assert reason in told
    assert f"sluice.yaml:{line}: " in told


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ("source: {kind: GitRepository, url: https://github.com/a/b}, kustomizations: [{name: a}]", "at a branch, a tag, a semver range"),
        (
            "source: {kind: GitRepository, url: https://github.com/a/b, commit: c}, kustomizations: [{name: a}]",
            "a commit together with its branch",
        ),
        ("source: {kind: GitRepository, url: 'oci://x.io/a/b', tag: c}, kustomizations: [{name: a}]", "an artifact is written oci://"),
        ("source: {kind: OCIRepository, url: https://github.com/a/b}, kustomizations: [{name: a}]", "an artifact is written oci://"),
        ("source: {kind: GitRepository, url: nowhere, branch: c}, kustomizations: [{name: a}]", "source.url"),
        ("source: {kind: Bucket, url: u, bucketName: b, accessKey: k}, kustomizations: [{name: a}]", "belong together"),
        (
            (
                "source: {kind: AzureBlob, url: u, containerName: c, accountKeyRef: kv://v/a, sasTokenRef: kv://v/b},"
                " kustomizations: [{name: a}]"
            ),
            "either",
        ),
        (
            f"{GIT}, protectedSettings: {{bucketSecretKey: kv://v/a}}, kustomizations: [{{name: a}}]",
            "a source of kind GitRepository has no bucketSecretKey",
        ),
        (f"{GIT}, protectedSettings: {{httpsKey: hunter2}}, kustomizations: [{{name: a}}]", "protectedSettings"),
        (f"{GIT}, kustomizations: []", "length >= 1"),
        (f"{GIT}, kustomizations: [{{name: a}}, {{name: a}}]", "there are two kustomizations named a"),
        (f"{GIT}, kustomizations: [{{name: a, dependsOn: [b]}}]", "there is no kustomization named b in configuration infra"),
        (f"{GIT}, kustomizations: [{{name: a, dependsOn: [a]}}]", "each would wait for the other: a > a"),
        (
            (
                f"{GIT}, kustomizations: [{{name: a, dependsOn: [c]}}, {{name: b, dependsOn: [a]}},"
                " {name: c, dependsOn: [b, x]}, {name: x}]"
            ),
            "a > c > b > a",
        ),
        (f"{GIT}, kustomizations: [{{name: a, postBuild: {{substitute: {{X: '{{nothing}}'}}}}}}]", "there is no field {nothing}"),
    ],
)
def test_a_configuration_that_could_never_work_is_refused(fields: str, reason: str) -> None:
    assert reason in in_configuration(fields)


def test_kustomizations_that_share_what_they_depend_on_are_in_order() -> None:
    text = f"{GIT}, kustomizations: [{{name: a}}, {{name: b, dependsOn: [a]}}, {{name: c, dependsOn: [a, b]}}]"
    assert load(f"  - {{name: edge, configurations: [{{name: infra, namespace: n, {text}}}]}}")


@pytest.mark.parametrize(
    ("route", "is_refused"),
    [
        ("substitute: {SITE: x}, action: pin", True),
        ("substitute: {SITE: x}, action: observe", False),
        ("substitute: {OTHER: x}, action: pin", False),
        ("substitute: {SITE: x}, action: pin, kustomizations: [apps]", False),
        ("substitute: {SITE: x}, action: pin, configurations: [apps]", False),
    ],
)
def test_a_value_has_one_writer(route: str, is_refused: bool) -> None:
    baseline = INFRA.replace("path: ./infra", "postBuild: {substitute: {SITE: '{tags.site}'}}")
    text = f"  - {{name: edge, configurations: [{baseline}]}}\nroutes:\n  - {{name: r, source: {{url: https://github.com/a/b}}, {route}}}"
    if is_refused:
        assert "route r sets SITE as well" in refusal(text)
    else:
        assert load(text)
