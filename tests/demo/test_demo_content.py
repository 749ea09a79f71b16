"""The demo's people and tickets: every script could have happened, in the mode of its team."""

import re
import tomllib
from collections import Counter
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

import swarm.demo

FOLDER = Path(swarm.demo.__path__[0])
CAST = tomllib.loads((FOLDER / "people.toml").read_text("utf-8"))
PEOPLE = {person["key"]: person for person in CAST["people"]}
TEAMS = {team["key"]: team for team in CAST["teams"]}
SKILLS = {skill["key"] for skill in CAST["skills"]}
TICKETS: list[dict[str, Any]] = [
    ticket
    for path in sorted(FOLDER.glob("tickets*.toml"))
    for ticket in tomllib.loads(path.read_text("utf-8"))["tickets"]
]
LANGUAGES = {"en", "de", "fr", "es", "pt", "nl"}

# What each step says beside `after` and `do`; a name with a question mark may be left out.
STEPS = {
    "take": {"by"},
    "reply": {"by", "text", "wait"},
    "customer": {"text"},
    "ask": {"by", "question", "tried", "skills", "people"},
    "accept": {"by"},
    "decline": {"by", "why"},
    "raise_hand": {"by"},
    "room": {"by", "text"},
    "leave": {"by"},
    "mark_answer": {"by"},
    "resolve": {"by", "note?"},
    "hold": {"by"},
    "escalate": {"by", "reason", "note"},
    "return": {"by", "reason"},
    "hand_over": {"by", "to", "reason"},
}
ANY_MODE = {"take", "reply", "customer", "resolve", "hold"}
ONLY_TIERLESS = {"ask", "accept", "decline", "raise_hand", "leave", "mark_answer"}
ONLY_TIERED = {"escalate", "return"}


def span(text: str) -> timedelta:
    parts = re.fullmatch(r"(?:(\d+)d)?(?:(\d+)h)?(?:(\d+)m)?", text)
    assert parts and text, text
    days, hours, minutes = (int(part or 0) for part in parts.groups())
    return timedelta(days=days, hours=hours, minutes=minutes)


def tier_of(person: str, team: str) -> int | None:
    """None: not in the team; 0: in a team without tiers."""
    for place in PEOPLE[person]["teams"]:
        if place["team"] == team:
            return int(place.get("tier", 0))
    return None


