"""Where the demo stands, kept in the database so that a second start goes on, and the secrets its tills need, kept in a file."""

from __future__ import annotations

import os
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path
from typing import Any

import msgspec
import sqlalchemy as sa
from sqlalchemy.dialects import postgresql as pg
from sqlalchemy.ext.asyncio import AsyncConnection

from onhand.integrations.demo.model import Calendar
from onhand.integrations.demo.tables import demo_state


@dataclass(frozen=True, slots=True)
class State:
    """One demo. Days count from the source's first; everything before `posted_day`, `posted_second` is posted.

    `first_day` is the day of the opening stock; days before `live_day` are posted as history; `loaded` says that
    places, people, opening stock and all goods ever sold are there, `complete` that the rest of the catalogue is, too.
    """

    anchor: date
    stores: int
    first_day: int
    live_day: int
    loaded: bool
    posted_day: int
    posted_second: int = 0
    complete: bool = False

    @property
    def calendar(self) -> Calendar:
        """Which day is which date."""
        return Calendar(self.anchor)

    def at(self, day: int, second: int = 0) -> State:
        """The same demo, posted up to an instant."""
        return replace(self, posted_day=day, posted_second=second)


async def read(conn: AsyncConnection) -> State | None:
    """The demo of this database; None when it has none."""
    row = (await conn.execute(sa.select(demo_state))).mappings().first()
    return None if row is None else State(**{name: value for name, value in row.items() if name != "one"})


async def write(conn: AsyncConnection, state: State) -> None:
    """Remember where the demo stands."""
    values: dict[str, Any] = {name: getattr(state, name) for name in State.__slots__}
    statement = pg.insert(demo_state).values(one=1, **values)
    await conn.execute(statement.on_conflict_do_update(index_elements=["one"], set_=values))


class Login(msgspec.Struct, frozen=True):
    """A person of the demo, to sign in as."""

    role: str
    email: str
    password: str
    where: str


class Secrets(msgspec.Struct, frozen=True):
    """What only this machine knows: the keys of the stores' tills by store code, and the demo's logins."""

    keys: dict[str, str]
    logins: list[Login]


def secrets_file(data_dir: Path) -> Path:
    """Where the secrets are kept: readable by this user alone."""
    return data_dir / "demo.json"


def read_secrets(data_dir: Path) -> Secrets | None:
    """The secrets of this machine's demo; None when there are none."""
    path = secrets_file(data_dir)
    return msgspec.json.decode(path.read_bytes(), type=Secrets) if path.is_file() else None


def write_secrets(data_dir: Path, secrets: Secrets) -> None:
    """Keep the secrets, readable by this user alone."""
    data_dir.mkdir(parents=True, exist_ok=True)
    path = secrets_file(data_dir)
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(handle, "wb") as file:
        file.write(msgspec.json.format(msgspec.json.encode(secrets)) + b"\n")
