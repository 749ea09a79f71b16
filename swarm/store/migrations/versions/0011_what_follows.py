"""How customers follow their cases; webhooks and what goes to them; letters to colleagues."""

import sqlalchemy as sa
from alembic import op

from swarm.store.tables import Id

revision = "0011"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "followings",
        sa.Column("ticket_id", Id, autoincrement=False, nullable=False),
        sa.Column("read_seq", Id, nullable=False),
        sa.Column("letters", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(["ticket_id"], ["tickets.id"], name=op.f("fk_followings_ticket_id_tickets")),
        sa.PrimaryKeyConstraint("ticket_id", name=op.f("pk_followings")),
    )
