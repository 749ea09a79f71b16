"""What sockets do in a measurement: takes it as JSON on standard input, says what came of it as JSON."""

from __future__ import annotations

import asyncio
import json
import os
import random
import resource
import secrets
import sys
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from functools import partial
from typing import Any

import psutil
import uvloop

from bench.giving_way import give_way
from bench.socket_swarm_client import CountingSocket, drive, open_sockets

Wanted = Mapping[str, Any]
Said = dict[str, Any]


async def quiet(sockets: Sequence[CountingSocket], least: int) -> None:
    """Return when every socket has had `least` frames and none has come for a second."""
    before, still = -1, 0
    while still < 4:
        await asyncio.sleep(0.25)
        now = sum(socket.frames for socket in sockets)
        alike = now == before and all(socket.frames >= least for socket in sockets)
        before, still = now, still + 1 if alike else 0


async def until(condition: Callable[[], bool], patience: float = 60.0) -> None:
    """Return when it holds; nobody announces it. Raises `TimeoutError`."""
    async with asyncio.timeout(patience):
        while not condition():  # noqa: ASYNC110
            await asyncio.sleep(0.01)


async def opened(wanted: Wanted, count: int) -> list[CountingSocket]:
    """Sockets that watch the room, or that the bare server sends everything to."""
    port, room = wanted["port"], wanted.get("room")
    if room is None:
        return await open_sockets(port, [()] * count)
    common = [("Origin", f"http://127.0.0.1:{port}"), ("Sec-WebSocket-Protocol", "swarm.html.1")]
    cookies = room["cookies"]
    headers = [[*common, ("Cookie", f"session={cookies[at % len(cookies)]}")] for at in range(count)]
    sockets = await open_sockets(port, headers, path="/live")
    if stream := room.get("stream"):
        for socket in sockets:
            socket.say(json.dumps({"t": "watch", "epoch": room["epoch"], "streams": {stream: room["shown"]}}))
        # hello, caught_up, and who is there.
        await quiet(sockets, 3)
    return sockets


def speech(wanted: Wanted) -> Callable[[int], str]:
    """The text of each message as its server takes it."""
    text, room, mark = "x" * wanted["bytes"], wanted.get("room"), secrets.token_hex(8)
    if room is None:
        return lambda number: text

    def frame(number: int) -> str:
        body = f"{number} {text}"[: len(text)]
        return json.dumps({"t": "post", "s": room["stream"], "id": f"{mark}-{number}", "body": body})

    return frame


async def flood(wanted: Wanted) -> Said:
    """One writes as fast as its words come back; how long until everybody has heard all of it."""
    give_way()
    sockets = await opened(wanted, wanted["sockets"])
    process, core = psutil.Process(wanted["pid"]), wanted["core"]
    before, idle = _used(process), _idle(core)
    done = await drive(sockets, speech(wanted), messages=wanted["messages"], in_flight=wanted["in_flight"])
    after, idle_after = _used(process), _idle(core)
    _all_there(sockets)
    return {
        "deliveries": done.deliveries,
        "seconds": done.seconds,
        "client_cpu": done.client_cpu,
        "client_core": 1.0 - (idle_after - idle) / done.seconds,
        "server_cpu": after - before,
    }


