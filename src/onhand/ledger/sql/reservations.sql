-- Reservations that the lane writes with their claims, over column arrays of equal length (as pos/sql/riders.sql).
CREATE OR REPLACE FUNCTION rider_reservation(
  ids uuid[], kinds text[], refs text[], channels uuid[], ends timestamptz[], makers uuid[])
RETURNS void LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO reservation (id, kind, reference, channel_id, expires_at, created_by)
    SELECT ids[n], kinds[n], refs[n], channels[n], ends[n], makers[n] FROM generate_series(1, cardinality(ids)) AS n;
END $$;

-- Their lines.
CREATE OR REPLACE FUNCTION rider_reservation_line(
  reservations uuid[], lines int4[], variants uuid[], sites uuid[], policies text[], requests bigint[], claims bigint[])
RETURNS void LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO reservation_line (reservation, line, variant, site, policy, requested, claimed)
    SELECT reservations[n], lines[n], variants[n], sites[n], policies[n], requests[n], claims[n]
      FROM generate_series(1, cardinality(reservations)) AS n;
END $$;
