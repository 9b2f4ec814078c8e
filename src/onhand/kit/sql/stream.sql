-- The stream: one head row, locked last, gives dense numbers in commit order.

INSERT INTO stream_head (one) VALUES (1) ON CONFLICT DO NOTHING;

-- Refuses what the append-only tables must never see.
CREATE OR REPLACE FUNCTION onhand_refuse() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  RAISE EXCEPTION '% is append-only: % refused', TG_TABLE_NAME, TG_OP USING ERRCODE = '42501';
END $$;

-- Makes the month partitions of an append-only table, from this month to `months` ahead, and its DEFAULT partition.
-- Each partition refuses UPDATE, DELETE and TRUNCATE by its own triggers. LIKE + ATTACH takes no long lock on the parent.
-- Rows that fell into the DEFAULT partition, because their month's was missing, are moved to where they belong: only then is
-- the parent locked for as long as that takes.
CREATE OR REPLACE FUNCTION onhand_partitions(parent text, months int) RETURNS int
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
  def text := parent || '_default'; wanted date[]; month date; part text; made int := 0; astray boolean; within text;
BEGIN
  IF parent NOT IN ('outbox', 'posting', 'move', 'claim') THEN
    RAISE EXCEPTION 'not a partitioned table of ours: %', parent;
  END IF;
  IF to_regclass(def) IS NULL THEN
    PERFORM onhand_partition(parent, def);
    EXECUTE format('ALTER TABLE %I ATTACH PARTITION %I DEFAULT', parent, def);
    made := 1;
  END IF;
  EXECUTE format('SELECT array_agg(DISTINCT m) FROM (SELECT (date_trunc(''month'', now() AT TIME ZONE ''UTC'') + make_interval(months => n))::date AS m'
                 ' FROM generate_series(0, %s) n UNION ALL SELECT date_trunc(''month'', recorded_at AT TIME ZONE ''UTC'')::date FROM %I) x',
                 months, def) INTO wanted;
  FOREACH month IN ARRAY wanted LOOP
    part := parent || '_' || to_char(month, 'YYYY_MM');
    CONTINUE WHEN to_regclass(part) IS NOT NULL;
    PERFORM onhand_partition(parent, part);
    within := format('recorded_at >= %L AND recorded_at < %L', month || ' 00:00:00+00', (month + interval '1 month')::date || ' 00:00:00+00');
    EXECUTE format('SELECT EXISTS (SELECT FROM %I WHERE %s)', def, within) INTO astray;
    IF astray THEN
      EXECUTE format('ALTER TABLE %I DETACH PARTITION %I', parent, def);
      EXECUTE format('INSERT INTO %I SELECT * FROM %I WHERE %s', part, def, within);
      EXECUTE format('ALTER TABLE %I DISABLE TRIGGER USER', def);
      EXECUTE format('DELETE FROM %I WHERE %s', def, within);
      EXECUTE format('ALTER TABLE %I ENABLE TRIGGER USER', def);
    END IF;
    EXECUTE format('ALTER TABLE %I ATTACH PARTITION %I FOR VALUES FROM (%L) TO (%L)', parent, part,
                   month || ' 00:00:00+00', (month + interval '1 month')::date || ' 00:00:00+00');
    IF astray THEN
      EXECUTE format('ALTER TABLE %I ATTACH PARTITION %I DEFAULT', parent, def);
    END IF;
    made := made + 1;
  END LOOP;
  RETURN made;
END $$;

-- One partition, not attached yet, with its triggers.
CREATE OR REPLACE FUNCTION onhand_partition(parent text, part text) RETURNS void
LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
BEGIN
  EXECUTE format('CREATE TABLE %I (LIKE %I INCLUDING ALL)', part, parent);
  IF parent <> 'outbox' THEN
    EXECUTE format('CREATE TRIGGER refuse_change BEFORE UPDATE OR DELETE ON %I FOR EACH ROW EXECUTE FUNCTION onhand_refuse()', part);
  END IF;
  EXECUTE format('CREATE TRIGGER refuse_truncate BEFORE TRUNCATE ON %I FOR EACH STATEMENT EXECUTE FUNCTION onhand_refuse()', part);
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
