"""Bodies and answers of the catalogue's endpoints."""

from datetime import date, datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from fastapi import Path, Query
from pydantic import AfterValidator, Field

from onhand.catalog.model import Barcode, parse_barcode
from onhand.kit.web import Body, Id, Out, Text
from onhand.values import Money, check_currency, check_metadata, parse_cost, parse_units

Metadata = Annotated[dict[str, Any], AfterValidator(check_metadata)]
Tracking = Literal["none", "lot", "serial"]
Level = Literal["each", "case", "pallet"]
ProductId = Annotated[UUID, Path(description="The product's id.")]
VariantId = Annotated[UUID, Path(description="The variant's id.")]
Search = Annotated[Text | None, Query(max_length=200, description="Words in any order, by their beginnings.")]
Archived = Annotated[
    bool | None, Query(description="true: only what is out of use; false: only what is in use.")
]


class MoneyBody(Body):
    """An amount of money: decimal text and ISO 4217 code."""

    amount: Text = Field(max_length=24, examples=["3.49"])
    currency: Text = Field(max_length=3, examples=["EUR"])


class MoneyOut(Out):
    """An amount of money."""

    amount: str
    currency: str


class BarcodeBody(Body):
    """A barcode. Without `kind` it is a GTIN when its check digit says so; `quantity` is in the variant's unit."""

    code: Text = Field(max_length=128, examples=["4006381333931"])
    kind: Literal["gtin", "other"] | None = None
    quantity: Text | None = Field(None, max_length=30, examples=["24"])
    level: Level | None = None


class BarcodeOut(Out):
    """A barcode; GTINs have 14 digits."""

    code: str
    kind: str
    quantity: str
    level: str


class OptionBody(Body):
    """An option axis."""

    name: Text = Field(max_length=80, examples=["size"])
    values: list[Annotated[Text, Field(max_length=80)]] = Field(max_length=500, examples=[["S", "M", "L"]])


class OptionOut(Out):
    """An option axis."""

    name: str
    values: list[str]


class NewProductBody(Body):
    """A product to make. Its variants come after: one by one, or generated from the options."""

    id: Id | None = None
    external_id: Text | None = Field(None, max_length=200)
    name: Text = Field(max_length=300)
    description: Text = Field("", max_length=20_000)
    category_id: Id | None = None
    attributes: Metadata = Field(default_factory=dict)
    options: list[OptionBody] = Field(default_factory=list, max_length=5)
    tracking: Tracking = "none"
    pictures: list[Id] = Field(default_factory=list, max_length=50)
    metadata: Metadata = Field(default_factory=dict)


class ProductChanges(Body):
    """What to change; fields left out stay. `archived` takes the product and its variants out of use or brings both back."""

    external_id: Text | None = Field(None, max_length=200)
    name: Text = Field("", max_length=300)
    description: Text = Field("", max_length=20_000)
    category_id: Id | None = None
    attributes: Metadata = Field(default_factory=dict)
    options: list[OptionBody] = Field(default_factory=list, max_length=5)
    tracking: Tracking = "none"
    pictures: list[Id] = Field(default_factory=list, max_length=50)
    metadata: Metadata = Field(default_factory=dict)
    archived: bool = False


class GenerateBody(Body):
    """How the missing variants are made; all of it may be left out."""

    sku_prefix: Text | None = Field(None, max_length=30)
    unit: Text | None = Field(None, max_length=64)
    decimals: int | None = Field(None, ge=0, le=6)


class NewVariantBody(Body):
    """A variant to make. Without `product_id` a product of its name is made for it."""

    id: Id | None = None
    product_id: Id | None = None
    sku: Text = Field(max_length=64, examples=["TEA-100"])
    name: Text | None = Field(None, max_length=300)
    category_id: Id | None = None
    tracking: Tracking = "none"
    options: dict[str, Text] = Field(default_factory=dict, max_length=5)
    attributes: Metadata = Field(default_factory=dict)
    unit: Text = Field("each", max_length=64)
    decimals: int = Field(0, ge=0, le=6)
    barcodes: list[BarcodeBody] = Field(default_factory=list, max_length=50)
    list_price: MoneyBody | None = None
    cost: MoneyBody | None = None
    weight_g: Text | None = Field(None, max_length=20, examples=["250"])
    dimensions_mm: list[int] | None = Field(None, min_length=3, max_length=3)
    external_id: Text | None = Field(None, max_length=200)
    metadata: Metadata = Field(default_factory=dict)


class VariantChanges(Body):
    """What to change; fields left out stay. `barcodes` replaces the whole list."""

    sku: Text = Field("", max_length=64)
    name: Text = Field("", max_length=300)
    options: dict[str, Text] = Field(default_factory=dict, max_length=5)
    attributes: Metadata = Field(default_factory=dict)
    unit: Text = Field("each", max_length=64)
    decimals: int = Field(0, ge=0, le=6)
    barcodes: list[BarcodeBody] = Field(default_factory=list, max_length=50)
    list_price: MoneyBody | None = None
    cost: MoneyBody | None = None
    weight_g: Text | None = Field(None, max_length=20)
    dimensions_mm: list[int] | None = Field(None, min_length=3, max_length=3)
    external_id: Text | None = Field(None, max_length=200)
    metadata: Metadata = Field(default_factory=dict)


class VariantOut(Out):
    """A variant: the thing stocked. `cost` is null for callers without costs:read."""

    id: UUID
    product_id: UUID
    product_name: str
    sku: str
    name: str
    options: dict[str, str]
    attributes: dict[str, Any]
    unit: str
    decimals: int
    barcodes: list[BarcodeOut]
    list_price: MoneyOut | None
    cost: MoneyOut | None
    weight_g: str | None
    dimensions_mm: list[int] | None
    category_id: UUID | None
    category_name: str | None
    tracking: str
    archived_at: datetime | None
    merged_into: UUID | None
    external_id: str | None
    metadata: dict[str, Any]
    version: int
    created_at: datetime
    updated_at: datetime


