"""Whom a call goes to, and what it carries."""

import hashlib
import hmac

import pytest
from builders import a_flux_configuration
from hypothesis import given
from hypothesis import strategies as st

from shared.domain.errors import Malformed
from shared.domain.flux_receivers import FluxReceiver, address_for, call_headers, check_address, url_of, why_not_an_address
from shared.domain.templates import Unfilled, parse_template

ALLOWED = ["contoso.net"]
TEMPLATE = parse_template("https://flux.{tags.site}.contoso.net:8443/{cluster}")


def address(site: str) -> str:
    return address_for(TEMPLATE, a_flux_configuration(tags={"site": site}), ALLOWED)


@pytest.mark.parametrize("site", ["muc", "MUC-2", "a.b", "9"])
def test_an_address_is_made_of_what_the_cluster_has(site: str) -> None:
    assert address(site) == f"https://flux.{site}.contoso.net:8443/cluster-000"


@pytest.mark.parametrize(
    "site",
    [
        "",
        "evil.example/",
        "evil.example#",
        "evil.example?",
        "a@evil.example",
        "evil.example:443",
        "a b",
        "-",
        ".",
        "..",
        "a\\",
        "a%2f",
        "ä",
        "a\n",
        "x" * 300,
    ],
)
def test_no_tag_begins_another_part_of_an_address(site: str) -> None:
    with pytest.raises(Unfilled) as raised:
        address(site)
    assert site not in str(raised.value) or len(site) < 2


@given(st.text(max_size=40))
def test_whatever_a_tag_holds_the_host_is_one_of_the_route(site: str) -> None:
    try:
        made = address(site)
    except Unfilled:
        return
    assert made.startswith("https://flux.")
    assert made.endswith(".contoso.net:8443/cluster-000")
    assert "/" not in made.removeprefix("https://").removesuffix("/cluster-000")


def test_a_cluster_without_the_tag_has_no_address() -> None:
    with pytest.raises(Unfilled, match=r"tags\.site"):
        address_for(TEMPLATE, a_flux_configuration(), ALLOWED)


def test_a_host_that_a_tag_makes_is_looked_at_again() -> None:
    anywhere = parse_template("https://{tags.host}/hook")
    assert address_for(anywhere, a_flux_configuration(tags={"host": "a.contoso.net"}), ALLOWED) == "https://a.contoso.net/hook"
    for host in ("evil.example", "contoso.net.evil.example", "evilcontoso.net", "169.254.169.254"):
        with pytest.raises(Unfilled, match="allowedHosts"):
            address_for(anywhere, a_flux_configuration(tags={"host": host}), ALLOWED)


@pytest.mark.parametrize(
    ("text", "allowed"),
    [
        ("https://contoso.net", ["contoso.net"]),
        ("https://Flux.Contoso.NET/", ["CONTOSO.net"]),
        ("https://flux.contoso.net./x", ["contoso.net"]),
        ("https://10.1.2.3:8443/hook/x", ["10.1.2.3"]),
    ],
)
def test_usable_addresses(text: str, allowed: list[str]) -> None:
    assert why_not_an_address(text, allowed) == ""


@pytest.mark.parametrize(
    "text",
    [
        "http://contoso.net/x",
        "ftp://contoso.net/x",
        "https://",
        "https:///x",
        "https://a@contoso.net/x",
        "https://contoso.net/x?y",
        "https://contoso.net/x#y",
        "https://contoso.net:port/x",
        "https://[contoso.net/x",
        "contoso.net/x",
    ],
)
def test_what_is_no_plain_https_address_is_not_usable(text: str) -> None:
    assert "https://" in why_not_an_address(text, ALLOWED)


def test_the_end_of_the_host_is_written_out() -> None:
    check_address(TEMPLATE, ALLOWED)
    for text in ("https://{tags.host}/x", "https://flux.contoso.{tags.tld}/x", "http://contoso.net/{cluster}"):
        with pytest.raises(Malformed):
            check_address(parse_template(text), ALLOWED)


def test_the_path_of_a_receiver_is_made_of_its_token_its_name_and_its_namespace() -> None:
    path = hashlib.sha256(b"tokensluicecluster-config").hexdigest()
    receiver = FluxReceiver(address="https://flux.contoso.net/", token_ref="env://X", name="sluice", namespace="cluster-config")
    assert url_of(receiver, "token") == f"https://flux.contoso.net/hook/{path}"
    assert url_of(FluxReceiver(address="https://flux.contoso.net/hook/abc", token_ref="env://X"), "token").endswith("/hook/abc")


def test_a_call_is_signed_over_its_body() -> None:
    signature = hmac.new(b"token", b"body", "sha256").hexdigest()
    assert call_headers(b"body", "token") == {"X-Signature": f"sha256={signature}"}
