"""Whom a registry's digest and token are asked of."""

import pytest

from shared.domain.errors import Rejected
from shared.providers.registry import manifest_address, token_address


@pytest.mark.parametrize(
    ("url", "address"),
    [
        ("contoso.azurecr.io/manifests/platform", "https://contoso.azurecr.io/v2/manifests/platform/manifests/v1"),
        ("nexus.contoso.example:8443/platform", "https://nexus.contoso.example:8443/v2/platform/manifests/v1"),
        ("docker.io/contoso/platform", "https://registry-1.docker.io/v2/contoso/platform/manifests/v1"),
        ("contoso.example/a?b#c", "https://contoso.example/v2/a%3Fb%23c/manifests/v1"),
    ],
)
def test_the_manifest_is_at_the_registry_s_api(url: str, address: str) -> None:
    assert manifest_address(url, "v1") == address


def test_a_tag_is_one_segment() -> None:
    assert manifest_address("contoso.example/a", "../b?c") == "https://contoso.example/v2/a/manifests/..%2Fb%3Fc"


def test_docker_hub_s_tokens_are_made_by_a_host_of_their_own() -> None:
    challenge = 'realm="https://auth.docker.io/token",service="registry.docker.io",scope="repository:contoso/platform:pull"'
    assert (
        token_address(challenge, "docker.io/contoso/platform")
        == "https://auth.docker.io/token?service=registry.docker.io&scope=repository%3Acontoso%2Fplatform%3Apull"
    )


def test_docker_hub_s_host_is_nobody_else_s() -> None:
    with pytest.raises(Rejected):
        token_address('realm="https://auth.docker.io/token"', "quay.io/contoso/platform")


def test_what_the_service_is_called_cannot_widen_the_question() -> None:
    asked = token_address('realm="https://quay.io/v2/auth?scope=all#x",service="a&scope=repository:other:push"', "quay.io/contoso/platform")
    assert asked == "https://quay.io/v2/auth?service=a%26scope%3Drepository%3Aother%3Apush&scope=repository%3Acontoso%2Fplatform%3Apull"
