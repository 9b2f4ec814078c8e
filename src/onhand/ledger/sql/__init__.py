"""Named statements of the posting lane, each with a purpose line."""

# Which directory of places is in force.
EPOCH = "SELECT directory_epoch FROM stream_head"

# Which ids acted before.
KNOWN = "SELECT id, digest, caller, seq, recorded_at FROM posting_key WHERE id = ANY($1::uuid[])"

# Which postings were reversed before.
REVERSED = "SELECT original FROM reversal WHERE original = ANY($1::uuid[])"

# Lock levels and site levels in key order, unseen ones inserted as zero first.
LOCK_LEVELS = "SELECT ns, on_hand, allocated, overdrawn FROM ledger_lock_levels($1, $2, $3, $4)"
LOCK_SITES = "SELECT ns, sellable, reserved, overdrawn FROM ledger_lock_sites($1, $2)"


def _numbered(first: int, last: int) -> str:
    return ", ".join(f"${n}" for n in range(first, last + 1))


# Guard and write a batch: 54 arguments (batch.Arrays.apply_arguments). One statement, not a function around two: PL/pgSQL would
# copy every array once more on its way through.
APPLY = (
    f"SELECT w.first_seq, w.at, w.last_event FROM ledger_guard({_numbered(3, 14)}, $2) AS g,"
    f" LATERAL ledger_write($1, {_numbered(18, 54)}, {_numbered(15, 17)}, $9, $10, $11,"
    " g.new_sellable, g.new_reserved, g.new_overdrawn) AS w"
)

# Exceptions opened by facts that took more than was there.
EXCEPTIONS = """
INSERT INTO exception (id, kind, site, variant, quantity, posting_id, source_type, source_id, actor, detail)
SELECT * FROM unnest($1::uuid[], $2::text[], $3::uuid[], $4::uuid[], $5::bigint[], $6::uuid[], $7::text[], $8::uuid[],
                     $9::uuid[], $10::jsonb[])
ON CONFLICT DO NOTHING
"""

# What an event says of a variant.
LABELS = "SELECT id, sku, decimals FROM variant WHERE id = ANY($1::uuid[])"
