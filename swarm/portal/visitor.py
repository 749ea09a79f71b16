"""Who stands before a door without an account: their address, and what their cookies say."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from sqlalchemy import select
from starlette.requests import Request

from swarm.accounts.queries import actor_by_cookie
from swarm.events import Actor
from swarm.people.models import Customer
from swarm.store import Work
from swarm.text.language import use
from swarm.tickets.models import Ticket
from swarm.tickets.queries import visible
from swarm.web.addresses import check_mail
from swarm.web.errors import NotFound
from swarm.web.house import house_of

__all__ = ["address", "check_mail", "customer_actor_here", "customer_here", "in_its_language", "number_of"]

T = TypeVar("T")


def address(request: Request) -> str:
    """The network address, as uvicorn knows it from trusted proxies."""
    return request.client.host if request.client else "unknown"


def customer_actor_here(request: Request, work: Work) -> Actor:
    """Whoever this browser follows tickets as, or `NOBODY`."""
    return actor_by_cookie(work.session, house_of(request).customer_cookie.read(request), work.now)


def customer_here(request: Request, work: Work) -> Customer | None:
    """The customer whose cookie this browser holds."""
    id_ = customer_actor_here(request, work).customer_id
    return None if id_ is None else work.session.get(Customer, id_)


def number_of(request: Request) -> int:
    """The ticket in the address. Raises `NotFound` for a number no database can hold."""
    number: int = request.path_params["number"]
    if number > 2**53:
        raise NotFound
    return number


def in_its_language(number: int, do: Callable[[Work], T]) -> Callable[[Work], T]:
    """`do`, speaking the language of the ticket where the customer may see it."""

    def speaking(work: Work) -> T:
        query = select(Ticket.language).where(Ticket.id == number, visible(work.actor))
        with use(work.session.scalar(query) or ""):
            return do(work)

    return speaking
