"""What is told on the stream is what was meant."""

from __future__ import annotations

from datetime import UTC, datetime

import orjson
from hypothesis import given
from hypothesis import strategies as st

from brandmind.sync.progress import StageProgress, StoreProgress, from_plain, to_plain
from brandmind.sync.stages import Kind, RunStatus, Stage, StageState, StoreStatus

moments = st.none() | st.datetimes(
    min_value=datetime(2020, 1, 1), max_value=datetime(2035, 1, 1), timezones=st.just(UTC)
)
texts = st.none() | st.text(max_size=20)
stages = st.builds(
    StageProgress,
    stage=st.sampled_from(Stage),
    state=st.sampled_from(StageState),
    done=st.integers(0, 10**9),
    total=st.none() | st.integers(0, 10**9),
    exact=st.booleans(),
    attempts=st.integers(0, 99),
    started_at=moments,
    finished_at=moments,
    note=texts,
    behind=st.integers(0, 10**9),
)
states = st.builds(
    StoreProgress,
    store_id=st.just("a11ce00000"),
    status=st.sampled_from(StoreStatus),
    reason=texts,
    run_id=texts,
    kind=st.none() | st.sampled_from(Kind),
    run_status=st.none() | st.sampled_from(RunStatus),
    first=st.booleans(),
    seq=st.integers(0, 10**9),
    percent=st.integers(0, 100),
    stages=st.lists(stages, max_size=6).map(tuple),
    history=st.none() | stages,
    attempt=st.integers(0, 99),
    waiting=texts,
    next_try_at=moments,
    error=texts,
    error_kind=texts,
    request_id=texts,
    requested_at=moments,
    started_at=moments,
    finished_at=moments,
    last_synced_at=moments,
    left_s=st.none() | st.floats(0, 1e6),
)


@given(states)
def test_a_progress_survives_the_stream(progress: StoreProgress) -> None:
    assert from_plain(orjson.loads(orjson.dumps(to_plain(progress)))) == progress
