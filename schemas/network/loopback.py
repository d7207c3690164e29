"""Whether a host is this machine, so that what is sent to it leaves it for nobody to see."""

import ipaddress


def is_loopback(host: str) -> bool:
    """Whether the host is this machine, by its name or number, also in an URL's brackets."""
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return host == "localhost"
