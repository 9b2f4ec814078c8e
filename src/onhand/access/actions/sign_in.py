"""First run, signing in, and the mailed links that let people in. The edge hashes passwords before a transaction opens."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID

from onhand.access import store
from onhand.access.actions.log import name_action
from onhand.access.actions.people import Assignment, add_user, grants_for
from onhand.access.gate import rights_changed
from onhand.access.model import (
    ADMIN,
    INVITATION_LIFETIME,
    PER_PERSON,
    PER_PERSON_AND_PLACE,
    PER_PLACE,
    RESET_LIFETIME,
    SESSION_ABSOLUTE,
    SYSTEM,
    AlreadySetUp,
    Caller,
    EmailTaken,
    InvalidCredentials,
    LinkSpent,
    Patience,
    SignInThrottled,
    TotpInvalid,
    TotpRequired,
    check_grant,
    new_token,
    one_more_try,
    recovery_digest,
    sha256,
    totp_step,
    wait_seconds,
)
from onhand.access.vault import Vault
from onhand.kit.ids import uuid7
from onhand.kit.mail import send_later
from onhand.kit.tx import Tx


@dataclass(frozen=True, slots=True)
class OpenedSession:
    """A session just opened: the token goes into the cookie and is kept nowhere else."""

    id: UUID
    user_id: UUID
    token: str


async def set_up(
    tx: Tx,
    *,
    organisation: dict[str, Any],
    email: str,
    name: str,
    password_hash: str,
    user_id: UUID | None = None,
) -> UUID:
    """The first run: the organisation and its first admin. Raises AlreadySetUp once there is any user."""
    await store.lock_setup(tx.conn)
    if await store.any_user(tx.conn):
        raise AlreadySetUp()
    await store.ensure_builtin_roles(tx.conn)
    await store.save_organisation(tx.conn, values=organisation)
    tx.record("organisation", "organisation", None, organisation)
    admin = user_id or uuid7()
    await add_user(
        tx,
        caller=SYSTEM,
        user_id=admin,
        email=email,
        name=name,
        locale=organisation.get("locale"),
        password_hash=password_hash,
        assignments=[Assignment(ADMIN)],
    )
    name_action(tx, "organisation.set_up")
    return admin


# --- signing in ------------------------------------------------------------------------------------------------


def tries_keys(*, email: str | None, ip: str, purpose: str = "sign-in") -> dict[bytes, Patience]:
    """Under which keys wrong tries are counted: the person from this address, the person, and the address (None: it alone)."""
    keys = {sha256(f"{purpose}|place|{ip}"): PER_PLACE}
    if email is not None:
        person = email.strip().lower()
        keys[sha256(f"{purpose}|pair|{person}|{ip}")] = PER_PERSON_AND_PLACE
        keys[sha256(f"{purpose}|person|{person}")] = PER_PERSON
    return keys


async def count_try(tx: Tx, *, keys: dict[bytes, Patience]) -> None:
    """Count a try before it is judged, in a transaction of its own that commits. Raises SignInThrottled when it comes too soon."""
    known = await store.lock_tries(tx.conn, keys=list(keys), now=tx.now)
    wait = max(wait_seconds(known[key], now=tx.now) for key in keys)
    if wait:
        raise SignInThrottled(
            f"Please wait {wait} seconds, then try again. Nothing is locked.", retry_after=wait
        )
    for key, patience in keys.items():
        await store.save_tries(
            tx.conn, key=key, tries=one_more_try(known[key], now=tx.now, patience=patience)
        )


async def forgive_tries(tx: Tx, *, keys: dict[bytes, Patience]) -> None:
    """A right try wipes the person's slate; for the address only this one try is taken back."""
    await store.forgive(tx.conn, keys=[k for k, patience in keys.items() if patience is not PER_PLACE])
    await store.take_back(tx.conn, keys=[k for k, patience in keys.items() if patience is PER_PLACE])


async def finish_sign_in(
    tx: Tx, *, vault: Vault, user_id: UUID, proven_hash: str, code: str | None, ip: str, agent: str
) -> OpenedSession:
    """After the password fitted `proven_hash`: the second factor, then the session.

    Raises InvalidCredentials (changed or deactivated meanwhile), TotpRequired, TotpInvalid.
    """
    row = await store.lock_user(tx.conn, user_id=user_id)
    if row is None or not row.active or row.password_hash != proven_hash:
        raise InvalidCredentials()
    if row.totp_confirmed_at is not None:
        if code is None:
            raise TotpRequired()
        await spend_code(tx, vault=vault, row=row, code=code)
    await forgive_tries(tx, keys=tries_keys(email=row.email, ip=ip))
    return await open_session(tx, user_id=user_id, rights_version=row.rights_version, ip=ip, agent=agent)


async def spend_code(tx: Tx, *, vault: Vault, row: store.AnyRow, code: str) -> None:
    """Use up a second-factor code or a recovery code of a locked user row. Raises TotpInvalid."""
    digest = recovery_digest(code)
    if digest is not None:
        if await store.spend_recovery_code(tx.conn, user_id=row.id, code_hash=digest, now=tx.now):
            return
        raise TotpInvalid(param="totp")
    secret = vault.unseal(bytes(row.totp_secret), owner=row.id.bytes)
    step = totp_step(secret, code, now=tx.now, last_step=row.totp_last_step)
    if step is None or not await store.spend_totp_step(tx.conn, user_id=row.id, step=step):
        raise TotpInvalid(param="totp")


