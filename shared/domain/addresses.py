"""Which IP addresses Sluice may call, where the host that they stand for is not of its own choosing."""

from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address

_Network = IPv4Network | IPv6Network
#: Azure's DHCP, DNS, health probes and WireServer (learn.microsoft.com, What is IP address 168.63.129.16), and the metadata service of
#: AWS over IPv6 (docs.aws.amazon.com, instance metadata).
_PLATFORM = (IPv4Network("168.63.129.16/32"), IPv6Network("fd00:ec2::/32"))
#: Addresses that stand for an IPv4 address behind a translator: whom they reach cannot be said (RFC 6052, 3056, 4380, 8215).
_TRANSLATED = (IPv6Network("64:ff9b::/96"), IPv6Network("64:ff9b:1::/48"), IPv6Network("2002::/16"), IPv6Network("2001::/32"))


def why_not_called(text: str, *, private: bool = False, loopback: bool = False) -> str:
    """Why an IP address is not called; "" where it is.

    This machine, its links (and with them the metadata service at 169.254.169.254), the platform's own address and what is no
    address of one host never are. `private`: addresses of private networks are, of which clusters often have nothing else.
    `loopback`: so is this machine, for the local stack.
    """
    try:
        address = ip_address(text.partition("%")[0])
    except ValueError:
        return "it is no IP address"
    if isinstance(address, IPv6Address) and address.ipv4_mapped:
        address = address.ipv4_mapped
    if address.is_loopback:
        return "" if loopback else "it is this machine"
    if address.is_link_local or _is_in(address, _PLATFORM):
        return "it belongs to the platform"
    if address.is_multicast or address.is_unspecified or address.is_reserved or _is_in(address, _TRANSLATED):
        return "it is no address of one host"
    if not address.is_global:
        return "" if private else "it is private, and privateAddresses is not set"
    return ""


def _is_in(address: IPv4Address | IPv6Address, networks: tuple[_Network, ...]) -> bool:
    return any(address in network for network in networks)
