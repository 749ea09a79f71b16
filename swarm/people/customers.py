"""Who asks: a record each, how it is found, and which one stands for it after a merge."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Collection, Sequence

from sqlalchemy import ColumnElement, and_, delete, select
from sqlalchemy.orm import Session

from swarm.people.models import Customer, CustomerWord
from swarm.store import Work

MOST_WORDS = 60
"""Words kept of one record, and those merged into it."""
MOST_SOUGHT = 6
"""Words looked for at a time; more would find no fewer."""
LAST = "\U0010ffff"
_NOT_WORD = re.compile(r"[^\w]+")


def fold(text: str) -> str:
    """Without case and accents, one space between words."""
    plain = unicodedata.normalize("NFKD", text.casefold())
    return " ".join("".join(letter for letter in plain if not unicodedata.combining(letter)).split())


def likeness(name: str, company: str) -> str | None:
    """The same for two records of one name and company; none without a company, for names are shared."""
    return f"{fold(name)}\n{fold(company)}" if fold(company) else None


def words_of(name: str, email: str | None, company: str, phone: str = "") -> set[str]:
    """By which beginnings a record is found: each word as written, and its parts."""
    address = email or ""
    text = fold(f"{name} {address} {address.partition('@')[2]} {company}")
    digits = "".join(letter for letter in phone if letter.isdigit())
    found = {*text.split(), *_NOT_WORD.sub(" ", text).split(), digits}
    return {word[:120] for word in found if word}


def keep_words(work: Work, customer_id: int, records: Collection[Customer]) -> None:
    """Let a customer be found by what stands in these records: their own, and those merged into it."""
    words = sorted(
        {word for one in records for word in words_of(one.name, one.email, one.company, one.phone)}
    )
    work.session.execute(delete(CustomerWord).where(CustomerWord.customer_id == customer_id))
    work.session.add_all(CustomerWord(word=word, customer_id=customer_id) for word in words[:MOST_WORDS])
    work.session.flush()


def fits(text: str) -> ColumnElement[bool]:
    """Customers in whose record each of these words begins one."""
    return and_(
        *(
            Customer.id.in_(
                select(CustomerWord.customer_id).where(
                    CustomerWord.word >= word, CustomerWord.word < word + LAST
                )
            )
            for word in fold(text).split()[:MOST_SOUGHT]
        )
    )


def kept(work: Work, customer: Customer) -> Customer:
    """The record that stands for this one: nobody merges it before this transaction is over."""
    id_ = customer.id
    while True:
        held = select(Customer).where(Customer.id == id_).with_for_update(read=True)
        row = work.session.scalars(held.execution_options(populate_existing=True)).one()
        if row.merged_into_id is None:
            return row
        id_ = row.merged_into_id


def records_of(session: Session, customer_id: int) -> Sequence[Customer]:
    """Those merged into this one, oldest first."""
    return session.scalars(
        select(Customer).where(Customer.merged_into_id == customer_id).order_by(Customer.id)
    ).all()
