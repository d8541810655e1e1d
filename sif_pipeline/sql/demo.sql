-- name: difference
-- One row per zone and kind of object: what came as whole images, and what explains that it is not in the warehouse.
-- Only what a finding explains counts as rejected, held or unknown.
WITH explained AS (
    SELECT e.*, EXISTS (
        SELECT
        FROM inbox.notice AS n
        WHERE n.message_id = e.message_id AND n.position = e.position AND n.resolved_at IS NULL
          AND (e.outcome <> 'rejected' OR n.severity = 'error')
    ) AS has_finding
    FROM inbox.object_event AS e
)
SELECT
    z.name AS zone,
    e.object_name,
    count(*) FILTER (WHERE e.action IN ('Add', 'Response')) AS received,
    count(*) FILTER (WHERE e.outcome = 'rejected' AND e.has_finding) AS rejected,
    count(*) FILTER (WHERE e.outcome = 'held' AND e.has_finding) AS held,
    count(*) FILTER (WHERE e.outcome = 'unknown' AND e.has_finding) AS unknown,
    count(*) FILTER (WHERE e.outcome = 'applied' AND e.action = 'Delete') AS deleted
FROM explained AS e
JOIN inbox.zone AS z USING (zone_id)
GROUP BY z.name, e.object_name
ORDER BY z.name, e.object_name

-- name: leader
-- The drain that leads in this database, if any.
SELECT pid
FROM pg_locks
WHERE locktype = 'advisory' AND objid = %(lock)s AND granted
  AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
