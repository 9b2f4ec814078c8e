"""Products, variants, barcodes: what they are and which changes are possible. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from itertools import product as cartesian
from typing import Any, NamedTuple
from uuid import UUID

from onhand.catalog.words import can_be_misspelt, words_of
from onhand.kit.problem import Problem
from onhand.values import MAX_UNITS, BadValue, clean, format_units, is_gtin, parse_gtin, parse_units

TRACKING = ("none", "lot", "serial")
LEVELS = ("each", "case", "pallet")
MAX_AXES = 5
MAX_VARIANTS = 500
MAX_BARCODES = 50
MAX_ATTRIBUTES = 100


class SkuTaken(Problem):
    """Another variant has this SKU already. Choose another one, or change that variant."""

    status = 409


class BarcodeTaken(Problem):
    """Another variant carries this barcode already. Remove it there first, or merge the two variants."""

    status = 409


class UnitInUse(Problem):
    """The unit and decimals of a variant stay as they are once stock has moved: every past number would change its meaning.
    Make a new variant, or merge into one that has the right unit."""

    status = 409


class UnitsDiffer(Problem):
    """The two variants are counted in different units, so their stock cannot become one. Make the units equal first."""

    status = 409


class VariantMerged(Problem):
    """This variant was merged into another one; `merged_into` says which. Work with that one."""

    status = 409


class CategoryTaken(Problem):
    """There is a category of this name in the same place. Use it, or choose another name."""

    status = 409


class TrackingNotPossible(Problem):
    """This item cannot be tracked so; `detail` says why."""

    status = 422


class OptionsNotPossible(Problem):
    """These options do not fit the product's axes; `detail` says why."""

    status = 422


@dataclass(frozen=True, slots=True)
class Barcode:
    """A code on the goods. `units` is how many of the variant's smallest unit one scan stands for."""

    code: str
    kind: str
    units: int
    level: str


@dataclass(frozen=True, slots=True)
class Axis:
    """An option axis of a product: "size" with S, M, L."""

    name: str
    values: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Category:
    """A node of the category tree. `path` is the names from the root joined by " > "; `ancestors` the ids, itself last."""

    id: UUID
    name: str
    parent_id: UUID | None
    path: str
    ancestors: list[UUID]
    external_id: str | None = None
    metadata: dict[str, Any] = field(default_factory=dict)
    version: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Product:
    """An idea of which variants are stocked. `options` are the axes variants differ in."""

    id: UUID
    name: str
    external_id: str | None = None
    description: str = ""
    category_id: UUID | None = None
    attributes: dict[str, Any] = field(default_factory=dict)
    options: tuple[Axis, ...] = ()
    tracking: str = "none"
    pictures: list[UUID] = field(default_factory=list)
    archived_at: datetime | None = None
    metadata: dict[str, Any] = field(default_factory=dict)
    version: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Variant:
    """The thing stocked. Stock counts 10^-`decimals` of `unit`; `list_price_minor` is for one unit, `cost` too."""

    id: UUID
    product_id: UUID
    sku: str
    name: str
    unit: str = "each"
    decimals: int = 0
    options: dict[str, str] = field(default_factory=dict)
    attributes: dict[str, Any] = field(default_factory=dict)
    list_price_minor: int | None = None
    list_price_currency: str | None = None
    cost: Decimal | None = None
    cost_currency: str | None = None
    weight_g: Decimal | None = None
    dimensions_mm: list[int] | None = None
    archived_at: datetime | None = None
    merged_into: UUID | None = None
    external_id: str | None = None
    metadata: dict[str, Any] = field(default_factory=dict)
    version: int = 1


class Resolved(NamedTuple):
    """What a code stands for, ready for a posting. A quantity q of the code is q * `quantity_factor` smallest units.

    `variant_id` is the survivor when the code's variant was merged; `list_price_minor` counts minor units per one unit.
    """

    variant_id: UUID
    quantity_factor: int
    decimals: int
    unit: str
    tracking: str
    sku: str
    name: str
    product_id: UUID
    category_id: UUID | None
    list_price_minor: int | None
    list_price_currency: str | None
    cost: Decimal | None
    cost_currency: str | None
    archived: bool


