"""A ticket opened on the page: once, however often its form arrives."""

from __future__ import annotations

import hashlib
from base64 import urlsafe_b64encode
from typing import Annotated, Literal

import msgspec
from sqlalchemy import select

from swarm.accounts.actions import make_link
from swarm.events.refusals import Stale, Unfit
from swarm.people.actions import add_customer
from swarm.people.customers import kept
from swarm.people.models import Customer
from swarm.people.queries import teams
from swarm.store import Work
from swarm.text.language import _
from swarm.tickets.attaching import prints
from swarm.tickets.models import Ticket
from swarm.tickets.opening import NewTicket, customer_actor, open_ticket
from swarm.tickets.posting import MOST_LETTERS
from swarm.tickets.words import LANGUAGES
from swarm.web.addresses import check_mail
from swarm.web.errors import Typed
from swarm.web.forms import Form, Many, ManyLines, Number, OneLine

PAGE = "page"


class Opening(Form, kw_only=True):
    """What a customer tells of the case."""

    name: Annotated[str, OneLine(100)]
    email: Annotated[str, OneLine(254)]
    company: Annotated[str, OneLine(100, min=0)] = ""
    language: Literal["en", "fr", "nl", "pt", "es", "de"] = "en"
    team: Annotated[int, Number(1)] | None = None
    subject: Annotated[str, OneLine(200)]
    body: Annotated[str, ManyLines(MOST_LETTERS)]
    files: Annotated[tuple[Annotated[str, OneLine(32, min=32)], ...], Many(50)] = ()
    client_id: Annotated[str, OneLine(100, min=32)]
    """A secret of this one form: 256 random bits the page put into it."""

    def __post_init__(self) -> None:
        check_mail(self.email)

    @property
    def typed(self) -> Typed:
        """What stands in the form, to show it again."""
        return Typed.blank(**_words(self))


def open_once(work: Work, form: Opening, known: Customer | None, link_days: int, uploader: str = "") -> int:
    """The ticket of this form and a link to it, made the first time the form arrives.

    `known` is whoever this browser follows tickets as, `uploader` who sent its files.
    Raises `Unfit`, and `Stale` where the form stood for another text.
    """
    sent = (*map(str, _words(form).values()), *prints(work, uploader, form.files))
    key, digest = _hash("form", form.client_id), _hash("text", *sent)
    earlier = work.session.scalars(
        select(Ticket).where(Ticket.source == PAGE, Ticket.external_id == key)
    ).one_or_none()
    if earlier is not None:
        if earlier.digest != digest:
            raise Stale(
                _(
                    "You sent this form before with another text, and that ticket is open. "
                    "Send it once more to open a second one with this text."
                )
            )
        return earlier.id
    customer = known if known and known.email == form.email.lower() else None
    customer = customer or add_customer(
        work, name=form.name, email=form.email, company=form.company, language=form.language
    )
    customer = kept(work, customer)
    work.actor = customer_actor(customer)
    ticket = open_ticket(
        work,
        NewTicket(
            team_id=_team(work, form.team),
            subject=form.subject,
            body=form.body,
            customer=customer,
            language=form.language,
            client_id=key[:32],
            files=form.files,
            uploader=uploader,
        ),
    )
    ticket.source, ticket.external_id, ticket.digest = PAGE, key, digest
    work.session.flush()
    make_link(work, ticket.id, customer.id, link_days, secret_of(form.client_id))
    return ticket.id


def secret_of(client_id: str) -> str:
    """The link's secret: whoever sent the form can be shown it again, and nothing kept here tells it."""
    return urlsafe_b64encode(bytes.fromhex(_hash("link", client_id))).decode().rstrip("=")


def first_language(accept_language: str) -> str:
    """The first language a browser asks for that tickets are offered in."""
    wished = (part.strip()[:2].lower() for part in accept_language[:200].split(","))
    return next((code for code in wished if code in LANGUAGES), LANGUAGES[0])


def _team(work: Work, chosen: int | None) -> int:
    offered = [team.id for team in teams(work.session)]
    if chosen is None and len(offered) == 1:
        return offered[0]
    if chosen not in offered:
        raise Unfit(_("Choose what it is about."), "team")
    return chosen


def _words(form: Opening) -> dict[str, object]:
    """Everything but the files, which get other tokens each time the form is sent."""
    return {name: value for name, value in msgspec.structs.asdict(form).items() if name != "files"}


def _hash(purpose: str, *parts: str) -> str:
    """SHA-256, hexadecimal; each purpose has its own."""
    return hashlib.sha256("\0".join((purpose, *parts)).encode()).hexdigest()