async def paced(wanted: Wanted) -> Said:
    """One writes so many messages a second; how long each took to each of the others."""
    sockets, say = await opened(wanted, wanted["sockets"]), speech(wanted)
    start, sent, took = [socket.messages for socket in sockets], list[float](), list[float]()
    heard, total = [0] * len(sockets), wanted["warm"] + wanted["messages"]

    def arrived(place: int) -> None:
        now = time.perf_counter()
        while heard[place] < min(len(sent), sockets[place].messages - start[place]):
            took.append(now - sent[heard[place]])
            heard[place] += 1

    for place, socket in enumerate(sockets):
        socket.arrived = partial(arrived, place)
    loop, process = asyncio.get_running_loop(), psutil.Process(wanted["pid"])
    began, before = loop.time(), _used(process)
    for number in range(total):
        await asyncio.sleep(max(0.0, began + number / wanted["per_second"] - loop.time()))
        sent.append(time.perf_counter())
        sockets[0].say(say(number))
    await until(lambda: min(heard) == total)
    spent = _used(process) - before
    _all_there(sockets)
    # The first ones find a server that has not done this yet.
    del took[: wanted["warm"] * len(sockets)]
    took.sort()
    return {
        "p50": took[len(took) // 2],
        "p99": took[len(took) * 99 // 100],
        "most": took[-1],
        "server_cpu": spent / total,
    }


async def idle(wanted: Wanted) -> Said:
    """How much memory the server takes for so many more connections, in bytes each."""
    process = psutil.Process(wanted["pid"])
    some = await opened(wanted, wanted["first"])
    await asyncio.sleep(1)
    before = process.memory_full_info().uss
    more = await opened(wanted, wanted["sockets"])
    await asyncio.sleep(wanted["settle"])
    after = process.memory_full_info().uss
    _all_there([*some, *more])
    return {"bytes": (after - before) / wanted["sockets"]}


async def acks(wanted: Wanted) -> Said:
    """Somebody writes in each of many rooms; messages acknowledged in a second."""
    sockets = [
        (await opened({**wanted, "room": {"cookies": [room["cookie"]]}}, 1))[0] for room in wanted["rooms"]
    ]
    mark, text, counting = secrets.token_hex(8), "x" * wanted["bytes"], True
    sent = [0] * len(sockets)

    def write(place: int) -> None:
        socket, stream = sockets[place], wanted["rooms"][place]["stream"]
        while counting and sent[place] - socket.acks < wanted["in_flight"]:
            sent[place] += 1
            socket.say(
                json.dumps({"t": "post", "s": stream, "id": f"{mark}-{place}-{sent[place]}", "body": text})
            )

    for place, socket in enumerate(sockets):
        socket.arrived = partial(write, place)
        write(place)
    await asyncio.sleep(wanted["warm"])
    process = psutil.Process(wanted["pid"])
    spent = _used(process)
    before, began = sum(socket.acks for socket in sockets), time.perf_counter()
    await asyncio.sleep(wanted["seconds"])
    done, seconds = sum(socket.acks for socket in sockets) - before, time.perf_counter() - began
    spent = _used(process) - spent
    counting = False
    await until(lambda: sum(socket.acks for socket in sockets) == sum(sent))
    _all_there(sockets)
    return {"per_second": done / seconds, "server_cpu": spent / done}


async def storm(wanted: Wanted) -> Said:
    """All connections are cut at once, and come back as pages do; twice, while messages go on."""
    loop, process, rooms = asyncio.get_running_loop(), psutil.Process(wanted["pid"]), wanted["room"]["rooms"]
    port, cookies = wanted["port"], wanted["room"]["cookies"]
    sockets: list[CountingSocket] = []
    tries, lost_later = 0, 0

    async def come(place: int, wait: float) -> CountingSocket:
        nonlocal tries
        stream, shown = rooms[place % len(rooms)]
        headers = [
            ("Origin", f"http://127.0.0.1:{port}"),
            ("Sec-WebSocket-Protocol", "swarm.html.1"),
            ("Cookie", f"session={cookies[place % len(cookies)]}"),
        ]
        most, patience = 1.0, 10.0
        await asyncio.sleep(wait)
        while True:
            tries += 1
            try:
                # As static/js/live.js, which looks once a second whether its time is over.
                look = patience + random.random()
                [socket] = await asyncio.wait_for(open_sockets(port, [headers], path="/live"), look)
            except (OSError, TimeoutError):
                # 100 ms and up to so many seconds, twice as many each time.
                await asyncio.sleep(0.1 + random.random() * most)
                most, patience = min(most * 2, 10.0), min(patience + 5.0, 20.0)
                continue
            socket.say(
                json.dumps({"t": "watch", "epoch": wanted["room"]["epoch"], "streams": {stream: shown}})
            )
            return socket

    async def all_come(spread: float) -> float:
        began = loop.time()
        sockets[:] = await asyncio.gather(
            *(come(place, random.uniform(0.1, spread)) for place in range(wanted["sockets"]))
        )
        await until(lambda: all(socket.caught_up for socket in sockets))
        return loop.time() - began

    await all_come(wanted["sockets"] / 500)
    await asyncio.sleep(wanted["settle"])
    said: Said = {"seconds": [], "memory": [], "tries": []}
    for _again in range(2):
        for socket in sockets:
            socket.close()
        tries = 0
        said["seconds"].append(await all_come(0.6))
        said["tries"].append(tries / wanted["sockets"])
        await asyncio.sleep(wanted["settle"])
        lost_later += sum(socket.lost for socket in sockets)
        said["memory"].append(process.memory_full_info().uss)
    said["lost"] = lost_later
    for socket in sockets:
        socket.close()
    return said


def _used(process: psutil.Process) -> float:
    times = process.cpu_times()
    return float(times.user + times.system)


def _idle(core: int) -> float:
    cores = psutil.cpu_times(percpu=True)
    return float(cores[core].idle) if core < len(cores) else 0.0


def _all_there(sockets: Sequence[CountingSocket]) -> None:
    for socket in sockets:
        if socket.lost:
            raise ConnectionError("a socket was lost")
    for socket in sockets:
        socket.close()


TASKS: Mapping[str, Callable[[Wanted], Awaitable[Said]]] = {
    "flood": flood,
    "paced": paced,
    "idle": idle,
    "acks": acks,
    "storm": storm,
}


async def main(wanted: Wanted) -> Said:
    """Do what is asked."""
    return await TASKS[wanted["do"]](wanted)


if __name__ == "__main__":
    asked = json.load(sys.stdin)
    if asked["core"] < (os.cpu_count() or 1):
        os.sched_setaffinity(0, {asked["core"]})
    resource.setrlimit(resource.RLIMIT_NOFILE, (resource.getrlimit(resource.RLIMIT_NOFILE)[1],) * 2)
    print(json.dumps(uvloop.run(main(asked))))
