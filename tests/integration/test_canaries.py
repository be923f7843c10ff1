"""A whole story with planted marks; afterwards they lie where they belong and nowhere else."""

from __future__ import annotations

import asyncio
import io
import json
import os
import secrets
import signal
import sqlite3
import subprocess
import sys
import time
import zipfile
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import parse_qs, urlsplit

import httpx
import psycopg
import pytest
import redis
import websockets

from brandmind.db.cipher import Cipher
from brandmind.dna.rfm import GROUPS
from brandmind.launch import frontend
from brandmind.launch.ports import free_port
from brandmind.settings import KEY_FILE, parse_keys
from tests import canary_shopify
from tests.canaries import Home, Search, spellings
from tests.contract.local_shopify import ROOT, local_shopify
from tests.postgres_cluster import PostgresCluster, postgres_binaries
from tests.sentry_desk import Desk, sentry_desk

pytestmark = pytest.mark.timeout(1200)

T = TypeVar("T")
SCOPES = "read_products,read_orders,read_customers,read_all_orders"
SHOP = "canary-cove.myshopify.com"
APP_SECRET = "appsecretcanary-" + secrets.token_hex(12)
METRICS = "metricscanary-" + secrets.token_hex(8)
# Marks that are pieces of what people are called and where they live.
PEOPLE = frozenset({"name", "mail", "phone"})

# The pages of the database on disk, and each of its tables as text.
IN_DATABASE = "database:*"

HOMES = (
    Home(IN_DATABASE, PEOPLE, "the merchant's own list of customers is made of it"),
    Home(IN_DATABASE, frozenset({"staff mail"}), "who the letter goes to"),
    Home("file:outbox/*", frozenset({"staff mail"}), "the letter itself, until mail is set up"),
    Home("answer:privacy export", PEOPLE, "a customer asked for exactly that, over the merchant"),
    Home("answer:archive/customers.csv", PEOPLE, "the merchant takes all of their data along"),
    Home("answer:group *.csv", frozenset({"name", "mail"}), "the merchant writes to a group"),
    Home("file:encryption.key", frozenset({"key"}), "mode 0600, for us alone"),
    Home("file:running.env", frozenset({"redis password"}), "mode 0600, while it runs"),
    Home("file:valkey/*.conf", frozenset({"redis password"}), "mode 0600"),
)


def until(found: Callable[[], T], *, what: str, within_s: float = 240) -> T:
    ends_at = time.monotonic() + within_s
    while True:
        if answer := found():
            return answer
        assert time.monotonic() < ends_at, f"waited {within_s:.0f} s for {what}"
        time.sleep(0.05)


class OnSqlite:
    """The database as a file in the data folder."""

    def __init__(self, data: Path) -> None:
        self._file = data / "brandmind.db"
        self.told: dict[str, str] = {}

    def rows(self, statement: str, *values: object) -> list[Any]:
        with closing(sqlite3.connect(self._file, timeout=30)) as db, db:
            return db.execute(statement, values).fetchall()

    def tables(self) -> list[str]:
        return [at for (at,) in self.rows("SELECT name FROM sqlite_master WHERE type = 'table'")]

    def settle(self) -> None:
        """What was overwritten is gone from the disk."""
        self.rows("VACUUM")
        until(lambda: self.rows("PRAGMA wal_checkpoint(TRUNCATE)")[0][0] == 0, what="a checkpoint")

    def pages(self) -> Iterator[Path]:
        yield from self._file.parent.glob("brandmind.db*")


class OnPostgres:
    """The database on a server of its own."""

    def __init__(self, cluster: PostgresCluster) -> None:
        self._folder = cluster.data / "base"
        self._url = cluster.create("canaries")
        self.told = {"BRANDMIND_DATABASE_URL": self._url}

    def rows(self, statement: str, *values: object) -> list[Any]:
        address = self._url.replace("+psycopg", "")
        with psycopg.connect(address, autocommit=True) as db:
            found = db.execute(statement.replace("?", "%s").encode(), values)
            return found.fetchall() if found.description else []

    def tables(self) -> list[str]:
        return [
            at for (at,) in self.rows("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")
        ]

    def settle(self) -> None:
        """What was overwritten is gone from the disk; the log of changes is no part of the search,
        since the marks were planted by way of it."""
        self.rows("VACUUM FULL store")
        self.rows("CHECKPOINT")

    def pages(self) -> Iterator[Path]:
        self.rows("CHECKPOINT")
        (number,) = self.rows("SELECT oid FROM pg_database WHERE datname = current_database()")[0]
        yield from (path for path in (self._folder / str(number)).iterdir() if path.is_file())


