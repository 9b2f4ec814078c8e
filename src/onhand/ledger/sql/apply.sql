-- The one write path of the ledger. `ledger_guard` guards and updates both grains of level, `ledger_write` takes the stream head
-- last and writes keys, postings, lines and events. Array arguments of one group have equal length; keys come in lock order.
-- Errors: OH001 a guard failed, 23505 an id acted before (both: take the locked path); OH002 the directory is out of date;
-- OH003 a serial number would be on hand twice; OH004 a level was never seen: let the lock functions insert it, and try again.

-- Locks level rows in key order, inserting unseen ones as zero first. Rows of variants or locations that do not exist are
-- missing from the answer. First all that is unseen, then the locks: who inserted one while holding a lock on another would
-- deadlock with who found them in the other order.
CREATE OR REPLACE FUNCTION ledger_lock_levels(
  variants uuid[], locations uuid[], lots uuid[], conditions int2[],
  OUT tids tid[], OUT ns bigint[], OUT on_hand bigint[], OUT allocated bigint[], OUT overdrawn bigint[])
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
  IF EXISTS (SELECT FROM unnest(variants, locations, lots, conditions) AS k(variant, location, lot, condition)
              WHERE NOT EXISTS (SELECT FROM level l WHERE l.variant = k.variant AND l.location = k.location
                                   AND l.lot = k.lot AND l.condition = k.condition)) THEN
    INSERT INTO level (variant, location, lot, condition)
      SELECT k.variant, k.location, k.lot, k.condition
        FROM unnest(variants, locations, lots, conditions) WITH ORDINALITY AS k(variant, location, lot, condition, n)
        JOIN variant v ON v.id = k.variant JOIN location p ON p.id = k.location
       WHERE NOT EXISTS (SELECT FROM level l WHERE l.variant = k.variant AND l.location = k.location
                            AND l.lot = k.lot AND l.condition = k.condition)
       ORDER BY k.n ON CONFLICT DO NOTHING;
  END IF;
  SELECT array_agg(x.tid), array_agg(x.n), array_agg(x.on_hand), array_agg(x.allocated), array_agg(x.overdrawn)
    INTO tids, ns, on_hand, allocated, overdrawn
    FROM (SELECT l.ctid AS tid, k.n, l.on_hand, l.allocated, l.overdrawn
            FROM unnest(variants, locations, lots, conditions) WITH ORDINALITY AS k(variant, location, lot, condition, n)
            JOIN level l ON l.variant = k.variant AND l.location = k.location AND l.lot = k.lot AND l.condition = k.condition
           ORDER BY k.n FOR UPDATE OF l) x;
END $$;

-- The same for site levels.
CREATE OR REPLACE FUNCTION ledger_lock_sites(
  variants uuid[], sites uuid[],
  OUT tids tid[], OUT ns bigint[], OUT sellable bigint[], OUT reserved bigint[], OUT overdrawn bigint[])
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
  IF EXISTS (SELECT FROM unnest(variants, sites) AS k(variant, site)
              WHERE NOT EXISTS (SELECT FROM site_level s WHERE s.variant = k.variant AND s.site = k.site)) THEN
    INSERT INTO site_level (variant, site)
      SELECT k.variant, k.site FROM unnest(variants, sites) WITH ORDINALITY AS k(variant, site, n)
        JOIN variant v ON v.id = k.variant JOIN location p ON p.id = k.site
       WHERE NOT EXISTS (SELECT FROM site_level s WHERE s.variant = k.variant AND s.site = k.site)
       ORDER BY k.n ON CONFLICT DO NOTHING;
  END IF;
  SELECT array_agg(x.tid), array_agg(x.n), array_agg(x.sellable), array_agg(x.reserved), array_agg(x.overdrawn)
    INTO tids, ns, sellable, reserved, overdrawn
    FROM (SELECT s.ctid AS tid, k.n, s.sellable, s.reserved, s.overdrawn
            FROM unnest(variants, sites) WITH ORDINALITY AS k(variant, site, n)
            JOIN site_level s ON s.variant = k.variant AND s.site = k.site
           ORDER BY k.n FOR UPDATE OF s) x;
END $$;

