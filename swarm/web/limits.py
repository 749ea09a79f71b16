"""How often somebody may try."""

import hashlib
import logging
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, TypeVar

from limits import RateLimitItem, parse
from limits.aio.storage import MemoryStorage, RedisStorage
from limits.aio.strategies import MovingWindowRateLimiter
from redis.asyncio import ConnectionPool
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff

from swarm.redis_away import RedisAway, asked
from swarm.web.errors import TooMany

_logger = logging.getLogger(__name__)
T = TypeVar("T")
_PAUSE = 5.0
"""Seconds before Redis is asked again after it failed."""


@dataclass(frozen=True)
class Rule:
    """`often` as “5/minute” or “100 per hour”."""

    name: str
    often: str

    @property
    def item(self) -> RateLimitItem:
        return parse(self.often)


@dataclass(frozen=True)
class Left:
    """What is left of a rule after one more try, for a program that paces itself."""

    rule: Rule
    most: int
    seconds: int
    """How long the rule looks back."""
    remaining: int
    reset: int
    """Seconds until there is more."""
    over: bool

    @property
    def headers(self) -> dict[str, str]:
        """As draft-ietf-httpapi-ratelimit-headers-10 says it."""
        name = self.rule.name
        return {
            "RateLimit-Policy": f'"{name}";q={self.most};w={self.seconds}',
            "RateLimit": f'"{name}";r={self.remaining};t={self.reset}',
        }


class Limits:
    """Counts tries by rule and key (an address, an account): in Redis if there is one, here if it fails."""

    def __init__(self, url: str = "memory://") -> None:
        self._here = MovingWindowRateLimiter(MemoryStorage())
        self._shared: MovingWindowRateLimiter | None = None
        self._again = 0.0
        if not url.startswith("memory:"):
            quick: dict[str, Any] = {
                "socket_timeout": 0.5,
                "socket_connect_timeout": 0.5,
                "retry": Retry(NoBackoff(), 0),
            }
            self._pool = ConnectionPool.from_url(url, **quick)
            pool: Any = self._pool
            storage = RedisStorage(
                f"async+{url}",
                implementation="redispy",
                key_prefix="swarm:limits",
                connection_pool=pool,
            )
            self._shared = MovingWindowRateLimiter(storage)

    async def hit(self, rule: Rule, *keys: str) -> None:
        """Count one try; raises TooMany when there were too many."""
        item, key = rule.item, _key(rule, keys)
        if not await self._ask(lambda limiter: limiter.hit(item, key)):
            reset, _left = await self._ask(lambda limiter: limiter.get_window_stats(item, key))
            raise TooMany(int(reset - time.time()) + 1)

    async def count(self, rule: Rule, *keys: str) -> Left:
        """Count one try, and say what is left; who is over is not counted."""
        item, key = rule.item, _key(rule, keys)
        allowed = await self._ask(lambda limiter: limiter.hit(item, key))
        reset, remaining = await self._ask(lambda limiter: limiter.get_window_stats(item, key))
        seconds = max(1, int(reset - time.time()) + 1)
        return Left(rule, item.amount, item.get_expiry(), max(0, remaining), seconds, not allowed)

    async def test(self, rule: Rule, *keys: str) -> bool:
        """Whether one more try would be allowed; counts nothing."""
        return await self._ask(lambda limiter: limiter.test(rule.item, _key(rule, keys)))

    async def close(self) -> None:
        if self._shared is not None:
            await self._pool.disconnect()

    async def _ask(self, question: Callable[[MovingWindowRateLimiter], Awaitable[T]]) -> T:
        if self._shared is not None and time.monotonic() >= self._again:
            if self._again:
                # One request finds out whether Redis is back; the others do not wait for it.
                self._again = time.monotonic() + _PAUSE
            try:
                with asked():
                    answer = await question(self._shared)
                self._again = 0.0
                return answer
            except RedisAway as away:
                self._again = time.monotonic() + _PAUSE
                _logger.warning("limits are counted by this process alone: %s", away)
        return await question(self._here)


def _key(rule: Rule, keys: tuple[str, ...]) -> str:
    """Hashed: keys are typed by strangers, and an address book of who tried is nobody's business."""
    joined = b"\0".join(key.encode("utf-8", "replace") for key in (rule.name, *keys))
    return f"{rule.name}:{hashlib.sha256(joined).hexdigest()[:32]}"
