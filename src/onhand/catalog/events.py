"""Facts about the catalogue that others may read."""

from typing import ClassVar
from uuid import UUID

from onhand.kit.outbox import Event


class ProductChanged(Event, frozen=True, kw_only=True):
    """A product was created or changed."""

    type: ClassVar[str] = "product.changed"
    needs: ClassVar[str] = "catalog:read"

    product_id: UUID
    name: str
    archived: bool
    version: int

    def subject(self) -> str:
        """`product/<id>`."""
        return f"product/{self.product_id}"


class VariantChanged(Event, frozen=True, kw_only=True):
    """A variant, or a barcode of it, was created or changed."""

    type: ClassVar[str] = "variant.changed"
    needs: ClassVar[str] = "catalog:read"

    variant_id: UUID
    product_id: UUID
    sku: str
    name: str
    archived: bool
    version: int

    def subject(self) -> str:
        """`variant/<id>`."""
        return f"variant/{self.variant_id}"


class VariantMerged(Event, frozen=True, kw_only=True):
    """A duplicate was merged: `merge_id` now stands for `keep_id`."""

    type: ClassVar[str] = "variant.merged"
    needs: ClassVar[str] = "catalog:read"

    keep_id: UUID
    merge_id: UUID
    keep_sku: str
    merge_sku: str

    def subject(self) -> str:
        """`variant/<id of the survivor>`."""
        return f"variant/{self.keep_id}"


class CatalogImported(Event, frozen=True, kw_only=True):
    """Many products, variants or barcodes were created or changed at once; load what you show again."""

    type: ClassVar[str] = "catalog.imported"
    needs: ClassVar[str] = "catalog:read"

    created: int
    updated: int

    def subject(self) -> str:
        """`catalog`."""
        return "catalog"


class CategoryChanged(Event, frozen=True, kw_only=True):
    """A category was created or changed."""

    type: ClassVar[str] = "category.changed"
    needs: ClassVar[str] = "catalog:read"

    category_id: UUID
    name: str
    path: str

    def subject(self) -> str:
        """`category/<id>`."""
        return f"category/{self.category_id}"


class MinimumChanged(Event, frozen=True, kw_only=True):
    """The minimum of a variant at a site was set; `minimum` is a decimal text in the variant's unit, None: removed."""

    type: ClassVar[str] = "minimum.changed"
    needs: ClassVar[str] = "catalog:read"

    variant_id: UUID
    site_id: UUID
    minimum: str | None

    def subject(self) -> str:
        """`variant/<id>`."""
        return f"variant/{self.variant_id}"

    def site(self) -> UUID | None:
        """The site it is for."""
        return self.site_id


CHANGES_RESOLVING = ("product.changed", "variant.changed", "variant.merged", "catalog.imported")
"""Events after which a code may stand for something else."""
