"""Under which addresses a listener can be opened: what a phone is told is one that it can reach."""

import ipaddress
import socket

# Nobody answers there; a packet to it would leave by the network that phones are most likely on.
_ELSEWHERE = {socket.AF_INET: "192.0.2.1", socket.AF_INET6: "2001:db8::1"}


def write_address(host: str, port: int) -> str:
    """http://HOST:PORT, an IPv6 host in brackets."""
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def list_reachable(host: str, port: int) -> list[str]:
    """The addresses of a listener bound to a host, the likeliest first. One bound to all networks
    (0.0.0.0 or ::) is opened by each of this machine's own: those of its networks, or this machine
    alone where it has none."""
    try:
        everywhere = ipaddress.ip_address(host).is_unspecified
    except ValueError:
        everywhere = False
    if not everywhere:
        return [write_address(host, port)]
    # A listener on :: takes IPv4 as well (Linux, macOS and Windows as asked in `serving`).
    families = [socket.AF_INET, *([socket.AF_INET6] if ":" in host else [])]
    found = [ip for family in families for ip in _list_own(family)]
    return [write_address(ip, port) for ip in found] or [write_address("127.0.0.1", port)]


def _list_own(family: socket.AddressFamily) -> list[str]:
    """This machine's addresses on its networks; none that only it, or only one cable, knows."""
    import psutil

    up = {name for name, state in psutil.net_if_stats().items() if state.isup}
    there = {
        each.address
        for name, addresses in psutil.net_if_addrs().items()
        for each in addresses
        if name in up and each.family == family
    }
    kept = [
        ip
        for ip in sorted(there)
        if not (a := ipaddress.ip_address(ip)).is_loopback and not a.is_link_local
    ]
    first = _find_outward(family)
    return sorted(kept, key=lambda ip: ip != first)


def _find_outward(family: socket.AddressFamily) -> str | None:
    """The address from which this machine reaches others; sends nothing."""
    with socket.socket(family, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect((_ELSEWHERE[family], 9))
        except OSError:
            return None
        return str(probe.getsockname()[0])
