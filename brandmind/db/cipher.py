"""Seal what must not be readable in the database, and derive the keys of cookies and flows."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import secrets
from collections.abc import Sequence

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from brandmind.errors import CannotDecrypt, SettingsError

_NONCE_BYTES = 12
_KEY_BYTES = 32


class Cipher:
    """AES-256-GCM under several keys, newest first: it seals with the first and opens with all.

    A sealed text is `key id . base64url(nonce + ciphertext + tag)`. Store and purpose are its
    associated data, so a text moved to another store or column does not open.
    """

    def __init__(self, keys: Sequence[tuple[str, bytes]]) -> None:
        if not keys:
            raise SettingsError("BRANDMIND_ENCRYPTION_KEYS names no key.")
        for key_id, key in keys:
            if not key_id or "." in key_id:
                raise SettingsError("A key id in BRANDMIND_ENCRYPTION_KEYS is empty or has a dot.")
            if len(key) != _KEY_BYTES:
                raise SettingsError(f"The encryption key {key_id} is not {_KEY_BYTES} bytes long.")
        if len({key_id for key_id, _ in keys}) != len(keys):
            raise SettingsError("Two keys in BRANDMIND_ENCRYPTION_KEYS have the same id.")
        self._keys = dict(keys)
        self._newest = keys[0][0]
        self._aeads = {key_id: AESGCM(key) for key_id, key in keys}
        self._derived: dict[str, tuple[bytes, ...]] = {}

    def __repr__(self) -> str:
        return f"Cipher(keys={list(self._keys)})"

    def seal(self, plain: str, *, store_id: str, purpose: str) -> str:
        """The text under the newest key, with a nonce of its own."""
        nonce = secrets.token_bytes(_NONCE_BYTES)
        sealed = self._aeads[self._newest].encrypt(
            nonce, plain.encode(), _associated(store_id, purpose)
        )
        return f"{self._newest}.{base64.urlsafe_b64encode(nonce + sealed).decode()}"

    def open(self, sealed: str, *, store_id: str, purpose: str) -> str:
        """The text that was sealed for this store and purpose. Raises CannotDecrypt."""
        key_id, _, body = sealed.partition(".")
        aead = self._aeads.get(key_id)
        if aead is None:
            raise CannotDecrypt()
        try:
            raw = base64.urlsafe_b64decode(body.encode())
            plain = aead.decrypt(
                raw[:_NONCE_BYTES], raw[_NONCE_BYTES:], _associated(store_id, purpose)
            )
        except (InvalidTag, binascii.Error, ValueError) as error:
            raise CannotDecrypt() from error
        return plain.decode()

    def is_newest(self, sealed: str) -> bool:
        """Whether the text is sealed under the newest key: a rotation passes it by."""
        return sealed.partition(".")[0] == self._newest

    def derive(self, purpose: str) -> tuple[bytes, ...]:
        """32-byte keys for a purpose by HKDF-SHA256, one for each encryption key, newest first."""
        known = self._derived.get(purpose)
        if known is None:
            known = tuple(
                HKDF(
                    algorithm=hashes.SHA256(),
                    length=_KEY_BYTES,
                    salt=None,
                    info=f"brandmind:{purpose}".encode(),
                ).derive(key)
                for key in self._keys.values()
            )
            self._derived[purpose] = known
        return known

    def digests(self, text: str, *, purpose: str) -> tuple[str, ...]:
        """Keyed hashes (hex) of a secret, one for each key, newest first.

        What is looked up by its hash is written with the first and sought with all of them, so
        that nobody is signed out by a rotation.
        """
        return tuple(
            hmac.new(key, text.encode(), hashlib.sha256).hexdigest() for key in self.derive(purpose)
        )


def _associated(store_id: str, purpose: str) -> bytes:
    return f"{store_id}\n{purpose}".encode()
