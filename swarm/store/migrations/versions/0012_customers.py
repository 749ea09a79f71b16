"""The customer's record: what colleagues know and note, how it is found, and what it was merged into."""

import sqlalchemy as sa
from alembic import op

from swarm.people.customers import likeness, words_of
from swarm.store.tables import Id

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None

TOGETHER = 1000


def upgrade() -> None:
    word = sa.String().with_variant(sa.TEXT(collation="C"), "postgresql")
    op.create_table(
        "customer_words",
        sa.Column("word", word, nullable=False),
        sa.Column("customer_id", Id, nullable=False),
        sa.ForeignKeyConstraint(
            ["customer_id"], ["customers.id"], name=op.f("fk_customer_words_customer_id")
        ),
        sa.PrimaryKeyConstraint("word", "customer_id", name=op.f("pk_customer_words")),
    )
    op.create_index(op.f("ix_customer_words_customer_id"), "customer_words", ["customer_id"])
    with op.batch_alter_table("customers") as table:
        for name in ("phone", "timezone", "notes"):
            table.add_column(sa.Column(name, sa.String(), nullable=False, server_default=""))
        table.add_column(sa.Column("version", Id, nullable=False, server_default="1"))
        table.add_column(sa.Column("likeness", sa.String(), nullable=True))
        table.add_column(sa.Column("merged_into_id", Id, nullable=True))
        table.create_foreign_key(op.f("fk_customers_merged_into_id"), "customers", ["merged_into_id"], ["id"])
        for name in ("company", "likeness", "merged_into_id"):
            table.create_index(op.f(f"ix_customers_{name}"), [name])
    _describe(op.get_bind())


def _describe(connection: sa.Connection) -> None:
    """Those who are there already are found and compared like everybody else."""
    customers = sa.table(
        "customers",
        *(sa.column(name) for name in ("id", "name", "email", "company", "likeness")),
    )
    words = sa.table("customer_words", sa.column("word"), sa.column("customer_id"))
    last = 0
    while rows := connection.execute(
        sa.select(customers.c.id, customers.c.name, customers.c.email, customers.c.company)
        .where(customers.c.id > last)
        .order_by(customers.c.id)
        .limit(TOGETHER)
    ).all():
        last = rows[-1].id
        found = [
            {"word": word, "customer_id": row.id}
            for row in rows
            for word in words_of(row.name, row.email, row.company)
        ]
        alike = [
            {"at": row.id, "like": likeness(row.name, row.company)} for row in rows if row.company.strip()
        ]
        if found:
            connection.execute(sa.insert(words), found)
        if alike:
            connection.execute(
                sa.update(customers)
                .where(customers.c.id == sa.bindparam("at"))
                .values(likeness=sa.bindparam("like")),
                alike,
            )
