"""`brandmind …`: each command is one act, thin, and loads only what it needs."""

from __future__ import annotations

import sys
from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import TYPE_CHECKING, Annotated, TypeVar

import typer

from brandmind import collector, logs
from brandmind.errors import BrandMindError

if TYPE_CHECKING:
    from brandmind.db.stores import Connection
    from brandmind.runtime import Runtime
    from brandmind.settings import Settings

T = TypeVar("T")

app = typer.Typer(
    help="The command centre of a Shopify merchant.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)
keys_app = typer.Typer(help="The keys that seal the tokens.", no_args_is_help=True)
app.add_typer(keys_app, name="keys")
stores_app = typer.Typer(help="The stores that are connected.", no_args_is_help=True)
app.add_typer(stores_app, name="stores")
users_app = typer.Typer(help="The people who may sign in.", no_args_is_help=True)
app.add_typer(users_app, name="users")
webhooks_app = typer.Typer(help="What shops say by themselves.", no_args_is_help=True)
app.add_typer(webhooks_app, name="webhooks")
admin_app = typer.Typer(help="Who administers this installation.", no_args_is_help=True)
app.add_typer(admin_app, name="admin")

PortOption = Annotated[int | None, typer.Option(help="Port of the web; BRANDMIND_PORT, or 8000.")]
HostOption = Annotated[str | None, typer.Option(help="Address to listen on; 127.0.0.1.")]


def main() -> None:
    """Run the command; what is wrong with a setting or a request is said in a line, exit 1."""
    collector.look_rarely()
    # Until a process sets up its own way: nothing is said without redaction.
    logs.set_up(level="WARNING")
    try:
        app()
    except BrandMindError as wrong:
        print(wrong.message, file=sys.stderr)
        sys.exit(1)


@app.command()
def up(port: PortOption = None, host: HostOption = None) -> None:
    """Everything on this machine, with your own Shopify app from the environment."""
    _launch(port=port, host=host, demo=False)


@app.command()
def demo(port: PortOption = None) -> None:
    """Everything on this machine, with a local Shopify to connect to."""
    _launch(port=port, host=None, demo=True)


@app.command()
def web(port: PortOption = None, host: HostOption = None) -> None:
    """The web process alone."""
    from brandmind.launch import webserver

    webserver.run(_settings(port=port, host=host))


@app.command()
def worker() -> None:
    """A worker process alone."""
    import runpy

    _settings()
    runpy.run_module("worker", run_name="__main__", alter_sys=True)


@app.command()
def migrate() -> None:
    """Bring the database to the newest schema; safe at any time."""
    from brandmind.db.migrate import upgrade

    upgrade(_settings().database_url)


@app.command(
    context_settings={
        "allow_extra_args": True,
        "ignore_unknown_options": True,
        "help_option_names": [],
    }
)
def simulator(ctx: typer.Context) -> None:
    """A local Shopify; `brandmind simulator --help` lists its options."""
    import os

    # A process of its own: it shares nothing with the rest of BrandMind.
    os.execv(sys.executable, [sys.executable, "-m", "brandmind.simulator", *ctx.args])  # noqa: S606


@app.command()
def doctor(
    recount: Annotated[
        bool, typer.Option("--recount", help="Prove every stored sum by a full count instead.")
    ] = False,
) -> None:
    """Check what BrandMind needs and name what is missing; exit 1 if something is."""
    from brandmind.launch import doctor

    if recount:
        _recount()
        return
    found = doctor.examine()
    width = max(len(check.name) for check in found)
    for check in found:
        print(f"{'ok     ' if check.ok else 'MISSING'}  {check.name:<{width}}  {check.said}")
    if not all(check.ok for check in found):
        raise typer.Exit(1)


def _recount() -> None:
    from brandmind.services import recount

    right = True
    for store in _in_runtime(recount.every_store):
        right = right and not store.wrong
        said = f"{store.figures:,} figures, {len(store.wrong):,} differ"
        if store.waiting:
            said += f"; {store.waiting:,} days wait for a recount and were left out"
        print(f"{'ok     ' if not store.wrong else 'WRONG  '}  {store.domain}  {said}")
        for line in store.wrong[:20]:
            print(f"         {line}")
    if not right:
        raise typer.Exit(1)


@app.command()
def sync(
    shop: Annotated[str, typer.Argument(help="The store: name.myshopify.com.")],
    full: Annotated[bool, typer.Option("--full", help="Read everything again.")] = False,
    incremental: Annotated[
        bool, typer.Option("--incremental", help="Read only what changed.")
    ] = False,
    only: Annotated[str, typer.Option(help="Some of products,orders,customers.")] = "",
    inline: Annotated[
        bool, typer.Option("--inline", help="In this process, without worker or Redis.")
    ] = False,
    history: Annotated[bool, typer.Option(help="Wait for the older orders too.")] = True,
) -> None:
    """Request a sync and follow it; exit 0 only if it completed, 3 if a gap remains."""
    import asyncio

    from brandmind.commerce.shop import normalise_shop_domain
    from brandmind.errors import InvalidInput
    from brandmind.runtime import open_runtime
    from brandmind.services import following
    from brandmind.sync.stages import Kind

    if full and incremental:
        raise InvalidInput("Choose --full or --incremental, not both.", field="full")
    kind = Kind.FULL if full else Kind.INCREMENTAL if incremental else None
    domain, stages = normalise_shop_domain(shop), following.chosen_stages(only)

    async def run() -> int:
        settings = _settings()
        # Without an address of Redis nobody is rung; a worker finds the run within two seconds.
        async with open_runtime(settings, jobs=bool(settings.redis_url) and not inline) as rt:
            return await following.sync(
                rt, domain, kind=kind, only=stages, inline=inline, history=history
            )

    try:
        code = asyncio.run(run())
    except KeyboardInterrupt:
        # What becomes of the sync was said already; 130 is what a shell expects of Ctrl-C.
        code = 130
    raise typer.Exit(code)


@app.command()
def report(
    shop: Annotated[str, typer.Argument(help="The store: name.myshopify.com.")],
    as_json: Annotated[bool, typer.Option("--json", help="As JSON; docs/report.md.")] = False,
    date_from: Annotated[
        datetime | None,
        typer.Option("--from", formats=["%Y-%m-%d"], help="First day, in the shop's time zone."),
    ] = None,
    date_to: Annotated[
        datetime | None,
        typer.Option("--to", formats=["%Y-%m-%d"], help="Last day, included; today."),
    ] = None,
) -> None:
    """The figures of a store, of the last 28 days where none are named."""
    import json

    from brandmind.services import report

    found = _in_runtime(
        lambda rt: report.report_of_shop(
            rt,
            shop,
            date_from=date_from.date() if date_from else None,
            date_to=date_to.date() if date_to else None,
        )
    )
    print(json.dumps(found, indent=2, ensure_ascii=False) if as_json else report.as_text(found))


@keys_app.command("new")
def keys_new() -> None:
    """Print a new key for BRANDMIND_ENCRYPTION_KEYS."""
    from brandmind.launch.keys import new_key

    print(new_key())


@keys_app.command("rotate")
def keys_rotate() -> None:
    """Seal every token again under the newest key of BRANDMIND_ENCRYPTION_KEYS."""
    from brandmind.services import tokens

    changed = _in_runtime(tokens.rotate)
    print(f"{changed} {'store' if changed == 1 else 'stores'} sealed again.")


@stores_app.command("connect")
def stores_connect(
    shop: Annotated[str, typer.Argument(help="The store: name.myshopify.com.")],
    token_stdin: Annotated[
        bool, typer.Option("--token-stdin", help="Read an Admin token from standard input.")
    ] = False,
    client_credentials: Annotated[
        bool,
        typer.Option("--client-credentials", help="Read client id and secret, a line each."),
    ] = False,
) -> None:
    """Connect a store without a browser; its first sync is queued at once."""
    from brandmind.errors import InvalidInput
    from brandmind.services import by_hand

    if token_stdin == client_credentials:
        raise InvalidInput("Choose --token-stdin or --client-credentials.", field="token")
    told = sys.stdin.read().split()
    if len(told) != (1 if token_stdin else 2):
        wanted = "one token" if token_stdin else "a client id and a client secret"
        raise InvalidInput(f"Give {wanted} on standard input.", field="token")

    async def act(rt: Runtime) -> Connection:
        if token_stdin:
            return await by_hand.with_token(rt, shop, told[0])
        return await by_hand.with_client_credentials(
            rt, shop, client_id=told[0], client_secret=told[1]
        )

    done = _in_runtime(act)
    queued = "its first sync is queued" if done.first else "its access is renewed"
    print(f"{shop} is connected; {queued}.")


@stores_app.command("list")
def stores_list() -> None:
    """The connected stores: domain, name, state, last sync."""
    from brandmind.services import stores

    for row in _in_runtime(stores.every_store):
        state = "connected"
        if row.uninstalled_at:
            state = f"uninstalled {row.uninstalled_at:%Y-%m-%d %H:%M} UTC"
        elif row.paused_at:
            state = f"paused {row.paused_at:%Y-%m-%d %H:%M} UTC by {row.paused_by}"
        synced = f"{row.last_synced_at:%Y-%m-%d %H:%M} UTC" if row.last_synced_at else "never"
        print(f"{row.domain}  {row.name}  {state}  synced {synced}")


@stores_app.command("pause")
def stores_pause(
    shop: Annotated[str, typer.Argument(help="The store: name.myshopify.com.")],
    by: Annotated[str, typer.Option(help="Who pauses it; its people are shown this.")] = "",
) -> None:
    """Let a store rest: nothing of it is read until it is resumed, and nothing is lost."""
    from brandmind.services import stores

    async def act(rt: Runtime) -> str:
        store = await stores.by_domain(rt, shop)
        await stores.pause(rt, store.store_id, by=by or "the operator")
        return store.domain

    print(f"{_in_runtime(act)} is paused. `brandmind stores resume` lets it go on.")


@stores_app.command("resume")
def stores_resume(
    shop: Annotated[str, typer.Argument(help="The store: name.myshopify.com.")],
) -> None:
    """Let a paused store go on where it was."""
    from brandmind.services import stores

    async def act(rt: Runtime) -> str:
        store = await stores.by_domain(rt, shop)
        await stores.resume(rt, store.store_id)
        return store.domain

    print(f"{_in_runtime(act)} goes on.")


@users_app.command("add")
def users_add(
    name: Annotated[str, typer.Argument(help="The person's name.")],
    store: Annotated[str, typer.Option(help="The store: name.myshopify.com.")],
) -> None:
    """Let a person into a store; prints a link that signs in once, within ten minutes."""
    from brandmind.services import by_hand

    print(_in_runtime(lambda rt: by_hand.make_link(rt, store, name)))


@webhooks_app.command("list")
def webhooks_list(
    shop: Annotated[str, typer.Argument(help="One store: name.myshopify.com; else all.")] = "",
) -> None:
    """Each store's webhooks: what waits, what lies aside and why, which subscriptions miss."""
    from brandmind.services import webhooks

    for domain, standing, aside in _in_runtime(lambda rt: webhooks.look(rt, _shop_or_all(shop))):
        checked = f"{standing.checked_at:%Y-%m-%d %H:%M} UTC" if standing.checked_at else "never"
        print(f"{domain}  {standing.waiting} waiting  {standing.aside} aside  checked {checked}")
        if standing.missing:
            print(f"  missing: {', '.join(standing.missing)}. {standing.note}".rstrip())
        for row in aside:
            whose = f" {row.shopify_id}" if row.shopify_id else ""
            print(f"  aside: {row.topic}{whose}, {row.received_at:%Y-%m-%d %H:%M} UTC: {row.note}")


@webhooks_app.command("replay")
def webhooks_replay(
    shop: Annotated[str, typer.Argument(help="One store: name.myshopify.com; else all.")] = "",
) -> None:
    """Put back what lies aside, to be tried again."""
    from brandmind.services import webhooks

    count = _in_runtime(lambda rt: webhooks.replay(rt, _shop_or_all(shop)))
    print(f"{count} {'delivery' if count == 1 else 'deliveries'} put back.")


@admin_app.command("privacy")
def admin_privacy() -> None:
    """What the law asked for and what was done about it; stays when a store is erased."""
    from brandmind.services import privacy

    for row in _in_runtime(privacy.every_act):
        done = f"{row.outcome} {row.done_at:%Y-%m-%d %H:%M} UTC" if row.done_at else "not done yet"
        asked = f"{row.ordered_at:%Y-%m-%d %H:%M} UTC"
        print(f"{row.domain}  {row.kind}  asked {asked}  {done}  {row.counts_json}")


@admin_app.command("grant")
def admin_grant(user: Annotated[str, typer.Argument(help="The person's name or id.")]) -> None:
    """Give a person the right to administer this installation."""
    from brandmind.services import stores

    name = _in_runtime(lambda rt: stores.set_admin(rt, user, admin=True))
    print(f"{name} is an administrator now.")


@admin_app.command("revoke")
def admin_revoke(user: Annotated[str, typer.Argument(help="The person's name or id.")]) -> None:
    """Take that right from a person; it ends with the next click."""
    from brandmind.services import stores

    name = _in_runtime(lambda rt: stores.set_admin(rt, user, admin=False))
    print(f"{name} is no administrator any more.")


def _shop_or_all(shop: str) -> str | None:
    from brandmind.commerce.shop import normalise_shop_domain

    return normalise_shop_domain(shop) if shop else None


def _in_runtime(act: Callable[[Runtime], Awaitable[T]]) -> T:
    import asyncio

    from brandmind.runtime import open_runtime

    async def run() -> T:
        settings = _settings()
        async with open_runtime(settings, jobs=bool(settings.redis_url)) as rt:
            return await act(rt)

    return asyncio.run(run())


def _launch(*, port: int | None, host: str | None, demo: bool) -> None:
    import asyncio

    from brandmind.launch import frontend, house

    settings = _settings(port=port, host=host).model_copy(update={"demo": demo})
    settings.check_production()
    logs.set_up(as_json=settings.logs_json)
    frontend.ensure_built()
    raise typer.Exit(asyncio.run(house.run(settings)))


def _settings(*, port: int | None = None, host: str | None = None) -> Settings:
    from brandmind.settings import Settings

    given = {"port": port, "host": host}
    return Settings.load(**{name: value for name, value in given.items() if value is not None})
