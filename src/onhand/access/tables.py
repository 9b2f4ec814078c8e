"""Tables of access: the organisation, people, roles, credentials, saved views, and the audit log."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql as pg

from onhand.kit.database import metadata

_NOW = sa.text("clock_timestamp()")


def _at(name: str, *, required: bool = False) -> sa.Column[Any]:
    return sa.Column(name, sa.DateTime(timezone=True), nullable=not required)


def _made() -> sa.Column[Any]:
    return sa.Column("created_at", sa.DateTime(timezone=True), nullable=False, server_default=_NOW)


def _version() -> sa.Column[Any]:
    return sa.Column("version", sa.Integer, nullable=False, server_default="1")


def _limits() -> tuple[sa.Column[Any], ...]:
    return (sa.Column("adjust_units", sa.Numeric), sa.Column("adjust_value", sa.Numeric(20, 6)))


organisation = sa.Table(
    "organisation",
    metadata,
    sa.Column("one", sa.SmallInteger, primary_key=True, server_default="1"),
    sa.Column("id", sa.Uuid, nullable=False),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("currency", sa.Text, nullable=False),
    sa.Column("locale", sa.Text, nullable=False),
    sa.Column("time_zone", sa.Text, nullable=False),
    sa.Column("setup_done", sa.Boolean, nullable=False, server_default="false"),
    _version(),
    _made(),
    sa.CheckConstraint("one = 1", name="single"),
    sa.CheckConstraint("currency ~ '^[A-Z]{3}$'", name="currency"),
)

role = sa.Table(
    "role",
    metadata,
    sa.Column("id", sa.Uuid, primary_key=True),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("permissions", pg.ARRAY(sa.Text), nullable=False),
    *_limits(),
    sa.Column("builtin", sa.Boolean, nullable=False, server_default="false"),
    _version(),
    _made(),
    sa.UniqueConstraint("name"),
)

app_user = sa.Table(
    "app_user",
    metadata,
    sa.Column("id", sa.Uuid, primary_key=True),
    sa.Column("email", sa.Text, nullable=False),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("locale", sa.Text),
    sa.Column("active", sa.Boolean, nullable=False, server_default="true"),
    sa.Column("password_hash", sa.Text),
    sa.Column("totp_secret", sa.LargeBinary),
    _at("totp_confirmed_at"),
    sa.Column("totp_last_step", sa.BigInteger),
    sa.Column("rights_version", sa.Integer, nullable=False, server_default="1"),
    _at("last_seen_at"),
    _version(),
    _made(),
    sa.UniqueConstraint("email"),
    sa.CheckConstraint("email = lower(email)", name="email_lower"),
)

assignment = sa.Table(
    "assignment",
    metadata,
    sa.Column("id", sa.Uuid, primary_key=True),
    sa.Column("user_id", sa.ForeignKey("app_user.id"), nullable=False),
    sa.Column("role_id", sa.ForeignKey("role.id"), nullable=False, index=True),
    sa.Column("location_id", sa.Uuid),
    sa.UniqueConstraint("user_id", "role_id", "location_id", postgresql_nulls_not_distinct=True),
)

recovery_code = sa.Table(
    "recovery_code",
    metadata,
    sa.Column("user_id", sa.ForeignKey("app_user.id"), primary_key=True),
    sa.Column("code_hash", sa.LargeBinary, primary_key=True),
    _at("used_at"),
)

session = sa.Table(
    "session",
    metadata,
    sa.Column("id", sa.Uuid, primary_key=True),
    sa.Column("user_id", sa.ForeignKey("app_user.id"), nullable=False, index=True),
    sa.Column("token_hash", sa.LargeBinary, nullable=False),
    sa.Column("previous_hash", sa.LargeBinary),
    _at("rotated_at"),
    sa.Column("rights_version", sa.Integer, nullable=False),
    _made(),
    _at("seen_at", required=True),
    _at("expires_at", required=True),
    _at("ended_at"),
    sa.Column("ip", sa.Text, nullable=False, server_default=""),
    sa.Column("user_agent", sa.Text, nullable=False, server_default=""),
    sa.UniqueConstraint("token_hash"),
    sa.Index(
        "session_previous_hash_idx", "previous_hash", postgresql_where=sa.text("previous_hash IS NOT NULL")
    ),
)

mailed_link = sa.Table(
    "mailed_link",
    metadata,
    sa.Column("id", sa.Uuid, primary_key=True),
    sa.Column("kind", sa.Text, nullable=False),
    sa.Column("user_id", sa.ForeignKey("app_user.id"), nullable=False, index=True),
    sa.Column("token_hash", sa.LargeBinary, nullable=False),
    _made(),
    _at("expires_at", required=True),
    _at("used_at"),
    sa.UniqueConstraint("token_hash"),
    sa.CheckConstraint("kind IN ('invitation', 'password_reset')", name="kind"),
)

sign_in_tries = sa.Table(
    "sign_in_tries",
    metadata,
    sa.Column("key", sa.LargeBinary, primary_key=True),
    sa.Column("failures", sa.Integer, nullable=False),
    _at("last_at", required=True),
    _at("wait_until", required=True),
)

api_key = sa.Table(
    "api_key",
    metadata,
    sa.Column("id", sa.Uuid, primary_key=True),
    sa.Column("public_id", sa.Text, nullable=False),
    sa.Column("secret_hash", sa.LargeBinary, nullable=False),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("scopes", pg.ARRAY(sa.Text), nullable=False),
    sa.Column("location_ids", pg.ARRAY(sa.Uuid)),
    *_limits(),
    _at("expires_at", required=True),
    _at("last_used_at"),
    _at("revoked_at"),
    sa.Column("created_by", sa.Uuid, nullable=False),
    _made(),
    sa.UniqueConstraint("public_id"),
)

saved_view = sa.Table(
    "saved_view",
    metadata,
    sa.Column("id", sa.Uuid, primary_key=True),
    sa.Column("owner", sa.Uuid, nullable=False, index=True),
    sa.Column("page", sa.Text, nullable=False),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("query", sa.Text, nullable=False),
    sa.Column("shared", sa.Boolean, nullable=False, server_default="false"),
    _made(),
    sa.UniqueConstraint("owner", "page", "name"),
)

audit = sa.Table(
    "audit",
    metadata,
    sa.Column("id", sa.Uuid, primary_key=True),
    sa.Column("at", sa.DateTime(timezone=True), nullable=False),
    sa.Column("actor_id", sa.Uuid, nullable=False),
    sa.Column("actor_kind", sa.Text, nullable=False),
    sa.Column("actor_name", sa.Text, nullable=False),
    sa.Column("action", sa.Text, nullable=False),
    sa.Column("entity", sa.Text, nullable=False),
    sa.Column("entity_id", sa.Text, nullable=False),
    sa.Column("request", sa.Text, nullable=False, server_default=""),
    sa.Column("request_id", sa.Text, nullable=False, server_default=""),
    sa.Column("ip", sa.Text, nullable=False, server_default=""),
    sa.Column("changes", pg.JSONB, nullable=False),
    sa.Column("touched", pg.ARRAY(sa.Text)),
    sa.Index(None, "entity", "entity_id", "id"),
    sa.Index(
        "audit_touched_idx",
        "touched",
        postgresql_using="gin",
        postgresql_where=sa.text("touched IS NOT NULL"),
    ),
)
"""Append-only (sql/audit.sql). `touched` names the further things of a request, `entity:id`, so each finds its history."""
