"""Which addresses may be contacted, and with which credentials.

https only (plain http on loopback); private, link-local and loopback ranges only where the operator allows them.
"""

import base64
import ipaddress
import socket
from urllib.parse import urlsplit

from microsite.core.mirror import Account
from microsite.errors import CalendarUnreachable
from microsite.errors import CalendarUnsafe

EMBEDDED_HOST = "embedded.invalid"
"""The made-up host (RFC 2606) of the embedded server; it is never looked up."""

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
_UNICAST = ipaddress.IPv6Network("2000::/3")
"""What IPv6 has given out so far (RFC 4291, 2.4); the standard library takes what is unassigned for public."""
_NAT64 = ipaddress.IPv6Network("64:ff9b::/96")


def check(url: str, allowed: frozenset[str], embedded: bool) -> None:
    """Raise CalendarUnsafe unless this address may be contacted, CalendarUnreachable if the name leads nowhere.

    `allowed` holds host names, addresses and networks (10.0.0.0/8) that the operator trusts although they are private.
    """
    try:
        parts = urlsplit(url)
        port = parts.port or 443
    except ValueError:
        raise CalendarUnsafe("the calendar's address cannot be read") from None
    host = parts.hostname or ""
    if host == EMBEDDED_HOST:
        if not embedded or parts.scheme != "http":
            raise CalendarUnsafe("there is no embedded calendar here")
        return
    if parts.username or parts.password:
        raise CalendarUnsafe("a calendar address must not hold a name or password")
    if parts.scheme != "https" and not (parts.scheme == "http" and is_loopback(host)):
        raise CalendarUnsafe("a calendar address must begin with https://")
    for peer in _resolve(host, port):
        if not is_allowed(host, peer, allowed):
            raise CalendarUnsafe(
                "the calendar's address leads into a private network, and [calendars] allow_private_hosts in"
                " config.toml does not name its host"
            )


def is_loopback(host: str) -> bool:
    """Is this name or address the machine itself?"""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def is_allowed(host: str, peer: str, allowed: frozenset[str]) -> bool:
    """May `host`, found at the address `peer`, be contacted? Public addresses always, others if listed."""
    address = _meant(ipaddress.ip_address(peer.split("%")[0]))
    if _is_public(address):
        return True
    return host in allowed or any(address in network for network in _networks(allowed))


def _meant(address: Address) -> Address:
    """The IPv4 address that an IPv6 one carries within it (mapped, 6to4, NAT64), for that is where it leads."""
    if isinstance(address, ipaddress.IPv4Address):
        return address
    if address in _NAT64:
        return ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
    return address.ipv4_mapped or address.sixtofour or address


def _is_public(address: Address) -> bool:
    if isinstance(address, ipaddress.IPv6Address) and address not in _UNICAST:
        return False
    return address.is_global and not address.is_multicast


def authorization(account: Account) -> dict[str, str]:
    """The header that signs in, sent at once: probing first costs a round trip and teaches some servers to delay."""
    if account.bearer:
        return {"Authorization": f"Bearer {account.bearer}"}
    if account.username or account.password:
        pair = base64.b64encode(f"{account.username}:{account.password}".encode()).decode()
        return {"Authorization": f"Basic {pair}"}
    return {}


def _networks(allowed: frozenset[str]) -> list[ipaddress.IPv4Network | ipaddress.IPv6Network]:
    found = []
    for entry in allowed:
        try:
            found.append(ipaddress.ip_network(entry, strict=False))
        except ValueError:
            continue  # a host name
    return found


def _resolve(host: str, port: int) -> list[str]:
    try:
        return [str(entry[4][0]) for entry in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)]
    except (OSError, UnicodeError) as e:
        raise CalendarUnreachable("the calendar server's name cannot be found") from e


def is_embedded(url: str) -> bool:
    """Is this the address of a calendar on the embedded server?"""
    return urlsplit(url).hostname == EMBEDDED_HOST


def is_literal(host: str) -> bool:
    """Is this an address in numbers, to which no domain belongs?"""
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True
