-- The audit log only grows: whoever asks, rows are never changed, removed or truncated.

DROP TRIGGER IF EXISTS refuse_change ON audit;
CREATE TRIGGER refuse_change BEFORE UPDATE OR DELETE ON audit FOR EACH ROW EXECUTE FUNCTION onhand_refuse();

DROP TRIGGER IF EXISTS refuse_truncate ON audit;
CREATE TRIGGER refuse_truncate BEFORE TRUNCATE ON audit FOR EACH STATEMENT EXECUTE FUNCTION onhand_refuse();
