"""A guest fetches from both lanes of their ticket, sends into the room, and is out when the visit is."""

from __future__ import annotations

import http.client
import re
import secrets
import socket
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path

import pytest

from swarm.files.disk import CHUNK
from swarm.tickets.models import Message
from tests.files.conftest import message, picture, send, until
from tests.guests.conftest import Desk, desk
from tests.guests.test_a_guest_is_out import ENDS
from tests.support.backends import Backend
from tests.support.site import Visitor, serve_site

__all__ = ["desk"]
HREF = re.compile(r'(?:href|src)="(/guest/of/\d+/(?:files|pictures)/[^"]+)"')


def hrefs(visitor: Visitor, page: str) -> list[str]:
    """What a guest's page offers to fetch."""
    return HREF.findall(visitor.get(page).text)


def fill_both(desk: Desk) -> Visitor:
    """A file of the customer's in their lane, and a picture of the owner's in the room."""
    customer = desk.site.customer(desk.ticket)
    sent = send(customer, f"/case/{desk.ticket}/messages", message(), ("theirs.log", b"of the customer"))
    assert sent.status_code == 200, sent.text
    sent = send(desk.ina, f"/tickets/{desk.ticket}/room/messages", message(), ("ours.png", picture()))
    assert sent.status_code == 200, sent.text
    return customer


def test_a_guest_fetches_from_both_lanes_and_sends_into_the_room(desk: Desk) -> None:
    customer = fill_both(desk)
    rui, page = desk.guest()
    lane, whole, shown = hrefs(rui, page)
    assert rui.get(lane).content == b"of the customer"
    assert rui.get(whole).content == picture()
    assert rui.get(shown).headers["content-type"] == "image/png"
    sent = send(rui, f"{page}/messages", message("The fuse"), ("fuse.txt", b"of the guest"))
    assert sent.status_code == 200, sent.text
    (own,) = [one for one in hrefs(rui, page) if one.endswith("fuse.txt")]
    assert rui.get(own).content == b"of the guest"
    token = own.split("/")[-2]
    assert desk.ina.get(f"/files/{token}/fuse.txt").content == b"of the guest"
    assert customer.get(f"/case/{desk.ticket}/files/{token}/fuse.txt").status_code == 404
    assert token not in customer.get(f"/case/{desk.ticket}").text


def test_files_sent_ahead_are_the_guests_own(desk: Desk) -> None:
    rui, page = desk.guest("Rui")
    sil, other = desk.guest("Sil")
    (token,) = send(rui, f"{page}/files", {}, ("a.txt", b"a")).json()["files"]
    form = {**message(), "files": token}
    assert sil.post(f"{other}/messages", form, Accept="application/json").status_code == 422
    assert rui.post(f"{page}/messages", form, Accept="application/json").status_code == 200
    assert len(hrefs(sil, other)) == 1


def test_a_refused_file_keeps_the_guests_text(desk: Desk) -> None:
    rui, page = desk.guest()
    refused = send(rui, f"{page}/messages", message("My words"), ("a.exe", b"x"), face="text/html")
    assert refused.status_code == 422
    assert ".exe are not taken" in refused.text and "My words</textarea>" in refused.text


@pytest.mark.parametrize("how", ENDS)
def test_whatever_ends_it_nothing_is_fetched_or_sent(desk: Desk, how: str) -> None:
    fill_both(desk)
    rui, page = desk.guest()
    found = hrefs(rui, page)
    assert len(found) == 3
    ENDS[how](desk, page)
    # On the connection that was open all the while, by the addresses they had.
    for href in found:
        assert rui.get(href).status_code == 404
    assert send(rui, f"{page}/files", {}, ("a.txt", b"a")).status_code == 404
    assert send(rui, f"{page}/messages", message(), ("a.txt", b"a")).status_code == 404


def test_nobody_else_comes_in_by_a_guests_door(desk: Desk) -> None:
    fill_both(desk)
    rui, page = desk.guest()
    found = hrefs(rui, page)
    customer = desk.site.customer(desk.ticket)
    for visitor in (desk.ina, desk.person("mona"), customer, desk.site.stranger()):
        for href in found:
            assert visitor.get(href).status_code == 404
    number = int(page.rpartition("/")[2])
    liar = desk.site.stranger()
    for name, value in ((f"guest-{number}", secrets.token_urlsafe(32)), ("guest-x", "y"), ("guest-", "z")):
        liar.http.cookies.set(name, value)
    assert liar.get(found[0]).status_code == 404