@dataclass
class Case:
    """One ticket as the rules of the product see it."""

    team: str
    policy: str
    owner: str
    tier: int
    status: str = "open"
    taken: bool = False
    answered: bool = False
    waits_for: int | None = None
    had_it: list[str] = field(default_factory=list)
    asked: set[str] = field(default_factory=set)
    wanted: set[str] = field(default_factory=set)
    ask_open: bool = False
    swarm: set[str] = field(default_factory=set)
    room: list[str] = field(default_factory=list)
    marked: bool = False
    reopened: bool = False
    returned: bool = False

    def play(self, step: dict[str, Any]) -> None:
        do, by = step["do"], step.get("by", "")
        assert self.policy != "split" or do in ANY_MODE
        assert self.policy != "tiered" or do not in ONLY_TIERLESS
        assert self.policy != "tierless" or do not in ONLY_TIERED
        assert not self.returned, "who works a returned ticket is the software's to say"
        if do in {"reply", "ask", "mark_answer", "resolve", "hold", "escalate", "return", "hand_over"}:
            assert self.taken
            assert by == self.owner
        if self.status == "resolved":
            assert do == "customer"
        getattr(self, do)(by, step)

    def take(self, by: str, _step: dict[str, Any]) -> None:
        tier = tier_of(by, self.team)
        assert tier is not None
        if self.waits_for is None:
            assert not self.taken
            assert tier == self.tier
        else:
            assert tier == self.waits_for
            self.tier, self.waits_for = self.waits_for, None
        self.had_it.append(by)
        self.owner, self.taken = by, True

    def reply(self, _by: str, step: dict[str, Any]) -> None:
        assert self.waits_for is None
        self.answered = True
        self.status = "waiting" if step["wait"] else "open"

    def customer(self, _by: str, _step: dict[str, Any]) -> None:
        self.reopened = self.status == "resolved"
        self.status = "open"

    def ask(self, _by: str, step: dict[str, Any]) -> None:
        assert not self.ask_open
        assert step["skills"] or step["people"]
        assert set(step["skills"]) <= SKILLS
        assert len(step["skills"]) <= 10
        assert self.owner not in step["people"]
        assert set(step["people"]) <= PEOPLE.keys()
        self.asked, self.wanted, self.ask_open = set(step["people"]), set(step["skills"]), True

    def accept(self, by: str, _step: dict[str, Any]) -> None:
        assert self.ask_open
        self.asked.remove(by)
        self.swarm.add(by)

    def decline(self, by: str, _step: dict[str, Any]) -> None:
        assert self.ask_open
        self.asked.remove(by)

    def raise_hand(self, by: str, _step: dict[str, Any]) -> None:
        assert by != self.owner
        assert self.ask_open
        assert tier_of(by, self.team) is not None or self.wanted & set(PEOPLE[by]["skills"])
        assert by not in self.swarm
        self.swarm.add(by)

    def leave(self, by: str, _step: dict[str, Any]) -> None:
        self.swarm.remove(by)

    def mark_answer(self, _by: str, _step: dict[str, Any]) -> None:
        assert [who for who in self.room if who != self.owner], "nobody else has said anything"
        self.marked, self.ask_open = True, False

    def resolve(self, _by: str, _step: dict[str, Any]) -> None:
        assert self.answered
        assert self.waits_for is None
        self.status, self.ask_open = "resolved", False

    def hold(self, _by: str, _step: dict[str, Any]) -> None:
        self.status = "on hold"

    def escalate(self, _by: str, _step: dict[str, Any]) -> None:
        assert self.waits_for is None
        self.waits_for = self.tier + 1
        assert self.waits_for in TEAMS[self.team]["tiers"]

    def hand_over(self, by: str, step: dict[str, Any]) -> None:
        assert step["to"] != by
        assert tier_of(step["to"], self.team) == tier_of(by, self.team)
        self.owner = step["to"]
        self.had_it.append(self.owner)

    def room_(self, by: str) -> None:
        if self.policy == "tierless":
            assert by == self.owner or by in self.swarm
        else:
            waiting = self.waits_for is not None and tier_of(by, self.team) == self.waits_for
            assert by in self.had_it or waiting or by == TEAMS[self.team]["duty_lead"]
        self.room.append(by)


def play(ticket: dict[str, Any]) -> Case:
    team = TEAMS[ticket["team"]]
    case = Case(ticket["team"], team["policy"], team["duty_lead"], 0 if team["policy"] == "tierless" else 1)
    for step in ticket["script"]:
        if step["do"] == "room":
            case.room_(step["by"])
        elif step["do"] == "return":
            assert case.tier > 1
            case.returned = True
        else:
            case.play(step)
    return case


def name(ticket: dict[str, Any]) -> str:
    return str(ticket["subject"])


def test_the_three_teams_are_tiered_tierless_and_split() -> None:
    assert {key: team["policy"] for key, team in TEAMS.items()} == {
        "service-desk": "tiered",
        "product-support": "tierless",
        "billing": "split",
    }
    for key, team in TEAMS.items():
        assert tier_of(team["duty_lead"], key) is not None


