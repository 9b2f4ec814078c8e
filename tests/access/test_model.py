"""The rules of access as tables: who may what where, what nobody may hand out, which secrets are good enough."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from uuid import UUID

import pyotp
import pytest
from hypothesis import given
from hypothesis import strategies as st

from onhand.access.model import (
    BUILTIN_ROLES,
    PERMISSIONS,
    SYSTEM,
    BlockList,
    Caller,
    Grant,
    GrantExceeded,
    KeyLifetime,
    LastAdmin,
    Limits,
    LocationNotAllowed,
    OwnRoleFixed,
    Patience,
    Scope,
    Tries,
    UnknownPermission,
    WeakPassword,
    builtin_role_id,
    check_admin_left,
    check_grant,
    check_key_lifetime,
    check_not_own_role,
    check_not_self,
    check_password,
    covers,
    field_changes,
    guess_bits,
    is_admin,
    known_permissions,
    new_key,
    new_recovery_codes,
    new_totp_secret,
    one_more_try,
    parse_key,
    recovery_digest,
    summarise,
    totp_step,
    totp_uri,
    union,
    wait_seconds,
)
from onhand.access.vault import shipped_block_list
from onhand.kit.problem import Forbidden
from onhand.kit.tx import Change

A, B, C = UUID(int=1), UUID(int=2), UUID(int=3)
NOW = datetime(2026, 11, 21, 8, 0, tzinfo=UTC)


def caller(*grants: Grant, roles: Iterable[str] = ()) -> Caller:
    return Caller(id=UUID(int=99), kind="user", name="Ada", grants=grants, roles=tuple(roles))


def grant(permissions: str, *sites: UUID, limits: Limits | None = None) -> Grant:
    return Grant(frozenset(permissions.split()), frozenset(sites) or None, limits or Limits())


# --- scope algebra ---------------------------------------------------------------------------------------------

SCOPES: list[tuple[Scope, Scope, Scope, bool]] = [
    # left, right, union, left covers right
    (None, None, None, True),
    (None, frozenset({A}), None, True),
    (frozenset({A}), None, None, False),
    (frozenset({A}), frozenset({A}), frozenset({A}), True),
    (frozenset({A}), frozenset({B}), frozenset({A, B}), False),
    (frozenset({A, B}), frozenset({B}), frozenset({A, B}), True),
    (frozenset(), frozenset({A}), frozenset({A}), False),
    (frozenset({A}), frozenset(), frozenset({A}), True),
]


@pytest.mark.parametrize(("left", "right", "both", "covered"), SCOPES)
def test_scope_algebra(left: Scope, right: Scope, both: Scope, covered: bool) -> None:
    assert union(left, right) == both
    assert covers(left, right) is covered


scopes = st.none() | st.frozensets(st.sampled_from([A, B, C]))


@given(scopes, scopes)
def test_a_union_covers_both_and_nothing_else(left: Scope, right: Scope) -> None:
    both = union(left, right)
    assert covers(both, left)
    assert covers(both, right)
    assert union(right, left) == both
    for site in (A, B, C):
        held = left is None or right is None or site in left or site in right
        assert (both is None or site in both) == held


MAY = [
    # grants, permission, site, allowed
    ((), "stock:read", None, False),
    ((grant("stock:read"),), "stock:read", A, True),
    ((grant("stock:read"),), "stock:adjust", A, False),
    ((grant("stock:read", A),), "stock:read", A, True),
    ((grant("stock:read", A),), "stock:read", B, False),
    ((grant("stock:read", A),), "stock:read", None, True),
    ((grant("stock:read", A), grant("stock:read", B)), "stock:read", B, True),
    ((Grant(frozenset({"stock:read"}), frozenset()),), "stock:read", None, False),
    ((grant("settings:write", A),), "settings:write", None, False),
    ((grant("settings:write"),), "settings:write", None, True),
    ((grant("audit:read", A),), "audit:read", A, False),
]


@pytest.mark.parametrize(("grants", "permission", "site", "allowed"), MAY)
def test_may(grants: tuple[Grant, ...], permission: str, site: UUID | None, allowed: bool) -> None:
    who = caller(*grants)
    assert who.may(permission, site) is allowed
    if allowed:
        who.require(permission, site)
    else:
        with pytest.raises(Forbidden):
            who.require(permission, site)


def test_the_refusal_tells_a_missing_permission_from_a_missing_place() -> None:
    who = caller(grant("stock:adjust", A))
    with pytest.raises(LocationNotAllowed):
        who.require("stock:adjust", B)
    with pytest.raises(Forbidden) as refused:
        who.require("stock:set", A)
    assert refused.value.code == "forbidden"
    assert refused.value.data["needs"] == "stock:set"


def test_sites_for_lists() -> None:
    who = caller(grant("stock:read", A), grant("stock:read", B), grant("sales:read"))
    assert who.sites("stock:read") == frozenset({A, B})
    assert who.sites("sales:read") is None
    assert who.sites("costs:read") == frozenset()


def test_limits_are_the_widest_of_the_roles_at_that_place() -> None:
    ten, hundred = Limits(Decimal(10), Decimal(50)), Limits(Decimal(100), Decimal(20))
    who = caller(grant("stock:adjust", A, limits=ten), grant("stock:adjust stock:read", A, B, limits=hundred))
    assert who.limits(A) == Limits(Decimal(100), Decimal(50))
    assert who.limits(B) == hundred
    assert who.limits(C) is None
    assert caller(grant("stock:read")).limits(A) is None
    assert SYSTEM.limits(A) == Limits()


# --- roles -----------------------------------------------------------------------------------------------------


def test_builtin_roles_know_only_known_permissions() -> None:
    for name, permissions in BUILTIN_ROLES.items():
        assert permissions <= set(PERMISSIONS), name
    assert BUILTIN_ROLES["admin"] == set(PERMISSIONS)
    assert all(p.endswith(":read") for p in BUILTIN_ROLES["auditor"])
    assert not BUILTIN_ROLES["manager"] & {"users:write", "roles:write", "keys:write", "settings:write"}
    assert "costs:read" not in BUILTIN_ROLES["cashier"] | BUILTIN_ROLES["clerk"]
    assert len({builtin_role_id(n) for n in BUILTIN_ROLES}) == len(BUILTIN_ROLES) == 9


def test_unknown_permissions_are_named() -> None:
    assert known_permissions(["stock:read"], param="scopes") == {"stock:read"}
    with pytest.raises(UnknownPermission, match="stock:rad") as refused:
        known_permissions(["stock:read", "stock:rad"], param="scopes")
    assert refused.value.param == "scopes"


GRANTS = [
    # own, handed out, what is missing
    ((grant("stock:read"),), grant("stock:read"), None),
    ((grant("stock:read"),), grant("stock:read", A), None),
    ((grant("stock:read", A),), grant("stock:read"), ["stock:read"]),
    ((grant("stock:read", A),), grant("stock:read", A, B), ["stock:read"]),
    ((grant("stock:read", A), grant("stock:read", B)), grant("stock:read", A, B), None),
    ((grant("stock:read"),), grant("stock:read costs:read"), ["costs:read"]),
    (
        (grant("stock:adjust", limits=Limits(Decimal(10))),),
        grant("stock:adjust", limits=Limits(Decimal(11))),
        ["stock:adjust up to that limit"],
    ),
    (
        (grant("stock:adjust", limits=Limits(Decimal(10))),),
        grant("stock:adjust", A, limits=Limits(Decimal(10))),
        None,
    ),
    (
        (grant("stock:adjust", A, limits=Limits(Decimal(10))), grant("stock:adjust", B)),
        grant("stock:adjust", A, B, limits=Limits(Decimal(10))),
        None,
    ),
    (
        (grant("stock:adjust", A, limits=Limits(Decimal(10))), grant("stock:adjust", B)),
        grant("stock:adjust", A, B),
        ["stock:adjust up to that limit"],
    ),
]


@pytest.mark.parametrize(("own", "handed", "missing"), GRANTS)
def test_nobody_grants_what_they_lack(
    own: tuple[Grant, ...], handed: Grant, missing: list[str] | None
) -> None:
    if missing is None:
        check_grant(caller(*own), [handed])
        return
    with pytest.raises(GrantExceeded) as refused:
        check_grant(caller(*own), [handed])
    assert refused.value.data["missing"] == missing


def test_own_rights_are_fixed() -> None:
    me = caller(grant("users:write"), roles=["boss"])
    with pytest.raises(OwnRoleFixed):
        check_not_self(me, me.id)
    check_not_self(me, A)
    with pytest.raises(OwnRoleFixed):
        check_not_own_role(me, "boss")
    check_not_own_role(me, "clerk")


def test_the_last_admin_is_protected() -> None:
    check_admin_left(admins_after=1)
    with pytest.raises(LastAdmin):
        check_admin_left(admins_after=0)
    assert is_admin([("clerk", None), ("admin", None)])
    assert not is_admin([("admin", A), ("manager", None)])


# --- API keys --------------------------------------------------------------------------------------------------


def test_a_key_reads_back() -> None:
    key = new_key()
    assert parse_key(key.text) == key
    assert len(key.text) == len("onh_live_") + 12 + 1 + 27 + 6
    assert key.prefix in key.text
    assert key.secret not in key.prefix
    assert len(key.digest) == 32
    assert new_key() != new_key()


@given(st.integers(min_value=0, max_value=54), st.sampled_from("09AZaz_-é "))
def test_one_wrong_character_is_seen_without_asking_the_database(at: int, char: str) -> None:
    text = new_key().text
    at = min(at, len(text) - 1)
    changed = text[:at] + char + text[at + 1 :]
    assert changed == text or parse_key(changed) is None


@given(st.text())
def test_noise_is_never_a_key(text: str) -> None:
    assert parse_key(text) is None


KEY_ENDS = [
    (timedelta(seconds=1), True),
    (timedelta(days=365), True),
    (timedelta(0), False),
    (timedelta(days=367), False),
]


@pytest.mark.parametrize(("life", "good"), KEY_ENDS)
def test_key_lifetime(life: timedelta, good: bool) -> None:
    if good:
        check_key_lifetime(now=NOW, expires_at=NOW + life)
    else:
        with pytest.raises(KeyLifetime):
            check_key_lifetime(now=NOW, expires_at=NOW + life)


# --- second factor ---------------------------------------------------------------------------------------------


def test_totp_is_good_once() -> None:
    secret = new_totp_secret()
    code = pyotp.TOTP(secret).at(NOW)
    step = totp_step(secret, code, now=NOW, last_step=None)
    assert step == int(NOW.timestamp()) // 30
    assert totp_step(secret, code, now=NOW, last_step=step) is None
    assert totp_step(secret, f"{code[:3]} {code[3:]}", now=NOW, last_step=step - 1) == step


@pytest.mark.parametrize(("seconds", "good"), [(-30, True), (0, True), (30, True), (-95, False), (95, False)])
def test_totp_forgives_one_step(seconds: int, good: bool) -> None:
    secret = "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP"
    code = pyotp.TOTP(secret).at(NOW + timedelta(seconds=seconds))
    assert (totp_step(secret, code, now=NOW, last_step=None) is not None) is good


@pytest.mark.parametrize("code", ["", "12345", "1234567", "abcdef", "١٢٣٤٥٦", "12345\n"])
def test_totp_takes_six_digits_only(code: str) -> None:
    assert totp_step("JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP", code, now=NOW, last_step=None) is None


def test_totp_uri_names_the_issuer() -> None:
    assert totp_uri("JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP", email="a@b.example", issuer="Corner Shop").startswith(
        "otpauth://totp/Corner%20Shop"
    )


def test_recovery_codes() -> None:
    codes = new_recovery_codes()
    assert len(set(codes)) == 10
    assert recovery_digest(codes[0]) == recovery_digest(codes[0].upper().replace("-", " "))
    assert recovery_digest("123456") is None


# --- patience --------------------------------------------------------------------------------------------------


def test_wrong_tries_wait_longer_and_longer_and_never_for_good() -> None:
    patience = Patience(free=3, longest=timedelta(seconds=60))
    tries, now, waits = None, NOW, []
    for _ in range(12):
        tries = one_more_try(tries, now=now, patience=patience)
        waits.append((tries.wait_until - now).total_seconds())
        now = tries.wait_until
    assert waits == [0, 0, 1, 2, 4, 8, 16, 32, 60, 60, 60, 60]


def test_patience_returns_after_a_quiet_while() -> None:
    patience = Patience(free=3, longest=timedelta(seconds=60), forget=timedelta(hours=1))
    old = Tries(failures=500, last_at=NOW - timedelta(hours=1), wait_until=NOW)
    assert one_more_try(old, now=NOW, patience=patience).failures == 1


@pytest.mark.parametrize(("seconds", "wait"), [(-5, 0), (0, 0), (0.2, 1), (30, 31)])
def test_wait_seconds_are_whole(seconds: float, wait: int) -> None:
    tries = Tries(failures=9, last_at=NOW, wait_until=NOW + timedelta(seconds=seconds))
    assert wait_seconds(tries, now=NOW) == wait
    assert wait_seconds(None, now=NOW) == 0


# --- passwords -------------------------------------------------------------------------------------------------

WEAK = [
    "password1234",
    "Password1234!",
    "P4ssw0rd!2026",
    "passwordpassword",
    "123456789012",
    "aaaaaaaaaaaaaaa",
    "qwertyuiop12",
    "Summer2026!!!",
    "Welcome123456",
    "abcdefghijkl",
    "iloveyou2025",
    "letmeinletmein",
    "adminadmin123",
    "Admin1234567",
    "changeme1234",
    "1qaz2wsx3edc",
    "zaq12wsx1qaz",
    "111111222222",
    "Michael1985!!",
    "Passwort2026!",
    "000000000000",
    "qwerty123456",
    "ADMINISTRATOR1",
    "onhandonhand1",
    "Berlin202612",
    "hallohallo123",
]
STRONG = [
    "correct horse battery staple",
    "drei Stühle unterm Apfelbaum",
    "kzWq8-vnT2-hxB6",
    "purple-kettle-sings-loudly",
    "7f3a9c1e5b2d",
    "пароль из восьми слов",
    "雨が降ると猫が寝る静かな朝",
    "x" * 3 + "Tj4&mQ9!vLz",
    "wobbly teacups at dusk" * 5,
]


@pytest.mark.parametrize("password", WEAK)
def test_weak_passwords(password: str) -> None:
    with pytest.raises(WeakPassword) as refused:
        check_password(password, blocked=shipped_block_list())
    assert refused.value.param == "password"


@pytest.mark.parametrize("password", STRONG)
def test_strong_passwords(password: str) -> None:
    check_password(password, blocked=shipped_block_list())


@pytest.mark.parametrize("password", ["", "short", "kzWq8-vnT2", "Q7!" * 43])
def test_length(password: str) -> None:
    with pytest.raises(WeakPassword, match="characters"):
        check_password(password, blocked=shipped_block_list())


def test_what_belongs_to_the_person_is_weak() -> None:
    check_password("zwillenberg-tietz", blocked=shipped_block_list())
    with pytest.raises(WeakPassword):
        check_password(
            "zwillenberg-tietz", blocked=shipped_block_list(), about=["b.zwillenberg@tietz.example"]
        )


def test_a_plugged_in_list_blocks_whole_passwords() -> None:
    own = BlockList.of_lines([], ["Kzwq8-vnt2-hxb6\r\n"])
    with pytest.raises(WeakPassword):
        check_password("kzWq8-vnT2-hxB6", blocked=own)


@given(st.text(min_size=12, max_size=128))
def test_any_text_is_judged(text: str) -> None:
    assert guess_bits(text, shipped_block_list()) >= 0


# --- audit -----------------------------------------------------------------------------------------------------


def test_only_what_differs_is_kept_and_secrets_are_not_shown() -> None:
    changed = field_changes(
        {"name": "A", "size": 1, "password_hash": "x"}, {"name": "B", "size": 1, "password_hash": "y"}
    )
    assert changed == {"name": ["A", "B"], "password_hash": ["…", "…"]}
    assert field_changes(None, {"name": "A"}) == {"name": [None, "A"]}
    assert field_changes({"name": "A"}, None) == {"name": ["A", None]}


def test_one_entry_for_all_changes_of_a_request() -> None:
    entry = summarise(
        [
            Change("product", "p1", None, {"name": "Tea"}),
            Change("variant", "v1", None, {"sku": "TEA"}),
            Change("product", "p1", {"name": "Tea"}, {"name": "Green tea"}),
        ]
    )
    assert entry is not None
    assert (entry.action, entry.entity, entry.entity_id) == ("product.created", "product", "p1")
    assert entry.changes == {"name": [None, "Green tea"], "variant:v1.sku": [None, "TEA"]}
    assert entry.touched == ["variant:v1"]
    assert summarise([]) is None


@pytest.mark.parametrize(
    ("before", "after", "action"),
    [
        (None, {"a": 1}, "thing.created"),
        ({"a": 1}, {"a": 2}, "thing.changed"),
        ({"a": 1}, None, "thing.deleted"),
    ],
)
def test_actions_are_named(before: dict[str, int] | None, after: dict[str, int] | None, action: str) -> None:
    entry = summarise([Change("thing", "1", before, after)])
    assert entry is not None
    assert entry.action == action
