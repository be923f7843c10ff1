"""Settings: defaults, every bad value named, production refused when it is not safe."""

import base64
import fcntl
import os
from pathlib import Path

import pytest

from brandmind.errors import SettingsError
from brandmind.settings import Settings, parse_keys

GOOD_KEY = "k1:" + base64.b64encode(bytes(range(32))).decode()
PRODUCTION = {
    "PUBLIC_URL": "https://brandmind.example.com",
    "SHOPIFY_CLIENT_ID": "own-id",
    "SHOPIFY_CLIENT_SECRET": "own-secret",
    "ENCRYPTION_KEYS": GOOD_KEY,
}


@pytest.fixture(autouse=True)
def _clean(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in list(os.environ):
        if name.startswith(("BRANDMIND_", "PG")):
            monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)


def told(monkeypatch: pytest.MonkeyPatch, **values: str) -> Settings:
    for name, value in values.items():
        monkeypatch.setenv(f"BRANDMIND_{name}", value)
    return Settings.load()


def test_nothing_set_gives_a_local_brandmind(tmp_path: Path) -> None:
    settings = Settings.load()
    assert settings.data_dir == tmp_path / ".brandmind"
    assert settings.database_url == f"sqlite:///{tmp_path}/.brandmind/brandmind.db"
    assert settings.redis_url == ""
    assert settings.public_url == "http://localhost:8000"
    assert settings.shopify_address("a.myshopify.com") == "https://a.myshopify.com"
    assert not settings.production
    settings.check_production()


def test_the_public_url_follows_the_port(monkeypatch: pytest.MonkeyPatch) -> None:
    assert told(monkeypatch, PORT="8123").public_url == "http://localhost:8123"


def test_an_empty_variable_counts_as_not_set(monkeypatch: pytest.MonkeyPatch) -> None:
    assert told(monkeypatch, PORT="", REDIS_URL="").port == 8000


def test_the_environment_wins_over_the_env_file(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / ".env").write_text("BRANDMIND_PORT=8001\nBRANDMIND_HOST=::1\n")
    settings = told(monkeypatch, PORT="8002")
    assert (settings.port, settings.host) == (8002, "::1")


@pytest.mark.parametrize(
    ("name", "value", "wanted"),
    [
        ("PORT", "abc", "give a port number from 1 to 65535"),
        ("PORT", "70000", "give a port number from 1 to 65535"),
        ("DATABASE_URL", "mysql://x", "postgresql+psycopg://"),
        ("REDIS_URL", "localhost:6379", "redis://"),
        ("PUBLIC_URL", "brandmind.example.com", "https://brandmind.example.com"),
        ("PUBLIC_URL", "https://example.com/sub", "give the address people type"),
        ("SHOPIFY_ORIGIN", "https://shop", "{shop}"),
        ("ENCRYPTION_KEYS", "nocolon", "id:base64"),
        ("ENCRYPTION_KEYS", "k1:!!!", "k1 is not base64"),
        ("ENCRYPTION_KEYS", "k1:c2hvcnQ=", "5 bytes instead of 32"),
        ("ENCRYPTION_KEYS", f"{GOOD_KEY},{GOOD_KEY}", "there twice"),
        ("ADMIN_EMAILS", "somebody", "separated by commas"),
        ("SMTP_URL", "mail.example.com", "smtp://"),
        ("SENTRY_DSN", "abc", "https://"),
        ("WORKERS", "0", "from 1 to 64"),
        ("TRUSTED_PROXY_HOPS", "-1", "from 0 to 10"),
        ("DEMO", "perhaps", "1 or 0"),
    ],
)
def test_a_bad_value_is_named_in_one_line_and_never_shown(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str, wanted: str
) -> None:
    with pytest.raises(SettingsError) as caught:
        told(monkeypatch, **{name: value})
    said = caught.value.message
    assert said.startswith(f"BRANDMIND_{name}: ")
    assert wanted in said
    assert "\n" not in said
    if name == "ENCRYPTION_KEYS":
        assert GOOD_KEY not in said


