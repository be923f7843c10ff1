"""The garbage collector of a process that is to read much."""

from __future__ import annotations

import subprocess
import sys

SAYS = "import gc; print(gc.get_threshold()[0], gc.get_freeze_count() > 0)"


def _says(first: str) -> str:
    done = subprocess.run(
        [sys.executable, "-c", f"{first}; {SAYS}"], capture_output=True, text=True, check=True
    )
    return done.stdout.strip()


def test_before_much_is_loaded_the_collector_looks_rarely() -> None:
    assert _says("from brandmind import collector; collector.look_rarely()") == "100000 False"


def test_once_all_is_loaded_it_is_left_out_as_well() -> None:
    assert _says("from brandmind import collector; collector.calm()") == "100000 True"


def test_what_is_thrown_away_before_it_is_calmed_again_can_still_be_found() -> None:
    thrown_away = (
        "import gc, weakref; from brandmind import collector; collector.calm(); "
        "ring = type('Ring', (), {})(); ring.itself = ring; seen = weakref.ref(ring); del ring; "
        "collector.calm(); gc.collect(); assert seen() is None"
    )
    assert _says(thrown_away) == "100000 True"