def test_people_have_what_the_loader_needs() -> None:
    assert len(PEOPLE) == len(CAST["people"]) >= 12
    assert {person["role"] for person in PEOPLE.values()} == {
        "agent",
        "specialist",
        "manager",
        "administrator",
    }
    assert len({person["email"] for person in PEOPLE.values()}) == len(PEOPLE)
    for person in PEOPLE.values():
        assert person.keys() == {
            "key", "name", "email", "role", "teams", "skills", "availability", "language",
        }  # fmt: skip
        assert person["email"].endswith("@example.org")
        assert set(person["skills"]) <= SKILLS
        assert person["availability"] in {"available", "busy", "away"}
        assert person["language"] in LANGUAGES
        for place in person["teams"]:
            tiers = TEAMS[place["team"]]["tiers"]
            assert place.get("tier") in tiers if tiers else "tier" not in place


def test_every_skill_has_someone_and_every_tier_too() -> None:
    assert {skill for person in PEOPLE.values() for skill in person["skills"]} == SKILLS
    for key, team in TEAMS.items():
        held = {tier_of(person, key) for person in PEOPLE}
        assert set(team["tiers"]) <= held


@pytest.mark.parametrize("ticket", TICKETS, ids=name)
def test_a_ticket_is_well_formed(ticket: dict[str, Any]) -> None:
    assert ticket.keys() == {
        "team", "subject", "customer", "priority", "category", "tags", "opened", "body", "script",
    }  # fmt: skip
    assert ticket["team"] in TEAMS
    assert ticket["customer"].keys() == {"name", "email", "company", "language"}
    assert ticket["customer"]["email"].endswith(".example.org")
    assert ticket["customer"]["language"] in LANGUAGES
    assert ticket["priority"] in {"low", "normal", "high", "urgent"}
    assert ticket["category"] in {"Incident", "Request", "Problem", "Change", "Question"}
    assert 0 < len(ticket["subject"]) <= 120
    assert ticket["body"].strip()


@pytest.mark.parametrize("ticket", TICKETS, ids=name)
def test_a_script_keeps_to_the_vocabulary_and_ends_before_now(ticket: dict[str, Any]) -> None:
    for step in ticket["script"]:
        says = STEPS[step["do"]] | {"after", "do"}
        assert {word for word in says if not word.endswith("?")} <= step.keys()
        assert step.keys() <= {word.rstrip("?") for word in says}
        assert step.get("by", "ada") in PEOPLE
        assert all(
            step[word].strip() for word in step.keys() & {"text", "question", "tried", "why", "reason"}
        )
    assert sum((span(step["after"]) for step in ticket["script"]), timedelta()) < span(ticket["opened"])


@pytest.mark.parametrize("ticket", TICKETS, ids=name)
def test_a_script_is_possible_under_the_rules_of_its_mode(ticket: dict[str, Any]) -> None:
    play(ticket)


def test_the_tickets_stand_in_every_state_one_wants_to_see() -> None:
    played = [(ticket, play(ticket)) for ticket in TICKETS]
    untaken = [ticket for ticket, case in played if not case.taken]
    assert len(TICKETS) >= 58
    assert len(untaken) >= 12
    assert sum(ticket["priority"] == "urgent" for ticket in untaken) >= 3
    assert {ticket["team"] for ticket in untaken} == TEAMS.keys()
    states = Counter(case.status for _ticket, case in played)
    assert all(states[state] >= 4 for state in ("open", "waiting", "on hold", "resolved")), states
    assert sum(case.reopened and case.status == "open" for _ticket, case in played) >= 2
    assert sum(case.waits_for == 2 for _ticket, case in played) >= 2
    assert sum(case.waits_for is None and case.tier == 2 for _ticket, case in played) >= 2
    pending = [case for _ticket, case in played if case.ask_open and not case.swarm]
    assert {"tomas", "rahel", "jun"} <= {person for case in pending for person in case.asked}
    assert (
        sum(case.ask_open and len(case.swarm) >= 1 and len(case.room) >= 4 for _ticket, case in played) >= 4
    )
    assert max(len(case.room) for _ticket, case in played) >= 7
    assert sum(case.marked for _ticket, case in played) >= 3
    assert {ticket["customer"]["language"] for ticket in TICKETS} == LANGUAGES
