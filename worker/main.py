"""The worker process: hears bells, reaps, and goes down within seconds when asked to."""

from __future__ import annotations

import asyncio
import logging
import signal
import warnings
from typing import Final

from arq.worker import Worker, func

from brandmind import logs, tracking
from brandmind.bus import jobs as bus_jobs
from brandmind.runtime import Runtime, open_runtime
from brandmind.services import exports, presence
from brandmind.settings import Settings
from worker.crons import keep_hours
from worker.inbox import work_off
from worker.jobs import run_sync
from worker.reaper import reap

log = logging.getLogger(__name__)

# Slots for bells; syncs mostly wait for Shopify, so a few share a core well.
MAX_JOBS: Final = 6
# Long on purpose: a run takes as long as it takes, and its lease is what notices its death.
JOB_TIMEOUT_S: Final = 3600
_LISTEN_AGAIN_S: Final = 1.0
_CLOSING_S: Final = 1.0


async def serve(settings: Settings) -> None:
    """Work until SIGTERM or SIGINT."""
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    async with open_runtime(settings) as rt:
        await exports.tidy(rt)
        tasks = [
            asyncio.create_task(reap(rt), name="reaper"),
            asyncio.create_task(_listen(rt), name="bells"),
            asyncio.create_task(work_off(rt), name="inbox"),
            asyncio.create_task(keep_hours(rt), name="clockwork"),
            asyncio.create_task(presence.keep(rt, slots=MAX_JOBS), name="presence"),
        ]
        log.info("worker ready")
        stopped = asyncio.create_task(stop.wait(), name="stop")
        await asyncio.wait({stopped, *tasks}, return_when=asyncio.FIRST_COMPLETED)
        # Neither ends by itself: a worker that is deaf or blind must not seem well.
        fallen = [task.get_name() for task in tasks if task.done()]
        for task in (stopped, *tasks):
            task.cancel()
        await asyncio.gather(stopped, *tasks, return_exceptions=True)
    if fallen:
        raise SystemExit(f"the worker's {' and '.join(fallen)} ended")


async def _listen(rt: Runtime) -> None:
    while True:
        bells = make_worker(rt)
        try:
            await bells.async_run()
        except asyncio.CancelledError:
            await hang_up(bells)
            raise
        except Exception as error:
            # Redis may be gone for good or just long; the reaper works on without it.
            log.warning("the queue is away: %s", type(error).__name__)
            await hang_up(bells)
        await asyncio.sleep(_LISTEN_AGAIN_S)


def make_worker(rt: Runtime) -> Worker:
    """The queue's worker over this process's runtime."""
    return Worker(
        functions=[func(run_sync, name=bus_jobs.RUN_JOB, max_tries=1)],
        queue_name=bus_jobs.QUEUE,
        redis_settings=bus_jobs.redis_settings(rt.settings.redis_url),
        handle_signals=False,
        max_jobs=MAX_JOBS,
        job_timeout=JOB_TIMEOUT_S,
        # A result under a job's id would silence the next bell of that id.
        keep_result=0,
        poll_delay=0.1,
        health_check_interval=30,
        retry_jobs=False,
        log_results=False,
        job_serializer=bus_jobs.serialize,
        job_deserializer=bus_jobs.deserialize,
        ctx={"rt": rt},
    )


async def hang_up(bells: Worker) -> None:
    """Stop listening, and end the jobs that were heard."""
    if bells.main_task is not None:
        bells.main_task.cancel()
    running = list(bells.tasks.values())
    for task in running:
        task.cancel()
    await asyncio.gather(*running, return_exceptions=True)
    # Its own task, since closing passes on the cancellation of a job that was cancelled, which
    # would end this one without a word.
    closing = asyncio.wait_for(bells.close(), _CLOSING_S)
    await asyncio.gather(closing, return_exceptions=True)


def main() -> None:
    """Run the worker with the settings of the environment.

    Raises:
        SettingsError: production is asked for and something stands in its way.
    """
    # arq passes an option on to redis-py that redis 6 deprecates; nothing here can change that.
    warnings.filterwarnings("ignore", message=".*retry_on_timeout.*", category=DeprecationWarning)
    settings = Settings.load()
    settings.check_production()
    logs.set_up(as_json=settings.logs_json)
    logs.catch_the_rest()
    tracking.start(
        settings.sentry_dsn.get_secret_value(), process="worker", environment=settings.environment
    )
    asyncio.run(serve(settings))
