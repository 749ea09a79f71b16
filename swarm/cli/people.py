"""Commands about people and teams."""

from __future__ import annotations

from typing import Annotated

import typer
from sqlalchemy import select

from swarm.accounts.actions import set_password
from swarm.accounts.second_step import clear_factors
from swarm.cli.plain import (
    OPERATOR,
    As,
    acting,
    colleague,
    group,
    mail,
    name_of,
    new_password,
    opened,
    out,
    read_settings,
    show,
)
from swarm.events import Role
from swarm.events.refusals import No
from swarm.modes.policy import policy_name
from swarm.people import actions
from swarm.people.models import KNOWS_WELL, Membership, Person, Skill, Team
from swarm.people.queries import members, team_by_key, teams, top_tier
from swarm.people.words import role_word
from swarm.store import Work
from swarm.text.language import _

Email = Annotated[str, typer.Argument(metavar="EMAIL")]
Key = Annotated[str, typer.Argument(metavar="KEY", help=_("The team's key, as swarm team list shows it."))]

person = group(_("Accounts of the people who work here."))
team = group(_("Who leads and who works in a team."))


@person.command("add", help=_("Give a colleague an account."))
def add(
    email: Email,
    name: Annotated[str, typer.Option(prompt=True, help=_("As colleagues and customers see it."))],
    role: Annotated[Role, typer.Option(help=_("What they may do."))] = "agent",
    in_team: Annotated[
        list[str], typer.Option("--team", metavar="KEY[:TIER]", help=_("A team they work in; repeat it."))
    ] = [],  # noqa: B006  # typer reads the default
    skill: Annotated[list[str], typer.Option(metavar="KEY", help=_("Something they know; repeat it."))] = [],  # noqa: B006  # typer reads the default
    password: Annotated[
        bool, typer.Option("--password", help=_("Ask for a password, or read it from standard input."))
    ] = False,
    by: As = "",
) -> None:
    settings = read_settings()
    name, email = name_of(name), mail(email)
    hashed = new_password(settings) if password else None

    def do(work: Work) -> None:
        acting(work, by)
        new = actions.add_person(work, name=name, email=email, role=role, password=hashed)
        if in_team:
            actions.set_membership(work, new.id, dict(_place(work, place) for place in in_team))
        if skill:
            actions.set_skills(work, new.id, {_skill(work, key): KNOWS_WELL for key in skill})

    with opened(settings) as store:
        store.write_now(OPERATOR, do)
    out.print(_("%(name)s has an account.", name=name))
    if not password:
        out.print(_("It has no password yet: swarm person password %(email)s", email=email))


@person.command(
    "password", help=_("Set a password, asked for or read from standard input; ends all sessions.")
)
def password(email: Email, by: As = "") -> None:
    settings = read_settings()
    with opened(settings) as store:
        store.read_now(OPERATOR, lambda work: colleague(work, email))
        hashed = new_password(settings)

        def do(work: Work) -> None:
            acting(work, by)
            set_password(work, colleague(work, email).id, hashed)

        store.write_now(OPERATOR, do)
    out.print(_("The password was set; sessions that were open have ended."))


@person.command(
    "second-step", help=_("Take away somebody's second step, when phone and recovery codes are lost.")
)
def second_step(email: Email, by: As = "") -> None:
    def do(work: Work) -> str:
        acting(work, by)
        one = colleague(work, email)
        clear_factors(work, one.id)
        return one.name

    with opened() as store:
        name = store.write_now(OPERATOR, do)
    out.print(_("%(name)s signs in by password alone now; sessions that were open have ended.", name=name))


@person.command("role", help=_("Change what a person may do."))
def role(email: Email, role: Annotated[Role, typer.Argument()], by: As = "") -> None:
    def do(work: Work) -> str:
        acting(work, by)
        one = colleague(work, email)
        actions.set_role(work, one.id, role)
        return one.name

    with opened() as store:
        out.print(_("%(name)s is %(role)s now.", name=store.write_now(OPERATOR, do), role=role_word(role)))


@person.command("deactivate", help=_("End a person's access; their tickets fall to the duty leads."))
def deactivate(email: Email, by: As = "") -> None:
    def do(work: Work) -> str:
        acting(work, by)
        one = colleague(work, email)
        actions.deactivate(work, one.id)
        return one.name

    with opened() as store:
        out.print(_("%(name)s no longer has access.", name=store.write_now(OPERATOR, do)))


