"""What the verbs of the catalogue share: checks registered by upper floors, and saying what changed."""

from collections.abc import Awaitable, Callable, Iterable, Sequence
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from onhand.catalog import store
from onhand.catalog.events import ProductChanged, VariantChanged
from onhand.catalog.model import Product, Variant, index_words, plain
from onhand.kit.problem import NotFound, Stale
from onhand.kit.tx import Tx

UseCheck = Callable[[AsyncConnection, Sequence[UUID]], Awaitable[frozenset[UUID]]]
"""Given variants, those of them that stock ever moved of."""
MergeHook = Callable[[Tx, UUID, UUID], Awaitable[None]]
"""Called inside the merging transaction with (tx, keep_id, merge_id)."""


async def _all_used(conn: AsyncConnection, variant_ids: Sequence[UUID]) -> frozenset[UUID]:
    return frozenset(variant_ids)  # until the ledger can say otherwise, take no risk


_use_check: UseCheck = _all_used
_merge_hooks: list[MergeHook] = []


def set_use_check(check: UseCheck) -> None:
    """Registers how to see whether stock of variants ever moved; the ledger does this at start-up.

    Until then every variant counts as used, so units cannot be changed.
    """
    global _use_check
    _use_check = check


def use_check() -> UseCheck:
    """The registered check."""
    return _use_check


def on_merge(hook: MergeHook) -> None:
    """Registers what upper floors do when two variants become one (the ledger carries stock over, for instance)."""
    if hook not in _merge_hooks:
        _merge_hooks.append(hook)


def merge_hooks() -> Sequence[MergeHook]:
    """The registered hooks, in order."""
    return tuple(_merge_hooks)


def check_version(thing: Product | Variant, version: int | None) -> None:
    """Raises Stale when the caller holds another version; None skips the check."""
    if version is not None and version != thing.version:
        raise Stale(param="If-Match", version=thing.version)


async def product_for_change(tx: Tx, product_id: UUID, *, param: str = "id") -> Product:
    """A product, locked. Raises NotFound."""
    found = (await store.lock_products(tx.conn, [product_id])).get(product_id)
    if found is None:
        raise NotFound("There is no product with this id.", param=param)
    return found


async def category_name(tx: Tx, category_id: UUID | None) -> str | None:
    """The name of a category. Raises NotFound for an id that is none."""
    if category_id is None:
        return None
    found = (await store.categories(tx.conn, [category_id])).get(category_id)
    if found is None:
        raise NotFound("There is no category with this id.", param="category_id")
    return found.name


async def write_variants(
    tx: Tx, *, created: Sequence[Variant], changed: Sequence[Variant], products: dict[UUID, Product],
    category_names: dict[UUID, str],
) -> None:  # fmt: skip
    """Writes variants with their search words, and teaches the search words it has not seen."""

    def indexed(variants: Iterable[Variant]) -> list[tuple[Variant, list[str]]]:
        rows = []
        for variant in variants:
            product = products[variant.product_id]
            category = category_names.get(product.category_id) if product.category_id else None
            words, spoken = index_words(variant, product.name, category)
            vocabulary.update(spoken)
            rows.append((variant, words))
        return rows

    vocabulary: set[str] = set()
    new, old = indexed(created), indexed(changed)
    await store.insert_variants(tx.conn, new)
    await store.update_variants(tx.conn, old)
    await store.learn(tx.conn, vocabulary)


def say_product(tx: Tx, before: Product | None, after: Product) -> None:
    """Audit row and event of a product."""
    tx.record("product", after.id, plain(before) if before else None, plain(after))
    tx.emit(
        ProductChanged(
            product_id=after.id,
            name=after.name,
            archived=after.archived_at is not None,
            version=after.version,
        )
    )


def say_variant(
    tx: Tx, before: Variant | None, after: Variant, *, barcodes: tuple[list[str], list[str]] | None = None
) -> None:
    """Audit row and event of a variant; `barcodes` are its codes before and after, where they changed."""
    old, new = plain(before) if before else None, plain(after)
    if barcodes is not None:
        new["barcodes"] = barcodes[1]
        if old is not None:
            old["barcodes"] = barcodes[0]
    tx.record("variant", after.id, old, new)
    tx.emit(
        VariantChanged(
            variant_id=after.id, product_id=after.product_id, sku=after.sku, name=after.name,
            archived=after.archived_at is not None, version=after.version,
        )
    )  # fmt: skip
