"""Routes that report to their commits, and the Git hosts that they report to."""

import re
from pathlib import Path

import pytest

from shared.config.git_hosts import GIT_HOSTS
from shared.config.loader import load_text
from shared.domain.errors import Malformed
from shared.domain.rollouts import Reporting

GUIDE = Path(__file__).parents[3] / "docs" / "commit-status.md"
FENCED_YAML = re.compile(r"^```yaml\n(.*?)^```$", re.MULTILINE | re.DOTALL)
URLS = {
    "github": "https://github.com/contoso/platform",
    "gitlab": "https://gitlab.com/contoso/edge/platform",
    "bitbucket-cloud": "https://bitbucket.org/contoso/platform",
    "azure-devops": "https://dev.azure.com/contoso/edge/_git/platform",
}
APP = "{id: 1, installationId: 1, privateKeyRef: kv://v/s}"


def a_file(
    fields: str, report: str = "provider: hub", *, url: str = "https://github.com/contoso/platform", action: str = "pin", more: str = ""
) -> str:
    route = f"{{name: r, source: {{url: {url!r}}}, action: {action}, report: {{{report}}}}}"
    providers = f"  - {{name: hub, {fields}}}\n  - {{name: ops, type: msteams, addressRef: kv://v/s}}\n"
    return f"apiVersion: sluice/v1\nproviders:\n{providers}routes:\n  - {route}\n{more}"


def refusal(text: str) -> str:
    with pytest.raises(Malformed) as malformed:
        load_text(text)
    return str(malformed.value)


@pytest.mark.parametrize(
    ("fields", "url"),
    [
        *((f"type: {kind}, tokenRef: kv://v/s", url) for kind, url in URLS.items()),
        ("type: azure-devops", URLS["azure-devops"]),
        ("type: azure-devops, address: https://ado.example/tfs", "https://ado.example/tfs/collection/project/_git/platform"),
        ("type: github, app: {id: 12, installationId: 34, privateKeyRef: kv://v/s}", URLS["github"]),
        ("type: github, app: {id: Iv1.ab12, installationId: 34, privateKeyRef: kv://v/s}", URLS["github"]),
        ("type: github, tokenRef: kv://v/s, address: https://hub.example/api/v3", "https://hub.example/contoso/platform"),
        ("type: gitea, tokenRef: kv://v/s, address: https://git.example/api/v1", "https://git.example/contoso/platform"),
        ("type: bitbucket-data-center, tokenRef: kv://v/s, address: https://git.example", "ssh://git@git.example:7999/edge/platform.git"),
    ],
)
def test_a_route_reports_to_a_git_host(fields: str, url: str) -> None:
    (route,) = load_text(a_file(fields, url=url)).routes
    assert route.report is not None
    assert route.report.asked == Reporting(provider="hub")


@pytest.mark.parametrize(
    ("fields", "place", "reason"),
    [
        ("type: github", "providers[0]", "a provider of type github needs tokenRef or app"),
        ("type: gitlab", "providers[0]", "a provider of type gitlab needs tokenRef"),
        (
            "type: gitlab, app: {id: 1, installationId: 1, privateKeyRef: kv://v/s}",
            "providers[0].app",
            "a provider of type gitlab has no app",
        ),
        (
            f"type: github, tokenRef: kv://v/s, app: {APP}",
            "providers[0].app",
            "tokenRef and app are two ways to do the same: one of them is needed",
        ),
        ("type: github, tokenRef: kv://v/s, channel: ops", "providers[0].channel", "a provider of type github has no channel"),
        (
            "type: github, tokenRef: kv://v/s, addressRef: kv://v/s",
            "providers[0].addressRef",
            "a provider of type github has no addressRef",
        ),
        ("type: gitea, tokenRef: kv://v/s", "providers[0]", "a provider of type gitea needs address: where its API is"),
        ("type: github, tokenRef: kv://v/s, address: http://hub.example", "providers[0].address", "an address begins with https://"),
    ],
)
def test_a_git_host_says_where_it_is_and_who_calls(fields: str, place: str, reason: str) -> None:
    assert f"sluice.yaml:3: {place}: {reason}" in refusal(a_file(fields)).splitlines()


@pytest.mark.parametrize("fields", ["app: {id: 0, installationId: 1, privateKeyRef: kv://v/s}", "app: {id: 1, installationId: 1}"])
def test_an_app_is_named_whole(fields: str) -> None:
    assert "sluice.yaml:3: providers[0].app" in refusal(a_file(f"type: github, {fields}"))


@pytest.mark.parametrize(
    ("text", "place", "reason"),
    [
        (a_file("type: github, tokenRef: kv://v/s", "provider: gone"), "report.provider", "there is no provider named gone"),
        (a_file("type: github, tokenRef: kv://v/s", "provider: ops"), "report.provider", "ops is not a Git host"),
        (a_file("type: github, tokenRef: kv://v/s", action="observe"), "report", "a route that only observes has no rollouts to report"),
        (
            a_file("type: azure-devops", "provider: hub, deployments: true", url=URLS["azure-devops"]),
            "report.deployments",
            "a provider of type azure-devops makes no deployments",
        ),
        (
            a_file("type: github, tokenRef: kv://v/s", url="oci://contoso.azurecr.io/manifests"),
            "report",
            "an artifact has no commit to report to",
        ),
        (
            a_file("type: github, tokenRef: kv://v/s", url="https://git.example/contoso/platform"),
            "report.provider",
            "the source is not at github.com: give hub the address of its API",
        ),
    ],
)
def test_a_route_reports_only_what_its_host_is_able_to(text: str, place: str, reason: str) -> None:
    assert f"sluice.yaml:6: routes[0].{place}: {reason}" in refusal(text).splitlines()


def test_a_source_that_is_no_address_is_told_once() -> None:
    assert refusal(a_file("type: github, tokenRef: kv://v/s", url="nonsense")).count("\n") == 0


def test_the_sample_of_the_guide_loads() -> None:
    (sample,) = FENCED_YAML.findall(GUIDE.read_text())
    config = load_text(f"apiVersion: sluice/v1\nstrategies: [{{name: rings, stages: [{{name: all}}]}}]\n{sample}")
    (route,) = config.routes
    assert route.report is not None
    assert route.report.asked == Reporting(provider="hub", deployments=True, comment=True)


def test_the_guide_tells_of_every_host() -> None:
    told = GUIDE.read_text()
    assert [kind for kind in GIT_HOSTS if f"| `{kind}` |" not in told] == []


def test_an_alert_goes_to_people() -> None:
    text = a_file("type: github, tokenRef: kv://v/s", more="alerts:\n  - {name: all, provider: hub}\n")
    assert refusal(text) == "sluice.yaml:8: alerts[0].provider: hub is a Git host: a route reports to it, with report.provider"