@person.command("list", help=_("Who works here."))
def list_people(
    everybody: Annotated[bool, typer.Option("--all", help=_("Also those who no longer do."))] = False,
) -> None:
    def read(work: Work) -> list[list[str]]:
        query = select(Person) if everybody else select(Person).where(Person.active)
        places: dict[int, list[str]] = {}
        rows = select(Membership.person_id, Team.key, Membership.rung).join(
            Team, Team.id == Membership.team_id
        )
        for person_id, key, rung in work.session.execute(rows.order_by(Team.key)):
            places.setdefault(person_id, []).append(f"{key}:{rung}")
        return [
            [
                one.email,
                one.name,
                one.role if one.active else _("deactivated"),
                " ".join(places.get(one.id, [])),
                "" if one.password else _("no password"),
            ]
            for one in work.session.scalars(query.order_by(Person.name, Person.id))
        ]

    with opened() as store:
        found = store.read_now(OPERATOR, read)
    show([_("Address"), _("Name"), _("Role"), _("Teams"), ""], found)


@team.command("list", help=_("Every team, with its key and duty lead."))
def list_teams() -> None:
    def read(work: Work) -> list[list[str]]:
        return [
            [
                one.key,
                one.name,
                policy_name(one.policy, one.share),
                work.session.get_one(Person, one.duty_lead_id).name,
                str(len(members(work.session, one.id))),
            ]
            for one in teams(work.session)
        ]

    with opened() as store:
        found = store.read_now(OPERATOR, read)
    show([_("Key"), _("Name"), _("New tickets"), _("Duty lead"), _("People")], found)


@team.command("lead", help=_("Name the duty lead, who owns what nobody has taken yet."))
def lead(key: Key, email: Email, by: As = "") -> None:
    def do(work: Work) -> tuple[str, str]:
        acting(work, by)
        found, one = team_by_key(work.session, key), colleague(work, email)
        actions.name_duty_lead(work, found.id, one.id)
        return one.name, found.name

    with opened() as store:
        name, of = store.write_now(OPERATOR, do)
    out.print(_("%(name)s is the duty lead of %(team)s now.", name=name, team=of))


@team.command("join", help=_("Put a person into a team."))
def join(
    key: Key,
    email: Email,
    tier: Annotated[int, typer.Option(min=1, help=_("The tier they work in."))] = 1,
    by: As = "",
) -> None:
    def do(work: Work) -> tuple[str, str]:
        acting(work, by)
        one = colleague(work, email)
        team_id, rung = _place(work, f"{key}:{tier}")
        actions.set_membership(work, one.id, _rungs(work, one.id) | {team_id: rung})
        return one.name, team_by_key(work.session, key).name

    with opened() as store:
        name, of = store.write_now(OPERATOR, do)
    out.print(_("%(name)s works in %(team)s, tier %(tier)s.", name=name, team=of, tier=tier))


@team.command("leave", help=_("Take a person out of a team; tickets they own stay theirs."))
def leave(key: Key, email: Email, by: As = "") -> None:
    def do(work: Work) -> tuple[str, str]:
        acting(work, by)
        found, one = team_by_key(work.session, key), colleague(work, email)
        if found.duty_lead_id == one.id:
            raise No(
                _(
                    "%(name)s is the duty lead of %(team)s. Name another one first.",
                    name=one.name,
                    team=found.name,
                )
            )
        actions.set_membership(work, one.id, {t: r for t, r in _rungs(work, one.id).items() if t != found.id})
        return one.name, found.name

    with opened() as store:
        name, of = store.write_now(OPERATOR, do)
    out.print(_("%(name)s no longer works in %(team)s.", name=name, team=of))


def _place(work: Work, place: str) -> tuple[int, int]:
    key, _colon, tier = place.partition(":")
    try:
        found = work.session.scalars(select(Team).where(Team.key == key.strip())).one_or_none()
        rung = int(tier or 1)
    except ValueError:
        raise No(_("Write a team as KEY or KEY:TIER, not “%(place)s”.", place=place)) from None
    if found is None:
        raise No(_("There is no team with the key “%(key)s”. swarm team list shows them.", key=key))
    top = top_tier(work.session, found.id)
    if not 1 <= rung <= top:
        raise No(_("%(team)s has tiers 1 to %(top)s.", team=found.name, top=top))
    return found.id, rung


def _skill(work: Work, key: str) -> int:
    found = work.session.scalar(select(Skill.id).where(Skill.key == key))
    if found is None:
        known = ", ".join(work.session.scalars(select(Skill.key).order_by(Skill.key)))
        raise No(
            _("There is no skill “%(key)s”. There are: %(known)s.", key=key, known=known or _("none yet"))
        )
    return found


def _rungs(work: Work, person_id: int) -> dict[int, int]:
    rows = select(Membership.team_id, Membership.rung).where(Membership.person_id == person_id)
    return dict(work.session.execute(rows).all())
