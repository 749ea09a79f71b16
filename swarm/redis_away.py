"""Redis that is not there, by one name."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from redis.exceptions import RedisError


class RedisAway(Exception):
    """Redis does not answer, or the line to it is gone."""


@contextmanager
def asked() -> Iterator[None]:
    """Around anything that is asked of Redis. Raises `RedisAway` for whatever its client raises."""
    try:
        yield
    except (RedisError, OSError, TimeoutError) as problem:
        raise RedisAway(f"{type(problem).__name__}: {problem}") from problem
    except RuntimeError as problem:
        # uvloop, of a connection that was reset while nobody used it (MagicStack/uvloop, issue 506).
        if "the handler is closed" not in str(problem):
            raise
        raise RedisAway("the connection was reset") from problem