class Story:
    """The product as an operator runs it, with a shop of marked people and a Sentry."""

    def __init__(
        self, data: Path, *, desk: Desk, shopify: str, database: OnSqlite | OnPostgres
    ) -> None:
        self.data, self.desk, self.shopify, self.database = data, desk, shopify, database
        self.answers: dict[str, bytes] = {}
        self.passed: list[str] = []
        self.store_id = ""
        self.console = data.parent / "console.txt"
        port = free_port()
        self.url = f"http://localhost:{port}"
        self.told = {
            "BRANDMIND_DATA_DIR": str(data),
            "BRANDMIND_PORT": str(port),
            "BRANDMIND_SHOPIFY_ORIGIN": shopify + "/{shop}",
            "BRANDMIND_SHOPIFY_CLIENT_ID": "canary-app",
            "BRANDMIND_SHOPIFY_CLIENT_SECRET": APP_SECRET,
            "BRANDMIND_SHOPIFY_SCOPES": SCOPES,
            "BRANDMIND_SENTRY_DSN": desk.dsn,
            "BRANDMIND_METRICS_TOKEN": METRICS,
            "BRANDMIND_LOG_FORMAT": "json",
            "BRANDMIND_WORKERS": "1",
            "PYTHONUNBUFFERED": "1",
            **database.told,
        }
        self.process = self._start()
        self.browser = httpx.Client(base_url=self.url, trust_env=False, timeout=60)
        self.shop = httpx.Client(base_url=shopify, trust_env=False, timeout=60)

    def _start(self) -> subprocess.Popen[bytes]:
        with self.console.open("a") as console:
            return subprocess.Popen(
                [sys.executable, "-m", "brandmind", "up"],
                cwd=frontend.HOME,
                env=os.environ | self.told,
                stdout=console,
                stderr=subprocess.STDOUT,
            )

    def is_up(self) -> bool:
        """Whether it runs; started again where a slow machine made it give up."""
        said = self.console.read_text()
        if self.process.poll() is not None:
            assert "was not ready in time" in said, said
            self.process = self._start()
        return "Ctrl-C stops everything" in said

    def control(self, what: str, **told: Any) -> Any:
        answer = self.shop.post(f"/__control/{SHOP}/{what}", json=told)
        answer.raise_for_status()
        return answer.json()

    def rows(self, statement: str, *values: object) -> list[Any]:
        return self.database.rows(statement, *values)

    def signs_in(self) -> None:
        """Both legs, at the shop's own consent page."""
        location = str(self.browser.get("/auth/connect", params={"shop": SHOP}).headers["location"])
        for _ in range(8):
            self.passed += [
                value
                for name, values in parse_qs(urlsplit(location).query).items()
                if name in ("state", "code", "hmac")
                for value in values
            ]
            if location.startswith(self.shopify):
                page = self.shop.get(location)
                if page.status_code == 200:
                    page = self.shop.post(location, data={"decision": "install"})
                location = page.headers["location"]
            else:
                answer = self.browser.get(location)
                if not answer.is_redirect:
                    break
                location = answer.headers["location"]
                if urlsplit(location).path == "/syncing":
                    break
        self.store_id = self.rows("SELECT store_id FROM store WHERE domain = ?", SHOP)[0][0]

    def is_whole(self) -> bool:
        runs = self.rows("SELECT kind, status FROM sync_run WHERE store_id = ?", self.store_id)
        kinds = {kind for kind, status in runs if status == "done"}
        return {"full", "historical"} <= kinds and {status for _, status in runs} == {"done"}

    def is_settled(self) -> bool:
        """Whether every delivery that came was worked off."""
        waiting = self.shop.get(f"/__control/{SHOP}/webhooks").json()["waiting"]
        open_rows = self.rows("SELECT count(*) FROM inbox WHERE done_at IS NULL")[0][0]
        return not waiting and not open_rows

    def ask(self, name: str, path: str, *, post: bool = False) -> httpx.Response:
        """Asks as the signed-in owner, and keeps the answer."""
        headers = {"Origin": self.url} if post else {}
        answer = self.browser.request("POST" if post else "GET", path, headers=headers)
        self.answers[name] = answer.content
        return answer

    def command(self, name: str, *arguments: str, may_fail: bool = False) -> None:
        done = subprocess.run(
            [sys.executable, "-m", "brandmind", *arguments],
            cwd=ROOT,
            env=os.environ | self.told,
            capture_output=True,
            text=True,
            timeout=240,
        )
        said = done.stdout + done.stderr
        self.answers[name] = said.encode()
        assert may_fail or done.returncode == 0, said

    def search(self) -> Search:
        """All that is lying around now."""
        found = Search(self.marks())
        found.put_files(self.data)
        for page in self.database.pages():
            found.places.pop(f"file:{page.name}", None)
            found.put(f"database:{page.name}", page.read_bytes())
        for table in self.database.tables():
            # As text as well: of a long value the pages hold what it was packed into.
            rows = self.rows(f"SELECT * FROM {table}")
            found.put(f"database:table {table}", repr(rows))
        found.put("console", self.console.read_bytes())
        for number, envelope in enumerate(self.desk.envelopes):
            found.put(f"sentry:{number}", envelope)
        for name, said in self.answers.items():
            found.put(f"answer:{name}", said)
        found.put_redis(self.redis_url)
        return found

    @property
    def redis_url(self) -> str:
        running = (self.data / "running.env").read_text()
        line = next(one for one in running.splitlines() if one.startswith("BRANDMIND_REDIS_URL="))
        return line.partition("=")[2].strip("'")

    def marks(self) -> dict[str, str]:
        """What is looked for, by its kind."""
        keys = (self.data / KEY_FILE).read_text()
        cipher = Cipher(parse_keys(keys))
        (row,) = self.rows("SELECT access_sealed, refresh_sealed FROM token")
        tokens = {
            purpose: cipher.open(sealed, store_id=self.store_id, purpose=purpose)
            for purpose, sealed in zip(("access", "refresh"), row, strict=True)
        }
        return {
            "name": canary_shopify.NAME,
            "mail": canary_shopify.MAIL,
            "phone": canary_shopify.PHONE,
            "street": canary_shopify.STREET,
            "staff mail": "robin@canary-cove.example.com",
            "app secret": APP_SECRET,
            "metrics token": METRICS,
            "access token": tokens["access"],
            "refresh token": tokens["refresh"],
            "cookie": self.browser.cookies["bm_session"],
            "key": keys.partition(":")[2].strip(),
            "redis password": str(urlsplit(self.redis_url).password),
            **{f"passed {number}": value for number, value in enumerate(self.passed)},
        }


