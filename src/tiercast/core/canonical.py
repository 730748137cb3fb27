"""Canonical JSON and its hash: the same content always has the same bytes."""

import hashlib
import json


def canonical_json(document: object) -> bytes:
    """The document as UTF-8 JSON with sorted keys and no spare space; NaN is refused.

    >>> canonical_json({"b": 1.5, "a": None})
    b'{"a":null,"b":1.5}'
    >>> canonical_json({"a": float("nan")})  # doctest: +ELLIPSIS
    Traceback (most recent call last):
    ValueError: Out of range float values are not JSON compliant...
    """
    text = json.dumps(document, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)
    return text.encode()


def sha256_hex(content: bytes) -> str:
    """The SHA-256 of some bytes, as 64 hexadecimal digits."""
    return hashlib.sha256(content).hexdigest()
