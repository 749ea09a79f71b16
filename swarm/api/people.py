"""People: me, everybody, availability, what they know, accounts given and taken away."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Literal, cast

from sqlalchemy import select

from swarm.accounts.hiring import NewColleague, hire_and_let_in
from swarm.accounts.tokens import SCOPES, Held, Scope
from swarm.api.doors import Call, Door, Nothing
from swarm.api.views import View
from swarm.events.refusals import Unknown, ensure
from swarm.people import actions, administering
from swarm.people.models import Membership, PersonSkill, Skill, Team
from swarm.people.models import Person as PersonRow
from swarm.people.queries import Sought, people_page
from swarm.people.rules import may_steer
from swarm.store import Work
from swarm.store.paging import BadCursor
from swarm.text.language import LANGUAGES, _
from swarm.web.addresses import check_mail
from swarm.web.errors import Invalid
from swarm.web.forms import Form, Number, OneLine

Id = Annotated[int, Number(1)]
RoleName = Literal["agent", "specialist", "manager", "administrator"]
AvailabilityName = Literal["available", "busy", "away"]


class PeopleWanted(Form):
    """What the list is narrowed to, and where the page begins."""

    words: Annotated[str, OneLine(200, min=0)] = ""
    team: Id | None = None
    gone: bool = False
    cursor: Annotated[str, OneLine(500, min=0)] = ""
    limit: Annotated[int, Number(1, 100)] = 50


class Hired(Form):
    """A new colleague, perhaps in a team."""

    name: Annotated[str, OneLine(80)]
    email: Annotated[str, OneLine(254)]
    role: RoleName = "agent"
    language: Annotated[str, OneLine(20)] = LANGUAGES[0]
    team: Id | None = None
    tier: Annotated[int, Number(1, 99)] = 1

    def __post_init__(self) -> None:
        check_mail(self.email)
        if self.language not in LANGUAGES:
            raise Invalid({"language": _("Choose one of the offered.")})


class Account(Form):
    """How somebody is called, signs in, and what they may do."""

    name: Annotated[str, OneLine(80)]
    email: Annotated[str, OneLine(254)]
    role: RoleName

    def __post_init__(self) -> None:
        check_mail(self.email)


class Available(Form):
    """Whether you can be asked."""

    availability: AvailabilityName


class Learned(Form):
    """How well they know a skill: 0 not at all, 1 a little, 2 well, 3 others learn it from them."""

    skill: Id
    level: Annotated[int, Number(0, 3)]


class Place(View):
    """A team somebody works in, and their tier there."""

    id: int
    key: str
    name: str
    tier: int


class Knows(View):
    """Something somebody knows, and how well."""

    id: int
    name: str
    level: int


class Person(View):
    """A colleague."""

    id: int
    name: str
    email: str
    role: RoleName
    active: bool
    availability: AvailabilityName
    language: str
    timezone: str
    teams: list[Place]
    skills: list[Knows]


class Me(View):
    """As whom this token acts, and within what."""

    person: Person
    scopes: list[Scope]


class People(View):
    """A page of people, by name."""

    items: list[Person]
    next: str | None
    """Send it as `cursor` for the page that follows; none on the last."""


class Newcomer(View):
    """A new colleague, and the link by which they choose a password."""

    person: Person
    link: str | None
    """Told only this once; none where it went to them by mail."""


def show_me(work: Work, call: Call[Nothing]) -> Me:
    """Who the token acts as, with what they may do now."""
    return _me(work, call.held)


def set_availability(work: Work, call: Call[Available]) -> Me:
    """Say whether you can be asked now."""
    actions.set_availability(work, work.actor.person_id or 0, call.form.availability)
    return _me(work, call.held)


def set_my_skill(work: Work, call: Call[Learned]) -> Me:
    """Say how well you know something."""
    administering.learn(work, work.actor.person_id or 0, call.form.skill, call.form.level)
    return _me(work, call.held)


def list_people(work: Work, call: Call[PeopleWanted]) -> People:
    """As a manager, a page of everybody who works here, or did."""
    ensure(may_steer(work.actor))
    sent = call.form
    try:
        sought = Sought(words=sent.words, team=sent.team, gone=sent.gone)
        page = people_page(work.session, sought, sent.cursor, sent.limit)
    except BadCursor:
        raise Invalid({"cursor": _("This was not made by us. Begin with the first page.")}) from None
    return People(items=people_of(work, page.rows), next=page.next)


def show_person(work: Work, call: Call[Nothing]) -> Person:
    """As a manager, one colleague."""
    ensure(may_steer(work.actor))
    return _person(work, call.path["person"])


def add_person(work: Work, call: Call[Hired]) -> Newcomer:
    """As an administrator, give somebody an account, and a link by which they choose a password."""
    sent, settings = call.form, call.house.settings
    new = NewColleague(
        name=sent.name,
        email=sent.email,
        role=sent.role,
        language=sent.language,
        rungs={sent.team: sent.tier} if sent.team else {},
    )
    person, secret = hire_and_let_in(
        work, new, hours=settings.links.account_hours, by_mail=settings.mail.goes_out
    )
    link = call.house.links.absolute(f"/account/{secret}") if secret else None
    return Newcomer(person=_person(work, person.id), link=link)


def change_account(work: Work, call: Call[Account]) -> Person:
    """As an administrator, change name, address and role."""
    sent = call.form
    administering.change_account(work, call.path["person"], name=sent.name, email=sent.email, role=sent.role)
    return _person(work, call.path["person"])


def deactivate_person(work: Work, call: Call[Nothing]) -> Person:
    """As an administrator, end somebody's access; their tickets and asks move on in the same step."""
    administering.retire(work, call.path["person"])
    return _person(work, call.path["person"])


