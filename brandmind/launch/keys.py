"""New encryption keys, and the file a local BrandMind keeps its own in."""

from __future__ import annotations

import base64
import os
import secrets
from pathlib import Path

from brandmind.clock import utc_now
from brandmind.settings import DEMO_KEY_PREFIX, KEY_FILE


def new_key(*, name: str | None = None) -> str:
    """`id:base64` of 32 random bytes, the id from today's date unless named."""
    key_id = name or f"k{utc_now():%Y%m%d}{secrets.token_hex(2)}"
    return f"{key_id}:{base64.b64encode(secrets.token_bytes(32)).decode()}"


def ensure_key_file(data_dir: Path, *, demo: bool) -> Path:
    """The key file of this data folder, made with one key (mode 0600) if there is none."""
    path = data_dir / KEY_FILE
    data_dir.mkdir(parents=True, exist_ok=True, mode=0o700)
    name = f"{DEMO_KEY_PREFIX}-{secrets.token_hex(3)}" if demo else None
    try:
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        return path
    with os.fdopen(handle, "w") as file:
        file.write(new_key(name=name) + "\n")
        file.flush()
        os.fsync(file.fileno())
    return path
