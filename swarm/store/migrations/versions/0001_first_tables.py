"""The first tables: people, tickets, rooms, the log."""

import sqlalchemy as sa
from alembic import op

from swarm.store.tables import Id, Json, UtcTime

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

APPEND_ONLY = ("ownerships", "events")


def upgrade() -> None:
    op.create_table(
        "customers",
        sa.Column("id", Id, nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("email", sa.String(), nullable=True),
        sa.Column("company", sa.String(), nullable=False),
        sa.Column("language", sa.String(), nullable=False),
        sa.Column("created_at", UtcTime(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_customers")),
    )
    op.create_index(op.f("ix_customers_email"), "customers", ["email"], unique=False)
    op.create_table(
        "events",
        sa.Column("stream", sa.String(), nullable=False),
        sa.Column("seq", Id, nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("actor", sa.String(), nullable=False),
        sa.Column("at", UtcTime(), nullable=False),
        sa.Column("data", Json, nullable=False),
        sa.PrimaryKeyConstraint("stream", "seq", name=op.f("pk_events")),
    )
    op.create_table(
        "instance",
        sa.Column("id", Id, autoincrement=False, nullable=False),
        sa.Column("epoch", sa.String(), nullable=False),
        sa.Column("demo", sa.Boolean(), nullable=False),
        sa.Column("seeded_at", UtcTime(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_instance")),
    )
    op.create_table(
        "people",
        sa.Column("id", Id, nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("email", sa.String(), nullable=False),
        sa.Column("role", sa.String(), nullable=False),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.Column("availability", sa.String(), nullable=False),
        sa.Column("language", sa.String(), nullable=False),
        sa.Column("timezone", sa.String(), nullable=False),
        sa.Column("password", sa.String(), nullable=True),
        sa.Column("stamp", Id, nullable=False),
        sa.Column("created_at", UtcTime(), nullable=False),
        sa.CheckConstraint(
            "availability IN ('available', 'busy', 'away')", name=op.f("ck_people_availability")
        ),
        sa.CheckConstraint(
            "role IN ('agent', 'specialist', 'manager', 'administrator')", name=op.f("ck_people_role")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_people")),
        sa.UniqueConstraint("email", name=op.f("uq_people_email")),
    )
    op.create_table(
        "skills",
        sa.Column("id", Id, nullable=False),
        sa.Column("key", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_skills")),
        sa.UniqueConstraint("key", name=op.f("uq_skills_key")),
    )
    op.create_table(
        "streams",
        sa.Column("key", sa.String(), nullable=False),
        sa.Column("last_seq", Id, nullable=False),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_streams")),
    )
    op.create_table(
        "person_skills",
        sa.Column("person_id", Id, nullable=False),
        sa.Column("skill_id", Id, nullable=False),
        sa.ForeignKeyConstraint(["person_id"], ["people.id"], name=op.f("fk_person_skills_person_id")),
        sa.ForeignKeyConstraint(["skill_id"], ["skills.id"], name=op.f("fk_person_skills_skill_id")),
        sa.PrimaryKeyConstraint("person_id", "skill_id", name=op.f("pk_person_skills")),
    )
    op.create_index(op.f("ix_person_skills_skill_id"), "person_skills", ["skill_id"], unique=False)
    op.create_table(
        "reads",
        sa.Column("person_id", Id, nullable=False),
        sa.Column("stream", sa.String(), nullable=False),
        sa.Column("seq", Id, nullable=False),
        sa.ForeignKeyConstraint(["person_id"], ["people.id"], name=op.f("fk_reads_person_id")),
        sa.PrimaryKeyConstraint("person_id", "stream", name=op.f("pk_reads")),
    )
    op.create_table(
        "sessions",
        sa.Column("key", sa.String(), nullable=False),
        sa.Column("person_id", Id, nullable=True),
        sa.Column("customer_id", Id, nullable=True),
        sa.Column("created_at", UtcTime(), nullable=False),
        sa.Column("seen_at", UtcTime(), nullable=False),
        sa.Column("expires_at", UtcTime(), nullable=False),
        sa.Column("idle_at", UtcTime(), nullable=True),
        sa.Column("ended_at", UtcTime(), nullable=True),
        sa.Column("stamp", Id, nullable=False),
        sa.CheckConstraint(
            "(person_id IS NULL) <> (customer_id IS NULL)", name=op.f("ck_sessions_one_holder")
        ),
        sa.ForeignKeyConstraint(["customer_id"], ["customers.id"], name=op.f("fk_sessions_customer_id")),
        sa.ForeignKeyConstraint(["person_id"], ["people.id"], name=op.f("fk_sessions_person_id")),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_sessions")),
    )
    op.create_index(op.f("ix_sessions_customer_id"), "sessions", ["customer_id"], unique=False)
    op.create_index(op.f("ix_sessions_person_id"), "sessions", ["person_id"], unique=False)
    op.create_table(
        "teams",
        sa.Column("id", Id, nullable=False),
        sa.Column("key", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("duty_lead_id", Id, nullable=False),
        sa.Column("policy", sa.String(), nullable=False),
        sa.Column("share", Id, nullable=False),
        sa.Column("policy_version", Id, nullable=False),
        sa.Column("created_at", UtcTime(), nullable=False),
        sa.CheckConstraint("policy IN ('tiered', 'tierless', 'split')", name=op.f("ck_teams_policy")),
        sa.CheckConstraint("share BETWEEN 0 AND 100", name=op.f("ck_teams_share")),
        sa.ForeignKeyConstraint(["duty_lead_id"], ["people.id"], name=op.f("fk_teams_duty_lead_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_teams")),
        sa.UniqueConstraint("key", name=op.f("uq_teams_key")),
    )
    op.create_table(
        "blocks",
        sa.Column("team_id", Id, nullable=False),
        sa.Column("priority", Id, autoincrement=False, nullable=False),
        sa.Column("policy_version", Id, autoincrement=False, nullable=False),
        sa.Column("number", Id, nullable=False),
        sa.Column("order", sa.String(), nullable=False),
        sa.Column("used", Id, nullable=False),
        sa.ForeignKeyConstraint(["team_id"], ["teams.id"], name=op.f("fk_blocks_team_id")),
        sa.PrimaryKeyConstraint("team_id", "priority", "policy_version", name=op.f("pk_blocks")),
    )
    op.create_table(
        "memberships",
        sa.Column("team_id", Id, nullable=False),
        sa.Column("person_id", Id, nullable=False),
        sa.Column("rung", Id, nullable=False),
        sa.ForeignKeyConstraint(["person_id"], ["people.id"], name=op.f("fk_memberships_person_id")),
        sa.ForeignKeyConstraint(["team_id"], ["teams.id"], name=op.f("fk_memberships_team_id")),
        sa.PrimaryKeyConstraint("team_id", "person_id", name=op.f("pk_memberships")),
    )
    op.create_index(op.f("ix_memberships_person_id"), "memberships", ["person_id"], unique=False)
    op.create_table(
        "policy_changes",
        sa.Column("team_id", Id, nullable=False),
        sa.Column("version", Id, autoincrement=False, nullable=False),
        sa.Column("policy", sa.String(), nullable=False),
        sa.Column("share", Id, nullable=False),
        sa.Column("note", sa.String(), nullable=False),
        sa.Column("by_id", Id, nullable=True),
        sa.Column("at", UtcTime(), nullable=False),
        sa.ForeignKeyConstraint(["by_id"], ["people.id"], name=op.f("fk_policy_changes_by_id")),
        sa.ForeignKeyConstraint(["team_id"], ["teams.id"], name=op.f("fk_policy_changes_team_id")),
        sa.PrimaryKeyConstraint("team_id", "version", name=op.f("pk_policy_changes")),
    )
    op.create_table(
        "tickets",
        sa.Column("id", Id, nullable=False),
        sa.Column("team_id", Id, nullable=False),
        sa.Column("customer_id", Id, nullable=True),
        sa.Column("subject", sa.String(), nullable=False),
        sa.Column("status", sa.String(), nullable=False),
        sa.Column("priority", Id, nullable=False),
        sa.Column("urgency", Id, sa.Computed("3 - priority", persisted=True), nullable=False),
        sa.Column("category", sa.String(), nullable=False),
        sa.Column("language", sa.String(), nullable=False),
        sa.Column("mode", sa.String(), nullable=False),
        sa.Column("assigned_mode", sa.String(), nullable=False),
        sa.Column("tier", Id, nullable=False),
        sa.Column("owner_id", Id, nullable=False),
        sa.Column("owner_version", Id, nullable=False),
        sa.Column("queued_for", Id, nullable=True),
        sa.Column("queued_at", UtcTime(), nullable=True),
        sa.Column("opened_at", UtcTime(), nullable=False),
        sa.Column("updated_at", UtcTime(), nullable=False),
        sa.Column("resolved_at", UtcTime(), nullable=True),
        sa.Column("answer_id", Id, nullable=True),
        sa.Column("channel", sa.String(), nullable=False),
        sa.Column("imported", sa.Boolean(), nullable=False),
        sa.Column("source", sa.String(), nullable=True),
        sa.Column("external_id", sa.String(), nullable=True),
        sa.Column("digest", sa.String(), nullable=True),
        sa.CheckConstraint("mode IN ('tiered', 'tierless')", name=op.f("ck_tickets_mode")),
        sa.CheckConstraint(
            "status IN ('open', 'waiting', 'on_hold', 'resolved', 'closed')", name=op.f("ck_tickets_status")
        ),
        sa.CheckConstraint("priority BETWEEN 0 AND 3", name=op.f("ck_tickets_priority")),
        sa.ForeignKeyConstraint(["customer_id"], ["customers.id"], name=op.f("fk_tickets_customer_id")),
        sa.ForeignKeyConstraint(["owner_id"], ["people.id"], name=op.f("fk_tickets_owner_id")),
        sa.ForeignKeyConstraint(["team_id"], ["teams.id"], name=op.f("fk_tickets_team_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_tickets")),
        sa.UniqueConstraint("source", "external_id", name=op.f("uq_tickets_source_external_id")),
    )
    op.create_index(
        op.f("ix_tickets_customer_id_opened_at"), "tickets", ["customer_id", "opened_at"], unique=False
    )
    op.create_index(
        op.f("ix_tickets_language_updated_at_id"), "tickets", ["language", "updated_at", "id"], unique=False
    )
    op.create_index(
        "ix_tickets_mine",
        "tickets",
        ["owner_id", "status", "updated_at", "id"],
        unique=False,
        sqlite_where=sa.text("queued_for IS NULL OR queued_for > 0"),
        postgresql_where=sa.text("queued_for IS NULL OR queued_for > 0"),
    )
    op.create_index(
        op.f("ix_tickets_mode_updated_at_id"), "tickets", ["mode", "updated_at", "id"], unique=False
    )
    op.create_index(
        op.f("ix_tickets_owner_id_status_updated_at_id"),
        "tickets",
        ["owner_id", "status", "updated_at", "id"],
        unique=False,
    )
    op.create_index(
        op.f("ix_tickets_owner_id_updated_at_id"), "tickets", ["owner_id", "updated_at", "id"], unique=False
    )
    op.create_index(
        op.f("ix_tickets_priority_updated_at_id"), "tickets", ["priority", "updated_at", "id"], unique=False
    )
    op.create_index(
        "ix_tickets_queue",
        "tickets",
        ["team_id", "queued_for", "urgency", "queued_at", "id"],
        unique=False,
        sqlite_where=sa.text("queued_for IS NOT NULL"),
        postgresql_where=sa.text("queued_for IS NOT NULL"),
    )
    op.create_index(op.f("ix_tickets_status_resolved_at"), "tickets", ["status", "resolved_at"], unique=False)
    op.create_index(
        op.f("ix_tickets_status_updated_at_id"), "tickets", ["status", "updated_at", "id"], unique=False
    )
    op.create_index(
        op.f("ix_tickets_team_id_status_updated_at_id"),
        "tickets",
        ["team_id", "status", "updated_at", "id"],
        unique=False,
    )
    op.create_index(
        op.f("ix_tickets_team_id_updated_at_id"), "tickets", ["team_id", "updated_at", "id"], unique=False
    )
    op.create_index(op.f("ix_tickets_updated_at_id"), "tickets", ["updated_at", "id"], unique=False)
    op.create_index(
        "ix_tickets_waiting",
        "tickets",
        ["urgency", "queued_at", "id"],
        unique=False,
        sqlite_where=sa.text("queued_for IS NOT NULL"),
        postgresql_where=sa.text("queued_for IS NOT NULL"),
    )
    op.create_index(
        "ix_tickets_waiting_in_team",
        "tickets",
        ["team_id", "urgency", "queued_at", "id"],
        unique=False,
        sqlite_where=sa.text("queued_for IS NOT NULL"),
        postgresql_where=sa.text("queued_for IS NOT NULL"),
    )
    op.create_table(
        "tiers",
        sa.Column("team_id", Id, nullable=False),
        sa.Column("rung", Id, autoincrement=False, nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.ForeignKeyConstraint(["team_id"], ["teams.id"], name=op.f("fk_tiers_team_id")),
        sa.PrimaryKeyConstraint("team_id", "rung", name=op.f("pk_tiers")),
    )
    op.create_table(
        "admissions",
        sa.Column("ticket_id", Id, nullable=False),
        sa.Column("person_id", Id, nullable=False),
        sa.Column("standing", sa.String(), nullable=False),
        sa.Column("since", UtcTime(), nullable=False),
        sa.CheckConstraint("standing IN ('asked', 'swarm')", name=op.f("ck_admissions_standing")),
        sa.ForeignKeyConstraint(["person_id"], ["people.id"], name=op.f("fk_admissions_person_id")),
        sa.ForeignKeyConstraint(["ticket_id"], ["tickets.id"], name=op.f("fk_admissions_ticket_id")),
        sa.PrimaryKeyConstraint("ticket_id", "person_id", name=op.f("pk_admissions")),
    )
    op.create_index(
        op.f("ix_admissions_person_id_ticket_id"), "admissions", ["person_id", "ticket_id"], unique=False
    )
    op.create_table(
        "asks",
        sa.Column("id", Id, nullable=False),
        sa.Column("ticket_id", Id, nullable=False),
        sa.Column("asked_by", Id, nullable=False),
        sa.Column("question", sa.String(), nullable=False),
        sa.Column("tried", sa.String(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("client_id", sa.String(), nullable=False),
        sa.Column("at", UtcTime(), nullable=False),
        sa.Column("closed_at", UtcTime(), nullable=True),
        sa.CheckConstraint("state IN ('open', 'closed')", name=op.f("ck_asks_state")),
        sa.ForeignKeyConstraint(["asked_by"], ["people.id"], name=op.f("fk_asks_asked_by")),
        sa.ForeignKeyConstraint(["ticket_id"], ["tickets.id"], name=op.f("fk_asks_ticket_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_asks")),
        sa.UniqueConstraint("client_id", name=op.f("uq_asks_client_id")),
    )
    op.create_index(op.f("ix_asks_state_at_id"), "asks", ["state", "at", "id"], unique=False)
    op.create_index(op.f("ix_asks_ticket_id_state"), "asks", ["ticket_id", "state"], unique=False)
    op.create_table(
        "draws",
        sa.Column("ticket_id", Id, nullable=False),
        sa.Column("team_id", Id, nullable=False),
        sa.Column("priority", Id, nullable=False),
        sa.Column("policy_version", Id, nullable=False),
        sa.Column("block", Id, nullable=False),
        sa.Column("position", Id, nullable=False),
        sa.Column("block_size", Id, nullable=False),
        sa.Column("probability", sa.Double(), nullable=False),
        sa.Column("mode", sa.String(), nullable=False),
        sa.ForeignKeyConstraint(["team_id"], ["teams.id"], name=op.f("fk_draws_team_id")),
        sa.ForeignKeyConstraint(["ticket_id"], ["tickets.id"], name=op.f("fk_draws_ticket_id")),
        sa.PrimaryKeyConstraint("ticket_id", name=op.f("pk_draws")),
    )
    op.create_index(
        op.f("ix_draws_team_id_policy_version"), "draws", ["team_id", "policy_version"], unique=False
    )
    op.create_table(
        "escalations",
        sa.Column("id", Id, nullable=False),
        sa.Column("ticket_id", Id, nullable=False),
        sa.Column("from_tier", Id, nullable=False),
        sa.Column("to_tier", Id, nullable=False),
        sa.Column("by_id", Id, nullable=False),
        sa.Column("reason", sa.String(), nullable=False),
        sa.Column("note", sa.String(), nullable=False),
        sa.Column("at", UtcTime(), nullable=False),
        sa.Column("ended_at", UtcTime(), nullable=True),
        sa.Column("outcome", sa.String(), nullable=True),
        sa.Column("answer", sa.String(), nullable=False),
        sa.ForeignKeyConstraint(["by_id"], ["people.id"], name=op.f("fk_escalations_by_id")),
        sa.ForeignKeyConstraint(["ticket_id"], ["tickets.id"], name=op.f("fk_escalations_ticket_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_escalations")),
    )
    op.create_index(
        op.f("ix_escalations_ticket_id_ended_at"), "escalations", ["ticket_id", "ended_at"], unique=False
    )
    op.create_table(
        "links",
        sa.Column("key", sa.String(), nullable=False),
        sa.Column("ticket_id", Id, nullable=False),
        sa.Column("customer_id", Id, nullable=False),
        sa.Column("made_by", sa.String(), nullable=False),
        sa.Column("created_at", UtcTime(), nullable=False),
        sa.Column("expires_at", UtcTime(), nullable=False),
        sa.Column("used_at", UtcTime(), nullable=True),
        sa.ForeignKeyConstraint(["customer_id"], ["customers.id"], name=op.f("fk_links_customer_id")),
        sa.ForeignKeyConstraint(["ticket_id"], ["tickets.id"], name=op.f("fk_links_ticket_id")),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_links")),
    )
    op.create_index(op.f("ix_links_ticket_id"), "links", ["ticket_id"], unique=False)
    op.create_table(
        "messages",
        sa.Column("id", Id, nullable=False),
        sa.Column("ticket_id", Id, nullable=False),
        sa.Column("lane", sa.String(), nullable=False),
        sa.Column("author", sa.String(), nullable=False),
        sa.Column("body", sa.String(), nullable=False),
        sa.Column("client_id", sa.String(), nullable=False),
        sa.Column("seq", Id, nullable=False),
        sa.Column("at", UtcTime(), nullable=False),
        sa.CheckConstraint("lane IN ('lane', 'room')", name=op.f("ck_messages_lane")),
        sa.ForeignKeyConstraint(["ticket_id"], ["tickets.id"], name=op.f("fk_messages_ticket_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_messages")),
        sa.UniqueConstraint(
            "ticket_id",
            "lane",
            "author",
            "client_id",
            name=op.f("uq_messages_ticket_id_lane_author_client_id"),
        ),
    )
    op.create_index(
        op.f("ix_messages_ticket_id_lane_id"), "messages", ["ticket_id", "lane", "id"], unique=False
    )
    op.create_table(
        "ownerships",
        sa.Column("ticket_id", Id, nullable=False),
        sa.Column("position", Id, autoincrement=False, nullable=False),
        sa.Column("owner_id", Id, nullable=False),
        sa.Column("from_id", Id, nullable=True),
        sa.Column("how", sa.String(), nullable=False),
        sa.Column("reason", sa.String(), nullable=False),
        sa.Column("by", sa.String(), nullable=False),
        sa.Column("at", UtcTime(), nullable=False),
        sa.ForeignKeyConstraint(["from_id"], ["people.id"], name=op.f("fk_ownerships_from_id")),
        sa.ForeignKeyConstraint(["owner_id"], ["people.id"], name=op.f("fk_ownerships_owner_id")),
        sa.ForeignKeyConstraint(["ticket_id"], ["tickets.id"], name=op.f("fk_ownerships_ticket_id")),
        sa.PrimaryKeyConstraint("ticket_id", "position", name=op.f("pk_ownerships")),
    )
    op.create_index(
        op.f("ix_ownerships_owner_id_ticket_id"), "ownerships", ["owner_id", "ticket_id"], unique=False
    )
    op.create_table(
        "session_cases",
        sa.Column("session_key", sa.String(), nullable=False),
        sa.Column("ticket_id", Id, nullable=False),
        sa.ForeignKeyConstraint(["session_key"], ["sessions.key"], name=op.f("fk_session_cases_session_key")),
        sa.ForeignKeyConstraint(["ticket_id"], ["tickets.id"], name=op.f("fk_session_cases_ticket_id")),
        sa.PrimaryKeyConstraint("session_key", "ticket_id", name=op.f("pk_session_cases")),
    )
    op.create_table(
        "ticket_tags",
        sa.Column("ticket_id", Id, nullable=False),
        sa.Column("tag", sa.String(), nullable=False),
        sa.ForeignKeyConstraint(["ticket_id"], ["tickets.id"], name=op.f("fk_ticket_tags_ticket_id")),
        sa.PrimaryKeyConstraint("ticket_id", "tag", name=op.f("pk_ticket_tags")),
    )
    op.create_index(op.f("ix_ticket_tags_tag_ticket_id"), "ticket_tags", ["tag", "ticket_id"], unique=False)
    op.create_table(
        "ask_skills",
        sa.Column("ask_id", Id, nullable=False),
        sa.Column("skill_id", Id, nullable=False),
        sa.ForeignKeyConstraint(["ask_id"], ["asks.id"], name=op.f("fk_ask_skills_ask_id")),
        sa.ForeignKeyConstraint(["skill_id"], ["skills.id"], name=op.f("fk_ask_skills_skill_id")),
        sa.PrimaryKeyConstraint("ask_id", "skill_id", name=op.f("pk_ask_skills")),
    )
    op.create_index(op.f("ix_ask_skills_skill_id_ask_id"), "ask_skills", ["skill_id", "ask_id"], unique=False)
    op.create_table(
        "invitations",
        sa.Column("id", Id, nullable=False),
        sa.Column("ask_id", Id, nullable=False),
        sa.Column("ticket_id", Id, nullable=False),
        sa.Column("person_id", Id, nullable=False),
        sa.Column("named", sa.Boolean(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("said", sa.String(), nullable=False),
        sa.Column("at", UtcTime(), nullable=False),
        sa.Column("answered_at", UtcTime(), nullable=True),
        sa.CheckConstraint(
            "state IN ('pending', 'accepted', 'declined', 'withdrawn')", name=op.f("ck_invitations_state")
        ),
        sa.ForeignKeyConstraint(["ask_id"], ["asks.id"], name=op.f("fk_invitations_ask_id")),
        sa.ForeignKeyConstraint(["person_id"], ["people.id"], name=op.f("fk_invitations_person_id")),
        sa.ForeignKeyConstraint(["ticket_id"], ["tickets.id"], name=op.f("fk_invitations_ticket_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_invitations")),
    )
    op.create_index(op.f("ix_invitations_ask_id"), "invitations", ["ask_id"], unique=False)
    op.create_index(
        op.f("ix_invitations_person_id_state_at_id"),
        "invitations",
        ["person_id", "state", "at", "id"],
        unique=False,
    )
    op.create_index(
        op.f("ix_invitations_ticket_id_person_id_state"),
        "invitations",
        ["ticket_id", "person_id", "state"],
        unique=False,
    )
    op.create_table(
        "stays",
        sa.Column("id", Id, nullable=False),
        sa.Column("ticket_id", Id, nullable=False),
        sa.Column("person_id", Id, nullable=False),
        sa.Column("ask_id", Id, nullable=True),
        sa.Column("how", sa.String(), nullable=False),
        sa.Column("joined_at", UtcTime(), nullable=False),
        sa.Column("left_at", UtcTime(), nullable=True),
        sa.Column("left_how", sa.String(), nullable=True),
        sa.ForeignKeyConstraint(["ask_id"], ["asks.id"], name=op.f("fk_stays_ask_id")),
        sa.ForeignKeyConstraint(["person_id"], ["people.id"], name=op.f("fk_stays_person_id")),
        sa.ForeignKeyConstraint(["ticket_id"], ["tickets.id"], name=op.f("fk_stays_ticket_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_stays")),
    )
    op.create_index(op.f("ix_stays_person_id_left_at"), "stays", ["person_id", "left_at"], unique=False)
    op.create_index(
        "uq_stays_present",
        "stays",
        ["ticket_id", "person_id"],
        unique=True,
        sqlite_where=sa.text("left_at IS NULL"),
        postgresql_where=sa.text("left_at IS NULL"),
    )
    op.create_table(
        "invitation_skills",
        sa.Column("invitation_id", Id, nullable=False),
        sa.Column("skill_id", Id, nullable=False),
        sa.ForeignKeyConstraint(
            ["invitation_id"], ["invitations.id"], name=op.f("fk_invitation_skills_invitation_id")
        ),
        sa.ForeignKeyConstraint(["skill_id"], ["skills.id"], name=op.f("fk_invitation_skills_skill_id")),
        sa.PrimaryKeyConstraint("invitation_id", "skill_id", name=op.f("pk_invitation_skills")),
    )
    for table in APPEND_ONLY:
        _append_only(table)


def _append_only(table: str) -> None:
    """Let the database itself refuse to rewrite history."""
    if op.get_bind().dialect.name == "sqlite":
        for verb in ("UPDATE", "DELETE"):
            op.execute(
                f"CREATE TRIGGER {table}_no_{verb.lower()} BEFORE {verb} ON {table} "
                f"BEGIN SELECT RAISE(ABORT, '{table} is append-only'); END"
            )
        return
    op.execute(
        "CREATE OR REPLACE FUNCTION append_only() RETURNS trigger LANGUAGE plpgsql AS "
        "$$ BEGIN RAISE EXCEPTION '% is append-only', TG_TABLE_NAME; END $$"
    )
    op.execute(
        f"CREATE TRIGGER {table}_append_only BEFORE UPDATE OR DELETE ON {table} "
        "FOR EACH ROW EXECUTE FUNCTION append_only()"
    )
