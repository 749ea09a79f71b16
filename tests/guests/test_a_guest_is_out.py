"""Access ends at once, on pages and sockets, whatever ends it; of the guest only their words are left."""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial

import httpx2
import pytest
from websockets.exceptions import ConnectionClosed

from swarm.accounts.models import SessionRow
from swarm.live.close_codes import SIGNED_OUT
from swarm.people.models import Guest
from swarm.rooms.guests import expire_guests
from swarm.store import Work
from swarm.tickets.actions import move_mode, resolve
from swarm.tickets.models import Message
from tests.guests.conftest import Desk, say
from tests.support.site import Wire, text_of

SECONDS = 3.0
"""After which whoever lost the right hears nothing."""


def closed(wire: Wire) -> int:
    """The code with which the socket is closed, within the seconds promised."""
    end = time.monotonic() + SECONDS
    try:
        while (left := end - time.monotonic()) > 0:
            wire.connection.recv(timeout=left)
    except ConnectionClosed as over:
        return over.rcvd.code if over.rcvd else 1006
    raise AssertionError("still connected")


def written_by(work: Work, body: str, author: str) -> int:
    """How often that stands there."""
    return work.session.query(Message).filter_by(body=body, author=author).count()


def said_by(answer: httpx2.Response) -> str:
    """The page's words but for the number of its request."""
    return re.sub(r"request: \w+", "", text_of(answer.text))


ENDS: dict[str, Callable[[Desk, str], object]] = {
    "the owner withdraws": lambda desk, page: desk.withdraw(page),
    "a manager withdraws": lambda desk, page: desk.withdraw(page, desk.person("mona")),
    "it is resolved": lambda desk, _page: desk.town.act("ina", resolve, desk.ticket),
    "it becomes tiered": lambda desk, _page: desk.town.act("mona", move_mode, desk.ticket, "Too big"),
    "the time is over": lambda desk, _page: desk.site.clock.move(days=8),
}


@pytest.mark.parametrize("how", ENDS)
def test_whatever_ends_it_the_guest_is_out(desk: Desk, how: str) -> None:
    rui, page = desk.guest()
    room, lane = f"room:{desk.ticket}", f"lane:{desk.ticket}"
    with rui.socket({room: 1, lane: 1}, f"/live{page}") as wire:
        wire.until(lambda frame: frame["t"] == "caught_up" and frame["s"] == room)
        ENDS[how](desk, page)
        assert closed(wire) == SIGNED_OUT
    for answer in (rui.get(page), rui.get(f"{page}/head"), rui.get(f"{page}/older/room?before=9")):
        assert answer.status_code == 404
        unknown = rui.get(page.replace("/guest/", "/guest/9999"))
        assert said_by(answer) == said_by(unknown)
    assert say(rui, page, "Once more").status_code == 404
    assert rui.post(f"{page}/leaving").status_code == 404
    with pytest.raises(ConnectionClosed) as over, rui.socket({}, f"/live{page}"):
        pass
    assert over.value.rcvd is not None and over.value.rcvd.code == SIGNED_OUT


def test_a_later_owner_ends_what_an_earlier_one_opened_and_nobody_else_does(desk: Desk) -> None:
    rui, page = desk.guest()
    assert desk.withdraw(page, desk.person("hugo")).status_code == 403
    assert desk.withdraw(page, desk.person("paul")).status_code == 404
    assert rui.get(page).status_code == 200
    form = {"to": desk.town.people["hugo"], "reason": "On leave", "seen": 2}
    assert desk.ina.post(f"/tickets/{desk.ticket}/handover", form).status_code == 303
    assert desk.withdraw(page).status_code == 403
    assert desk.withdraw(page, desk.person("hugo")).status_code == 303
    assert rui.get(page).status_code == 404
    assert desk.withdraw(page, desk.person("hugo")).status_code == 404


def test_a_guest_leaves_by_themselves(desk: Desk) -> None:
    rui, page = desk.guest()
    say(rui, page, "I am off")
    left = rui.post(f"{page}/leaving")
    assert left.status_code == 200 and "You left. Thank you for your help." in left.text
    assert "max-age=0" in left.headers["set-cookie"].lower()
    assert list(rui.http.cookies.jar) == []
    assert "Rui left the room" in text_of(desk.ina.get(f"/tickets/{desk.ticket}").text)


def test_nothing_is_left_but_the_name_on_what_they_wrote(desk: Desk) -> None:
    wrote, page = desk.guest("Rui Wrote")
    silent, other = desk.guest("Sil Ent")
    say(wrote, page, "Look at the fuse")
    assert silent.get(other).status_code == 200
    for one in (page, other):
        desk.withdraw(one)
    row, nobody = desk.row(page), desk.row(other)
    assert (row.name, row.email, row.session) == ("Rui Wrote", None, None)
    assert (nobody.name, nobody.email, nobody.session) == ("", None, None)
    shown = desk.ina.get(f"/tickets/{desk.ticket}").text
    assert "Rui Wrote" in shown and "Sil Ent" not in shown and "(name removed)" in shown
    assert desk.site.look(lambda work: work.session.query(SessionRow).filter_by(person_id=None).count()) == 0


def test_the_clock_clears_up_after_those_whose_time_is_over(desk: Desk) -> None:
    _rui, page = desk.guest()
    stays = desk.invite("Later")
    assert desk.site.do(expire_guests) == 0
    desk.site.clock.move(days=8)
    # The clock of the served swarm may have been faster.
    desk.site.do(expire_guests)
    assert desk.site.look(lambda work: work.session.query(Guest).filter_by(ended_at=None).count()) == 0
    assert (desk.row(page).ended_how, desk.row(page).session) == ("expired", None)
    assert desk.site.do(expire_guests) == 0
    assert desk.site.stranger().post(stays).status_code == 410


def test_who_is_put_out_while_posting_either_posted_or_did_not(desk: Desk) -> None:
    for turn in range(4):
        rui, page = desk.guest(f"Rui {turn}")
        with ThreadPoolExecutor(2) as threads:
            written = threads.submit(say, rui, page, f"Just in time {turn}")
            ended = threads.submit(desk.withdraw, page)
            status, other = written.result().status_code, ended.result().status_code
        assert other == 303 and status in (303, 404)
        body, author = f"Just in time {turn}", f"guest:{page.rpartition('/')[2]}"
        stored = desk.site.look(partial(written_by, body=body, author=author))
        assert stored == (1 if status == 303 else 0)
        # Ended under the ticket's lock, with every word before it: a name goes where nothing stands.
        assert bool(desk.row(page).name) == bool(stored)
