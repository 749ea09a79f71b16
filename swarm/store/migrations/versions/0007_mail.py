"""Mail that goes out."""

import sqlalchemy as sa
from alembic import op

from swarm.store.tables import Id, Json, UtcTime

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "mails",
        sa.Column("id", Id, nullable=False),
        sa.Column("token", sa.String(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("about", sa.String(), nullable=False),
        sa.Column("data", Json, nullable=False),
        sa.Column("letter", Json, nullable=True),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("created_at", UtcTime(), nullable=False),
        sa.Column("next_at", UtcTime(), nullable=False),
        sa.Column("tries", Id, nullable=False),
        sa.Column("sent_at", UtcTime(), nullable=True),
        sa.Column("problem", sa.String(), nullable=False),
        sa.CheckConstraint("state IN ('waiting', 'sent', 'parked', 'dropped')", name=op.f("ck_mails_state")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_mails")),
        sa.UniqueConstraint("token", name=op.f("uq_mails_token")),
    )
    op.create_index(
        "ix_mails_due",
        "mails",
        ["next_at"],
        sqlite_where=sa.text("state = 'waiting'"),
        postgresql_where=sa.text("state = 'waiting'"),
    )
    op.create_index(op.f("ix_mails_state_id"), "mails", ["state", "id"])
    op.create_index(op.f("ix_mails_about_id"), "mails", ["about", "id"])
