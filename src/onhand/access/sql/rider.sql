-- Rows of the audit log that the posting lane writes with its batch, over column arrays of equal length (as pos/sql/riders.sql).
CREATE OR REPLACE FUNCTION rider_audit(
  ids uuid[], instants timestamptz[], actor_ids uuid[], actor_kinds text[], actor_names text[], actions text[], entities text[],
  entity_ids text[], requests text[], request_ids text[], ips text[], all_changes jsonb[])
RETURNS void LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO audit (id, at, actor_id, actor_kind, actor_name, action, entity, entity_id, request, request_id, ip, changes)
    SELECT ids[n], instants[n], actor_ids[n], actor_kinds[n], actor_names[n], actions[n], entities[n], entity_ids[n],
           requests[n], request_ids[n], ips[n], all_changes[n]
      FROM generate_series(1, cardinality(ids)) AS n;
END $$;