@dataclass(frozen=True, slots=True)
class Found:
    """What a scan stands for: the variant, how many smallest units, and what the barcode said besides."""

    resolved: Resolved
    code: str
    lot_code: str | None = None
    serial_number: str | None = None
    expiry: date | None = None
    weight_kg: Decimal | None = None
    extra: dict[str, str] = field(default_factory=dict)


def check_tracking(tracking: str, field_name: str = "tracking") -> str:
    """none, lot or serial; anything else raises `BadValue`."""
    if tracking not in TRACKING:
        raise BadValue(field_name, f"{tracking[:20]!r} is not a way to track.", "Use none, lot or serial.")
    return tracking


def check_serial(tracking: str, decimals: int) -> None:
    """Serial numbers belong to whole units. Raises TrackingNotPossible for a variant counted in parts."""
    if tracking == "serial" and decimals != 0:
        raise TrackingNotPossible(
            "Only items counted in whole units can carry serial numbers.", param="tracking"
        )


def check_attributes(attributes: Mapping[str, Any], field_name: str = "attributes") -> dict[str, Any]:
    """Typed attributes: up to 100 names with a text, a whole number, a decimal as text, true/false, or a list of those."""
    if len(attributes) > MAX_ATTRIBUTES:
        raise BadValue(field_name, f"There are {len(attributes)} attributes.", f"Keep to {MAX_ATTRIBUTES}.")
    checked: dict[str, Any] = {}
    for name, value in attributes.items():
        items = value if isinstance(value, list) else [value]
        if len(items) > 100 or any(not isinstance(item, (str, int, bool, type(None))) for item in items):
            raise BadValue(
                field_name, f"The attribute {name[:40]!r} is no plain value.",
                "Use a text, a whole number, true or false, or a list of them; write decimals as text.",
            )  # fmt: skip
        if any(isinstance(item, str) and ("\x00" in item or len(item) > 2000) for item in items):
            raise BadValue(
                field_name, f"The attribute {name[:40]!r} is too long or holds NUL.", "Shorten it."
            )
        if any(isinstance(item, int) and abs(item) > MAX_UNITS for item in items):
            raise BadValue(
                field_name, f"The attribute {name[:40]!r} is too large a number.", "Write it as text."
            )
        checked[clean(name, field_name, longest=80)] = value
    return checked


def parse_axes(axes: Sequence[tuple[str, Sequence[str]]]) -> tuple[Axis, ...]:
    """Option axes, checked: at most 5, distinct names, each with distinct values, at most 500 combinations."""
    if len(axes) > MAX_AXES:
        raise OptionsNotPossible(f"A product has at most {MAX_AXES} option axes.", param="options")
    out, total = [], 1
    for name, values in axes:
        cleaned = tuple(clean(value, "options", longest=80) for value in values)
        if len(set(cleaned)) != len(cleaned) or not cleaned:
            raise OptionsNotPossible(
                f"The option {name[:40]!r} needs different values, at least one.", param="options"
            )
        out.append(Axis(clean(name, "options", longest=80), cleaned))
        total *= len(cleaned)
    if len({axis.name for axis in out}) != len(out):
        raise OptionsNotPossible("Two options have the same name.", param="options")
    if total > MAX_VARIANTS:
        raise OptionsNotPossible(
            f"These options make {total} variants; a product has at most {MAX_VARIANTS}.", param="options"
        )
    return tuple(out)


def check_options(options: Mapping[str, str], axes: Sequence[Axis]) -> dict[str, str]:
    """A variant's options: nothing, or one known value for each axis of its product."""
    if not options:
        return {}
    known = {axis.name: axis.values for axis in axes}
    if set(options) != set(known):
        raise OptionsNotPossible(
            f"Give one value for each of the product's options: {', '.join(known) or 'it has none'}.",
            param="options",
        )
    for name, value in options.items():
        if value not in known[name]:
            raise OptionsNotPossible(
                f"{value[:40]!r} is not a value of {name}. Known: {', '.join(known[name])}.", param="options"
            )
    return {axis.name: options[axis.name] for axis in axes}


