"""The stories of access against the database: what nobody may hand out, the last admin, limits, links, upkeep."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any
from uuid import UUID

import pytest

from onhand import access
from onhand.access import actions, store
from onhand.access.model import (
    BuiltinRole,
    Caller,
    EmailTaken,
    Grant,
    GrantExceeded,
    KeyLifetime,
    LastAdmin,
    Limits,
    OwnRoleFixed,
    RoleInUse,
    SecondFactorUnreadable,
    UnknownLocation,
    UnknownRole,
)
from onhand.access.vault import Vault, read_block_list, read_key
from onhand.kit.clock import now
from onhand.kit.ids import uuid7
from onhand.kit.problem import NotFound, Stale
from onhand.kit.settings import Settings

if TYPE_CHECKING:
    from pathlib import Path

    from tests.access.conftest import World

ADMIN = Caller(
    id=UUID(int=7),
    kind="user",
    name="Root",
    roles=("admin",),
    grants=(Grant(frozenset(access.PERMISSIONS), None),),
)


async def caller_for(world: World, user_id: UUID) -> Caller:
    """A person as the gate would load them."""
    async with world.database.writing() as tx:
        opened = await actions.open_session(tx, user_id=user_id, rights_version=1, ip="", agent="")
    caller = await world.access.gate.by_session(opened.token)
    assert caller is not None
    return caller


async def change(
    world: World, caller: Caller, user_id: UUID, *assignments: tuple[str, UUID | None], **changes: Any
) -> None:
    chosen = [access.Assignment(*a) for a in assignments] if assignments else None
    async with world.database.writing() as tx:
        await actions.change_user(
            tx, caller=caller, user_id=user_id, version=None, changes=changes, assignments=chosen
        )


HAND_OUT = [
    # the helper's own roles, what they try to give, allowed
    ([("helper", None)], ("helper", None), True),
    ([("helper", None)], ("clerk", None), False),
    ([("helper", "north")], ("helper", "north"), True),
    ([("helper", "north")], ("helper", "south"), False),
    ([("helper", "north")], ("helper", "region"), False),
    ([("helper", "north")], ("helper", None), False),
    ([("helper", "region")], ("helper", "south"), True),
    ([("helper", "north"), ("helper", "south")], ("helper", "region"), True),
    ([("admin", None)], ("clerk", "south"), True),
]


@pytest.fixture(scope="module")
async def helper(world: World) -> None:
    """A role that may manage people, but little else."""
    async with world.database.writing() as tx:
        await access.add_role(
            tx, caller=ADMIN, role_id=uuid7(), name="helper", permissions=["users:read", "users:write", "stock:read"],
            limits=Limits(),
        )  # fmt: skip


@pytest.mark.parametrize(("own", "given", "allowed"), HAND_OUT)
async def test_nobody_hands_out_what_they_lack(
    world: World, helper: None, own: Any, given: Any, allowed: bool
) -> None:
    places = {"north": world.north, "south": world.south, "region": world.region, None: None}
    name = uuid7().hex
    me = await caller_for(world, await world.person(name, *[(r, places[p]) for r, p in own], password=None))
    other = await world.person(f"{name}x", password=None)
    if allowed:
        await change(world, me, other, (given[0], places[given[1]]))
    else:
        with pytest.raises(GrantExceeded):
            await change(world, me, other, (given[0], places[given[1]]))


async def test_nobody_changes_those_above_them(world: World, helper: None) -> None:
    me = await caller_for(world, await world.person("nearby", ("helper", world.north), password=None))
    boss = await world.person("above", ("manager", None), password=None)
    with pytest.raises(GrantExceeded):
        await change(world, me, boss, active=False)
    with pytest.raises(GrantExceeded):
        await change(world, me, boss, email="mine@example.com")


async def test_own_rights_are_fixed(world: World) -> None:
    user_id = await world.person("fixed", ("admin", None), password=None)
    me = await caller_for(world, user_id)
    for changes in ({"active": False}, {"totp_enabled": False}):
        with pytest.raises(OwnRoleFixed):
            await change(world, me, user_id, **changes)
    with pytest.raises(OwnRoleFixed):
        await change(world, me, user_id, ("clerk", None))
    await change(world, me, user_id, name="My new name")


async def test_the_last_admin_stays_even_when_two_remove_each_other(world: World) -> None:
    left = await world.person("left", ("admin", None))
    right = await world.person("right", ("admin", None))
    first, second = await caller_for(world, left), await caller_for(world, right)
    outcomes = await asyncio.gather(
        change(world, first, right, active=False),
        change(world, second, left, ("clerk", None)),
        return_exceptions=True,
    )
    assert sorted(type(o).__name__ for o in outcomes) == ["LastAdmin", "NoneType"], outcomes
    async with world.database.engine.connect() as conn:
        assert await store.count_admins(conn) == 1
    everything = [access.Assignment("admin")]
    async with world.database.writing() as tx:
        keeper = await store.user_by_email(tx.conn, email="left@example.com")
        assert keeper is not None
        if not keeper.active or not await world.rows(
            "SELECT 1 FROM assignment WHERE user_id = :u", u=keeper.id
        ):
            await actions.change_user(
                tx,
                caller=ADMIN,
                user_id=keeper.id,
                version=None,
                changes={"active": True},
                assignments=everything,
            )


async def test_an_admin_who_never_came_does_not_count(world: World) -> None:
    """Somebody invited but not arrived cannot keep the keys."""
    await world.person("paper", ("admin", None), password=None)
    async with world.database.engine.connect() as conn:
        admins = await store.count_admins(conn)
    rows = await world.rows(
        "SELECT u.id FROM app_user u JOIN assignment a ON a.user_id = u.id WHERE u.active AND u.password_hash IS NOT NULL AND a.location_id IS NULL AND a.role_id = :r",
        r=access.builtin_role_id("admin"),
    )
    assert admins == len(rows)
    for row in rows[1:]:
        await change(world, ADMIN, row.id, ("clerk", None))
    with pytest.raises(LastAdmin):
        await change(world, ADMIN, rows[0].id, ("clerk", None))


async def test_refusals_of_people(world: World) -> None:
    user_id = await world.person("refusals", password=None)
    with pytest.raises(UnknownRole, match="pilot"):
        await change(world, ADMIN, user_id, ("pilot", None))
    with pytest.raises(UnknownLocation) as refused:
        await change(world, ADMIN, user_id, ("clerk", world.north), ("clerk", world.shelf))
    assert refused.value.param == "assignments.1.location_id"
    with pytest.raises(EmailTaken):
        await world.person("refusals", password=None)
    with pytest.raises(NotFound):
        await change(world, ADMIN, uuid7(), name="x")
    with pytest.raises(Stale):
        async with world.database.writing() as tx:
            await actions.change_user(tx, caller=ADMIN, user_id=user_id, version=99, changes={"name": "x"})


async def test_a_role_in_use_stays_and_its_change_reaches_its_holders(world: World) -> None:
    role_id = uuid7()
    async with world.database.writing() as tx:
        await access.add_role(
            tx,
            caller=ADMIN,
            role_id=role_id,
            name="picker",
            permissions=["stock:move"],
            limits=Limits(Decimal(5)),
        )
    user_id = await world.person("holder", ("picker", world.north), password=None)
    holder = await caller_for(world, user_id)
    with pytest.raises(RoleInUse):
        async with world.database.writing() as tx:
            await actions.remove_role(tx, caller=ADMIN, role_id=role_id)
    async with world.database.writing() as tx:
        await actions.change_role(
            tx, caller=ADMIN, role_id=role_id, version=None, permissions=["stock:adjust"]
        )
    assert not await world.access.gate.still_valid(holder)
    again = await caller_for(world, user_id)
    assert again.may("stock:adjust", world.north)
    assert again.limits(world.north) == Limits(Decimal(5))
    me = Caller(id=uuid7(), kind="user", name="x", roles=("picker",), grants=ADMIN.grants)
    with pytest.raises(OwnRoleFixed):
        async with world.database.writing() as tx:
            await actions.change_role(
                tx, caller=me, role_id=role_id, version=None, permissions=["costs:read"]
            )
    with pytest.raises(BuiltinRole):
        async with world.database.writing() as tx:
            await actions.remove_role(tx, caller=ADMIN, role_id=access.builtin_role_id("clerk"))


async def test_roles_hold_no_more_than_their_maker(world: World) -> None:
    some = Caller(
        id=uuid7(), kind="user", name="x", grants=(Grant(frozenset({"roles:write", "stock:read"}), None),)
    )
    with pytest.raises(GrantExceeded) as refused:
        async with world.database.writing() as tx:
            await access.add_role(
                tx,
                caller=some,
                role_id=uuid7(),
                name="sneaky",
                permissions=["stock:read", "costs:read"],
                limits=Limits(),
            )
    assert refused.value.data["missing"] == ["costs:read"]


async def test_a_key_has_its_makers_limits_and_does_not_outlive_a_key(world: World) -> None:
    maker = Caller(
        id=uuid7(), kind="key", name="k", expires_at=now() + timedelta(days=5),
        grants=(Grant(frozenset({"keys:write", "stock:adjust"}), frozenset({world.north}), Limits(Decimal(3))),),
    )  # fmt: skip

    async def make(scopes: list[str], places: list[UUID] | None, days: int) -> UUID:
        key_id = uuid7()
        async with world.database.writing() as tx:
            await access.make_key(
                tx, caller=maker, key_id=key_id, name="x", scopes=scopes, location_ids=places,
                expires_at=now() + timedelta(days=days),
            )  # fmt: skip
        return key_id

    made = await make(["stock:adjust"], [world.north], 2)
    assert (await world.rows("SELECT adjust_units FROM api_key WHERE id = :id", id=made))[0].adjust_units == 3
    for scopes, places in (
        (["stock:adjust"], None),
        (["stock:adjust"], [world.south]),
        (["stock:read"], [world.north]),
    ):
        with pytest.raises(GrantExceeded):
            await make(scopes, places, 2)
    with pytest.raises(KeyLifetime):
        await make(["stock:adjust"], [world.north], 6)
    with pytest.raises(UnknownLocation):
        await make(["stock:adjust"], [world.shelf], 2)


async def test_builtin_roles_follow_the_version_but_keep_their_limits(world: World) -> None:
    async with world.database.engine.begin() as conn:
        import sqlalchemy as sa

        await conn.execute(
            sa.text("UPDATE role SET permissions = '{}', adjust_units = 7 WHERE name = 'cashier'")
        )
        await access.ensure_builtin_roles(conn)
    row = (await world.rows("SELECT permissions, adjust_units FROM role WHERE name = 'cashier'"))[0]
    assert set(row.permissions) == access.BUILTIN_ROLES["cashier"]
    assert row.adjust_units == 7


async def test_upkeep_forgets_what_ended_long_ago(world: World) -> None:
    user_id = await world.person("upkeep", password=None)
    await caller_for(world, user_id)
    async with world.database.engine.begin() as conn:
        await store.prune(conn, now=now())
    assert await world.rows("SELECT 1 FROM session WHERE user_id = :u", u=user_id)
    async with world.database.engine.begin() as conn:
        await store.prune(conn, now=now() + timedelta(days=40))
    assert not await world.rows("SELECT 1 FROM session")
    assert not await world.rows("SELECT 1 FROM sign_in_tries")


# --- the vault -------------------------------------------------------------------------------------------------


async def test_the_vault_hashes_two_at_a_time_and_unknown_people_cost_the_same(world: World) -> None:
    vault = world.access.vault
    stored = await vault.hash_password("Trailing kettles sing loudly")
    assert stored.startswith("$argon2id$v=19$m=19456,t=2,p=1$")
    answers = await asyncio.gather(*(vault.fits("Trailing kettles sing loudly", stored) for _ in range(6)))
    assert answers == [True] * 6
    assert not await vault.fits("trailing kettles sing loudly", stored)
    assert not await vault.fits("anything", None)


def test_the_key_is_made_once_and_opens_only_its_owners_secret(tmp_path: Path) -> None:
    settings = Settings(data_dir=tmp_path)
    key = read_key(settings)
    assert read_key(settings) == key
    assert (tmp_path / "secret.key").stat().st_mode & 0o777 == 0o600
    assert [p.name for p in tmp_path.iterdir()] == ["secret.key"]
    vault = Vault(key=key, blocked=read_block_list(None))
    sealed = vault.seal("JBSWY3DP", owner=b"ada")
    assert vault.unseal(sealed, owner=b"ada") == "JBSWY3DP"
    assert sealed != vault.seal("JBSWY3DP", owner=b"ada")
    with pytest.raises(SecondFactorUnreadable):
        vault.unseal(sealed, owner=b"bob")
    other = Vault(key=read_key(Settings(data_dir=tmp_path, secret_key="another")), blocked=vault.blocked)
    with pytest.raises(SecondFactorUnreadable):
        other.unseal(sealed, owner=b"ada")
    vault.close()
    other.close()


def test_a_site_plugs_in_its_own_list(tmp_path: Path) -> None:
    path = tmp_path / "breached.txt"
    path.write_text("Our old till code\n\n")
    assert "our old till code" in read_block_list(path).exact
