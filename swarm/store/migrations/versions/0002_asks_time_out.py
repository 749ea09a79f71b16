"""An ask that is not answered goes on to the next."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

STATES = "state IN ('pending', 'accepted', 'declined', 'withdrawn', 'expired')"


def upgrade() -> None:
    name = op.f("ck_invitations_state")
    if op.get_bind().dialect.name == "sqlite":
        # Rebuilding the table leaves the old constraint behind: SQLAlchemy does not read it back.
        with op.batch_alter_table("invitations", recreate="always") as table:
            table.create_check_constraint(name, STATES)
    else:
        op.drop_constraint(name, "invitations")
        op.create_check_constraint(name, "invitations", STATES)
    op.create_index(
        "ix_invitations_waiting",
        "invitations",
        ["at"],
        sqlite_where=sa.text("state = 'pending' AND NOT named"),
        postgresql_where=sa.text("state = 'pending' AND NOT named"),
    )
