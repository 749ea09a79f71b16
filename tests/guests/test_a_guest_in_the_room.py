"""A guest reads both lanes, writes in the room, and learns nothing else."""

from __future__ import annotations

import re

from swarm.rooms import guests
from swarm.rooms.actions import raise_hand
from swarm.tickets.posting import post
from tests.guests.conftest import Desk, say
from tests.support.site import text_of

PRIVATE = ("Wilhelmina", "wilhelmina@kemp.example", "Kempflowers", "customer:")


def test_both_lanes_stand_there_and_nothing_of_the_customer(desk: Desk) -> None:
    desk.town.act("ina", post, desk.ticket, "lane", "We look into it", "c1")
    desk.town.act("ina", post, desk.ticket, "room", "Only for us", "c2")
    rui, page = desk.guest()
    shown = rui.get(page).text
    for words in ("It is, really.", "We look into it", "Only for us", "The printer is on fire"):
        assert words in shown, words
    assert "You read along here. Ina answers the customer." in shown
    for word in PRIVATE[:3]:
        assert word not in shown
    assert re.findall(r"customer:[1-9]", shown) == []


def test_no_link_leads_into_the_desk_and_no_form_but_their_own_stands_there(desk: Desk) -> None:
    desk.town.act("paul", lambda work: None)
    rui, page = desk.guest()
    shown = rui.get(page).text
    links = set(re.findall(r'(?:href|action|hx-get|hx-post)="(/[^"]*)"', shown))
    strangers = {one for one in links if not one.startswith((page, "/static/", "/guest/"))}
    assert strangers == set()
    for address in ("/tickets", f"/tickets/{desk.ticket}", "/mine", "/people", "/teams"):
        assert rui.get(address).status_code == 303, "a guest is nobody at the desk"
    assert rui.get(f"/case/{desk.ticket}").status_code == 401


def test_what_a_guest_writes_stands_in_the_room_marked_as_a_guests(desk: Desk) -> None:
    rui, page = desk.guest()
    for _time in range(2):
        assert say(rui, page, "Look at the fuse", "a-client-id").status_code == 303
    shown = desk.ina.get(f"/tickets/{desk.ticket}").text
    assert shown.count("<p>Look at the fuse</p>") == 1
    said = text_of(shown)
    assert "Rui Guest" in said and "guest, invited by Ina" in said
    assert "Look at the fuse" in rui.get(page).text
    answer = rui.post(
        f"{page}/messages", {"body": "As a program", "client_id": "another-id"}, Accept="application/json"
    )
    assert answer.status_code == 200 and answer.json()["seq"] > 0
    customer = desk.site.customer(desk.ticket)
    assert "fuse" not in customer.get(f"/case/{desk.ticket}").text


def test_a_text_that_is_refused_is_kept(desk: Desk) -> None:
    rui, page = desk.guest()
    refused = say(rui, page, "Precious words " + "x" * 20_000)
    assert refused.status_code == 422 and "Precious words" in refused.text
    say(rui, page, "One", "the-same-id")
    refused = say(rui, page, "Another text", "the-same-id")
    assert refused.status_code == 409 and "Another text" in refused.text


def test_the_room_is_live_in_both_directions(desk: Desk) -> None:
    rui, page = desk.guest()
    room, lane = f"room:{desk.ticket}", f"lane:{desk.ticket}"
    path = f"/live{page}"
    with desk.ina.socket({room: 1, lane: 1}) as ina, rui.socket({room: 1, lane: 1}, path) as wire:
        ina.until(lambda frame: frame["t"] == "caught_up" and frame["s"] == room)
        assert say(rui, page, "From outside").status_code == 303
        frame = ina.event("room.message_posted", room)
        assert "From outside" in frame["do"][0][2] and ">Guest<" in frame["do"][0][2]
        wire.event("room.message_posted", room)
        desk.ina.say(desk.ticket, "room", "From inside")
        frame = wire.event("room.message_posted", room)
        assert "From inside" in frame["do"][0][2]
        assert "Mark as the answer" not in frame["do"][0][2]
        wire.send({"t": "post", "s": room, "id": "by-the-socket", "body": "By the socket"})
        wire.until(lambda frame: frame["t"] == "ack")
        ina.event("room.message_posted", room)
        wire.send({"t": "post", "s": lane, "id": "to-the-customer", "body": "To the customer"})
        assert wire.until(lambda frame: frame["t"] == "refused")["status"] == 403
        customer = desk.site.customer(desk.ticket)
        said = {"body": "Still on fire", "client_id": "the-customers"}
        assert customer.post(f"/case/{desk.ticket}/messages", said).status_code == 303
        frame = wire.event("lane.message_posted", lane)
        assert "Still on fire" in frame["do"][0][2] and "Wilhelmina" not in frame["do"][0][2]


