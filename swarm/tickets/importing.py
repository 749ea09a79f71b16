"""History out of a CSV file: every good row once, whatever happens on the way; nothing is sent."""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from itertools import islice
from pathlib import Path

from sqlalchemy import select
from sqlalchemy.exc import DBAPIError, OperationalError

from swarm.events import SYSTEM
from swarm.events.refusals import No
from swarm.modes.policy import Policy
from swarm.people.actions import add_customer, create_team, set_membership
from swarm.people.models import Customer, Membership, Person
from swarm.people.queries import teams
from swarm.store import Store, Work, instance
from swarm.text.language import _
from swarm.tickets.csv_rows import BadRow, ImportRefused, Options, Row, Table, describe, read_rows
from swarm.tickets.csv_values import shown
from swarm.tickets.models import Ticket
from swarm.tickets.opening import PRIORITIES, History, NewTicket, open_ticket, store_message

TOGETHER = 100
"""Rows in one transaction."""
LONGEST_TEAM = 80
USUAL_LANGUAGE = "en"


@dataclass(frozen=True, slots=True, kw_only=True)
class Wishes:
    """What the person importing decides beside the file."""

    source: str = "csv"
    """Tells imports apart: an id of one file is not that of another source."""
    team: str = ""
    """Key or name of the team for all rows; empty: the file's column says."""
    team_map: tuple[tuple[str, str], ...] = ()
    """A word of the file's column and the key or name of the team it stands for."""
    policy: Policy = "tierless"
    """How teams made on the way work."""
    share: int = 50
    lead: str = ""
    """Address of who leads teams made on the way; empty: the first administrator or manager."""
    language: str = ""
    """For rows that name none; empty: the one most rows name."""


@dataclass(slots=True)
class Imported:
    """How it went, in rows."""

    added: int = 0
    already: int = 0
    bad: int = 0
    new_teams: list[str] = field(default_factory=list)


@dataclass(slots=True)
class _Known:
    """What was found or made so far and is committed."""

    lead_id: int
    language: str
    teams: dict[str, int]
    customers: dict[str, int] = field(default_factory=dict)
    new_teams: list[str] = field(default_factory=list)

    def copy(self) -> _Known:
        return replace(
            self, teams=dict(self.teams), customers=dict(self.customers), new_teams=list(self.new_teams)
        )


Outcome = bool | BadRow
"""Added, there already, or refused."""


def bring_in(
    store: Store,
    path: Path,
    options: Options,
    wishes: Wishes,
    *,
    on_bad: Callable[[BadRow], None] = lambda bad: None,
    on_start: Callable[[Table], None] = lambda table: None,
    on_progress: Callable[[int], None] = lambda rows: None,
) -> Imported:
    """Import the file; rows that are there already stay as they are, so it can simply be run again.

    Raises `ImportRefused` for a file, `No` for a wish nobody can follow, both before the first row.
    """
    table = describe(path, options)
    if not wishes.team and "team" not in table.fields:
        raise ImportRefused(
            _("No column names the team. Say --map team=COLUMN, or --team KEY for one team for all rows.")
        )
    language = wishes.language or _usual_language(path, options, table)
    known = store.read_now(SYSTEM, lambda work: _known(work, wishes, language))
    on_start(table)
    result = Imported()
    rows = read_rows(path, options, table)
    while part := list(islice(rows, TOGETHER)):
        good = [row for row in part if isinstance(row, Row)]
        outcomes, known = _store(store, good, wishes, known) if good else ([], known)
        of_row = dict(zip((row.line for row in good), outcomes, strict=True))
        for row in part:
            match row if isinstance(row, BadRow) else of_row[row.line]:
                case BadRow() as bad:
                    result.bad += 1
                    on_bad(bad)
                case True:
                    result.added += 1
                case _there:
                    result.already += 1
        on_progress(len(part))
    result.new_teams = known.new_teams
    return result


def _store(store: Store, rows: Sequence[Row], wishes: Wishes, known: _Known) -> tuple[list[Outcome], _Known]:
    """All rows in one transaction; where one spoils it, each in its own."""
    try:
        return store.write_now(SYSTEM, lambda work: _write(work, rows, wishes, known.copy()))
    except OperationalError:
        raise
    except (No, DBAPIError) as problem:
        if len(rows) == 1:
            why = problem.sentence if isinstance(problem, No) else _("The database refused this row.")
            return [BadRow(rows[0].line, why, rows[0].line)], known
    outcomes: list[Outcome] = []
    for row in rows:
        outcome, known = _store(store, [row], wishes, known)
        outcomes += outcome
    return outcomes, known


def _write(work: Work, rows: Sequence[Row], wishes: Wishes, known: _Known) -> tuple[list[Outcome], _Known]:
    work.quiet = True
    # Imports write one after the other: two of the same file meet here and the second finds the first's rows.
    instance.locked(work)
    there = dict(
        work.session.execute(
            select(Ticket.external_id, Ticket.digest).where(
                Ticket.source == wishes.source, Ticket.external_id.in_([_external_id(row) for row in rows])
            )
        ).all()
    )
    _find_customers(work, rows, wishes, known)
    outcomes: list[Outcome] = []
    for row in rows:
        before = there.get(_external_id(row))
        if before is None:
            _add(work, row, wishes, known)
            outcomes.append(True)
        elif before == row.digest:
            outcomes.append(False)
        else:
            outcomes.append(BadRow(row.line, _other_content(row), row.line))
    return outcomes, known