def marked_shopify() -> AbstractContextManager[str]:
    sizes = ["--orders", "400", "--products", "12", "--customers", "150", "--plan", "unlimited"]
    app = ["--client-id", "canary-app", "--client-secret", APP_SECRET]
    return local_shopify(*sizes, *app, module="tests.canary_shopify")


@pytest.fixture(scope="module")
def story(
    tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest
) -> Iterator[Story]:
    """All of it has happened, and everything still runs.

    On PostgreSQL where there is one, since its errors quote whole rows; CANARIES_ON=sqlite tells
    it on the other.
    """
    frontend.ensure_built()
    data = tmp_path_factory.mktemp("canaries") / "data"
    on = os.environ.get("CANARIES_ON") or ("postgres" if postgres_binaries() else "sqlite")
    database: OnSqlite | OnPostgres = (
        OnPostgres(request.getfixturevalue("postgres_cluster"))
        if on == "postgres"
        else OnSqlite(data)
    )
    with sentry_desk() as desk, marked_shopify() as shopify:
        made = Story(data, desk=desk, shopify=shopify, database=database)
        try:
            until(made.is_up, what="the house", within_s=600)
            _tell(made)
            yield made
        finally:
            made.process.send_signal(signal.SIGINT)
            try:
                made.process.wait(60)
            finally:
                made.process.kill()
                made.process.wait()
            made.browser.close()
            made.shop.close()