def test_who_types_and_who_is_there_is_told_both_ways_but_never_who_the_customer_is(desk: Desk) -> None:
    rui, page = desk.guest()
    room, lane = f"room:{desk.ticket}", f"lane:{desk.ticket}"
    customer = desk.site.customer(desk.ticket)
    with (
        desk.ina.socket({room: 1, lane: 1}) as ina,
        customer.socket({lane: 1}, "/live/case") as theirs,
        rui.socket({room: 1, lane: 1}, f"/live{page}") as wire,
    ):
        guest = f"guest:{page.rpartition('/')[2]}"
        ina.until(lambda frame: frame["t"] == "presence" and guest in str(frame))
        theirs.until(lambda frame: frame["t"] == "caught_up")
        theirs.send({"t": "typing", "s": lane})
        assert ina.until(lambda frame: frame["t"] == "typing")["name"] == "Wilhelmina Kemp"
        wire.send({"t": "typing", "s": lane})
        wire.send({"t": "typing", "s": room})
        told = ina.until(lambda frame: frame["t"] == "typing")
        assert (told["s"], told["id"], told["name"]) == (room, guest, "Rui")
        ina.send({"t": "typing", "s": room})
        assert wire.until(lambda frame: frame["t"] == "typing")["name"] == "Ina"
        ina.send({"t": "typing", "s": lane})
        assert wire.until(lambda frame: frame["t"] == "typing")["s"] == lane
        assert theirs.until(lambda frame: frame["t"] == "typing")["name"] == "Ina"
    heard = str(wire.frames)
    assert "Wilhelmina" not in heard and f"customer:{desk.town.customer_id}" not in heard
    assert {frame["s"] for frame in wire.frames if frame["t"] == "presence"} == {room}
    assert "guest:" not in str(theirs.frames)


def test_a_guest_sees_an_ask_without_its_buttons_and_nothing_of_reasons(desk: Desk) -> None:
    form = {"question": "Who knows fuses?", "tried": "All of them", "client_id": "an-ask-of-ina"}
    people = str(desk.town.people["quinn"])
    assert desk.ina.post(f"/tickets/{desk.ticket}/asks", {**form, "people": people}).status_code == 303
    rui, page = desk.guest()
    shown = rui.get(page).text
    assert "Who knows fuses?" in shown and "All of them" in shown
    assert "Withdraw the ask" not in shown and "/asks/" not in shown


def test_older_messages_are_pages_too(desk: Desk) -> None:
    rui, page = desk.guest()
    for number in range(70):
        desk.town.act("ina", post, desk.ticket, "room", f"Line number {number}.", f"c{number}")
    assert "Line number 0." not in rui.get(page).text
    for lane, words in (("room", "Line number 0."), ("lane", "It is, really.")):
        older = rui.get(f"{page}/older/{lane}?before=20")
        assert older.status_code == 200 and words in older.text and "Wilhelmina" not in older.text
    assert rui.get(f"{page}/older/attic?before=20").status_code == 404
    assert rui.get(f"{page}/head").status_code == 200


def test_an_expert_and_a_guest_sit_in_the_same_swarm(desk: Desk) -> None:
    desk.town.act("hugo", raise_hand, desk.ticket)
    rui, page = desk.guest()
    said = text_of(rui.get(f"{page}/head").text)
    assert "here to help: Hugo, Rui" in said
    assert "joined as a guest" in text_of(desk.ina.get(f"/tickets/{desk.ticket}/timeline").text)
    assert guests.MOST_GUESTS == 10
