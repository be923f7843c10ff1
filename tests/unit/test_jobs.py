"""The door to the queue: what it says, to whom, and that it never raises."""

from __future__ import annotations

import dataclasses
import pickle
import socket
from pathlib import Path

import pytest
import redis
from arq.connections import RedisSettings

from brandmind.bus import jobs
from brandmind.bus.jobs import Jobs


def test_a_job_is_msgpack_there_and_back() -> None:
    told = {"f": jobs.RUN_JOB, "a": ("run",), "k": {}, "et": 1_700_000_000_000}
    wire = jobs.serialize(told)
    assert jobs.deserialize(wire) == told | {"a": ["run"]}


def test_a_pickle_is_not_a_job() -> None:
    with pytest.raises(ValueError, match=r".*"):
        jobs.deserialize(pickle.dumps({"f": jobs.RUN_JOB}))


def test_a_worker_is_patient_with_a_redis_that_is_away() -> None:
    settings = jobs.redis_settings("redis://:secret@127.0.0.1:6380/2")
    assert (settings.host, settings.port, settings.database) == ("127.0.0.1", 6380, 2)
    assert settings.password == "secret"
    assert settings.conn_retries >= 1_000
    known = {field.name for field in dataclasses.fields(RedisSettings)}
    if "retry" in known:
        # arq 0.28 leaves its loop otherwise.
        assert settings.retry is not None
        assert redis.exceptions.ConnectionError in settings.retry_on_error


async def test_a_bell_that_cannot_be_rung_says_so_and_raises_nothing() -> None:
    with socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))
        bell = Jobs(f"redis://127.0.0.1:{nobody.getsockname()[1]}/0")
        assert await bell.ring("run") is False
    await bell.close()


async def test_a_bell_over_a_socket_that_is_not_there_says_so(tmp_path: Path) -> None:
    bell = Jobs(f"unix://{tmp_path / 'none.sock'}?db=0")
    assert await bell.ring("run") is False
    await bell.close()


async def test_each_ringing_has_an_id_of_its_own(valkey_url: str) -> None:
    bell = Jobs(valkey_url)
    assert await bell.ring("run")
    assert await bell.ring("run")
    await bell.close()
    with redis.Redis.from_url(valkey_url) as client:
        ids = [one.decode() for one in client.zrange(jobs.QUEUE, 0, -1)]
    assert len(set(ids)) == 2
    assert all(one.startswith("sync:run:") for one in ids)


async def test_a_bell_rings_again_after_redis_was_away(valkey_url: str) -> None:
    bell = Jobs(valkey_url)
    assert await bell.ring("run")
    with redis.Redis.from_url(valkey_url) as client:
        client.client_kill_filter(_type="normal", skipme=True)
        assert await bell.ring("run")
        assert client.zcard(jobs.QUEUE) == 2
    await bell.close()