def _tell(story: Story) -> None:
    story.signs_in()
    until(story.is_whole, what="the store read whole")
    _by_webhook(story)
    _as_files(story)
    _knocking(story)
    _failing(story)


def _by_webhook(story: Story) -> None:
    """Orders arrive, a customer is edited, one asks for her data, one goes."""
    until(lambda: story.shop.get(f"/__control/{SHOP}/webhooks").json()["subscriptions"],
          what="the subscriptions")  # fmt: skip
    customers = story.rows("SELECT shopify_id FROM customer ORDER BY shopify_id LIMIT 3")
    gids = [f"gid://shopify/Customer/{row[0]}" for row in customers]
    address = f"{story.url.replace('localhost', '127.0.0.1')}/webhooks/shopify"
    story.control("webhooks", privacy_uri=address, scale=0.001)
    story.control("orders", count=3)
    story.control("touch", ids=[gids[0]])
    story.control("privacy", topic="customers/data_request", customer=gids[1])
    story.control("delete", ids=[gids[2]])
    until(lambda: story.rows("SELECT 1 FROM privacy_act WHERE done_at IS NOT NULL"),
          what="the data request")  # fmt: skip
    until(story.is_settled, what="the deliveries")
    asked = story.ask("privacy", f"/api/stores/{story.store_id}/privacy").json()
    act = next(one["act_id"] for one in asked["acts"] if one["has_export"])
    story.ask("privacy export", f"/api/stores/{story.store_id}/privacy/{act}")


def _as_files(story: Story) -> None:
    """What the product hands out or prints."""
    today = datetime.now(UTC).date()
    here, days = f"/api/stores/{story.store_id}", f"?from={today - timedelta(27)}&to={today}"
    for name in ("orders.csv", "products.csv"):
        assert story.ask(name, f"{here}/{name}{days}").status_code == 200
    for name in ("customers.csv", "deciles.csv", "ltv.csv", "dna.json", "status"):
        assert story.ask(name, f"{here}/{name}").status_code == 200
    for group in GROUPS:
        name = f"group {group.lower()}.csv"
        assert story.ask(name, f"{here}/customers/{group.lower()}.csv").status_code == 200
    assert story.ask("archive", f"{here}/archive.zip").status_code == 200
    story.ask("sessions", "/api/sessions")
    story.ask("metrics without", "/metrics")
    bearer = {"Authorization": f"Bearer {METRICS}"}
    story.answers["metrics"] = story.browser.get("/metrics", headers=bearer).content
    story.ask("healthz", "/healthz")
    story.ask("readyz", "/readyz")
    story.command("report", "report", SHOP, "--json")
    story.command("report in words", "report", SHOP)
    # It may find something missing here; what it says is what counts.
    story.command("doctor", "doctor", may_fail=True)
    story.command("webhooks", "webhooks", "list")
    story.command("stores", "stores", "list")
    story.command("privacy acts", "admin", "privacy")


def _knocking(story: Story) -> None:
    """Somebody who holds the marks sends them wherever something listens."""
    marks = list(story.marks().values())
    for path in ("/", "/auth/callback", "/auth/connect", "/auth/link", "/nowhere"):
        story.browser.get(path, params={"shop": marks[0], "code": marks[7], "state": marks[9]})
        story.browser.post(path, content=json.dumps(marks), headers={"X-Note": marks[1]})
    signature = {"X-Shopify-Hmac-Sha256": marks[5], "X-Shopify-Shop-Domain": marks[0]}
    story.browser.post("/webhooks/shopify", content=json.dumps(marks), headers=signature)

    async def by_socket() -> None:
        address = f"{story.url.replace('http', 'ws', 1)}/_event/?EIO=4&transport=websocket&token=t"
        cookie = {"Cookie": f"bm_session={story.browser.cookies['bm_session']}"}
        async with websockets.connect(address, origin=story.url, additional_headers=cookie) as line:
            await line.recv()
            await line.send("40/_event,")
            await line.recv()
            for name in (marks[0], "state.nothing"):
                event = {"name": name, "payload": {"value": marks}, "router_data": {}}
                await line.send(f"42/_event,{json.dumps(['event', event])}")
            await line.send('42/_event,["ping"]')
            while "pong" not in str(await line.recv()):
                pass

    asyncio.run(by_socket())


