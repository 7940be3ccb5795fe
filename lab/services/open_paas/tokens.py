"""bk_token: expire|user|salt, encrypted with the service's SECRET_KEY in blocks of 16 bytes.

The original takes AES in ECB mode; here the block cipher is a small Feistel network, which behaves alike where it
matters: another key gives rubbish, and one changed character spoils one block only.
"""

from __future__ import annotations

import base64
import hashlib
import secrets
import string

BLOCK = 16
ROUNDS = 8


class Cipher:
    def __init__(self, secret_key: str) -> None:
        self.key = hashlib.md5(secret_key.encode()).digest()

    def encrypt(self, text: str) -> str:
        data = text.encode()
        pad = BLOCK - len(data) % BLOCK
        data += bytes([pad]) * pad
        return base64.urlsafe_b64encode(self._blocks(data, range(ROUNDS))).decode().rstrip("=")

    def decrypt(self, token: str) -> bytes:
        """The plain bytes, unpadded without a check (so mostly empty for another key). ValueError if not whole blocks."""
        raw = base64.b64decode(
            token.encode("ascii") + b"=" * (-len(token) % 4), altchars=b"-_", validate=True
        )
        if not raw or len(raw) % BLOCK:
            raise ValueError(f"input of {len(raw)} bytes is not a multiple of {BLOCK}")
        data = self._blocks(raw, range(ROUNDS - 1, -1, -1))
        return data[: -data[-1]]

    def _blocks(self, data: bytes, rounds: range) -> bytes:
        return b"".join(self._block(data[at : at + BLOCK], rounds) for at in range(0, len(data), BLOCK))

    def _block(self, block: bytes, rounds: range) -> bytes:
        left, right = block[: BLOCK // 2], block[BLOCK // 2 :]
        for number in rounds:
            mask = hashlib.blake2b(right, key=self.key, salt=bytes([number]), digest_size=BLOCK // 2).digest()
            left, right = right, bytes(a ^ b for a, b in zip(left, mask, strict=True))
        return right + left


def new_token(cipher: Cipher, username: str, expire: int) -> str:
    salt = "".join(secrets.choice(string.ascii_letters + string.digits) for _ in range(8))
    return cipher.encrypt(f"{expire}|{username}|{salt}")