def missing_options(axes: Sequence[Axis], present: Sequence[Mapping[str, str]]) -> list[dict[str, str]]:
    """The combinations of the axes that no present variant has, in the order of the axes."""
    if not axes:
        return []
    taken = {tuple(options.get(axis.name) for axis in axes) for options in present}
    return [
        {axis.name: value for axis, value in zip(axes, values, strict=True)}
        for values in cartesian(*(axis.values for axis in axes))
        if values not in taken
    ]


def sku_part(text: str) -> str:
    """A text as part of a SKU: capitals and digits, at most 12 characters ("Dark Red" gives "DARK-RED")."""
    kept = "".join(char if char.isalnum() else "-" for char in text.upper())
    return "-".join(part for part in kept.split("-") if part)[:12].strip("-") or "X"


def variant_name(product_name: str, options: Mapping[str, str]) -> str:
    """How a variant is called when nobody named it: the product, then its option values."""
    return f"{product_name} {' / '.join(options.values())}".strip()[:300] if options else product_name


def parse_barcode(
    code: str, *, kind: str | None, quantity: str | None, level: str | None, decimals: int
) -> Barcode:
    """A barcode, checked. Without `kind` it is a GTIN when its check digit says so. `quantity` is in the variant's unit
    (default one). Raises `BadValue`.
    """
    if kind not in (None, "gtin", "other"):
        raise BadValue("kind", f"{kind[:20]!r} is not a kind of barcode.", "Use gtin or other.")
    if level not in (None, *LEVELS):
        raise BadValue("level", f"{level[:20]!r} is not a packing level.", "Use each, case or pallet.")
    units = 10**decimals if quantity is None else parse_units(quantity, decimals)
    if units <= 0:
        raise BadValue("quantity", "A barcode stands for more than nothing.", "Give a quantity above 0.")
    text = clean(code, "barcode", longest=128)
    if kind == "gtin" or (kind is None and is_gtin(text)):
        return Barcode(
            parse_gtin(text), "gtin", units, level or ("each" if units == 10**decimals else "case")
        )
    return Barcode(text, "other", units, level or ("each" if units == 10**decimals else "case"))


def lookups(code: str) -> tuple[str, ...]:
    """The texts a barcode may be stored under, best first: a GTIN's 14 digits, then the code as it is."""
    return (code.zfill(14), code) if is_gtin(code) and len(code) != 14 else (code,)


def shown_barcode(barcode: Barcode, decimals: int) -> dict[str, str]:
    """A barcode as the API shows it."""
    return {
        "code": barcode.code,
        "kind": barcode.kind,
        "quantity": format_units(barcode.units, decimals),
        "level": barcode.level,
    }


def index_words(
    variant: Variant, product_name: str, category_name: str | None
) -> tuple[list[str], list[str]]:
    """The words a variant is found by, and those of them that may be misspelt (no codes, no bare numbers)."""
    values = [
        item
        for value in variant.attributes.values()
        for item in (value if isinstance(value, list) else [value])
        if isinstance(item, str)
    ]
    spoken = words_of(variant.name, product_name, category_name or "", *variant.options.values(), *values)
    return list(dict.fromkeys([*spoken, *words_of(variant.sku)]))[:96], [
        w for w in spoken if can_be_misspelt(w)
    ]


def plain(thing: Category | Product | Variant) -> dict[str, Any]:
    """A record as the audit log keeps it: plain texts and numbers."""
    out: dict[str, Any] = {}
    for name in thing.__dataclass_fields__:
        value = getattr(thing, name)
        if isinstance(value, datetime):
            value = value.isoformat()
        elif isinstance(value, (UUID, Decimal)):
            value = str(value)
        elif name in ("pictures", "ancestors"):
            value = [str(item) for item in value]
        elif name == "options" and isinstance(value, tuple):
            value = [{"name": axis.name, "values": list(axis.values)} for axis in value]
        out[name] = value
    return out
