"""Passwords as the database keeps them."""

from __future__ import annotations

import base64
import hashlib
import hmac


def hash_password(password: str, salt: str, rounds: int = 20000) -> str:
    digest = hashlib.pbkdf2_hmac("sha256", password.encode(), salt.encode(), rounds)
    return f"pbkdf2_sha256${rounds}${salt}${base64.b64encode(digest).decode()}"


def check_password(password: str, stored: str) -> bool:
    """Compare as Django 1.8 does: what names no algorithm fits no password; half a hash raises ValueError."""
    if not stored.startswith("pbkdf2_sha256$"):
        return False
    _, rounds, salt, _ = stored.split("$")
    return hmac.compare_digest(hash_password(password, salt, int(rounds)), stored)