class ProductOut(Out):
    """A product with its variants."""

    id: UUID
    external_id: str | None
    name: str
    description: str
    category_id: UUID | None
    category_name: str | None
    attributes: dict[str, Any]
    options: list[OptionOut]
    tracking: str
    pictures: list[UUID]
    archived_at: datetime | None
    metadata: dict[str, Any]
    version: int
    created_at: datetime
    updated_at: datetime
    variants: list[VariantOut]


class MergeBody(Body):
    """Two variants that are one: `merge_id` will stand for `keep_id`."""

    id: Id | None = None
    keep_id: Id
    merge_id: Id


class BulkChanges(Body):
    """What to change alike; fields left out stay. A bare `list_price` text keeps each item's currency."""

    list_price: MoneyBody | Text | None = None
    cost: MoneyBody | Text | None = None
    weight_g: Text | None = Field(None, max_length=20)
    category_id: Id | None = None
    attributes: Metadata = Field(default_factory=dict)
    metadata: Metadata = Field(default_factory=dict)
    archived: bool = False


class BulkBody(Body):
    """Up to 500 variants and what to change; with `preview` nothing is written."""

    ids: list[Id] = Field(min_length=1, max_length=500)
    changes: BulkChanges
    preview: bool = False


class BulkRowOut(Out):
    """What changes for one variant: field → [before, after]."""

    id: UUID
    label: str
    changes: dict[str, tuple[Any, Any]]


class BulkOut(Out):
    """What a bulk edit changed, or would change."""

    changed: int
    rows: list[BulkRowOut]


class NewCategoryBody(Body):
    """A category to make."""

    id: Id | None = None
    name: Text = Field(max_length=100)
    parent_id: Id | None = None
    external_id: Text | None = Field(None, max_length=200)
    metadata: Metadata = Field(default_factory=dict)


class CategoryChanges(Body):
    """What to change; a new parent moves everything below along."""

    name: Text = Field("", max_length=100)
    parent_id: Id | None = None
    external_id: Text | None = Field(None, max_length=200)
    metadata: Metadata = Field(default_factory=dict)


class CategoryOut(Out):
    """A category. `path` is the names from the root, `ancestors` the ids with itself last."""

    id: UUID
    name: str
    parent_id: UUID | None
    path: str
    ancestors: list[UUID]
    external_id: str | None
    metadata: dict[str, Any]
    version: int
    updated_at: datetime


class UnitBody(Body):
    """A unit to add: one of it is numerator/denominator of the base unit (each, g, ml, m, m2, s)."""

    code: Text = Field(max_length=64, examples=["crate24"])
    name: Text = Field(max_length=100)
    dimension: Text = Field(max_length=20, examples=["count"])
    numerator: int = Field(ge=1)
    denominator: int = Field(1, ge=1)


class UnitOut(Out):
    """A unit."""

    code: str
    name: str
    dimension: str
    numerator: int
    denominator: int


class MinimumBody(Body):
    """The least quantity to have at a site, as a decimal text in the variant's unit; null removes it."""

    variant_id: Id
    site_id: Id
    minimum: Text | None = Field(max_length=30, examples=["12"])


class MinimumOut(Out):
    """The minimum of a variant at a site."""

    variant_id: UUID
    site_id: UUID
    sku: str
    unit: str
    minimum: str | None


class HitOut(Out):
    """One thing found. `match` says how: barcode, sku, words or fuzzy (one typo forgiven)."""

    kind: str
    id: UUID
    title: str
    subtitle: str | None
    match: str


class HitsOut(Out):
    """What was found, best first."""

    data: list[HitOut]


class ScanOut(Out):
    """What was scanned. For a variant: how much one scan stands for, and what else the barcode said."""

    kind: str
    id: UUID
    title: str
    code: str
    sku: str | None = None
    quantity: str | None = None
    unit: str | None = None
    tracking: str | None = None
    archived: bool | None = None
    lot_code: str | None = None
    serial_number: str | None = None
    expiry: date | None = None
    path: str | None = None
    site_id: UUID | None = None


def money(body: MoneyBody | None, field: str) -> Money | None:
    """The amount of a body. Raises `BadValue`."""
    return Money.parse(body.amount, body.currency, field) if body is not None else None


def given_variant(body: NewVariantBody | VariantChanges) -> dict[str, Any]:
    """The fields a body names, as the actions take them. Raises `BadValue`."""
    given = {name: getattr(body, name) for name in body.model_fields_set if name not in ("id", "barcodes")}
    if "list_price" in given:
        given["list_price"] = money(body.list_price, "list_price")
    if "cost" in given:
        given["cost"] = parse_cost(body.cost.amount) if body.cost else None
        given["cost_currency"] = check_currency(body.cost.currency) if body.cost else None
    if given.get("weight_g") is not None:
        given["weight_g"] = grams(given["weight_g"])
    return given


def grams(text: str) -> Any:
    """A weight in grams with at most 3 decimals."""
    from decimal import Decimal

    return Decimal(parse_units(text, 3, "weight_g")).scaleb(-3)


def given_barcodes(bodies: list[BarcodeBody], decimals: int) -> list[Barcode]:
    """The barcodes of a body. Raises `BadValue`."""
    return [
        parse_barcode(b.code, kind=b.kind, quantity=b.quantity, level=b.level, decimals=decimals)
        for b in bodies
    ]
