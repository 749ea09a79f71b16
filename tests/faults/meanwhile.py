"""What people, and probes, meet while a fault lasts."""

from __future__ import annotations

import asyncio
import statistics
import time
from collections.abc import Awaitable, Callable
from functools import partial

from swarm.accounts.actions import set_password
from swarm.accounts.passwords import hash_of
from swarm.people.models import Person
from tests.faults.pages import BROKEN, Seat
from tests.faults.running import Run

SLOWER = 1.0
"""Seconds that a person may wait longer than before while Redis is away."""
PATIENCE = 15.0
"""Seconds after which a page is not coming: machines may be busy with more than this."""
HEALED = 30.0
"""Seconds in which everything is as before."""
PASSWORD = "correct horse battery"


async def without_redis(run: Run, take_away: Callable[[], None]) -> None:
    """Rooms go on, people sign in, nobody is signed out, and the probes say what is wrong."""
    lost, cookie = "Redis is away", await asyncio.to_thread(run.session, "mona")
    email = await asyncio.to_thread(_give_password, run, "ada")
    before = await _waits(run, cookie, email, "before Redis goes")
    await asyncio.to_thread(take_away)
    began = run.now()
    if not await run.written(5):
        run.broken.append(f"{lost}: not everybody can write")
    run.broken += [f"{lost}: {one}" for one in await run.caught_up(run.watchers, HEALED)]
    if (now := await _waits(run, cookie, email, lost)) > 2 * before + SLOWER:
        run.broken.append(f"{lost}: people wait {now:.1f} s, and waited {before:.1f} s before")
    await asyncio.sleep(max(0.0, run.away - (run.now() - began)))
    for worker in run.workers:
        if (silent := await _doorbell(run, worker.url)) < run.away / 2:
            run.broken.append(f"{lost}: after {run.away} s {worker.url} says {silent}")


async def _waits(run: Run, cookie: str, email: str, while_: str) -> float:
    """Seconds, the median, for the page of a ticket and for signing in, at each worker."""
    taken = []
    for worker in run.workers:
        taken.append(await fetched(run, Seat([worker.url], cookie, f"/tickets/{run.rooms[0]}"), while_))
        taken.append(await _timed(partial(_sign_in, run, Seat([worker.url], "", ""), email)))
    return statistics.median(taken)


async def doorbell_works(run: Run) -> None:
    """The probes say that it healed by itself."""
    deadline = run.now() + HEALED
    for worker in run.workers:
        while (silent := await _doorbell(run, worker.url)) > 3:
            if run.now() > deadline:
                run.broken.append(f"{worker.url} has heard no doorbell for {silent} s")
                break
            await asyncio.sleep(0.2)


async def _doorbell(run: Run, url: str) -> float:
    """Seconds, as the probe says; it must call the worker ready with Redis or without."""
    try:
        async with Seat([url], "", "").client() as http:
            answer = await http.get("/readyz", timeout=PATIENCE)
    except BROKEN as problem:
        run.broken.append(f"{url} does not say whether it is ready: {problem!r}")
        return 0.0
    if answer.status_code != 200:
        run.broken.append(f"{url} says it is not ready: {answer.text}")
    return float(answer.json()["doorbell_seconds"])


async def fetched(run: Run, seat: Seat, while_: str) -> float:
    """Seconds that a page took; it must come."""

    async def fetch() -> None:
        try:
            async with seat.client() as http:
                answer = await http.get(seat.page, timeout=PATIENCE)
        except BROKEN as problem:
            run.broken.append(f"{while_}: {seat.url}{seat.page} does not answer: {problem!r}")
            return
        if answer.status_code != 200:
            run.broken.append(f"{while_}: {seat.url}{seat.page} answers {answer.status_code}")

    return await _timed(fetch)


async def _sign_in(run: Run, seat: Seat, email: str) -> None:
    try:
        async with seat.client() as http:
            answer = await http.post(
                "/sign-in",
                data={"email": email, "password": PASSWORD},
                headers={"Origin": seat.url},
                timeout=PATIENCE,
            )
    except BROKEN as problem:
        run.broken.append(f"nobody can sign in at {seat.url}: {problem!r}")
        return
    if answer.status_code != 303:
        run.broken.append(f"signing in at {seat.url} answers {answer.status_code}")


async def _timed(do: Callable[[], Awaitable[None]]) -> float:
    began = time.monotonic()
    await do()
    return time.monotonic() - began


def _give_password(run: Run, who: str) -> str:
    """Returns the address to sign in with."""
    id_ = run.town.people[who]
    run.town.do("root", lambda work: set_password(work, id_, hash_of(PASSWORD)))
    return run.town.look("root", lambda work: work.session.get_one(Person, id_).email)
