"""Standard Webhooks: who gets one can tell that it is ours and not an old one sent again.

https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md
"""

from __future__ import annotations

import hmac
import secrets
from base64 import b64decode, b64encode
from collections.abc import Mapping

_PREFIX = "whsec_"


def new_secret() -> str:
    """256 random bits."""
    return _PREFIX + b64encode(secrets.token_bytes(32)).decode()


def signed(secret: str, id_: str, at: int, body: bytes) -> Mapping[str, str]:
    """The headers that go with a body; `at` in seconds since 1970."""
    key = b64decode(secret.removeprefix(_PREFIX))
    said = hmac.digest(key, f"{id_}.{at}.".encode() + body, "sha256")
    return {
        "webhook-id": id_,
        "webhook-timestamp": str(at),
        "webhook-signature": f"v1,{b64encode(said).decode()}",
    }
