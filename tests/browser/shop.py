"""The shop the stories happen in, made through the API before the doors open."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx2
from tests import make

from onhand.kit.ids import uuid7

TEA, CASE = "4006381333931", "14006381333938"
GOODS = [
    ("TEA-100", "Earl Grey 100 g", "3.50", "40"),
    ("MILK-1", "Whole milk 1 l", "1.29", "120"),
    ("OIL-05", "Olive oil 0.5 l", "7.90", "24"),
    ("RICE-1", "Basmati rice 1 kg", "2.80", "60"),
    ("JAM-200", "Apricot jam 200 g", "2.40", "3"),
]


@dataclass
class Shop:
    """Corner Shops: where it answers, and what a story needs to name."""

    address: str
    email: str
    key: str
    tea: dict[str, Any]
    store: dict[str, Any]

    def till(self) -> httpx2.Client:
        """A till of the Mitte store: a program with an API key, in another room than any browser."""
        return httpx2.Client(
            base_url=self.address, headers={"Authorization": f"Bearer {self.key}"}, timeout=20
        )

    def sell(self, sku: str = "TEA-100", *, quantity: str = "1", total: str = "3.50") -> dict[str, Any]:
        """Somebody buys this at till R1, now."""
        with self.till() as till:
            answer = till.post(
                "/v1/pos/sales", json=basket(make.line(sku=sku, quantity=quantity, total=total))
            )
        assert answer.status_code == 201, answer.text
        sold: dict[str, Any] = answer.json()
        return sold

    def read(self, path: str, **params: str) -> Any:
        """What the API says, for comparing it with what the screen says."""
        with self.till() as till:
            answer = till.get(path, params=params)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def on_hand(self, sku: str = "TEA-100") -> int:
        """Units of this item in all places."""
        row = next(row for row in self.read("/v1/stock-matrix")["data"] if row["sku"] == sku)
        return int(row["totals"]["on_hand"])


def basket(*lines: dict[str, Any], register: str = "R1") -> dict[str, Any]:
    """A sale of this moment, paid in cash."""
    total = f"{sum(float(line['total']) for line in lines):.2f}"
    return make.sale(
        register=register, lines=list(lines), happened_at=datetime.now(UTC).isoformat(),
        tenders=[{"kind": "cash", "amount": total}],
    )  # fmt: skip


async def fill(address: str) -> Shop:
    """Founds the shop, fills its shelves and lets some days pass."""
    async with httpx2.AsyncClient(base_url=address, timeout=30) as client:
        client.headers["Cookie"] = await _found(client)
        mitte = await make.store(client, code="S01", name="Mitte")
        await make.store(client, code="S02", name="Harbour")
        depot = await make.store(client, code="W01", name="Depot", kind="warehouse")
        await make.post(
            client, "/v1/locations",
            {"code": "BACK", "name": "Back room", "kind": "zone", "parent_id": mitte["id"]},
        )  # fmt: skip
        await make.register(client, location_id=mitte["id"], code="R1")
        tea = await _shelves(client, store=mitte, depot=depot)
        await make.post(client, "/v1/suppliers", {"code": "LEAF", "name": "Leaf & Son"})
        await make.post(client, "/v1/customers", {"code": "CAFE", "name": "Café Nord"})
        for sku, quantity, total in (
            ("TEA-100", "2", "7.00"),
            ("MILK-1", "3", "3.87"),
            ("JAM-200", "5", "12.00"),
        ):
            line = make.line(sku=sku, quantity=quantity, total=total)
            await make.post(client, "/v1/pos/sales", basket(line))
        key = await make.post(
            client, "/v1/api-keys",
            {
                "name": "Till R1", "scopes": ["pos:sell", "stock:read", "sales:read", "catalog:read"],
                "expires_at": (datetime.now(UTC) + timedelta(days=30)).isoformat(),
            },
        )  # fmt: skip
        return Shop(address=address, email="ada@example.com", key=key["secret"], tea=tea, store=mitte)


async def _found(client: httpx2.AsyncClient) -> str:
    """The organisation and Ada; returns her cookie, which a program on plain HTTP would not send by itself."""
    cookies: list[str] = []

    async def keep(response: httpx2.Response) -> None:
        cookies.extend(value.partition(";")[0] for value in response.headers.get_list("set-cookie"))

    client.event_hooks = {"response": [keep]}
    await make.organisation(client)
    client.event_hooks = {}
    client.headers["Cookie"] = cookies[-1]
    answer = await client.patch("/v1/organisation", json={"setup_done": True})
    assert answer.status_code == 200, answer.text
    return cookies[-1]


async def _shelves(client: Any, *, store: dict[str, Any], depot: dict[str, Any]) -> dict[str, Any]:
    """The goods in the store and the depot; the tea has barcodes and is below its minimum nowhere."""
    codes = [
        {"code": TEA, "quantity": "1", "level": "each"},
        {"code": CASE, "quantity": "12", "level": "case"},
    ]
    first: dict[str, Any] = {}
    for sku, name, price, opening in GOODS:
        variant = await make.variant(
            client, sku=sku, name=name, list_price={"amount": price, "currency": "EUR"},
            barcodes=codes if sku == "TEA-100" else [],
        )  # fmt: skip
        first = first or variant
        await make.stock(client, sku=sku, location_id=store["id"], quantity=opening)
        await make.stock(client, sku=sku, location_id=depot["id"], quantity="100")
        body = {"variant_id": variant["id"], "site_id": store["id"], "minimum": "10"}
        answer = await client.put("/v1/minimums", json=body)
        assert answer.status_code == 200, answer.text
    moved = {
        "id": str(uuid7()), "sku": "TEA-100", "quantity": "12",
        "from_location_id": depot["id"], "to_location_id": store["id"],
    }  # fmt: skip
    await make.post(client, "/v1/moves", moved)
    return first