-- Guards and updates both grains, a row at a time in key order: the numbers are the outer side of a nested loop, so levels are
-- locked in the order given (the settings leave the planner no other plan). `judged`: the caller has locked and judged the
-- batch, so facts may overdraw. Answers the new site levels, for the events.
CREATE OR REPLACE FUNCTION ledger_guard(
  lv_variant uuid[], lv_location uuid[], lv_lot uuid[], lv_condition int2[], lv_net bigint[], lv_low bigint[],
  sl_variant uuid[], sl_site uuid[], sl_net bigint[], sl_claimed bigint[], sl_low bigint[], sl_dip bigint[], judged boolean,
  OUT new_sellable bigint[], OUT new_reserved bigint[], OUT new_overdrawn bigint[])
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp
SET enable_hashjoin = off SET enable_mergejoin = off SET enable_seqscan = off AS $$
DECLARE
  touched bigint;
BEGIN
  IF cardinality(lv_variant) > 0 THEN
    UPDATE level l SET on_hand = l.on_hand + lv_net[n], overdrawn = greatest(0, -(l.on_hand + lv_net[n]))
      FROM generate_series(1, cardinality(lv_variant)) AS n
     WHERE l.variant = lv_variant[n] AND l.location = lv_location[n] AND l.lot = lv_lot[n] AND l.condition = lv_condition[n]
       AND (judged OR lv_low[n] IS NULL OR l.on_hand - l.allocated + lv_low[n] >= 0);
    GET DIAGNOSTICS touched = ROW_COUNT;
    IF touched <> cardinality(lv_variant) THEN
      RAISE EXCEPTION 'guard' USING ERRCODE = CASE WHEN EXISTS (
        SELECT FROM unnest(lv_variant, lv_location, lv_lot, lv_condition) AS k(variant, location, lot, condition)
         WHERE NOT EXISTS (SELECT FROM level l WHERE l.variant = k.variant AND l.location = k.location
                              AND l.lot = k.lot AND l.condition = k.condition)) THEN 'OH004' ELSE 'OH001' END;
    END IF;
    IF array_remove(lv_lot, '00000000-0000-0000-0000-000000000000') <> '{}' THEN
      PERFORM ledger_serials(lv_lot, lv_net, judged);
    END IF;
  END IF;
  IF cardinality(sl_variant) > 0 THEN
    -- a line that leaves less than nothing free raises what is overdrawn, even where the batch gives as much before it
    WITH u AS (
      UPDATE site_level s SET sellable = s.sellable + sl_net[n], reserved = s.reserved + sl_claimed[n],
                              overdrawn = greatest(0, s.reserved + sl_claimed[n] - s.sellable - sl_net[n])
        FROM generate_series(1, cardinality(sl_variant)) AS n
       WHERE s.variant = sl_variant[n] AND s.site = sl_site[n]
         AND (judged OR s.sellable - s.reserved + least(sl_low[n], sl_dip[n], 0) >= 0
              OR (sl_low[n] IS NULL AND sl_dip[n] IS NULL))
      RETURNING n, s.sellable, s.reserved, s.overdrawn)
    SELECT count(*), array_agg(o.sellable), array_agg(o.reserved), array_agg(o.overdrawn)
      INTO touched, new_sellable, new_reserved, new_overdrawn FROM (SELECT * FROM u ORDER BY n) o;
    IF touched <> cardinality(sl_variant) THEN
      RAISE EXCEPTION 'guard' USING ERRCODE = CASE WHEN EXISTS (
        SELECT FROM unnest(sl_variant, sl_site) AS k(variant, site)
         WHERE NOT EXISTS (SELECT FROM site_level s WHERE s.variant = k.variant AND s.site = k.site)) THEN 'OH004' ELSE 'OH001' END;
    END IF;
  END IF;
END $$;

-- A quantity in smallest units as a decimal string of its unit.
CREATE OR REPLACE FUNCTION onhand_decimal(quantity bigint, decimals int2) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
  SELECT CASE WHEN decimals = 0 THEN quantity::text ELSE round(quantity / 10::numeric ^ decimals, decimals)::text END
$$;

-- Takes the stream head (the last lock) and writes keys, postings, lines and events under it.
CREATE OR REPLACE FUNCTION ledger_write(
  epoch bigint,
  ids uuid[], digests bytea[], callers uuid[], kinds text[], source_types text[], source_ids uuid[], actors uuid[],
  devices uuid[], happened timestamptz[], reverses_ids uuid[], reasons text[],
  m_posting int4[], m_line int4[], m_variant uuid[], m_lot uuid[], m_from uuid[], m_from_condition int2[], m_from_kept bool[],
  m_to uuid[], m_to_condition int2[], m_to_kept bool[], m_quantity bigint[], m_cost numeric[], m_currency text[],
  c_posting int4[], c_line int4[], c_reservation uuid[], c_variant uuid[], c_site uuid[], c_quantity bigint[],
  e_id uuid[], e_type text[], e_subject text[], e_site uuid[], e_happened timestamptz[], e_key text[], e_data text[],
  l_id uuid[], l_label text[], l_decimals int2[], l_variant uuid[], l_site uuid[], l_net bigint[],
  l_sellable bigint[], l_reserved bigint[], l_overdrawn bigint[],
  OUT first_seq bigint, OUT at timestamptz, OUT last_event bigint)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
  postings int := cardinality(ids); events int := cardinality(e_id); levels int := cardinality(l_id);
  present bigint; first_event bigint;
