-- The stream: one head row, locked last, gives dense numbers in commit order.

INSERT INTO stream_head (one) VALUES (1) ON CONFLICT DO NOTHING;

-- Refuses what the append-only tables must never see.
CREATE OR REPLACE FUNCTION onhand_refuse() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  RAISE EXCEPTION '% is append-only: % refused', TG_TABLE_NAME, TG_OP USING ERRCODE = '42501';
END $$;

-- Makes the month partitions of an append-only table, from this month to `months` ahead, and its DEFAULT partition.
-- Each partition refuses UPDATE, DELETE and TRUNCATE by its own triggers. LIKE + ATTACH takes no long lock on the parent.
CREATE OR REPLACE FUNCTION onhand_partitions(parent text, months int) RETURNS int
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
  month date; part text; made int := 0;
BEGIN
  IF parent NOT IN ('outbox', 'posting', 'move', 'claim') THEN
    RAISE EXCEPTION 'not a partitioned table of ours: %', parent;
  END IF;
  FOR i IN -1..months LOOP
    IF i = -1 THEN
      part := parent || '_default';
    ELSE
      month := (date_trunc('month', now() AT TIME ZONE 'UTC') + make_interval(months => i))::date;
      part := parent || '_' || to_char(month, 'YYYY_MM');
    END IF;
    CONTINUE WHEN to_regclass(part) IS NOT NULL;
    EXECUTE format('CREATE TABLE %I (LIKE %I INCLUDING ALL)', part, parent);
    IF parent <> 'outbox' THEN
      EXECUTE format('CREATE TRIGGER refuse_change BEFORE UPDATE OR DELETE ON %I FOR EACH ROW EXECUTE FUNCTION onhand_refuse()', part);
    END IF;
    EXECUTE format('CREATE TRIGGER refuse_truncate BEFORE TRUNCATE ON %I FOR EACH STATEMENT EXECUTE FUNCTION onhand_refuse()', part);
    IF i = -1 THEN
      EXECUTE format('ALTER TABLE %I ATTACH PARTITION %I DEFAULT', parent, part);
    ELSE
      EXECUTE format('ALTER TABLE %I ATTACH PARTITION %I FOR VALUES FROM (%L) TO (%L)', parent, part,
                     month || ' 00:00:00+00', (month + interval '1 month')::date || ' 00:00:00+00');
    END IF;
    made := made + 1;
  END LOOP;
  RETURN made;
END $$;

-- Writes events of a transaction that touches no stock; locks the head.
CREATE OR REPLACE FUNCTION onhand_emit(ids uuid[], types text[], subjects text[], sites uuid[], times timestamptz[],
                                       keys text[], datas text[]) RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
  first bigint; at timestamptz;
BEGIN
  UPDATE stream_head SET event_n = event_n + cardinality(ids),
                         last_recorded_at = greatest(clock_timestamp(), last_recorded_at)
    RETURNING event_n - cardinality(ids), last_recorded_at INTO first, at;
  INSERT INTO outbox (event_n, recorded_at, happened_at, id, site, type, subject, partition_key, data)
    SELECT first + n, at, t, id, site, typ, subject, key, data
    FROM unnest(ids, types, subjects, sites, times, keys, datas) WITH ORDINALITY AS e(id, typ, subject, site, t, key, data, n);
  RETURN first + cardinality(ids);
END $$;

-- Says that something the ledger remembers of places has changed.
CREATE OR REPLACE FUNCTION onhand_bump_directory() RETURNS void
LANGUAGE sql SECURITY DEFINER SET search_path = public, pg_temp AS $$
  UPDATE stream_head SET directory_epoch = directory_epoch + 1;
$$;
