"""Where a request of ours may go: public addresses, and networks that a setting names.

A name is looked up once and the connection opened to that very address: one that answers differently the
second time gains nothing.
"""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address, ip_network

Address = IPv4Address | IPv6Address
_UNICAST = IPv6Network("2000::/3")
_CARRIERS = tuple(
    IPv6Network(one)
    for one in (
        "::ffff:0:0/96",  # IPv4-mapped
        "::/96",  # IPv4-compatible
        "64:ff9b::/96",  # NAT64 (RFC 6052)
        "64:ff9b:1::/48",  # NAT64 (RFC 8215)
        "2001::/32",  # Teredo
        "2002::/16",  # 6to4
    )
)
"""IPv6 forms in which another address hides."""
_resolvers = ThreadPoolExecutor(4, "swarm-resolve")


class Forbidden(Exception):
    """An address nothing of ours connects to."""


def may_reach(address: Address, networks: Sequence[str]) -> bool:
    """Whether it is public, or in one of these networks."""
    if isinstance(address, IPv6Address) and (inside := address.ipv4_mapped) is not None:
        return may_reach_listed(inside, networks)
    if may_reach_listed(address, networks):
        return True
    if isinstance(address, IPv6Address):
        if address not in _UNICAST or any(address in carrier for carrier in _CARRIERS):
            return False
        if address.scope_id is not None:
            return False
    return address.is_global and not address.is_multicast and not address.is_reserved


def may_reach_listed(address: Address, networks: Sequence[str]) -> bool:
    """Whether a setting names it."""
    return any(address in ip_network(network) for network in networks)


async def look_up(host: str, port: int, networks: Sequence[str]) -> Sequence[Address]:
    """The addresses of a name that may be reached. Raises `Forbidden` where none is, and `OSError`."""
    loop = asyncio.get_running_loop()
    found = await loop.run_in_executor(_resolvers, _resolve, host, port)
    allowed = [address for address in found if may_reach(address, networks)]
    if not allowed:
        raise Forbidden("it leads to an address inside, which settings do not allow")
    return allowed


def _resolve(host: str, port: int) -> list[Address]:
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(ip_address(sockaddr[0]) for *_kind, sockaddr in found))
