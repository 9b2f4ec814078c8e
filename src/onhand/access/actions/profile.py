"""What people do about their own account: name, password, second factor, sessions."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from onhand.access import reads, store
from onhand.access.actions.log import name_action
from onhand.access.actions.sign_in import spend_code, tell_password_changed
from onhand.access.gate import RESOLVERS, rights_changed
from onhand.access.model import (
    Caller,
    InvalidCredentials,
    SessionNeeded,
    TotpAlreadyOn,
    TotpInvalid,
    TotpNotStarted,
    check_grant,
    new_recovery_codes,
    new_totp_secret,
    recovery_digest,
    totp_step,
    totp_uri,
)
from onhand.access.vault import Vault
from onhand.kit.problem import NotFound
from onhand.kit.tx import Tx


def person(caller: Caller) -> UUID:
    """The id of the person who asks; raises SessionNeeded for API keys."""
    if caller.kind != "user":
        raise SessionNeeded()
    return caller.id


async def _locked(tx: Tx, caller: Caller) -> store.AnyRow:
    row = await store.lock_user(tx.conn, user_id=person(caller))
    if row is None:
        raise NotFound()
    return row


async def change_profile(tx: Tx, *, caller: Caller, changes: dict[str, Any]) -> None:
    """Change one's own name or locale."""
    row = await _locked(tx, caller)
    before = {"name": row.name, "locale": row.locale}
    after = {**before, **changes}
    if before != after:
        await store.update_user(tx.conn, user_id=row.id, values=after)
        rights_changed(tx)
        tx.record("user", row.id, before, after)


async def change_password(tx: Tx, *, caller: Caller, proven_hash: str, password_hash: str) -> None:
    """After the old password fitted `proven_hash`: set the new one. All other sessions end, this one gets a new token.

    Raises InvalidCredentials when the password changed meanwhile.
    """
    row = await _locked(tx, caller)
    if row.password_hash != proven_hash:
        raise InvalidCredentials(param="old")
    await store.update_user(tx.conn, user_id=row.id, values={"password_hash": password_hash})
    await _others_out(tx, caller)
    tx.record("user", row.id, {"password": "old"}, {"password": "new"})
    name_action(tx, "user.password_changed")
    await tell_password_changed(tx, row=row)


async def _others_out(tx: Tx, caller: Caller) -> None:
    await store.end_sessions(tx.conn, user_id=caller.id, now=tx.now, keep=caller.session_id)
    await store.bump_rights(tx.conn, user_ids=[caller.id])
    rights_changed(tx)


# --- second factor ---------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class StartedTotp:
    """Shown once: what the authenticator app scans, and the codes to keep on paper."""

    secret: str
    uri: str
    recovery_codes: list[str]


async def start_totp(tx: Tx, *, caller: Caller, vault: Vault, issuer: str) -> StartedTotp:
    """Make a second factor; it counts once confirmed. Raises TotpAlreadyOn."""
    row = await _locked(tx, caller)
    if row.totp_confirmed_at is not None:
        raise TotpAlreadyOn()
    secret, codes = new_totp_secret(), new_recovery_codes()
    sealed = vault.seal(secret, owner=row.id.bytes)
    await store.update_user(tx.conn, user_id=row.id, values={"totp_secret": sealed, "totp_last_step": None})
    hashes = [digest for code in codes if (digest := recovery_digest(code)) is not None]
    await store.replace_recovery_codes(tx.conn, user_id=row.id, hashes=hashes)
    tx.secret_answer = True
    tx.record("user", row.id, {}, {"totp_started_at": tx.now})
    name_action(tx, "user.totp_started")
    return StartedTotp(secret, totp_uri(secret, email=row.email, issuer=issuer), codes)


async def confirm_totp(tx: Tx, *, caller: Caller, vault: Vault, code: str) -> None:
    """Switch the second factor on with a first code. Other sessions end. Raises TotpNotStarted, TotpInvalid."""
    row = await _locked(tx, caller)
    if row.totp_secret is None or row.totp_confirmed_at is not None:
        raise TotpNotStarted()
    secret = vault.unseal(bytes(row.totp_secret), owner=row.id.bytes)
    step = totp_step(secret, code, now=tx.now, last_step=row.totp_last_step)
    if step is None:
        raise TotpInvalid(param="code")
    await store.update_user(
        tx.conn, user_id=row.id, values={"totp_confirmed_at": tx.now, "totp_last_step": step}
    )
    await _others_out(tx, caller)
    tx.record("user", row.id, {"totp_enabled": False}, {"totp_enabled": True})
    name_action(tx, "user.totp_on")


async def stop_totp(tx: Tx, *, caller: Caller, vault: Vault, code: str) -> None:
    """Switch the second factor off, with a code or a recovery code. Raises TotpNotStarted, TotpInvalid."""
    row = await _locked(tx, caller)
    if row.totp_confirmed_at is None:
        raise TotpNotStarted("You have no second factor.")
    await spend_code(tx, vault=vault, row=row, code=code)
    values = {"totp_secret": None, "totp_confirmed_at": None, "totp_last_step": None}
    await store.update_user(tx.conn, user_id=row.id, values=values)
    await store.replace_recovery_codes(tx.conn, user_id=row.id, hashes=[])
    await _others_out(tx, caller)
    tx.record("user", row.id, {"totp_enabled": True}, {"totp_enabled": False})
    name_action(tx, "user.totp_off")


# --- sessions --------------------------------------------------------------------------------------------------


async def end_session(tx: Tx, *, caller: Caller, session_id: UUID) -> None:
    """End a session: one's own, or, with users:write, that of somebody with no more rights than oneself.

    Raises NotFound (also for what one may not touch), GrantExceeded.
    """
    owner = await store.session_owner(tx.conn, session_id=session_id)
    if owner is None:
        raise NotFound()
    if caller.id != owner:
        if not caller.may("users:write"):
            raise NotFound()
        _, grants = await reads.user_grants(tx.conn, user_id=owner, resolve=RESOLVERS.scope)
        check_grant(caller, grants)
    if await store.end_session(tx.conn, session_id=session_id, user_id=owner, now=tx.now):
        rights_changed(tx)
        tx.record(
            "session",
            session_id,
            {"user_id": str(owner), "ended_at": None},
            {"user_id": str(owner), "ended_at": tx.now},
        )
        name_action(tx, "session.ended")