def _add(work: Work, row: Row, wishes: Wishes, known: _Known) -> None:
    opened_at = row.opened_at or work.now
    ticket = open_ticket(
        work,
        NewTicket(
            team_id=_team_id(work, row, wishes, known),
            subject=row.subject,
            body=row.body,
            customer=_customer(work, row, known),
            language=row.language or known.language,
            client_id="import-body",
            priority=PRIORITIES.index(row.priority or "normal"),
            category=row.category,
            tags=row.tags,
            channel="import",
        ),
        History(
            source=wishes.source,
            external_id=_external_id(row),
            digest=row.digest,
            opened_at=opened_at,
            status=row.status or "open",
        ),
    )
    if row.answer:
        store_message(work, ticket.id, "lane", SYSTEM, row.answer, "import-answer", at=opened_at)


def _external_id(row: Row) -> str:
    return row.external_id or row.digest


def _other_content(row: Row) -> str:
    return _(
        "The id “%(id)s” was imported before with other content, which stays. "
        "If these are other tickets, name them with --source.",
        id=shown(_external_id(row)),
    )


def _customer(work: Work, row: Row, known: _Known) -> Customer | None:
    if not row.customer_name and not row.customer_email:
        return None
    email = row.customer_email.lower()
    if email in known.customers:
        return work.session.get_one(Customer, known.customers[email])
    customer = add_customer(
        work,
        name=row.customer_name or row.customer_email,
        email=email or None,
        company=row.company,
        language=row.language or known.language,
    )
    if email:
        known.customers[email] = customer.id
    return customer


def _find_customers(work: Work, rows: Sequence[Row], wishes: Wishes, known: _Known) -> None:
    """Customers whom an earlier run of the same import brought: an address elsewhere proves nothing."""
    emails = {row.customer_email.lower() for row in rows if row.customer_email} - known.customers.keys()
    if not emails:
        return
    found = select(Customer.email, Customer.id).where(
        Customer.email.in_(emails),
        select(Ticket.id).where(Ticket.customer_id == Customer.id, Ticket.source == wishes.source).exists(),
    )
    for email, id_ in work.session.execute(found.order_by(Customer.id.desc())):
        if email is not None:
            known.customers[email] = id_


def _team_id(work: Work, row: Row, wishes: Wishes, known: _Known) -> int:
    name = wishes.team or row.team
    if not name:
        raise No(_("This row names no team."))
    word = _word(name)
    if word not in known.teams:
        known.teams = _teams_by_word(work) | known.teams
    if word not in known.teams:
        known.teams[word] = _make_team(work, row.team, wishes, known)
    return known.teams[word]


def _make_team(work: Work, name: str, wishes: Wishes, known: _Known) -> int:
    if len(name) > LONGEST_TEAM:
        raise No(_("“%(name)s” is too long for the name of a team.", name=shown(name)))
    taken = {team.key for team in teams(work.session)}
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode().lower()
    stem = re.sub(r"[^a-z0-9]+", "-", plain).strip("-")[:36] or "team"
    numbered = (stem, *(f"{stem}-{number}" for number in range(2, len(taken) + 2)))
    key = next(key for key in numbered if key not in taken)
    team = create_team(
        work,
        key=key,
        name=name,
        duty_lead_id=known.lead_id,
        policy=wishes.policy,
        share=wishes.share,
        tiers=(_("First line"), _("Second line")),
    )
    rungs = select(Membership.team_id, Membership.rung).where(Membership.person_id == known.lead_id)
    set_membership(work, known.lead_id, {**dict(work.session.execute(rungs).all()), team.id: 1})
    known.new_teams.append(name)
    return team.id


def _known(work: Work, wishes: Wishes, language: str) -> _Known:
    found = _teams_by_word(work)
    if wishes.team:
        _existing(found, wishes.team)
    for word, team in wishes.team_map:
        found[_word(word)] = _existing(found, team)
    return _Known(_lead(work, wishes), language, found)


def _existing(found: dict[str, int], name: str) -> int:
    if _word(name) not in found:
        there = ", ".join(sorted(found)) or _("none yet")
        raise No(_("There is no team “%(name)s”. There are: %(teams)s.", name=shown(name), teams=there))
    return found[_word(name)]


def _teams_by_word(work: Work) -> dict[str, int]:
    found: dict[str, int] = {}
    for team in teams(work.session):
        found.setdefault(_word(team.name), team.id)
    return found | {_word(team.key): team.id for team in teams(work.session)}


def _lead(work: Work, wishes: Wishes) -> int:
    query = select(Person.id).where(Person.active)
    if wishes.lead:
        lead = work.session.scalar(query.where(Person.email == wishes.lead.lower()))
        if lead is None:
            raise No(_("Nobody who works here has the address %(email)s.", email=wishes.lead))
        return lead
    chiefs = query.where(Person.role.in_(("administrator", "manager")))
    lead = work.session.scalar(chiefs.order_by(Person.role, Person.id).limit(1))
    if lead is None:
        raise No(_("Nobody could own the tickets yet: run swarm set-up first."))
    return lead


def _usual_language(path: Path, options: Options, table: Table) -> str:
    if "language" not in table.fields:
        return USUAL_LANGUAGE
    rows: Iterator[Row | BadRow] = read_rows(path, options, table)
    named = Counter(row.language for row in rows if isinstance(row, Row) and row.language)
    return named.most_common(1)[0][0] if named else USUAL_LANGUAGE


def _word(name: str) -> str:
    return " ".join(name.split()).casefold()
