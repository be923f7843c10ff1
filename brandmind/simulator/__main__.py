"""`python -m brandmind.simulator`: one process, one port, many shops."""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import gc
import os
import signal
import socket
import sys
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from granian.constants import Interfaces
from granian.log import LogLevels
from granian.server.embed import Server

from brandmind.simulator.app import create_app
from brandmind.simulator.config import ShopConfig, SimulatorConfig
from brandmind.simulator.csv_shop import make_up
from brandmind.simulator.faults import KINDS, UnknownFault, parse_fault
from brandmind.simulator.invoices import Mapping, read_invoices
from brandmind.simulator.live import live
from brandmind.simulator.planting import Plant


def read_arguments(argv: Sequence[str]) -> tuple[argparse.Namespace, SimulatorConfig]:
    """The command line; ends the process with a sentence where it makes no sense."""
    parser = argparse.ArgumentParser(prog="python -m brandmind.simulator", description=__doc__)
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=9292, help="0 picks a free one")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--orders", type=int, default=2000)
    parser.add_argument("--products", type=int, default=120)
    parser.add_argument("--customers", type=int, default=900)
    parser.add_argument("--as-of", help="end of the history, ISO 8601 (default: now)")
    parser.add_argument("--plan", choices=("standard", "plus", "unlimited"), default="standard")
    parser.add_argument(
        "--live",
        type=float,
        default=os.environ.get("SIMULATOR_LIVE") or 0.0,
        metavar="N",
        help="orders a minute that arrive in each shop with the app (default: SIMULATOR_LIVE or 0)",
    )
    parser.add_argument(
        "--plant",
        metavar="NAME=VALUE,…",
        help="truths in every shop: repeat, peak, hero, discount, pair (docs/simulator.md)",
    )
    parser.add_argument(
        "--csv", type=Path, metavar="FILE", help="the books of every shop: a CSV, plain, .gz or .xz"
    )
    parser.add_argument(
        "--csv-mapping", type=Path, metavar="FILE", help="how the CSV is read (docs/simulator.md)"
    )
    parser.add_argument("--privacy-uri", help="where privacy webhooks go")
    parser.add_argument("--client-id")
    parser.add_argument("--client-secret")
    parser.add_argument(
        "--fault",
        action="append",
        default=[],
        metavar="KIND[:name=value,…]",
        help=f"one of {', '.join(KINDS)}; names: count, rate, seconds, status, at, mode",
    )
    chosen = parser.parse_args(argv)
    shop = ShopConfig(
        seed=chosen.seed,
        orders=chosen.orders,
        products=chosen.products,
        customers=chosen.customers,
        unlimited=chosen.plan == "unlimited",
        bucket_size=20_000.0 if chosen.plan == "plus" else 2_000.0,
        restore_rate=1_000.0 if chosen.plan == "plus" else 100.0,
    )
    if chosen.as_of:
        try:
            moment = datetime.fromisoformat(chosen.as_of)
        except ValueError:
            parser.error(f"--as-of {chosen.as_of} is not a moment like 2026-11-23T12:00:00Z")
        if moment.tzinfo is None:
            moment = moment.replace(tzinfo=UTC)
        shop = replace(shop, as_of=int(moment.timestamp()))
    if chosen.plant is not None:
        try:
            told = dict(part.split("=", 1) for part in chosen.plant.split(",") if part)
            shop = replace(shop, plant=Plant.of({name: float(x) for name, x in told.items()}))
        except ValueError as error:
            parser.error(f"--plant {chosen.plant}: {error}")
    for text in chosen.fault:
        try:
            parse_fault(text)
        except UnknownFault as error:
            parser.error(str(error))
    if chosen.live < 0:
        parser.error("--live cannot be negative")
    invoices = None
    if bool(chosen.csv) != bool(chosen.csv_mapping):
        parser.error("--csv and --csv-mapping go together")
    if chosen.csv:
        try:
            mapping = Mapping.read(chosen.csv_mapping)
            invoices = read_invoices(chosen.csv, mapping, as_of=shop.as_of)
            shop = make_up(shop, invoices)
        except ValueError as error:
            parser.error(str(error))
    config = SimulatorConfig(
        shop=shop,
        faults=tuple(chosen.fault),
        privacy_uri=chosen.privacy_uri,
        invoices=invoices,
    )
    if chosen.client_id:
        config = replace(config, client_id=chosen.client_id)
    if chosen.client_secret:
        config = replace(config, client_secret=chosen.client_secret)
    return chosen, config


def free_port(host: str) -> int:
    """A port nobody listens on."""
    with socket.socket() as probe:
        probe.bind((host, 0))
        return int(probe.getsockname()[1])


async def serve(host: str, port: int, config: SimulatorConfig, orders_per_minute: float) -> None:
    """Serves until SIGINT or SIGTERM; says where once the port answers."""
    app = create_app(config)
    server = Server(
        app,
        address=host,
        port=port,
        interface=Interfaces.ASGINL,
        log_level=LogLevels.critical,
        backlog=1024,
    )
    loop = asyncio.get_running_loop()
    serving = asyncio.create_task(server.serve())
    open_shop = orders_per_minute and asyncio.create_task(live(app.state.world, orders_per_minute))
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, server.stop)
    while not serving.done():
        try:
            _, writer = await asyncio.open_connection(host, port)
        except OSError:
            await asyncio.sleep(0.02)
            continue
        writer.close()
        with contextlib.suppress(OSError):
            await writer.wait_closed()
        print(f"simulator listening on http://{host}:{port}", flush=True)
        break
    await serving
    if open_shop:
        open_shop.cancel()


def main() -> None:
    """Runs the simulator."""
    chosen, config = read_arguments(sys.argv[1:])
    port = chosen.port or free_port(chosen.host)
    # Answers are trees of short-lived dicts: the collector would mostly find them alive.
    gc.freeze()
    gc.set_threshold(100_000, 50, 100)
    asyncio.run(serve(chosen.host, port, config, chosen.live))
    os._exit(0)


if __name__ == "__main__":
    main()
