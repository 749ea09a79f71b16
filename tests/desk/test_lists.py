"""What stands in a list, in which order, and that it is all of it."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from urllib.parse import quote

import pytest
from sqlalchemy import event

from swarm.routing.escalation import escalate
from swarm.store import paging
from swarm.tickets import actions
from swarm.tickets.posting import post
from tests.support.site import Site, Visitor
from tests.support.town import Town

PIECE = {"HX-Request": "true", "HX-Request-Type": "partial"}


def shown(html: str) -> list[int]:
    """Ticket ids in the order of the list."""
    return [int(id_) for id_ in re.findall(r'id="row-(\d+)"', html)]


def walk(visitor: Visitor, path: str) -> list[list[int]]:
    """Every page of a list, by its Older link."""
    pages = []
    while path:
        answer = visitor.get(path)
        assert answer.status_code == 200
        pages.append(shown(answer.text))
        older = re.search(r'href="([^"]+)" rel="next"', answer.text)
        path = older[1].replace("&amp;", "&") if older else ""
    return pages


@contextmanager
def statements(site: Site) -> Iterator[list[str]]:
    """What is asked of the database inside the block."""
    seen: list[str] = []

    def note(_connection, _cursor, statement, *_rest):
        seen.append(statement)

    engine = site.store._reading
    event.listen(engine, "before_cursor_execute", note)
    yield seen
    event.remove(engine, "before_cursor_execute", note)


def test_mine_is_what_i_took_and_the_queue_what_waits(site: Site, town: Town) -> None:
    taken, waiting = town.open("hive"), town.open("hive")
    town.do("ina", lambda work: actions.take(work, taken))
    ina = site.person(town.people["ina"])
    assert shown(ina.get("/mine").text) == [taken]
    assert shown(ina.get("/queue").text) == [waiting]
    assert set(shown(ina.get("/tickets").text)) == {taken, waiting}


def test_the_duty_lead_finds_what_nobody_took_in_the_queue_only(site: Site, town: Town) -> None:
    waiting = town.open("hive")
    hugo = site.person(town.people["hugo"])
    assert shown(hugo.get("/mine").text) == []
    assert shown(hugo.get("/queue").text) == [waiting]


def test_the_queue_has_the_urgent_first_and_then_what_waits_longest(site: Site, town: Town) -> None:
    low, first, urgent, second = (town.open("hive", priority) for priority in (0, 1, 3, 1))
    assert shown(site.person(town.people["ina"]).get("/queue").text) == [urgent, first, second, low]


def test_what_was_escalated_waits_for_its_tier_and_says_so(site: Site, town: Town) -> None:
    ticket = town.open("ladder")
    town.do("ada", lambda work: actions.take(work, ticket))
    town.do("ada", lambda work: escalate(work, ticket, "too deep", "tried it all"))
    above = site.person(town.people["cleo"]).get("/queue").text
    assert shown(above) == [ticket]
    assert "Waits for tier 2" in above
    assert shown(site.person(town.people["ben"]).get("/queue").text) == []
    assert "Waits for tier 2, not taken yet" in site.person(town.people["ada"]).get("/mine").text


def test_take_stands_where_the_rule_lets_and_works_without_script(site: Site, town: Town) -> None:
    ticket = town.open("hive")
    ina = site.person(town.people["ina"])
    page = ina.get("/queue").text
    form = re.search(
        rf'action="/tickets/{ticket}/owner"><input type="hidden" name="seen" value="(\d+)"', page
    )
    assert form
    answer = ina.post(f"/tickets/{ticket}/owner", {"seen": form[1]})
    assert (answer.status_code, answer.headers["location"]) == (303, f"/tickets/{ticket}")
    assert shown(ina.get("/mine").text) == [ticket]
    assert f"/tickets/{ticket}/owner" not in ina.get("/tickets").text


def test_nobody_sees_what_is_not_for_them(site: Site, town: Town) -> None:
    town.open("hive")
    town.open("ladder")
    paul = site.person(town.people["paul"])
    for path in ("/mine", "/queue", "/tickets"):
        assert shown(paul.get(path).text) == []
    assert len(shown(site.person(town.people["ben"]).get("/tickets").text)) == 1


@pytest.mark.parametrize("path", ["/queue", "/tickets", "/tickets?status=active&mode=tierless"])
def test_older_leads_through_the_whole_list_once(site: Site, town: Town, path: str) -> None:
    opened = {town.open("hive", number % 4) for number in range(53)}
    pages = walk(site.person(town.people["ina"]), path)
    assert [len(page) for page in pages] == [50, 3]
    assert {id_ for page in pages for id_ in page} == opened


def test_a_list_costs_the_same_number_of_queries_whatever_its_length(site: Site, town: Town) -> None:
    costs = []
    ina = site.person(town.people["ina"])

    def cost(path: str) -> int:
        with statements(site) as seen:
            assert ina.get(path).status_code == 200
        return len(seen)

    for more in (2, 30):
        for _number in range(more):
            ticket = town.open("hive")
            town.do("ina", partial(actions.take, ticket_id=ticket))
            town.open("hive")
        for path in ("/mine", "/queue", "/tickets"):
            # What runs by the clock may fall into one of them.
            costs.append(min(cost(path) for _again in range(3)))
    assert costs[:3] == costs[3:]
    assert max(costs) < 30


def test_filters_narrow_and_come_back(site: Site, town: Town) -> None:
    low, urgent = town.open("hive", 0), town.open("hive", 3)
    town.do("ina", lambda work: actions.take(work, low))
    town.do(
        "ina",
        lambda work: actions.change_details(
            work, low, priority=0, category="", language="de", tags=["export"]
        ),
    )
    ina = site.person(town.people["ina"])
    team, me = town.teams["hive"], town.people["ina"]
    for narrowed in ("priority=0", "language=de", "tag=Export", f"owner={me}", "status=open&language=de"):
        assert shown(ina.get(f"/tickets?{narrowed}").text) == [low], narrowed
    assert shown(ina.get("/tickets?priority=3").text) == [urgent]
    assert shown(ina.get(f"/tickets?team={team}&status=&mode=&tag=").text) == [low, urgent]
    page = ina.get("/tickets?priority=0&tag=export").text
    assert '<option value="0" selected>' in page
    assert f'href="/tickets/{low}?in=all&amp;priority=0&amp;tag=export"' in page
    assert "Nothing matches these filters" in ina.get("/tickets?tag=nothing").text


@pytest.mark.parametrize(
    ("query", "status"),
    [
        ("status=lost", 422),
        ("priority=9", 422),
        ("team=x", 422),
        ("team=999999", 404),
        ("mode=hybrid", 422),
        ("owner=-1", 422),
        ("colour=red", 422),
        ("tag=" + "x" * 100, 422),
        ("cursor=nonsense", 400),
        ("cursor=" + paging.encode([1, 2]), 400),
        ("cursor=" + paging.encode([2**80, 2]), 400),
        ("cursor=" + quote("é"), 400),
    ],
)
def test_an_address_nobody_made_gets_a_clear_page(site: Site, town: Town, query: str, status: int) -> None:
    answer = site.person(town.people["ina"]).get(f"/tickets?{query}")
    assert answer.status_code == status
    assert 'role="alert"' in answer.text or "<h1>" in answer.text


def test_a_cursor_with_a_number_no_database_holds_is_refused(site: Site, town: Town) -> None:
    ina = site.person(town.people["ina"])
    town.open("hive")
    now = site.clock()
    for list_, values in (
        ("queue", [1, now, 2**70]),
        ("queue", [-(2**70), now, 1]),
        ("tickets", [now, 2**70]),
    ):
        assert ina.get(f"/{list_}?cursor={paging.encode(values)}").status_code == 400


def test_a_refresh_gets_only_the_rows_with_filters_place_and_open_ticket(site: Site, town: Town) -> None:
    ticket = town.open("hive")
    ina = site.person(town.people["ina"])
    piece = ina.get(f"/tickets?priority=1&current={ticket}", **PIECE).text
    assert "<html" not in piece
    assert f'hx-get="/tickets?priority=1&amp;current={ticket}"' in piece
    assert 'aria-current="true"' in piece
    assert shown(piece) == [ticket]
    beside = ina.get(f"/tickets/{ticket}?in=all&priority=1").text
    assert f'hx-get="/tickets?priority=1&amp;current={ticket}"' in beside
    assert shown(ina.get(f"/tickets/{ticket}?in=nonsense&priority=99").text) == []


def test_a_dot_says_that_something_is_new_until_it_is_read(site: Site, town: Town) -> None:
    ticket = town.open("hive")
    town.do("ina", lambda work: actions.take(work, ticket))
    ina = site.person(town.people["ina"])
    assert 'aria-label="unread"' in ina.get("/mine").text

    def read(work):
        actions.mark_read(work, f"lane:{ticket}", 99)
        actions.mark_read(work, f"room:{ticket}", 1)

    town.do("ina", read)
    assert 'aria-label="unread"' not in ina.get("/mine").text
    town.do("ina", lambda work: post(work, ticket, "room", "one more thing", "k" * 8))
    page = ina.get("/mine").text
    assert 'aria-label="unread"' in page
    assert "You: one more thing" in page


def test_the_rail_counts_and_answers_a_refresh_with_the_numbers_alone(site: Site, town: Town) -> None:
    for _number in range(3):
        town.open("hive")
    ina = site.person(town.people["ina"])
    answer = ina.get("/rail", **PIECE)
    assert re.search(r'data-count="3" id="count-queue" hx-swap-oob="true">3<', answer.text)
    assert "<html" not in answer.text
    assert ina.get("/rail").headers["location"] == "/mine"


def test_a_page_watches_me_and_my_teams_from_this_snapshot(site: Site, town: Town) -> None:
    page = site.person(town.people["ina"]).get("/mine").text
    assert f"person:{town.people['ina']}" in page
    assert f"team:{town.teams['hive']}" in page
    assert f"team:{town.teams['ladder']}" not in page
    assert f"team:{town.teams['ladder']}" in site.person(town.people["mona"]).get("/mine").text


def test_every_empty_list_says_what_to_do_next(site: Site, town: Town) -> None:
    ina, paul = site.person(town.people["ina"]), site.person(town.people["paul"])
    for path, words in (
        ("/mine", "Go to the queue"),
        ("/queue", "Nobody waits"),
        ("/tickets", "No ticket yet"),
    ):
        assert words in ina.get(path).text
    for path, words in (
        ("/mine", "Set your skills"),
        ("/queue", "You are in no team"),
        ("/asked", "Nobody asks"),
    ):
        assert words in paul.get(path).text


def test_lists_are_for_colleagues(site: Site, town: Town) -> None:
    stranger = site.stranger()
    for path in ("/mine", "/queue", "/tickets", "/asked", "/tickets/new", "/me"):
        answer = stranger.get(path)
        assert (answer.status_code, answer.headers["location"]) == (303, f"/sign-in?next={path}")
    assert stranger.get("/mine", **PIECE).status_code == 401
