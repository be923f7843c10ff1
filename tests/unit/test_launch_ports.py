"""Ports: the wanted one, or the next one that nobody holds."""

import socket

import pytest

from brandmind.errors import SettingsError
from brandmind.launch import house, ports


def test_a_free_port_is_taken_as_wanted(free_port: int) -> None:
    assert ports.first_free_port(free_port) == free_port


def test_a_taken_port_gives_the_next_and_the_console_says_so(
    capsys: pytest.CaptureFixture[str],
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as holder:
        taken = holder.getsockname()[1]
        port = house.port_for("the web", taken)
    assert port > taken
    assert capsys.readouterr().out == f"Port {taken} is taken; the web uses {port}.\n"


def test_a_port_that_localhost_reaches_by_ipv6_counts_as_taken() -> None:
    try:
        holder = socket.create_server(("::1", 0), family=socket.AF_INET6)
    except OSError:
        pytest.skip("no IPv6 on this machine")
    with holder:
        assert not ports.is_free(holder.getsockname()[1])


def test_a_host_that_is_not_ours_is_refused_by_name() -> None:
    with pytest.raises(SettingsError, match="BRANDMIND_HOST"):
        house.port_for("the web", 8000, host="192.0.2.1")
