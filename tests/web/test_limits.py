"""Guessing is slowed down, by address and by account, with Redis or without."""

import socket

import pytest

from swarm.web.errors import TooMany
from swarm.web.limits import Limits, Rule

RULE = Rule("sign_in", "3/minute")
pytestmark = pytest.mark.anyio


async def test_the_fourth_try_is_refused_with_a_waiting_time():
    limits = Limits()
    for _ in range(3):
        await limits.hit(RULE, "ip:10.0.0.1")
    assert not await limits.test(RULE, "ip:10.0.0.1")
    with pytest.raises(TooMany) as refused:
        await limits.hit(RULE, "ip:10.0.0.1")
    assert 1 <= int(refused.value.headers["Retry-After"]) <= 61


async def test_another_key_or_rule_counts_for_itself():
    limits = Limits()
    for _ in range(3):
        await limits.hit(RULE, "a/b", "c")
    await limits.hit(RULE, "a", "b/c")
    await limits.hit(Rule("link", "3/minute"), "a/b", "c")
    await limits.hit(RULE, "\ud800")


async def test_without_redis_the_process_counts_alone():
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        limits = Limits(f"redis://127.0.0.1:{closed.getsockname()[1]}")
        for _ in range(3):
            await limits.hit(RULE, "x")
        with pytest.raises(TooMany):
            await limits.hit(RULE, "x")
        await limits.close()
