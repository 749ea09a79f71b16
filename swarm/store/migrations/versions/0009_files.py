"""Files that come with messages."""

import sqlalchemy as sa
from alembic import op

from swarm.store.tables import Id, UtcTime

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("messages", sa.Column("files", Id, nullable=False, server_default="0"))
    op.create_table(
        "files",
        sa.Column("id", Id, nullable=False),
        sa.Column("token", sa.String(), nullable=False),
        sa.Column("uploader", sa.String(), nullable=False),
        sa.Column("ticket_id", Id, nullable=True),
        sa.Column("lane", sa.String(), nullable=False),
        sa.Column("message_id", Id, nullable=True),
        sa.Column("position", Id, nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("bytes", Id, nullable=False),
        sa.Column("sha256", sa.String(), nullable=False),
        sa.Column("width", Id, nullable=True),
        sa.Column("height", Id, nullable=True),
        sa.Column("safe_kind", sa.String(), nullable=False),
        sa.Column("at", UtcTime(), nullable=False),
        sa.ForeignKeyConstraint(["ticket_id"], ["tickets.id"], name=op.f("fk_files_ticket_id")),
        sa.ForeignKeyConstraint(["message_id"], ["messages.id"], name=op.f("fk_files_message_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_files")),
        sa.UniqueConstraint("token", name=op.f("uq_files_token")),
    )
    op.create_index(op.f("ix_files_message_id_position"), "files", ["message_id", "position"])
    op.create_index(op.f("ix_files_uploader_at"), "files", ["uploader", "at"])
    op.create_index(
        "ix_files_loose",
        "files",
        ["at"],
        sqlite_where=sa.text("message_id IS NULL"),
        postgresql_where=sa.text("message_id IS NULL"),
    )