def test_a_browser_that_is_a_guest_of_two_tickets_fetches_from_both(desk: Desk) -> None:
    fill_both(desk)
    rui, page = desk.guest()
    (first, *_rest) = hrefs(rui, page)
    ended, _page = desk.guest("Earlier")
    rui.http.cookies.update(ended.http.cookies)
    desk.withdraw(_page)
    assert rui.get(first).status_code == 200, "one that ended is not in the way of one that did not"


def test_an_open_page_shows_the_file_with_its_message(desk: Desk) -> None:
    rui, page = desk.guest()
    room = f"room:{desk.ticket}"
    with rui.socket({room: 1}, f"/live{page}") as wire:
        send(desk.ina, f"/tickets/{desk.ticket}/room/messages", message("Look"), ("ours.png", picture()))
        frame = wire.until(lambda frame: frame["t"] == "event" and "Look" in str(frame))
        (href,) = re.findall(r'"(/guest/of/\d+/pictures/[^"]+)"', str(frame))
        assert rui.get(href).status_code == 200


SIZE = 12_000_000
"""Bytes: more than the kernel holds between a server and somebody who does not read."""


@contextmanager
def begun(rui: Visitor, href: str) -> Iterator[http.client.HTTPResponse]:
    """A download of which the first piece was read."""
    host, port = rui.site.url.removeprefix("http://").split(":")
    cookies = "; ".join(f"{one.name}={one.value}" for one in rui.http.cookies.jar)
    with closing(http.client.HTTPConnection(host, int(port))) as line:
        line.sock = socket.socket()
        # Left alone, the kernel takes tens of megabytes for them.
        line.sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 64 * 1024)
        line.sock.settimeout(10)
        line.sock.connect((host, int(port)))
        line.request("GET", href, headers={"Cookie": cookies})
        with line.getresponse() as got:
            assert got.status == 200 and len(got.read(CHUNK)) == CHUNK
            yield got


def send_large(desk: Desk) -> tuple[Visitor, str, str]:
    """A guest, their page, and a large file in it."""
    room = f"/tickets/{desk.ticket}/room/messages"
    sent = send(desk.ina, room, message(), ("a.bin", b"\xff" * SIZE))
    assert sent.status_code == 200, sent.text
    rui, page = desk.guest()
    (href,) = hrefs(rui, page)
    return rui, page, href


def test_a_download_under_way_is_cut_with_the_right(backend: Backend) -> None:
    """However slowly somebody reads what they were given in time."""
    with serve_site(backend, live__standing_seconds="0.01") as site:
        town_desk = desk.__wrapped__(site)  # type: ignore[attr-defined]
        rui, page, href = send_large(town_desk)
        with begun(rui, href) as got:
            town_desk.withdraw(page)
            with pytest.raises(http.client.IncompleteRead) as cut:
                got.read()
            assert len(cut.value.partial) < SIZE - CHUNK


def held(folder: str) -> list[str]:
    """The files below a folder that this process has open."""
    found = []
    for one in Path("/proc/self/fd").iterdir():
        with suppress(FileNotFoundError):
            found.append(str(one.readlink()))
    return [path for path in found if path.startswith(folder)]


def test_whoever_reads_slowly_holds_no_file_open(desk: Desk) -> None:
    rui, _page, href = send_large(desk)
    with begun(rui, href):
        until(lambda: not held(desk.site.settings.files.folder))


def test_what_a_guest_began_to_send_leaves_nothing_when_they_are_out(desk: Desk) -> None:
    rui, page = desk.guest()
    send(rui, f"{page}/files", {}, ("a.txt", b"a"))
    desk.withdraw(page)
    assert desk.site.look(lambda work: work.session.query(Message).filter_by(files=1).count()) == 0
    assert not list((Path(desk.site.settings.files.folder) / "arriving").iterdir())
