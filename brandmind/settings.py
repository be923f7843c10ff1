"""The only reader of the environment: every setting, checked once, a clear word per bad value."""

from __future__ import annotations

import base64
import binascii
import fcntl
import os
from pathlib import Path
from typing import Annotated, Any, Literal, Self
from urllib.parse import urlsplit

from pydantic import (
    Field,
    SecretStr,
    ValidationError,
    ValidationInfo,
    field_validator,
    model_validator,
)
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from brandmind import servers
from brandmind.commerce.shop import READ_SCOPES
from brandmind.errors import SettingsError

PREFIX = "BRANDMIND_"
KEY_FILE = "encryption.key"
RUNNING_FILE = "running.env"
RUNNING_LOCK = "running.lock"
DEMO_CLIENT_ID = "brandmind-local"
DEMO_CLIENT_SECRET = "brandmind-local-secret"  # noqa: S105  the simulator's, known to all
DEMO_KEY_PREFIX = "demo"

EncryptionKey = tuple[str, bytes]


class Settings(BaseSettings):
    """What this process was told. Read it with `Settings.load()`, which names what is wrong."""

    model_config = SettingsConfigDict(
        env_prefix=PREFIX,
        env_ignore_empty=True,
        extra="ignore",
        hide_input_in_errors=True,
        populate_by_name=True,
    )

    data_dir: Path = Path(".brandmind")
    database_url: str = Field(default="", repr=False)
    redis_url: str = Field(default="", repr=False)
    host: str = "127.0.0.1"
    port: int = Field(default=8000, ge=1, le=65535)
    public_url: str = ""
    shopify_origin: str = "https://{shop}"
    shopify_client_id: str = ""
    shopify_client_secret: SecretStr = SecretStr("")
    shopify_scopes: Annotated[list[str], NoDecode] = Field(
        default_factory=lambda: list(READ_SCOPES)
    )
    encryption_keys: Annotated[list[EncryptionKey], NoDecode] = Field(
        default_factory=list, repr=False
    )
    metrics_token: SecretStr = SecretStr("")
    trusted_proxy_hops: int = Field(default=0, ge=0, le=10)
    smtp_url: SecretStr = SecretStr("")
    sentry_dsn: SecretStr = SecretStr("")
    admin_emails: Annotated[list[str], NoDecode] = Field(default_factory=list)
    demo: bool = False
    workers: int = Field(default=2, ge=1, le=64)
    clock_file: str = ""
    # Lines for people, or one JSON object a line.
    log_format: Literal["text", "json"] = "text"
    # How a shop is read: by its size, or always one way.
    read_by: Literal["auto", "paged", "bulk"] = "auto"
    # The most records of one export: what a worker holds on its disk, and in part in memory.
    export_records: int = Field(default=5_000, ge=100, le=50_000)

    @classmethod
    def load(cls, **overrides: Any) -> Self:
        """The settings of this process; overrides win over all else.

        Order: overrides, environment, `.env` (or the file BRANDMIND_ENV_FILE names), what a
        launcher that runs on the same data folder wrote down, defaults.

        Raises:
            SettingsError: one line for each bad value, naming the variable and what to do.
        """
        own = os.environ.get(f"{PREFIX}ENV_FILE", ".env")
        try:
            found = cls(_env_file=own, **overrides)
            if running := _running_env(found.data_dir):
                found = cls(_env_file=(running, own), **overrides)
        except ValidationError as wrong:
            raise SettingsError("\n".join(_in_words(wrong))) from None
        return found

    @field_validator("data_dir")
    @classmethod
    def _absolute(cls, value: Path) -> Path:
        return value.expanduser().resolve()

    @field_validator("database_url")
    @classmethod
    def _database(cls, value: str) -> str:
        if value and not value.startswith(("sqlite:///", "postgresql+psycopg://")):
            raise ValueError("give a postgresql+psycopg://… or sqlite:///… address")
        return value

    @field_validator("redis_url")
    @classmethod
    def _redis(cls, value: str) -> str:
        if value and not value.startswith(("redis://", "rediss://", "unix://")):
            raise ValueError("give a redis://, rediss:// or unix:// address, or leave it empty")
        return value

    @field_validator("public_url")
    @classmethod
    def _public(cls, value: str) -> str:
        value = value.rstrip("/")
        parts = urlsplit(value)
        if value and (parts.scheme not in {"http", "https"} or not parts.hostname or parts.path):
            raise ValueError("give the address people type, like https://brandmind.example.com")
        return value

    @field_validator("shopify_origin")
    @classmethod
    def _origin(cls, value: str) -> str:
        value = value.rstrip("/")
        if not value.startswith(("http://", "https://")) or value.count("{shop}") != 1:
            raise ValueError("give an http(s) address with {shop} in it once, like https://{shop}")
        return value

    @field_validator("encryption_keys", mode="before")
    @classmethod
    def _keys(cls, value: Any) -> Any:
        return parse_keys(value) if isinstance(value, str) else value

    @field_validator("shopify_scopes", mode="before")
    @classmethod
    def _scopes(cls, value: Any) -> Any:
        if not isinstance(value, str):
            return value
        scopes = [part.strip() for part in value.split(",") if part.strip()]
        if not scopes or any(not scope.replace("_", "").isalpha() for scope in scopes):
            raise ValueError("give Shopify scopes separated by commas, like read_products")
        return scopes

    @field_validator("admin_emails", mode="before")
    @classmethod
    def _emails(cls, value: Any) -> Any:
        if not isinstance(value, str):
            return value
        emails = [part.strip().lower() for part in value.split(",") if part.strip()]
        if any("@" not in email for email in emails):
            raise ValueError("give e-mail addresses separated by commas")
        return emails

    @field_validator("smtp_url", "sentry_dsn")
    @classmethod
    def _address(cls, value: SecretStr, info: ValidationInfo) -> SecretStr:
        schemes = {"smtp_url": {"smtp", "smtps"}, "sentry_dsn": {"http", "https"}}
        plain = value.get_secret_value()
        if plain and urlsplit(plain).scheme not in schemes[info.field_name or ""]:
            expected = " or ".join(f"{s}://…" for s in sorted(schemes[info.field_name or ""]))
            raise ValueError(f"give a {expected} address, or leave it empty")
        return value

    @model_validator(mode="after")
    def _defaults(self) -> Self:
        if not self.database_url:
            self.database_url = f"sqlite:///{self.data_dir / 'brandmind.db'}"
        if not self.public_url:
            self.public_url = f"http://localhost:{self.port}"
        if self.demo and not self.shopify_client_id:
            self.shopify_client_id = DEMO_CLIENT_ID
            self.shopify_client_secret = SecretStr(DEMO_CLIENT_SECRET)
        if self.demo and "shopify_scopes" not in self.model_fields_set:
            self.shopify_scopes.append("read_all_orders")
        if not self.encryption_keys:
            kept = self.data_dir / KEY_FILE
            if kept.is_file():
                self.encryption_keys = parse_keys(kept.read_text())
        return self

    @property
    def client_secrets(self) -> list[SecretStr]:
        """The app's secrets, the newest first: webhooks signed with any of them are ours."""
        every = self.shopify_client_secret.get_secret_value().split(",")
        return [SecretStr(one.strip()) for one in every if one.strip()]

    @property
    def is_sqlite(self) -> bool:
        return self.database_url.startswith("sqlite")

    @property
    def is_https(self) -> bool:
        return self.public_url.startswith("https://")

    @property
    def listens_beyond_loopback(self) -> bool:
        return not servers.is_loopback(self.host)

    @property
    def production(self) -> bool:
        """Others can reach it: the public address is https, or we listen beyond loopback."""
        return self.is_https or self.listens_beyond_loopback

    @property
    def environment(self) -> str:
        """What kind of installation this is, as error tracking names it."""
        return "production" if self.production else "demo" if self.demo else "local"

    @property
    def logs_json(self) -> bool:
        return self.log_format == "json"

    @property
    def outbox_dir(self) -> Path:
        """Where e-mails land while no SMTP server is named."""
        return self.data_dir / "outbox"

    @property
    def exports_dir(self) -> Path:
        """Where the files of exports lie while they are read."""
        return self.data_dir / "bulk"

    def shopify_address(self, shop: str) -> str:
        """The address every URL of a shop is built on, without a slash at its end."""
        return self.shopify_origin.replace("{shop}", shop)

    def check_production(self) -> None:
        """Refuse what must not be seen from outside; on loopback over http all is allowed.

        Raises:
            SettingsError: one line for each thing that stands in the way.
        """
        if self.production and (problems := list(self._in_the_way())):
            raise SettingsError("\n".join(problems))

    def _in_the_way(self) -> list[str]:
        if self.demo:
            return [
                f"The demo makes its first visitor an administrator and so stays on this machine: "
                f"{PREFIX}HOST must be 127.0.0.1 and {PREFIX}PUBLIC_URL plain http. "
                f"Use `brandmind up` for a real one."
            ]
        problems = []
        if not self.is_https:
            problems.append(
                f"{PREFIX}PUBLIC_URL is {self.public_url}: beyond this machine it must be https."
            )
        if not self.shopify_origin.startswith("https://"):
            problems.append(
                f"{PREFIX}SHOPIFY_ORIGIN is {self.shopify_origin}: in production it must be https."
            )
        secrets = [secret.get_secret_value() for secret in self.client_secrets]
        if not self.shopify_client_id or not secrets:
            problems.append(
                f"{PREFIX}SHOPIFY_CLIENT_ID and {PREFIX}SHOPIFY_CLIENT_SECRET are missing: "
                f"take them from your app's page at Shopify."
            )
        elif self.shopify_client_id == DEMO_CLIENT_ID or DEMO_CLIENT_SECRET in secrets:
            problems.append(
                f"{PREFIX}SHOPIFY_CLIENT_ID or {PREFIX}SHOPIFY_CLIENT_SECRET is the demo's: "
                f"take your own from your app's page at Shopify."
            )
        token = self.metrics_token.get_secret_value()
        if token and (len(token) < 16 or len(set(token)) < 8):
            problems.append(
                f"{PREFIX}METRICS_TOKEN is short or repeats itself: take 16 random characters or "
                f"more, as `openssl rand -hex 24` prints them."
            )
        if not self.encryption_keys:
            problems.append(f"{PREFIX}ENCRYPTION_KEYS is missing: `brandmind keys new` prints one.")
        for key_id, key in self.encryption_keys:
            if key_id.startswith(DEMO_KEY_PREFIX):
                problems.append(
                    f"{PREFIX}ENCRYPTION_KEYS: {key_id} is a demo key; "
                    f"`brandmind keys new` prints a real one."
                )
            elif len(set(key)) < 12:
                problems.append(
                    f"{PREFIX}ENCRYPTION_KEYS: {key_id} is not random; "
                    f"`brandmind keys new` prints one that is."
                )
        problems += self._open_doors()
        return problems

    def _open_doors(self) -> list[str]:
        """Servers on other machines that would let in anybody who can reach them."""
        problems = []
        if host := servers.open_redis(self.redis_url):
            problems.append(
                f"{PREFIX}REDIS_URL reaches {host} without a password: set `requirepass` there and "
                f"write redis://:PASSWORD@HOST:PORT/0, best over TLS as rediss://."
            )
        if host := servers.open_postgres(self.database_url, os.environ):
            problems.append(
                f"{PREFIX}DATABASE_URL reaches {host} without a password: write "
                f"postgresql+psycopg://USER:PASSWORD@HOST/NAME, or set PGPASSWORD or PGPASSFILE."
            )
        return problems


