"""A message just written is drawn from what is known of it: byte for byte what the log and the rows give."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from swarm.broadcasts import Broadcasts
from swarm.events import NOBODY
from swarm.people.models import Person
from swarm.people.queries import person_actor
from swarm.store import Entry, Work, log
from swarm.tickets import actions as tickets
from swarm.tickets.turns import Draft, post_turn
from tests.support.site import Site
from tests.support.town import build

WORDS = "Did you try it again, Mira?"
BODIES = (
    WORDS,
    "1 " + "x" * 398,
    "**bold** and <script>alert(1)</script>",
    "- one\n- two\n\n`code`",
    "Olá, ça va? 你好 & “quotes”",
    "http://example.com/?a=1&b=2",
)
NAMES = ("Hugo", '<b>O\'Hara</b> "the" & Söhne', "{{ 7 * 7 }}", "m-17 5000-01-01T00:00:00Z <p></p>")


def test_it_is_the_same_line_for_every_text_and_name(site: Site) -> None:
    town = build(site.store)
    ticket = town.open("hive")
    town.act("hugo", tickets.take, ticket)
    heard: list[Entry] = []
    site.store.on_commit(heard.extend)
    draw = Broadcasts(site.store, site.app.state.house.render)
    for turn, name in enumerate(NAMES):

        def do(work: Work, name: str = name, turn: int = turn) -> None:
            work.session.get_one(Person, town.people["hugo"]).name = name
            work.session.flush()
            hugo = person_actor(work.session, town.people["hugo"])
            drafts = [Draft(hugo, ticket, f"{turn}-{place}", body) for place, body in enumerate(BODIES)]
            post_turn(work, drafts)

        heard.clear()
        site.store.write_now(NOBODY, do)
        fresh = [entry for entry in heard if entry.kind == "room.message_posted"]
        assert len(fresh) == len(BODIES)
        assert draw(fresh, "staff", "en") == draw(_forgotten(fresh), "staff", "en")
        quick = draw.at_once(fresh[:2], "staff", "en")
        assert quick == draw(_forgotten(fresh[:2]), "staff", "en")


def test_it_is_what_the_log_keeps(site: Site) -> None:
    town = build(site.store)
    ticket = town.open("hive")
    town.act("hugo", tickets.take, ticket)
    heard: list[Entry] = []
    site.store.on_commit(heard.extend)
    before = site.look(lambda work: log.heads(work.session, [f"room:{ticket}"])[f"room:{ticket}"])

    def do(work: Work) -> None:
        hugo = person_actor(work.session, town.people["hugo"])
        post_turn(work, [Draft(hugo, ticket, f"c{place}", body) for place, body in enumerate(BODIES)])

    site.store.write_now(NOBODY, do)
    kept = site.look(lambda work: log.after(work.session, f"room:{ticket}", before, 100))
    assert kept == _forgotten(heard)


def test_what_is_not_plain_words_or_not_for_staff_is_left_to_a_thread(site: Site) -> None:
    town = build(site.store)
    ticket = town.open("hive")
    town.act("hugo", tickets.take, ticket)
    heard: list[Entry] = []
    site.store.on_commit(heard.extend)

    def do(work: Work) -> None:
        hugo = person_actor(work.session, town.people["hugo"])
        post_turn(work, [Draft(hugo, ticket, "a", WORDS), Draft(hugo, ticket, "b", "*not* plain")])

    site.store.write_now(NOBODY, do)
    draw = Broadcasts(site.store, site.app.state.house.render)
    assert draw.at_once(heard[:1], "staff", "en") is not None
    assert draw.at_once(heard, "staff", "en") is None
    assert draw.at_once(heard[:1], "customer", "en") is None
    assert draw.at_once(_forgotten(heard[:1]), "staff", "en") is None


def _forgotten(entries: Sequence[Entry]) -> list[Entry]:
    return [replace(entry, fresh=None) for entry in entries]
