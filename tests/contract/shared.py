"""Where the data beside the repository are, for tests marked needs_shared."""

from __future__ import annotations

import gzip
import json
import os
from functools import cache
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[2]


def shared_folder() -> Path:
    """The folder with Shopify's schema and recordings; skips the test where it is absent."""
    folder = Path(os.environ.get("BRANDMIND_SHARED") or ROOT.parent / "shared" / "data")
    if not folder.is_dir():
        pytest.skip("the shared data folder is not here (BRANDMIND_SHARED)")
    return folder


@cache
def _read(path: Path) -> Any:
    with gzip.open(path) as file:
        return json.load(file)["data"]


def shared_schema() -> Any:
    """The introspection of the official Admin schema 2026-10."""
    return _read(shared_folder() / "admin-schema-2026-10.json.gz")
