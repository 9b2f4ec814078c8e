"""The till's own routes: what happened, posted through the lane. Thin on purpose."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated, Any
from uuid import UUID

import msgspec
from starlette.requests import Request

from onhand import access, catalog, ledger, locations
from onhand.kit.ids import quick, uuid7
from onhand.kit.intake import Intake
from onhand.kit.problem import IdReused, Problem
from onhand.ledger import Outcome, Status
from onhand.pos.actions.sell import sale_item
from onhand.pos.model import SaleIn, Till, UnknownRegister, check_codes
from onhand.pos.reads import Desk

MAX_SALES = 500


class ShortOut(msgspec.Struct, frozen=True):
    """How far a fact went beyond what was there, per variant (smallest units)."""

    variant_id: UUID
    site_id: UUID
    quantity: int


class SaleResult(msgspec.Struct, frozen=True, omit_defaults=True):
    """What became of one sale: posted, already_posted (the same content came before), or a refusal's code with its detail."""

    id: UUID
    status: str
    seq: str | None = None
    oversold: list[ShortOut] = []
    unresolved: list[int] = []
    code: str | None = None
    detail: str | None = None
    param: str | None = None


class BatchIn(msgspec.Struct, forbid_unknown_fields=True):
    """Up to 500 sales in the order they happened; each is judged by itself."""

    sales: Annotated[list[msgspec.Raw], msgspec.Meta(min_length=1, max_length=MAX_SALES)]


class BatchSchema(msgspec.Struct, forbid_unknown_fields=True):
    """Up to 500 sales in the order they happened; each is judged by itself."""

    sales: Annotated[list[SaleIn], msgspec.Meta(min_length=1, max_length=MAX_SALES)]


class BatchOut(msgspec.Struct, frozen=True):
    """One result a sale, in order."""

    results: list[SaleResult]


_decode_sale = msgspec.json.Decoder(SaleIn).decode


class _OnlyId(msgspec.Struct):
    id: UUID


_sale_id = msgspec.json.Decoder(_OnlyId).decode


class Counter:
    """Takes sales from tills: resolves codes, asks the lane, words the answer."""

    def __init__(self, engine: ledger.Engine, desk: Desk) -> None:
        self.engine = engine
        self.desk = desk
        self.customer = quick(locations.virtual_id("customer"))

    async def one(
        self, request: Request, sale: SaleIn, caller: access.Caller
    ) -> tuple[int, SaleResult, bool]:
        """`POST /v1/pos/sales`."""
        known, audit = await self.desk.known([sale]), access.audit_rows(request, caller, "sale", sale.id)
        item, unresolved = await self._item(sale, caller, known)
        try:
            outcome = await self.engine.submit(item, audit)
        except (
            ledger.SerialAlreadyUsed
        ):  # a number came back elsewhere at the same moment: look again, it is a fact
            item, unresolved = await self._item(sale, caller, known)
            outcome = await self.engine.submit(item, audit)
        if outcome.status is Status.id_reused:
            raise IdReused(param="id")
        return 201, _result(sale.id, outcome, unresolved), outcome.status is Status.already_posted

    async def many(
        self, request: Request, body: BatchIn, caller: access.Caller
    ) -> tuple[int, BatchOut, bool]:
        """`POST /v1/pos/sale-batches`: a sale that is not understood spoils only itself."""
        results: list[SaleResult | None] = [None] * len(body.sales)
        sales: list[tuple[int, SaleIn]] = []
        for n, raw in enumerate(body.sales):
            try:
                sales.append((n, _decode_sale(raw)))
            except msgspec.MsgspecError as error:
                results[n] = _not_understood(raw, error)
        known = await self.desk.known(s for _, s in sales)
        items: list[tuple[int, ledger.Item, list[int]]] = []
        for n, sale in sales:
            try:
                item, unresolved = await self._item(sale, caller, known)
                items.append((n, item, unresolved))
            except Problem as problem:
                results[n] = SaleResult(
                    id=sale.id,
                    status="refused",
                    code=problem.code,
                    detail=problem.detail,
                    param=problem.param,
                )
        audit = access.audit_rows(request, caller, "sale_batch", uuid7(), {"sales": len(items)})
        outcomes = await self.engine.submit_many([i for _, i, _ in items], audit)
        for (n, item, unresolved), outcome in zip(items, outcomes, strict=True):
            results[n] = _result(item.posting.id, outcome, unresolved)
        return 200, BatchOut([r for r in results if r is not None]), False

    async def _item(
        self, sale: SaleIn, caller: access.Caller, known: Mapping[str, catalog.Resolved]
    ) -> tuple[ledger.Item, list[int]]:
        check_codes(sale)
        till = await self._till(sale.register, caller)
        named = await self.desk.named(sale, till.site, known)
        return sale_item(sale, till, known, actor=caller.id, customer_place=self.customer, named=named)

    async def _till(self, code: str, caller: access.Caller) -> Till:
        till = await self.desk.till(code)
        if till is None or not caller.may("pos:sell", till.site):
            raise UnknownRegister(f"There is no register {code} that you may sell at.", param="register")
        return till

    def intakes(self) -> list[Intake]:
        """The routes."""
        return [
            Intake(
                path="/v1/pos/sales", permission="pos:sell", at=("register",), enter=access.enter, body=SaleIn,
                answer=SaleResult, handle=self.one, summary="Record a sale that happened", tags=("pos",),
            ),
            Intake(
                path="/v1/pos/sale-batches", permission="pos:sell", at=("sales.register",), enter=access.enter, body=BatchIn,
                answer=BatchOut, handle=self.many, summary="Record up to 500 sales that happened", status=200, tags=("pos",),
                schema=BatchSchema,
            ),
        ]  # fmt: skip


def _result(sale_id: UUID, outcome: Outcome, unresolved: Sequence[int]) -> SaleResult:
    status = outcome.status
    if not outcome.ok:
        return SaleResult(id=sale_id, status=status.value, code=status.value)
    return SaleResult(
        id=sale_id,
        status=status.value,
        seq=str(outcome.seq) if outcome.seq is not None else None,
        oversold=[ShortOut(s.variant, s.place, s.quantity) for s in outcome.oversold],
        unresolved=list(unresolved),
    )


def _not_understood(raw: msgspec.Raw, error: Exception) -> SaleResult:
    text, _, path = str(error).partition(" - at `")
    try:
        sale_id = _sale_id(raw).id
    except msgspec.MsgspecError:
        sale_id = UUID(int=0)
    param: Any = path.rstrip("`").removeprefix("$").lstrip(".") or None
    return SaleResult(id=sale_id, status="refused", code="invalid_body", detail=f"{text}.", param=param)
