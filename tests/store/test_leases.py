"""What is to run once is run by one worker, and by another as soon as that one is gone."""

from __future__ import annotations

import threading
import time

from swarm.events import SYSTEM
from swarm.store import Store, leases
from tests.support.backends import Backend
from tests.support.town import open_store

JOB = "a job"
PATIENCE = 20.0


def prepare(store: Store) -> None:
    store.write_now(SYSTEM, lambda work: leases.prepare(work, JOB))


def take(store: Store, holder: str, seconds: float = 60.0) -> bool:
    """As a worker does: what is there is not prepared again."""
    if not store.read_now(SYSTEM, lambda work: leases.is_there(work, JOB)):
        prepare(store)
    return store.write_now(SYSTEM, lambda work: leases.take(work, JOB, holder, seconds))


def is_free(store: Store, holder: str) -> bool:
    return store.read_now(SYSTEM, lambda work: leases.is_free(work, JOB, holder))


def test_who_has_it_keeps_it_and_another_does_not_get_it(store: Store) -> None:
    assert is_free(store, "first") and is_free(store, "second")
    assert [take(store, who) for who in ("first", "second", "first")] == [True, False, True]
    assert is_free(store, "first")
    assert not is_free(store, "second")


def test_who_gives_up_leaves_it_to_others_at_once(store: Store) -> None:
    take(store, "first")
    store.write_now(SYSTEM, lambda work: leases.give_up(work, "somebody else"))
    assert not take(store, "second")
    store.write_now(SYSTEM, lambda work: leases.give_up(work, "first"))
    assert is_free(store, "second")
    assert take(store, "second")


def test_another_takes_over_when_the_time_is_over(store: Store) -> None:
    began = time.monotonic()
    assert take(store, "first", 2.0)
    while not take(store, "second"):
        assert time.monotonic() - began < PATIENCE
        time.sleep(0.05)
    # SQLite counts whole seconds.
    assert time.monotonic() - began > 0.9
    assert not take(store, "first")


def test_of_many_at_once_one_gets_it(backend: Backend) -> None:
    stores = [open_store(backend) for _worker in range(4)]
    together = threading.Barrier(len(stores))
    got: list[bool] = []

    def attempt(place: int) -> None:
        together.wait()
        got.append(take(stores[place], f"worker {place}"))

    threads = [threading.Thread(target=attempt, args=[place]) for place in range(len(stores))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(got) == [False, False, False, True]
    for opened in stores:
        opened.close()


def test_nobody_waits_behind_a_holder_that_hangs_in_the_middle(backend: Backend) -> None:
    first, second = open_store(backend), open_store(backend)
    began = time.monotonic()
    inside, go_on = threading.Event(), threading.Event()
    # Nobody ever had it: also the first who takes it is passed by.
    prepare(first)

    def hang(work: object) -> None:
        leases.take(work, JOB, "first", 0.0)  # type: ignore[arg-type]
        inside.set()
        go_on.wait(PATIENCE)

    hanging = threading.Thread(target=lambda: first.write_now(SYSTEM, hang))
    hanging.start()
    inside.wait(PATIENCE)
    if backend.name == "sqlite":
        # Its one writer holds everything; others only look, and looking does not wait.
        assert is_free(second, "second")
    else:
        assert not take(second, "second")
        assert hanging.is_alive()
    assert time.monotonic() - began < PATIENCE
    go_on.set()
    hanging.join()
    assert take(second, "second")
    first.close()
    second.close()
