"""A retry is found by its client id first: a room's many messages must not be walked through for it."""

from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

OLD, NEW = "uq_messages_ticket_id_lane_author_client_id", "uq_messages_client_id_author_ticket_id_lane"
COLUMNS = ["client_id", "author", "ticket_id", "lane"]


def upgrade() -> None:
    if op.get_bind().dialect.name == "sqlite":
        with op.batch_alter_table("messages", recreate="always") as table:
            table.drop_constraint(OLD, type_="unique")
            table.create_unique_constraint(NEW, COLUMNS)
            # Rebuilding the table leaves this one behind: SQLAlchemy does not read it back.
            table.create_check_constraint(op.f("ck_messages_lane"), "lane IN ('lane', 'room')")
    else:
        op.drop_constraint(OLD, "messages")
        op.create_unique_constraint(NEW, "messages", COLUMNS)
