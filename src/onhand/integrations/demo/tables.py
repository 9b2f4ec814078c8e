"""The demo's memory: on which day it was put, and how far it was played."""

from __future__ import annotations

import sqlalchemy as sa

from onhand.kit.database import metadata

demo_state = sa.Table(
    "demo_state",
    metadata,
    sa.Column("one", sa.SmallInteger, primary_key=True, server_default="1"),
    sa.Column("anchor", sa.Date, nullable=False),
    sa.Column("stores", sa.Integer, nullable=False),
    sa.Column("first_day", sa.Integer, nullable=False),
    sa.Column("live_day", sa.Integer, nullable=False),
    sa.Column("loaded", sa.Boolean, nullable=False, server_default="false"),
    sa.Column("complete", sa.Boolean, nullable=False, server_default="false"),
    sa.Column("posted_day", sa.Integer, nullable=False),
    sa.Column("posted_second", sa.Integer, nullable=False, server_default="0"),
    sa.CheckConstraint("one = 1", name="single"),
)
