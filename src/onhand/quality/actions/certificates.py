"""Certificates of analysis: attach, approve, reject. A policy keeps a lot's goods in quarantine until one is approved."""

from __future__ import annotations

from dataclasses import asdict
from uuid import UUID

import sqlalchemy as sa

from onhand import lots
from onhand.access import Caller
from onhand.kit import files
from onhand.kit.ids import derive_id
from onhand.kit.problem import NotFound
from onhand.kit.tx import Tx
from onhand.ledger import Condition, Kind
from onhand.quality import store
from onhand.quality.actions.holds import give_back
from onhand.quality.actions.lots import say
from onhand.quality.actions.shift import Wanted, by_site, shift, unused_ids
from onhand.quality.events import StockHeld, StockReleased

_POLICY = sa.text(
    "SELECT coalesce(pv.needs_certificate, pp.needs_certificate, false) FROM variant v"
    " LEFT JOIN lot_policy pv ON pv.subject_id = v.id LEFT JOIN lot_policy pp ON pp.subject_id = v.product_id"
    " WHERE v.id = :variant"
)


async def _lock(tx: Tx, lot_id: UUID) -> sa.Row[tuple[object, ...]]:
    row = await lots.lock_lot(tx.conn, lot_id)
    if row is None:
        raise NotFound("There is no lot with this id.", param="id")
    return row


async def attach_certificate(tx: Tx, caller: Caller, lot_id: UUID, *, file_id: UUID) -> None:
    """Attach an uploaded file as a lot's certificate; it then waits for a decision. Raises NotFound for another's file."""
    row = await _lock(tx, lot_id)
    stored = await files.get_file(tx.conn, file_id)
    if stored.created_by != caller.id:
        raise NotFound("There is no file with this id.", param="file_id")
    state = lots.advance("certificate", row.certificate_state, "attach")
    after = {
        "certificate_file": file_id,
        "certificate_state": state,
        "certificate_at": tx.now,
        "certificate_note": None,
    }
    await lots.update_lot(
        tx.conn, lot_id, {**after, "certificate_by": tx.actor.id, "certificate_by_name": tx.actor.name}
    )
    tx.record(
        "lot",
        lot_id,
        {"certificate_state": row.certificate_state},
        {"certificate_state": state, "file": stored.name},
    )
    await say(tx, lot_id)


async def decide_certificate(tx: Tx, lot_id: UUID, *, verb: str, note: str | None) -> None:
    """Approve or reject the certificate that waits. Once approved, what waited for it in quarantine becomes available.

    Raises NotFound, CertificateNotWaiting.
    """
    row = await _lock(tx, lot_id)
    state = lots.advance("certificate", row.certificate_state, verb)
    await lots.update_lot(
        tx.conn, lot_id,
        {
            "certificate_state": state, "certificate_at": tx.now, "certificate_by": tx.actor.id,
            "certificate_by_name": tx.actor.name, "certificate_note": note,
        },
    )  # fmt: skip
    tx.record(
        "lot",
        lot_id,
        {"certificate_state": row.certificate_state},
        {"certificate_state": state, "note": note},
    )
    await say(tx, lot_id)
    needed = (await tx.conn.execute(_POLICY, {"variant": row.variant_id})).scalar_one()
    if state == "approved" and needed:
        await _free(tx, lot_id, code=row.code, version=row.version)


async def _free(tx: Tx, lot_id: UUID, *, code: str, version: int) -> None:
    waiting = await store.in_scope(
        tx.conn, lot_id=lot_id, variant_id=None, location_id=None, condition=int(Condition.quarantine)
    )
    keep = await store.held_in_quarantine(tx.conn, lot_id)  # what a hold put there stays there
    lines = []
    for one in waiting:
        kept = min(keep, one.on_hand)
        keep -= kept
        if one.on_hand > kept:
            lines.append((one.variant, one.lot, one.location, one.on_hand - kept))
    reason = f"certificate of {code} approved"
    released = await give_back(
        tx, lines, condition="quarantine", source=("lot", lot_id), reason=reason, round_of=str(version)
    )
    for one_site in by_site(released):
        tx.emit(
            StockReleased(
                source_type="lot", source_id=lot_id, condition="quarantine", reason=reason, **asdict(one_site)
            )
        )


async def quarantine_uncertified(tx: Tx) -> int:
    """Put what lies available without the certificate its policy asks for into quarantine; answers how many levels."""
    await store.only_one(tx.conn, "quarantine_uncertified")
    lying = await store.uncertified(tx.conn)
    keys = {one.goods: ("uncertified", *(str(part) for part in one.goods)) for one in lying}
    ids = await unused_ids(tx, list(keys.values()))
    wanted = [Wanted(one, int(Condition.quarantine)) for one in lying]
    shifted = await shift(
        tx, wanted, kind=Kind.hold, source=("certificate", derive_id("onhand", "certificate")),
        reason="waits for its certificate", id_of=lambda w: ids[keys[w.lying.goods]],
    )  # fmt: skip
    for one in by_site(shifted):
        tx.emit(
            StockHeld(hold_id=None, condition="quarantine", reason="waits for its certificate", **asdict(one))
        )
    return len(shifted)