def reactivate_person(work: Work, call: Call[Nothing]) -> Person:
    """As an administrator, let somebody in again who had left."""
    administering.take_back(work, call.path["person"])
    return _person(work, call.path["person"])


def set_skill(work: Work, call: Call[Learned]) -> Person:
    """As a manager, say how well somebody knows something."""
    administering.learn(work, call.path["person"], call.form.skill, call.form.level)
    return _person(work, call.path["person"])


def people_of(work: Work, rows: Sequence[PersonRow]) -> list[Person]:
    """These colleagues in their order, in two more queries."""
    ids = [row.id for row in rows]
    places: dict[int, list[Place]] = {id_: [] for id_ in ids}
    memberships = (
        select(Membership.person_id, Membership.rung, Team.id, Team.key, Team.name)
        .join(Team, Team.id == Membership.team_id)
        .where(Membership.person_id.in_(ids))
        .order_by(Team.name, Team.id)
    )
    for person_id, rung, team_id, key, name in work.session.execute(memberships):
        places[person_id].append(Place(id=team_id, key=key, name=name, tier=rung))
    known: dict[int, list[Knows]] = {id_: [] for id_ in ids}
    levels = (
        select(PersonSkill.person_id, PersonSkill.level, Skill.id, Skill.name)
        .join(Skill, Skill.id == PersonSkill.skill_id)
        .where(PersonSkill.person_id.in_(ids))
        .order_by(Skill.name)
    )
    for person_id, level, skill_id, name in work.session.execute(levels):
        known[person_id].append(Knows(id=skill_id, name=name, level=level))
    return [
        Person(
            id=row.id,
            name=row.name,
            email=row.email,
            role=cast(RoleName, row.role),
            active=row.active,
            availability=cast(AvailabilityName, row.availability),
            language=row.language,
            timezone=row.timezone,
            teams=places[row.id],
            skills=known[row.id],
        )
        for row in rows
    ]


def _me(work: Work, held: Held) -> Me:
    scopes = [scope for scope in SCOPES if scope in held.scopes]
    return Me(person=_person(work, work.actor.person_id or 0), scopes=scopes)


def _person(work: Work, person_id: int) -> Person:
    work.session.flush()
    row = work.session.get(PersonRow, person_id, populate_existing=True)
    if row is None:
        raise Unknown(_("There is no such person."))
    return people_of(work, [row])[0]


_ONE = "/people/{person:int}"
DOORS: Sequence[Door] = (
    Door("GET", "/me", show_me),
    Door("POST", "/me/availability", set_availability, "tickets"),
    Door("POST", "/me/skills", set_my_skill, "tickets"),
    Door("GET", "/people", list_people),
    Door("POST", "/people", add_person, "people", 201),
    Door("GET", _ONE, show_person),
    Door("POST", f"{_ONE}/account", change_account, "people"),
    Door("POST", f"{_ONE}/retirement", deactivate_person, "people"),
    Door("POST", f"{_ONE}/reinstatement", reactivate_person, "people"),
    Door("POST", f"{_ONE}/skills", set_skill, "teams"),
)
