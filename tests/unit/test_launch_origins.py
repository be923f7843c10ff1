"""Whose pages may open a socket."""

from __future__ import annotations

from pathlib import Path

from brandmind.launch.webserver import origins
from brandmind.settings import Settings


def test_on_one_machine_every_name_of_the_loopback_is_ours(tmp_path: Path) -> None:
    told = Settings.load(data_dir=tmp_path, port=8123)
    assert origins(told) == ["http://127.0.0.1:8123", "http://localhost:8123"]


def test_where_others_can_reach_it_only_the_public_address_is_ours(tmp_path: Path) -> None:
    told = Settings.load(data_dir=tmp_path, port=8123, public_url="https://brandmind.example.com")
    assert origins(told) == ["https://brandmind.example.com"]
