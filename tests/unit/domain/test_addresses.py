"""Which IP addresses may be called."""

import pytest

from shared.domain.addresses import why_not_called


@pytest.mark.parametrize("address", ["20.50.2.1", "1.1.1.1", "2603:1030::1", "::ffff:20.50.2.1"])
def test_public_addresses_are_called(address: str) -> None:
    assert why_not_called(address) == ""


@pytest.mark.parametrize("address", ["10.0.0.4", "172.16.9.9", "192.168.1.1", "100.64.0.1", "fd12:3456::1", "::ffff:10.0.0.4"])
def test_private_addresses_are_called_where_that_is_said(address: str) -> None:
    assert "private" in why_not_called(address)
    assert why_not_called(address, private=True) == ""
    assert why_not_called(address, loopback=True)


@pytest.mark.parametrize("address", ["127.0.0.1", "127.255.0.9", "::1", "::ffff:127.0.0.1"])
def test_this_machine_is_called_by_the_local_stack_only(address: str) -> None:
    assert why_not_called(address, private=True) == "it is this machine"
    assert why_not_called(address, loopback=True) == ""


@pytest.mark.parametrize(
    "address",
    [
        "169.254.169.254",
        "169.254.0.1",
        "168.63.129.16",
        "::ffff:169.254.169.254",
        "fe80::1",
        "fe80::1%eth0",
        "fd00:ec2::254",
        "0.0.0.0",
        "::",
        "224.0.0.1",
        "ff02::1",
        "240.0.0.1",
        "255.255.255.255",
        "64:ff9b::a9fe:a9fe",
        "64:ff9b:1::a9fe:a9fe",
        "2002:a9fe:a9fe::1",
        "2001:0:a9fe:a9fe::1",
        "::169.254.169.254",
    ],
)
def test_the_platform_and_what_is_no_host_are_never_called(address: str) -> None:
    assert why_not_called(address, private=True, loopback=True)


@pytest.mark.parametrize("text", ["", "flux.contoso.net", "2130706433", "127.1", "1.2.3.4.5", "0x7f.0.0.1"])
def test_what_is_no_address_is_not_called(text: str) -> None:
    assert why_not_called(text, private=True, loopback=True) == "it is no IP address"
