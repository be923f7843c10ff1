"""Sealed texts open only where and for what they were sealed, also after a rotation."""

from __future__ import annotations

import pytest

from brandmind.db.cipher import Cipher
from brandmind.errors import CannotDecrypt, SettingsError

OLD = ("k1", b"1" * 32)
NEW = ("k2", b"2" * 32)


def test_a_sealed_text_opens_for_its_own_store_and_purpose() -> None:
    cipher = Cipher([OLD])
    sealed = cipher.seal("shpat_secret", store_id="a", purpose="access")
    assert "shpat_secret" not in sealed
    assert sealed.startswith("k1.")
    assert cipher.open(sealed, store_id="a", purpose="access") == "shpat_secret"


@pytest.mark.parametrize(("store_id", "purpose"), [("b", "access"), ("a", "refresh")])
def test_a_text_moved_to_another_store_or_column_does_not_open(store_id: str, purpose: str) -> None:
    cipher = Cipher([OLD])
    sealed = cipher.seal("x", store_id="a", purpose="access")
    with pytest.raises(CannotDecrypt):
        cipher.open(sealed, store_id=store_id, purpose=purpose)


def test_the_same_text_never_looks_the_same_twice() -> None:
    cipher = Cipher([OLD])
    assert len({cipher.seal("x", store_id="a", purpose="access") for _ in range(50)}) == 50


def test_after_a_rotation_old_texts_open_and_new_ones_use_the_new_key() -> None:
    before = Cipher([OLD]).seal("x", store_id="a", purpose="access")
    rotated = Cipher([NEW, OLD])
    assert rotated.open(before, store_id="a", purpose="access") == "x"
    assert not rotated.is_newest(before)
    after = rotated.seal("x", store_id="a", purpose="access")
    assert rotated.is_newest(after)
    with pytest.raises(CannotDecrypt):
        Cipher([OLD]).open(after, store_id="a", purpose="access")


@pytest.mark.parametrize("broken", ["", "k1", "k1.", "k1.!!!", "k1.AAAA", "k9.AAAAAAAAAAAAAAAA"])
def test_rubbish_does_not_open(broken: str) -> None:
    with pytest.raises(CannotDecrypt):
        Cipher([OLD]).open(broken, store_id="a", purpose="access")


def test_a_changed_byte_is_noticed() -> None:
    cipher = Cipher([OLD])
    sealed = cipher.seal("hello", store_id="a", purpose="access")
    key_id, _, body = sealed.partition(".")
    turned = "B" if body[20] == "A" else "A"
    with pytest.raises(CannotDecrypt):
        cipher.open(f"{key_id}.{body[:20]}{turned}{body[21:]}", store_id="a", purpose="access")


@pytest.mark.parametrize(
    "keys", [[], [("k1", b"short")], [("a.b", b"1" * 32)], [OLD, ("k1", b"3" * 32)]]
)
def test_bad_keys_are_refused_at_the_start(keys: list[tuple[str, bytes]]) -> None:
    with pytest.raises(SettingsError):
        Cipher(keys)


def test_derived_keys_differ_by_purpose_and_survive_a_rotation() -> None:
    old = Cipher([OLD])
    rotated = Cipher([NEW, OLD])
    assert old.derive("session") != old.derive("flow")
    assert old.digests("t", purpose="session")[0] in rotated.digests("t", purpose="session")
    assert old.digests("t", purpose="session")[0] != rotated.digests("t", purpose="session")[0]


def test_a_cipher_does_not_print_its_keys() -> None:
    assert "1111" not in repr(Cipher([OLD]))