BEGIN
  UPDATE stream_head SET posting_n = posting_n + postings, event_n = event_n + events + levels,
                         last_recorded_at = greatest(clock_timestamp(), last_recorded_at)
    RETURNING posting_n - postings, event_n - events - levels, last_recorded_at, directory_epoch
    INTO first_seq, first_event, at, present;
  IF epoch <> present THEN RAISE EXCEPTION 'directory' USING ERRCODE = 'OH002'; END IF;
  INSERT INTO posting_key (id, caller, seq, recorded_at, digest)
    SELECT ids[n], callers[n], first_seq + n, at, digests[n] FROM generate_series(1, postings) AS n;
  IF array_remove(reverses_ids, NULL) <> '{}' THEN
    INSERT INTO reversal (original, by)
      SELECT original, id FROM unnest(reverses_ids, ids) AS r(original, id) WHERE original IS NOT NULL;
  END IF;
  INSERT INTO posting (seq, recorded_at, happened_at, id, source_id, actor, device, reverses, kind, source_type, reason)
    SELECT first_seq + n, at, happened[n], ids[n], source_ids[n], actors[n], devices[n], reverses_ids[n], kinds[n],
           source_types[n], reasons[n]
      FROM generate_series(1, postings) AS n;
  IF cardinality(m_posting) > 0 THEN
    INSERT INTO move (seq, recorded_at, happened_at, variant, lot, from_location, to_location, quantity, line,
                      from_condition, to_condition, from_kept, to_kept, unit_cost, currency)
      SELECT first_seq + m_posting[n], at, happened[m_posting[n]], m_variant[n], m_lot[n], m_from[n], m_to[n], m_quantity[n],
             m_line[n], m_from_condition[n], m_to_condition[n], m_from_kept[n], m_to_kept[n], m_cost[n], m_currency[n]
        FROM generate_series(1, cardinality(m_posting)) AS n;
  END IF;
  IF cardinality(c_posting) > 0 THEN
    INSERT INTO claim (seq, recorded_at, reservation, variant, site, quantity, line)
      SELECT first_seq + c_posting[n], at, c_reservation[n], c_variant[n], c_site[n], c_quantity[n], c_line[n]
        FROM generate_series(1, cardinality(c_posting)) AS n;
  END IF;
  IF events > 0 THEN
    INSERT INTO outbox (event_n, recorded_at, happened_at, id, site, type, subject, partition_key, data)
      SELECT first_event + n, at, e_happened[n], e_id[n], e_site[n], e_type[n], e_subject[n], e_key[n], e_data[n]
        FROM generate_series(1, events) AS n;
  END IF;
  IF levels > 0 THEN
    INSERT INTO outbox (event_n, recorded_at, happened_at, id, site, type, subject, partition_key, data)
      SELECT first_event + events + n, at, at, l_id[n], l_site[n], 'stock.level_changed', 'variant/' || l_variant[n],
             l_variant[n] || '/' || l_site[n],
             '{' || l_label[n] || ',"sellable":"' || onhand_decimal(l_sellable[n], l_decimals[n])
             || '","reserved":"' || onhand_decimal(l_reserved[n], l_decimals[n])
             || '","available":"' || onhand_decimal(l_sellable[n] - l_reserved[n], l_decimals[n])
             || '","overdrawn":"' || onhand_decimal(l_overdrawn[n], l_decimals[n])
             || '","delta":"' || onhand_decimal(l_net[n], l_decimals[n]) || '","seq":"' || first_seq + postings || '"}'
        FROM generate_series(1, levels) AS n;
  END IF;
  last_event := first_event + events + levels;
END $$;

-- Signed entries, as people who audit stock expect them: −from and +to; the sum per variant and place is the level.
CREATE OR REPLACE VIEW ledger_entry AS
  SELECT seq, line, recorded_at, happened_at, variant, lot, from_location AS location, from_condition AS condition,
         -quantity AS quantity, from_kept AS kept, unit_cost, currency FROM move
  UNION ALL
  SELECT seq, line, recorded_at, happened_at, variant, lot, to_location, to_condition, quantity, to_kept, unit_cost, currency
    FROM move;