def parse_keys(text: str) -> list[EncryptionKey]:
    """`id:base64` pairs separated by commas or line ends, the newest first.

    Raises:
        ValueError: a pair that is not well formed, an id twice, or a key that is not 32 bytes.
    """
    keys: list[EncryptionKey] = []
    for pair in text.replace(",", "\n").split("\n"):
        if not pair.strip():
            continue
        key_id, colon, encoded = pair.strip().partition(":")
        if not colon or not key_id or not key_id.replace("-", "").replace("_", "").isalnum():
            raise ValueError("write each key as id:base64; `brandmind keys new` prints one")
        try:
            key = base64.b64decode(encoded.strip(), validate=True)
        except (binascii.Error, ValueError):
            raise ValueError(f"the key {key_id} is not base64") from None
        if len(key) != 32:
            raise ValueError(
                f"the key {key_id} has {len(key)} bytes instead of 32; "
                f"`brandmind keys new` prints one"
            )
        if any(key_id == known for known, _ in keys):
            raise ValueError(f"the id {key_id} is there twice; each key needs its own")
        keys.append((key_id, key))
    return keys


def is_running(data_dir: Path) -> bool:
    """Whether a launcher holds this data folder now."""
    try:
        with (data_dir / RUNNING_LOCK).open() as lock:
            fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    except OSError:
        return False
    return False


def _running_env(data_dir: Path) -> Path | None:
    # `brandmind sync` in a second terminal finds the Redis and the shop of the launcher here.
    written = data_dir / RUNNING_FILE
    return written if written.is_file() and is_running(data_dir) else None


def _in_words(wrong: ValidationError) -> list[str]:
    lines = []
    for error in wrong.errors(include_url=False, include_context=False, include_input=False):
        name = str(error["loc"][0]) if error["loc"] else ""
        said = error["msg"].removeprefix("Value error, ").rstrip(".")
        wanted = _WANTED.get(name, said[:1].lower() + said[1:])
        lines.append(f"{PREFIX}{name.upper()}: {wanted}.")
    return lines


_WANTED = {
    "port": "give a port number from 1 to 65535",
    "trusted_proxy_hops": "give the number of proxies in front, from 0 to 10",
    "workers": "give the number of worker processes, from 1 to 64",
    "demo": "give 1 or 0",
    "read_by": "give auto, paged or bulk",
    "log_format": "give text or json",
    "export_records": "give the most records of one export, from 100 to 50000",
}