def _failing(story: Story) -> None:
    """Shopify fails, and so do we, over a row whose error quotes all of it; then all is well."""
    marks = story.marks()
    here = f"/api/stores/{story.store_id}"
    story.control("faults", kind="http5xx", rate=1.0)
    assert story.ask("sync", f"{here}/sync", post=True).status_code == 202
    until(lambda: story.rows("SELECT 1 FROM sync_run WHERE attempt > 0 AND status = 'queued'"),
          what="a try that failed")  # fmt: skip
    spoilt = " ".join(marks.values())
    kept = story.rows("SELECT orders_since FROM store")[0][0]
    story.rows("UPDATE store SET orders_since = ?", spoilt)
    assert story.ask("status that fails", f"{here}/status").status_code == 500
    by_web = story.desk.until(_from("web", story.store_id), within_s=240)
    # The next try gets an answer, and then stumbles over the row.
    story.shop.delete(f"/__control/{SHOP}/faults").raise_for_status()
    by_worker = story.desk.until(_from("worker", story.store_id), within_s=240)
    for event in (by_web, by_worker):
        assert event["exception"]["values"][-1]["type"] == "ValueError"
    assert by_worker["tags"]["run"]
    story.rows("UPDATE store SET orders_since = ?", kept)
    until(story.is_whole, what="the sync that failed")
    # What was planted by hand must not be taken for a leak.
    story.database.settle()


def _from(process: str, store_id: str) -> Callable[[dict[str, Any]], bool]:
    return lambda event: (
        event["tags"]["process"] == process and event["tags"].get("store") == store_id
    )


def on_pages(found: dict[str, set[str]]) -> list[set[str]]:
    """What was found on each page file of the database, beside its tables as text."""
    return [
        kinds
        for place, kinds in found.items()
        if place.startswith("database:") and not place.startswith("database:table ")
    ]


def test_everything_lies_where_it_belongs(story: Story) -> None:
    search = story.search()
    assert search.astray(HOMES) == {}
    found = search.found()
    # Nothing is allowed that is not needed.
    assert [home for home in HOMES if not home.is_used(found)] == []
    # It was looked for in the right places, and the marks were really there to be found.
    assert found["database:table customer"] >= PEOPLE
    assert set().union(*on_pages(found)) >= PEOPLE
    assert found["answer:privacy export"] >= PEOPLE
    assert {"answer:archive/orders.csv", "answer:archive/dna.json"} <= set(search.places)
    kinds = {place.partition(":")[0] for place in search.places}
    assert kinds == {"file", "database", "console", "sentry", "answer", "redis"}
    assert b"brandmind_syncs" in story.answers["metrics"]
    assert b"brandmind_" not in story.answers["metrics without"]
    assert {"file:logs/web.log", "file:logs/worker-1.log"} <= set(search.places)
    assert len([place for place in search.places if place.startswith("sentry:")]) >= 2
    assert len(story.passed) >= 6


def test_every_line_of_every_process_of_ours_is_json(story: Story) -> None:
    lines = story.console.read_text().splitlines()
    for log in (story.data / "logs").glob("*.log"):
        lines += log.read_text().splitlines()
    told = [json.loads(line) for line in lines]
    assert {"web", "worker-1"} <= {line.get("process") for line in told}
    assert all({"at", "level", "logger", "message"} <= set(line) for line in told)
    failed = [line for line in told if line.get("process") == "worker-1" and "trace" in line]
    assert {line["store"] for line in failed} == {story.store_id}
    assert all(line["run"] for line in failed)


