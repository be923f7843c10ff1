"""Which port a server of ours may have."""

from __future__ import annotations

import socket


def free_port(host: str = "127.0.0.1") -> int:
    """A port nobody listens on at this moment."""
    with socket.socket(_family(host)) as probe:
        probe.bind((host, 0))
        return int(probe.getsockname()[1])


def first_free_port(wanted: int, *, host: str = "127.0.0.1", tries: int = 200) -> int:
    """The wanted port, or the next one above it that is free.

    Raises:
        OSError: none of the `tries` ports is free, or the host is not ours.
    """
    for port in range(wanted, min(wanted + tries, 65536)):
        if is_free(port, host=host):
            return port
    raise OSError(f"No port from {wanted} to {wanted + tries - 1} is free on {host}.")


def is_free(port: int, *, host: str = "127.0.0.1") -> bool:
    """Whether a server could listen here, and be the one a browser reaches as localhost."""
    if _answers("::1", port) or _answers("127.0.0.1", port):
        return False
    with socket.socket(_family(host)) as probe:
        # As the servers do, so that connections still closing do not count as taken.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
            probe.listen(1)
        except OSError as why:
            if isinstance(why, socket.gaierror):
                raise
            return False
    return True


def _answers(host: str, port: int) -> bool:
    try:
        with socket.socket(_family(host)) as probe:
            probe.settimeout(0.5)
            return probe.connect_ex((host, port)) == 0
    except OSError:
        return False


def _family(host: str) -> socket.AddressFamily:
    return socket.AF_INET6 if ":" in host else socket.AF_INET