async def open_session(tx: Tx, *, user_id: UUID, rights_version: int, ip: str, agent: str) -> OpenedSession:
    """Open a session with a fresh token; only its hash is stored."""
    opened = OpenedSession(id=uuid7(), user_id=user_id, token=new_token())
    values = {
        "id": opened.id,
        "user_id": user_id,
        "token_hash": sha256(opened.token),
        "rights_version": rights_version,
        "seen_at": tx.now,
        "expires_at": tx.now + SESSION_ABSOLUTE,
        "ip": ip,
        "user_agent": agent[:300],
    }
    await store.insert_session(tx.conn, values=values)
    await store.update_seen(tx.conn, user_id=user_id, now=tx.now)
    tx.secret_answer = True
    if not tx.changes:
        name_action(tx, "session.opened")
    tx.record("session", opened.id, None, {"user_id": str(user_id), "ip": ip})
    return opened


# --- mailed links ----------------------------------------------------------------------------------------------


async def invite(
    tx: Tx,
    *,
    caller: Caller,
    user_id: UUID,
    email: str,
    name: str,
    assignments: Sequence[Assignment],
    address: str,
    organisation: str,
) -> UUID:
    """Add a person without a password and mail them the way in; somebody invited before gets a new link.

    Raises EmailTaken for people who have a password, and what `add_user` raises.
    """
    known = await store.user_by_email(tx.conn, email=email)
    if known is not None:
        if known.password_hash is not None or not known.active:
            raise EmailTaken(param="email")
        held = await store.assignments_of(tx.conn, user_id=known.id)
        if {(r.role, r.location_id) for r in held} != {(a.role, a.location_id) for a in assignments}:
            raise EmailTaken(
                "This person is invited already, with other roles. Change those first.", param="email"
            )
        check_grant(caller, (await grants_for(tx.conn, assignments))[1])
        user_id = known.id
        tx.record("user", user_id, {}, {"invited_again": tx.now})
    else:
        await add_user(tx, caller=caller, user_id=user_id, email=email, name=name, assignments=assignments)
    name_action(tx, "user.invited")
    token = await _link(tx, kind="invitation", user_id=user_id, life=INVITATION_LIFETIME)
    await send_later(
        tx,
        to=email,
        subject=f"You are invited to {organisation}'s stock",
        text=f"Hello {name},\n\n{tx.actor.name} invites you to work with Onhand at {organisation}.\n"
        f"Choose your password here within seven days:\n\n{address}/accept-invitation?token={token}\n",
    )
    return user_id


async def _link(tx: Tx, *, kind: str, user_id: UUID, life: timedelta) -> str:
    token = new_token()
    values = {
        "id": uuid7(),
        "kind": kind,
        "user_id": user_id,
        "token_hash": sha256(token),
        "expires_at": tx.now + life,
    }
    await store.insert_link(tx.conn, values=values)
    return token


async def accept_invitation(
    tx: Tx, *, token: str, password_hash: str, name: str | None, ip: str, agent: str
) -> OpenedSession:
    """Set the invited person's password and sign them in. Raises LinkSpent."""
    row = await _spend(tx, kind="invitation", token=token)
    if row.password_hash is not None:
        raise LinkSpent()
    values = {"password_hash": password_hash, "name": name or row.name}
    await store.update_user(tx.conn, user_id=row.id, values=values)
    tx.record(
        "user", row.id, {"name": row.name, "password": None}, {"name": values["name"], "password": "set"}
    )
    name_action(tx, "user.joined")
    return await open_session(tx, user_id=row.id, rights_version=row.rights_version, ip=ip, agent=agent)


async def _spend(tx: Tx, *, kind: str, token: str) -> store.AnyRow:
    user_id = await store.spend_link(tx.conn, kind=kind, token_hash=sha256(token), now=tx.now)
    row = await store.lock_user(tx.conn, user_id=user_id) if user_id is not None else None
    if row is None or not row.active:
        raise LinkSpent()
    return row


async def send_reset(tx: Tx, *, email: str, address: str) -> None:
    """Mail a way to a new password, if there is such a person; the caller is told nothing either way."""
    row = await store.user_by_email(tx.conn, email=email)
    if row is None or not row.active or row.password_hash is None:
        return
    token = await _link(tx, kind="password_reset", user_id=row.id, life=RESET_LIFETIME)
    tx.record("user", row.id, {}, {"reset_mailed_at": tx.now})
    name_action(tx, "user.password_reset_asked")
    await send_later(
        tx,
        to=row.email,
        subject="A new password for Onhand",
        text=f"Hello {row.name},\n\nsomebody, hopefully you, asked for a new password. Choose it here within an hour:\n\n"
        f"{address}/reset-password?token={token}\n\nIf it was not you, nothing has changed and nothing needs doing.\n",
    )


async def accept_reset(tx: Tx, *, token: str, password_hash: str, ip: str) -> None:
    """Set a new password by a mailed link; all sessions end. The second factor, if any, stays. Raises LinkSpent."""
    row = await _spend(tx, kind="password_reset", token=token)
    await store.update_user(tx.conn, user_id=row.id, values={"password_hash": password_hash})
    await store.end_sessions(tx.conn, user_id=row.id, now=tx.now)
    await forgive_tries(tx, keys=tries_keys(email=row.email, ip=ip))
    rights_changed(tx)
    tx.record("user", row.id, {"password": "old"}, {"password": "new"})
    name_action(tx, "user.password_reset")
    await tell_password_changed(tx, row=row)


async def tell_password_changed(tx: Tx, *, row: store.AnyRow) -> None:
    """A note to the owner, so that a stranger's change does not go unseen."""
    await send_later(
        tx,
        to=row.email,
        subject="Your Onhand password was changed",
        text=f"Hello {row.name},\n\nyour password was changed just now. If it was not you, tell your admin at once.\n",
    )