def test_secrets_at_home_are_for_us_alone(story: Story) -> None:
    for home in ("encryption.key", "running.env", *(
        str(path.relative_to(story.data)) for path in (story.data / "valkey").glob("*.conf")
    )):  # fmt: skip
        assert (story.data / home).stat().st_mode & 0o777 == 0o600


def test_the_search_notices_each_leak_that_is_planted(story: Story) -> None:
    marks = story.marks()
    with (story.data / "logs" / "web.log").open("a") as log:
        log.write(json.dumps({"message": f"Bearer {marks['access token']}"}) + "\n")
    with redis.Redis.from_url(story.redis_url) as server:
        server.hset("leak", "who", f"<{marks['mail']}>")
        server.xadd("leaks", {"body": marks["phone"]})
    story.rows("CREATE TABLE leak (what TEXT)")
    story.rows("INSERT INTO leak VALUES (?)", f"token {marks['refresh token']}")
    event = b'{}\n{"type":"event"}\n{"extra":"' + marks["name"].encode() + b'"}\n'
    httpx.post(story.desk.address, content=event, trust_env=False).raise_for_status()
    story.answers["leaky file"] = f"a=1&b={marks['cookie']}".encode()
    # Beside the file of the archive in which it belongs.
    story.answers["archive"] = a_zip("customers.csv", marks["mail"], "orders.csv", marks["mail"])
    (story.data / "bulk").mkdir(exist_ok=True)
    (story.data / "bulk" / "left.txt").write_text(marks["street"])
    (story.data / "bulk" / "left.zip").write_bytes(a_zip("in.csv", marks["phone"])[:-30])
    found = story.search().astray(HOMES)
    assert found["file:logs/web.log"] == {"access token"}
    assert found["redis:0:b'leak'"] == {"mail"}
    assert found["redis:0:b'leaks'"] == {"phone"}
    assert found["database:table leak"] == {"refresh token"}
    raw = [
        kinds
        for place, kinds in found.items()
        if place.startswith("database:") and "table" not in place
    ]
    assert {"refresh token"} in raw
    assert found[f"sentry:{len(story.desk.envelopes) - 1}"] == {"name"}
    assert found["answer:leaky file"] == {"cookie"}
    assert found["file:bulk/left.txt"] == {"street"}
    assert found["file:bulk/left.zip/in.csv"] == {"phone"}
    assert found["answer:archive/orders.csv"] == {"mail"}
    assert "answer:archive/customers.csv" not in found


def a_zip(*told: str) -> bytes:
    """A ZIP of files, name and text by turns."""
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as files:
        for name, text in zip(told[::2], told[1::2], strict=True):
            files.writestr(name, text * 50)
    return made.getvalue()


@pytest.mark.parametrize("cut", [0, 30], ids=["whole", "cut short"])
def test_a_mark_is_known_inside_a_zip_wherever_that_lies(cut: int) -> None:
    told = a_zip("a.csv", "nothing", "b.csv", "Quimbycanary")
    assert b"Quimbycanary" not in told
    search = Search({"name": "Quimbycanary"})
    search.put("redis:0", b"key\n" + told[: len(told) - cut] + b"\nmore")
    search.put("file:x", a_zip("c.csv", "nothing"))
    assert search.found() == {"redis:0/b.csv": {"name"}}


@pytest.mark.parametrize("kind", ["json", "address", "base64", "hex"])
def test_a_mark_is_known_however_it_is_written(kind: str) -> None:
    import base64
    from urllib.parse import quote

    mark = "Quimby canary/é+1"
    for before in ("", "a", "bc", "def"):
        text = f"{before}{mark} and more"
        written = {
            "json": json.dumps({"x": text}).encode(),
            "address": quote(text, safe="").encode(),
            "base64": base64.b64encode(text.encode()),
            "hex": text.encode().hex().encode(),
        }[kind]
        assert any(one in written for one in spellings(mark)), (kind, before)
        other = text.replace("canary", "carany")
        plain = {"base64": base64.b64encode(other.encode())}.get(kind, other.encode())
        assert not any(one in plain for one in spellings(mark))
