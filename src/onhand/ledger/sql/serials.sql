-- A serial number is a lot of one unit. `serial` says how many of it lie in places that keep stock: 0 or 1, below zero where a
-- fact said twice that it left; never 2. Called by `ledger_guard` only when a batch names lots, so other goods pay nothing.
-- Errors: OH003 it would be on hand twice; OH001 (not judged) a fact takes what is not there: take the locked path.
CREATE OR REPLACE FUNCTION ledger_serials(lots uuid[], nets bigint[], judged boolean) RETURNS void
LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
BEGIN
  INSERT INTO serial AS s (lot, on_hand)
    SELECT l.id, sum(k.net) FROM unnest(lots, nets) AS k(lot, net) JOIN lot l ON l.id = k.lot AND l.kind = 'serial'
     GROUP BY l.id HAVING sum(k.net) <> 0 ORDER BY l.id
    ON CONFLICT (lot) DO UPDATE SET on_hand = s.on_hand + excluded.on_hand;
  IF FOUND AND NOT judged AND EXISTS (SELECT FROM serial WHERE lot = ANY (lots) AND on_hand < 0) THEN
    RAISE EXCEPTION 'guard' USING ERRCODE = 'OH001';
  END IF;
EXCEPTION WHEN check_violation THEN
  RAISE EXCEPTION 'serial' USING ERRCODE = 'OH003';
END $$;
