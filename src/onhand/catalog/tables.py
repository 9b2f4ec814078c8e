"""Tables of the catalogue: units, categories, products, variants, barcodes, minimums, and the words of the search."""

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql as pg

from onhand.kit.database import metadata


def _stamps() -> list[sa.Column[object]]:
    now = sa.text("clock_timestamp()")
    return [
        sa.Column("version", sa.Integer, nullable=False, server_default="1"),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False, server_default=now),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False, server_default=now),
    ]


unit = sa.Table(
    "unit",
    metadata,
    sa.Column("code", sa.Text, primary_key=True),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("dimension", sa.Text, nullable=False),
    # one of it is numerator/denominator of the dimension's base unit (each, g, ml, m, m2, s)
    sa.Column("numerator", sa.BigInteger, nullable=False),
    sa.Column("denominator", sa.BigInteger, nullable=False),
    sa.CheckConstraint("numerator > 0 AND denominator > 0", name="factor"),
)

category = sa.Table(
    "category",
    metadata,
    sa.Column("id", sa.Uuid, primary_key=True),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("parent_id", sa.Uuid, sa.ForeignKey("category.id"), index=True),
    sa.Column("path", sa.Text(collation="C"), nullable=False, unique=True),
    sa.Column("ancestors", pg.ARRAY(sa.Uuid), nullable=False),  # from the root down to itself
    sa.Column("external_id", sa.Text, unique=True),
    sa.Column("metadata", pg.JSONB, nullable=False, server_default="{}"),
    *_stamps(),
    sa.Index(None, "ancestors", postgresql_using="gin"),
)

product = sa.Table(
    "product",
    metadata,
    sa.Column("id", sa.Uuid, primary_key=True),
    sa.Column("external_id", sa.Text, unique=True),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("description", sa.Text, nullable=False, server_default=""),
    sa.Column("category_id", sa.Uuid, sa.ForeignKey("category.id"), index=True),
    sa.Column("attributes", pg.JSONB, nullable=False, server_default="{}"),
    sa.Column("options", pg.JSONB, nullable=False, server_default="[]"),
    sa.Column("tracking", sa.Text, nullable=False, server_default="none"),
    sa.Column("pictures", pg.ARRAY(sa.Uuid), nullable=False, server_default="{}"),
    sa.Column("archived_at", sa.DateTime(timezone=True)),
    sa.Column("metadata", pg.JSONB, nullable=False, server_default="{}"),
    *_stamps(),
    sa.CheckConstraint("tracking IN ('none','lot','serial')", name="tracking"),
    sa.Index(None, "updated_at", "id"),
    sa.Index("product_name_idx", sa.text('lower(name) COLLATE "C"'), "id"),
)

variant = sa.Table(
    "variant",
    metadata,
    sa.Column("id", sa.Uuid, primary_key=True),
    sa.Column("product_id", sa.Uuid, sa.ForeignKey("product.id"), nullable=False, index=True),
    sa.Column("sku", sa.Text(collation="C"), nullable=False, unique=True),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("options", pg.JSONB, nullable=False, server_default="{}"),
    sa.Column("attributes", pg.JSONB, nullable=False, server_default="{}"),
    sa.Column("unit", sa.Text, sa.ForeignKey("unit.code"), nullable=False),
    sa.Column("decimals", sa.SmallInteger, nullable=False),
    sa.Column("list_price_minor", sa.BigInteger),
    sa.Column("list_price_currency", sa.Text),
    sa.Column("cost", sa.Numeric(20, 6)),
    sa.Column("cost_currency", sa.Text),
    sa.Column("weight_g", sa.Numeric(14, 3)),
    sa.Column("dimensions_mm", pg.ARRAY(sa.Integer)),
    sa.Column("archived_at", sa.DateTime(timezone=True)),
    sa.Column("merged_into", sa.Uuid, sa.ForeignKey("variant.id")),
    sa.Column("external_id", sa.Text, unique=True),
    sa.Column("metadata", pg.JSONB, nullable=False, server_default="{}"),
    sa.Column("words", pg.TSVECTOR, nullable=False, server_default=""),
    *_stamps(),
    sa.CheckConstraint("decimals BETWEEN 0 AND 6", name="decimals"),
    sa.CheckConstraint("(list_price_minor IS NULL) = (list_price_currency IS NULL)", name="list_price"),
    sa.CheckConstraint("(cost IS NULL) = (cost_currency IS NULL)", name="cost"),
    sa.CheckConstraint("merged_into <> id", name="merged"),
    sa.Index(None, "updated_at", "id"),
    sa.Index("variant_words_idx", "words", postgresql_using="gin", postgresql_with={"fastupdate": "off"}),
    sa.Index("variant_sku_lower_idx", sa.text('lower(sku) COLLATE "C"')),
    sa.Index("variant_merged_into_idx", "merged_into", postgresql_where=sa.text("merged_into IS NOT NULL")),
)

barcode = sa.Table(
    "barcode",
    metadata,
    sa.Column("code", sa.Text(collation="C"), primary_key=True),  # GTINs with 14 digits
    sa.Column("variant_id", sa.Uuid, sa.ForeignKey("variant.id"), nullable=False, index=True),
    sa.Column("kind", sa.Text, nullable=False),
    sa.Column(
        "quantity", sa.BigInteger, nullable=False
    ),  # counts of the variant's smallest unit one scan stands for
    sa.Column("level", sa.Text, nullable=False),
    sa.CheckConstraint("kind IN ('gtin','other')", name="kind"),
    sa.CheckConstraint("level IN ('each','case','pallet')", name="level"),
    sa.CheckConstraint("quantity > 0", name="quantity"),
)

minimum = sa.Table(
    "minimum",
    metadata,
    sa.Column("variant_id", sa.Uuid, sa.ForeignKey("variant.id"), nullable=False),
    sa.Column("site_id", sa.Uuid, sa.ForeignKey("location.id"), nullable=False),
    sa.Column("minimum", sa.BigInteger, nullable=False),  # counts of the variant's smallest unit
    sa.Column(
        "updated_at", sa.DateTime(timezone=True), nullable=False, server_default=sa.text("clock_timestamp()")
    ),
    sa.PrimaryKeyConstraint("variant_id", "site_id"),
    sa.CheckConstraint("minimum >= 0", name="minimum"),
    sa.Index(None, "site_id", "variant_id"),
)

# Every word of the catalogue, and each with one letter left out: two words one typo apart share such a cut.
search_word = sa.Table("search_word", metadata, sa.Column("word", sa.Text(collation="C"), primary_key=True))

search_cut = sa.Table(
    "search_cut",
    metadata,
    sa.Column("cut", sa.Text(collation="C"), nullable=False),
    sa.Column("word", sa.Text(collation="C"), nullable=False),
    sa.PrimaryKeyConstraint("cut", "word"),
)
