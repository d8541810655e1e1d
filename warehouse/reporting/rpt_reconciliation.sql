-- One row per district and object: what the latest full sync that was compared found, in objects. missing_here: only the
-- district has it; missing_there: only the state had it; different: both have it and the documents differ. The share, in
-- percent, is that of the state's objects that the sync would delete or change. As of a day: the latest asked for by then.
CREATE FUNCTION reporting.rpt_reconciliation_as_of(as_of timestamptz)
RETURNS TABLE (
    lea_code text, district_name text, object_name text, sync_id bigint, asked_at timestamp with time zone, state text,
    there integer, here integer, missing_here integer, missing_there integer, different integer, share_touched numeric
)
LANGUAGE sql STABLE AS $$
    SELECT d.lea_code, d.district_name, s.object_name, s.sync_id, s.asked_at,
        -- Qualified, since a sync has a column of this name.
        CASE
            WHEN rpt_reconciliation_as_of.as_of IS NULL OR s.ended_at <= rpt_reconciliation_as_of.as_of THEN s.state
            ELSE 'compared'
        END,
        s.there, s.here, s.missing_here, s.missing_there, s.different,
        round(100.0 * (s.missing_there + s.different) / nullif(s.here, 0), 1)
    FROM (
        SELECT DISTINCT ON (y.zone_id, y.object_name) y.*
        FROM outbox.sync AS y
        WHERE y.there IS NOT NULL
            AND (rpt_reconciliation_as_of.as_of IS NULL OR y.asked_at <= rpt_reconciliation_as_of.as_of)
        ORDER BY y.zone_id, y.object_name, y.sync_id DESC
    ) AS s
    JOIN reporting.dim_district_as_of(rpt_reconciliation_as_of.as_of) AS d USING (zone_id)
    ORDER BY d.lea_code, d.zone_id, s.object_name
$$;

CREATE VIEW reporting.rpt_reconciliation AS
SELECT
    lea_code, district_name, object_name, sync_id, asked_at, state, there, here, missing_here, missing_there, different,
    share_touched
FROM reporting.rpt_reconciliation_as_of(NULL);
COMMENT ON VIEW reporting.rpt_reconciliation IS 'What the latest full sync of each object in each district found';
