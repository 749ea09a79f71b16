"""The demo knows simulated people, and whether they may work."""

import sqlalchemy as sa
from alembic import op

revision = "0016"
down_revision = "0014"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("instance", sa.Column("simulated", sa.Boolean(), server_default=sa.true(), nullable=False))
    op.add_column("sessions", sa.Column("simulated", sa.Boolean(), server_default=sa.false(), nullable=False))
