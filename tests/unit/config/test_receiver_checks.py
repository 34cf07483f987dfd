"""What a route's action needs."""

import re

import pytest

from shared.config.loader import load_text
from shared.domain.errors import Malformed

RECEIVER = 'receiver: {address: "https://flux.{tags.site}.contoso.net/hook/x", tokenRef: kv://sluice/flux, allowedHosts: [contoso.net]}'
SOURCE = "source: {url: https://github.com/contoso/platform}"


def config(route: str, on_failure: str = "pause", stage: str = "") -> str:
    return f"""\
apiVersion: sluice/v1
strategies:
  - {{name: rings, stages: [{{name: all{stage}}}], success: {{onFailure: {on_failure}}}}}
routes:
  - name: platform
    action: notify-receiver
    {route}
"""


def lines(*parts: str) -> str:
    return "\n    ".join(parts)


def refusal(text: str) -> str:
    with pytest.raises(Malformed) as malformed:
        load_text(text)
    return str(malformed.value)


def test_a_route_that_calls_receivers() -> None:
    (route,) = load_text(config(lines(SOURCE, RECEIVER, "strategy: rings"))).routes
    assert route.receiver is not None
    assert (route.action, route.receiver.name, route.receiver.private_addresses) == ("notify-receiver", None, False)


def test_a_receiver_whose_path_is_computed() -> None:
    named = "receiver: {address: https://flux.contoso.net, tokenRef: kv://s/f, allowedHosts: [contoso.net], name: sluice, namespace: flux}"
    assert load_text(config(lines(SOURCE, named))).routes[0].receiver is not None
    for half in (", name: sluice}", ", namespace: flux}"):
        assert "both name and namespace" in refusal(config(lines(SOURCE, named.replace(", name: sluice, namespace: flux}", half))))


@pytest.mark.parametrize("url", ["bucket://minio.example.com:9000/fleet", "azureblob://contoso.blob.core.windows.net/fleet"])
def test_buckets_are_told_or_observed_but_not_pinned(url: str) -> None:
    source = f"source: {{url: '{url}', paths: [clusters/*]}}"
    assert load_text(config(lines(source, RECEIVER))).routes[0].source.url == url
    assert load_text(config(source).replace("notify-receiver", "observe"))
    assert "sluice.yaml:6: routes[0].action: a bucket has no revision" in refusal(config(source).replace("notify-receiver", "pin"))


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (config(SOURCE), "routes[0].action: notify-receiver needs"),
        (config(lines(SOURCE, RECEIVER)).replace("action: notify-receiver", "action: pin"), "routes[0].receiver: action pin calls no"),
        (config(lines(SOURCE, RECEIVER, "substitute: {SITE: x}")), "routes[0].substitute: "),
        (config(lines(SOURCE, RECEIVER, "strategy: rings"), "rollback"), "routes[0].strategy: rings has onFailure rollback"),
        (
            config(lines(SOURCE, RECEIVER, "strategy: rings"), stage=", success: {onFailure: rollback}"),
            "routes[0].strategy: rings has onFailure rollback",
        ),
        (config(lines(SOURCE, RECEIVER.replace("https:", "http:"))), "routes[0].receiver.address: it must begin with https://"),
        (config(lines(SOURCE, RECEIVER.replace("{tags.site}", "{tags.site"))), "routes[0].receiver.address: "),
        (config(lines(SOURCE, RECEIVER.replace("[contoso.net]", "[fabrikam.net]"))), "routes[0].receiver.address: its host is none"),
        (config(lines(SOURCE, RECEIVER.replace("[contoso.net]", "[]"))), "receiver.allowedHosts"),
        (config(lines(SOURCE, RECEIVER.replace("[contoso.net]", "['*.contoso.net']"))), "receiver.allowedHosts"),
        (config(lines("source: {url: bucket://minio.example.com}", RECEIVER)), "routes[0].source.url: a bucket's URL"),
        (
            config(lines("source: {url: bucket://a.example/fleet, ref: refs/tags/*}", RECEIVER)),
            "routes[0].source.ref: a bucket has no refs",
        ),
        (config(lines("source: {url: bucket://a.example/fleet, semver: '>=1'}", RECEIVER)), "routes[0].source.semver: a bucket has no"),
    ],
)
def test_what_does_not_fit_together_is_named(text: str, words: str) -> None:
    assert re.search(re.escape(words), refusal(text))
