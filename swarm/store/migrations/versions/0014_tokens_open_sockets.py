"""A token opens sockets in a session of its own."""

import sqlalchemy as sa
from alembic import op

from swarm.store.tables import Id

revision = "0014"
down_revision = "0012"
branch_labels = None
depends_on = None


def upgrade() -> None:
    if op.get_bind().dialect.name == "sqlite":
        # Without copying the table, and all that refers to it.
        op.execute(
            "ALTER TABLE sessions ADD COLUMN token_id INTEGER CONSTRAINT fk_sessions_token_id_tokens REFERENCES tokens (id)"
        )
        return
    op.add_column("sessions", sa.Column("token_id", Id, nullable=True))
    op.create_foreign_key(op.f("fk_sessions_token_id_tokens"), "sessions", "tokens", ["token_id"], ["id"])