def test_two_bad_values_give_two_lines(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(SettingsError) as caught:
        told(monkeypatch, PORT="x", WORKERS="y")
    assert len(caught.value.message.split("\n")) == 2


def test_keys_and_secrets_are_lists_with_the_newest_first(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    older = "k0:" + base64.b64encode(bytes(32)).decode()
    settings = told(
        monkeypatch, ENCRYPTION_KEYS=f"{GOOD_KEY}, {older}", SHOPIFY_CLIENT_SECRET="new, old"
    )
    assert [key_id for key_id, _ in settings.encryption_keys] == ["k1", "k0"]
    assert settings.encryption_keys[0][1] == bytes(range(32))
    assert [s.get_secret_value() for s in settings.client_secrets] == ["new", "old"]


def test_admin_emails_are_trimmed_and_lowered(monkeypatch: pytest.MonkeyPatch) -> None:
    assert told(monkeypatch, ADMIN_EMAILS=" A@x.com ,b@y.com,").admin_emails == [
        "a@x.com",
        "b@y.com",
    ]


def test_no_secret_shows_in_the_repr(monkeypatch: pytest.MonkeyPatch) -> None:
    settings = told(
        monkeypatch,
        SHOPIFY_CLIENT_SECRET="hidden-1",
        METRICS_TOKEN="hidden-2",
        SMTP_URL="smtp://u:hidden-3@mail.example.com",
        SENTRY_DSN="https://hidden-4@sentry.example.com/1",
        REDIS_URL="redis://:hidden-5@127.0.0.1/0",
        DATABASE_URL="postgresql+psycopg://u:hidden-6@127.0.0.1/db",
        ENCRYPTION_KEYS=GOOD_KEY,
    )
    shown = f"{settings!r} {settings}"
    assert "hidden" not in shown
    assert GOOD_KEY.split(":")[1] not in shown
    assert "encryption_keys" not in shown


def test_the_demo_knows_the_local_shopify(monkeypatch: pytest.MonkeyPatch) -> None:
    settings = told(monkeypatch, DEMO="1")
    assert settings.shopify_client_id == "brandmind-local"
    assert settings.client_secrets[0].get_secret_value() == "brandmind-local-secret"


def test_the_key_file_is_read_when_the_environment_has_none(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "encryption.key").write_text(GOOD_KEY + "\n")
    settings = told(monkeypatch, DATA_DIR=str(tmp_path))
    assert settings.encryption_keys == parse_keys(GOOD_KEY)


def test_a_running_launcher_is_found_by_other_commands_and_a_dead_one_is_not(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "running.env").write_text("BRANDMIND_PORT=8321\nBRANDMIND_HOST=::1\n")
    lock = (tmp_path / "running.lock").open("w")
    fcntl.flock(lock, fcntl.LOCK_EX)
    assert told(monkeypatch, DATA_DIR=str(tmp_path)).port == 8321
    assert told(monkeypatch, PORT="8001").port == 8001
    monkeypatch.delenv("BRANDMIND_PORT")
    lock.close()
    assert Settings.load().port == 8000


def test_a_good_production_is_accepted(monkeypatch: pytest.MonkeyPatch) -> None:
    settings = told(monkeypatch, **PRODUCTION)
    assert settings.production
    settings.check_production()


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"PUBLIC_URL": "http://brandmind.example.com", "HOST": "0.0.0.0"}, "must be https"),
        ({"SHOPIFY_ORIGIN": "http://127.0.0.1:9292/{shop}"}, "BRANDMIND_SHOPIFY_ORIGIN"),
        ({"SHOPIFY_CLIENT_ID": ""}, "SHOPIFY_CLIENT_ID"),
        ({"SHOPIFY_CLIENT_SECRET": "brandmind-local-secret"}, "is the demo's"),
        ({"ENCRYPTION_KEYS": ""}, "BRANDMIND_ENCRYPTION_KEYS is missing"),
        ({"ENCRYPTION_KEYS": GOOD_KEY.replace("k1", "demo-1")}, "is a demo key"),
        (
            {"ENCRYPTION_KEYS": "k1:" + base64.b64encode(bytes(32)).decode()},
            "k1 is not random",
        ),
        ({"DEMO": "1"}, "The demo"),
        (
            {"REDIS_URL": "redis://cache.internal:6379/0"},
            "BRANDMIND_REDIS_URL reaches cache.internal without a password: set `requirepass`",
        ),
        (
            {"DATABASE_URL": "postgresql+psycopg://app@db.internal/brandmind"},
            "BRANDMIND_DATABASE_URL reaches db.internal without a password: write",
        ),
    ],
)
def test_an_unsafe_production_is_refused_with_one_line(
    monkeypatch: pytest.MonkeyPatch, changed: dict[str, str], said: str
) -> None:
    settings = told(monkeypatch, **(PRODUCTION | changed))
    with pytest.raises(SettingsError) as caught:
        settings.check_production()
    assert said in caught.value.message
    assert "\n" not in caught.value.message


@pytest.mark.parametrize(
    "told_so",
    [
        {"REDIS_URL": "redis://:pw@cache.internal/0"},
        {"REDIS_URL": "unix:///run/valkey.sock"},
        {"REDIS_URL": "redis://127.0.0.1:6379/0"},
        {"DATABASE_URL": "postgresql+psycopg://app:pw@db.internal/brandmind"},
        {"DATABASE_URL": "postgresql+psycopg://app@/brandmind?host=/var/run/postgresql"},
    ],
)
def test_servers_with_a_password_or_on_this_machine_are_accepted(
    monkeypatch: pytest.MonkeyPatch, told_so: dict[str, str]
) -> None:
    told(monkeypatch, **(PRODUCTION | told_so)).check_production()


@pytest.mark.parametrize("token", ["x", "fifteen-letters", "a" * 40])
def test_a_production_gives_its_numbers_to_nobody_who_guesses(
    monkeypatch: pytest.MonkeyPatch, token: str
) -> None:
    with pytest.raises(SettingsError, match="BRANDMIND_METRICS_TOKEN is short or repeats"):
        told(monkeypatch, **PRODUCTION, METRICS_TOKEN=token).check_production()
    good = "Wd7dkWcnXoR2uQyZp4Ts"
    told(monkeypatch, **PRODUCTION, METRICS_TOKEN=good).check_production()


def test_a_server_without_a_password_is_nobodys_business_on_one_machine(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    told(monkeypatch, REDIS_URL="redis://cache.internal").check_production()


@pytest.mark.parametrize("host", ["127.0.0.1", "127.8.0.1", "::1", "localhost"])
def test_loopback_over_http_is_not_production(monkeypatch: pytest.MonkeyPatch, host: str) -> None:
    assert not told(monkeypatch, HOST=host).production


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.168.1.4", "example.com"])
def test_listening_beyond_loopback_is_production(
    monkeypatch: pytest.MonkeyPatch, host: str
) -> None:
    assert told(monkeypatch, HOST=host).production


def test_a_worker_does_not_start_either_where_production_is_not_safe(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    from worker import main

    async def never(_settings: Settings) -> None:
        raise AssertionError("it has started")

    monkeypatch.setattr(main, "serve", never)
    for name, value in (PRODUCTION | {"REDIS_URL": "redis://cache.internal"}).items():
        monkeypatch.setenv(f"BRANDMIND_{name}", value)
    with pytest.raises(SettingsError, match="BRANDMIND_REDIS_URL reaches"):
        main.main()
