"""A program sits in a room: events as data, posts by frame, no more than its token and its person may."""

import pytest
from websockets.exceptions import ConnectionClosed

from swarm.accounts.tokens import end_token, tokens_of
from swarm.live import close_codes
from swarm.store import Work
from swarm.tickets.actions import take
from tests.api.conftest import Programs
from tests.support.site import Site, wire_to
from tests.support.town import Town


def mine(town: Town, who: str = "ina") -> int:
    ticket = town.open("hive")
    town.act(who, take, ticket)
    return ticket


def test_it_reads_what_was_said_and_what_is_said_next(site: Site, town: Town, program: Programs) -> None:
    ticket = mine(town)
    site.person(town.people["ina"]).say(ticket, "room", "Look at the **index**")
    with program("ina").socket({f"room:{ticket}": 0}) as wire:
        told = wire.event("room.message_posted")
        assert set(told) == {"t", "s", "n", "k", "at", "data"}
        assert told["data"]["message"]["body"] == "Look at the **index**"
        assert told["data"]["by"] == {"id": f"person:{town.people['ina']}", "name": "Ina"}
        wire.until(lambda frame: frame["t"] == "caught_up")
        site.person(town.people["ina"]).say(ticket, "room", "And now?")
        again = wire.event("room.message_posted")
        assert (again["n"], again["data"]["message"]["body"]) == (told["n"] + 1, "And now?")
        assert all("do" not in frame for frame in wire.frames)


def test_it_writes_like_the_form_and_a_retry_is_stored_once(
    site: Site, town: Town, program: Programs
) -> None:
    ticket = mine(town)
    with program("ina").socket({f"room:{ticket}": 0}) as wire:
        wire.until(lambda frame: frame["t"] == "caught_up")
        for _each in range(2):
            wire.send({"t": "post", "s": f"room:{ticket}", "id": "bot-1", "body": "From a program"})
            ack = wire.until(lambda frame: frame["t"] == "ack")
        assert ack["id"] == "bot-1"
        told = [one for one in wire.frames if one.get("k") == "room.message_posted"]
        told = told or [wire.event("room.message_posted")]
        assert [one["n"] for one in told] == [ack["n"]]
    assert "From a program" in site.person(town.people["ina"]).get(f"/tickets/{ticket}").text


def test_a_token_for_reading_neither_posts_nor_types(site: Site, town: Town, program: Programs) -> None:
    ticket = mine(town)
    with (
        program("ina", "read").socket({f"room:{ticket}": 0}) as wire,
        site.person(town.people["ina"]).socket({f"room:{ticket}": 0}) as page,
    ):
        for one in (wire, page):
            one.until(lambda frame: frame["t"] == "caught_up")
        wire.send({"t": "typing", "s": f"room:{ticket}"})
        wire.send({"t": "post", "s": f"room:{ticket}", "id": "bot-1", "body": "No"})
        refused = wire.until(lambda frame: frame["t"] == "refused")
        assert (refused["status"], refused["why"].endswith(".")) == (403, True)
        page.send({"t": "post", "s": f"room:{ticket}", "id": "page-1", "body": "Yes"})
        page.event("room.message_posted")
        assert not [one for one in page.frames if one["t"] == "typing"]
        assert "No" not in [one.get("body") for one in wire.frames]


def test_what_its_person_may_not_see_is_gone(town: Town, program: Programs) -> None:
    ticket = mine(town)
    with program("ben").socket({f"room:{ticket}": 0, f"lane:{ticket}": 0, "team:999": 0}) as wire:
        for _each in range(3):
            wire.until(lambda frame: frame["t"] == "gone")
        assert not [one for one in wire.frames if one["t"] == "event"]


def test_with_the_token_the_socket_ends(site: Site, town: Town, program: Programs) -> None:
    ticket, person = mine(town), town.people["ina"]
    with program("ina").socket({f"room:{ticket}": 0}) as wire:
        wire.until(lambda frame: frame["t"] == "caught_up")

        def end(work: Work) -> None:
            [token] = tokens_of(work.session, person, work.now)
            end_token(work, token.id, person)

        town.do("ina", end)
        with pytest.raises(ConnectionClosed):
            wire.until(lambda frame: False)
        assert wire.connection.close_code == close_codes.SIGNED_OUT


def test_signing_out_everywhere_leaves_tokens_alone(site: Site, town: Town, program: Programs) -> None:
    ticket, ina = mine(town), site.person(town.people["ina"])
    with program("ina").socket({f"room:{ticket}": 0}) as wire:
        wire.until(lambda frame: frame["t"] == "caught_up")
        assert ina.post("/me/sessions/end").status_code == 303
        wire.send({"t": "post", "s": f"room:{ticket}", "id": "bot-1", "body": "Still here"})
        assert wire.until(lambda frame: frame["t"] in ("ack", "refused"))["t"] == "ack"


def test_a_token_is_no_cookie_and_a_cookie_no_token(site: Site, town: Town, program: Programs) -> None:
    ticket, made = mine(town), program("ina")
    borrowed = site.stranger()
    borrowed.http.cookies.set("session", made.token)
    assert borrowed.get("/mine").status_code == 303
    secret = site.person(town.people["ina"]).http.cookies["session"]
    for headers, origin in (
        ({"Cookie": f"session={made.token}"}, site.url),
        ({"Authorization": f"Bearer {secret}"}, None),
        ({"Authorization": "Bearer nonsense"}, None),
        ({"Authorization": f"Basic {made.token}"}, None),
    ):
        with (
            pytest.raises(ConnectionClosed) as closed,
            wire_to(site, {f"room:{ticket}": 0}, "/live", "json", headers, origin),
        ):
            pass
        assert closed.value.rcvd is not None and closed.value.rcvd.code == close_codes.SIGNED_OUT


def test_a_customers_program_learns_nothing_of_the_room(site: Site, town: Town) -> None:
    ticket = mine(town)
    ina = site.person(town.people["ina"])
    ina.say(ticket, "room", "Between us")
    ina.say(ticket, "lane", "For you")
    with site.customer(ticket).socket(
        {f"lane:{ticket}": 0, f"room:{ticket}": 0}, "/live/case", form="json"
    ) as wire:
        wire.until(lambda frame: frame["t"] == "caught_up")
        told = [one for one in wire.frames if one.get("data") and one["data"]["message"]]
        assert [one["data"]["message"]["body"] for one in told][-1] == "For you"
        assert "Between us" not in str(wire.frames)
        gone = [one["s"] for one in wire.frames if one["t"] == "gone"]
        assert (gone or [wire.until(lambda frame: frame["t"] == "gone")["s"]]) == [f"room:{ticket}"]
