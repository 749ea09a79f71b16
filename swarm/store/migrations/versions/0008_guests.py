"""Guests."""

import sqlalchemy as sa
from alembic import op

from swarm.store.tables import Id, UtcTime

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "guests",
        sa.Column("id", Id, nullable=False),
        sa.Column("ticket_id", Id, nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("email", sa.String(), nullable=True),
        sa.Column("language", sa.String(), nullable=False),
        sa.Column("invited_by", Id, nullable=False),
        sa.Column("link", sa.String(), nullable=False),
        sa.Column("session", sa.String(), nullable=True),
        sa.Column("invited_at", UtcTime(), nullable=False),
        sa.Column("expires_at", UtcTime(), nullable=False),
        sa.Column("joined_at", UtcTime(), nullable=True),
        sa.Column("ended_at", UtcTime(), nullable=True),
        sa.Column("ended_how", sa.String(), nullable=True),
        sa.CheckConstraint(
            "ended_at IS NULL OR (ended_how IS NOT NULL AND email IS NULL AND session IS NULL)",
            name=op.f("ck_guests_leaves_nothing"),
        ),
        sa.ForeignKeyConstraint(["ticket_id"], ["tickets.id"], name=op.f("fk_guests_ticket_id_tickets")),
        sa.ForeignKeyConstraint(["invited_by"], ["people.id"], name=op.f("fk_guests_invited_by_people")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_guests")),
        sa.UniqueConstraint("link", name=op.f("uq_guests_link")),
        sa.UniqueConstraint("session", name=op.f("uq_guests_session")),
    )
    op.create_index(op.f("ix_guests_ticket_id_id"), "guests", ["ticket_id", "id"])
    op.create_index(
        "ix_guests_until",
        "guests",
        ["expires_at"],
        sqlite_where=sa.text("ended_at IS NULL"),
        postgresql_where=sa.text("ended_at IS NULL"),
    )
