-- name: under_way
-- Grain: one full sync of an object whose answer is still awaited.
SELECT sync_id FROM outbox.sync
WHERE zone_id = (SELECT zone_id FROM inbox.zone WHERE name = %(zone)s) AND object_name = %(object_name)s
    AND state IN ('asked', 'receiving', 'compared')
LIMIT 1

-- name: open
-- Grain: one full sync of one object in one zone.
INSERT INTO outbox.sync (zone_id, object_name)
SELECT zone_id, %(object_name)s FROM inbox.zone WHERE name = %(zone)s
RETURNING sync_id

-- name: list
-- Grain: one full sync, the newest first. Why it waited is no reason any more once it is applied.
SELECT s.sync_id, z.name AS zone, s.object_name, s.state, s.there, s.here, s.missing_here, s.missing_there,
    s.different, s.asked_at, s.ended_at, s.decided_by, s.decided_at, s.as_of, s.deletes,
    CASE WHEN s.state IN ('waiting', 'refused', 'failed') THEN s.reason END AS reason,
    r.next_packet - 1 AS packets, r.msg_id AS request_msg_id, z.change_limit
FROM outbox.sync AS s
JOIN inbox.zone AS z USING (zone_id)
JOIN outbox.request AS r USING (sync_id)
WHERE (%(zone)s::text IS NULL OR z.name = %(zone)s)
    AND (%(state)s::text IS NULL OR s.state = %(state)s)
    AND (%(sync_id)s::bigint IS NULL OR s.sync_id = %(sync_id)s)
ORDER BY s.sync_id DESC
LIMIT %(most)s

-- name: differences
-- Grain: one object that differs.
SELECT d.kind, replace(d.row_key::text, '-', '') AS row_key, d.message_id, d.position
FROM outbox.difference AS d
WHERE d.sync_id = %(sync_id)s
ORDER BY d.kind, d.row_key
LIMIT %(most)s

-- name: decide
-- Grain: one full sync that waited for a person; no row when it does not wait.
UPDATE outbox.sync
SET state = 'compared', decided_by = %(by)s, decided_at = clock_timestamp(), deletes = %(deletes)s
WHERE sync_id = %(sync_id)s AND state = 'waiting'
RETURNING sync_id

-- name: decided
UPDATE outbox.sync SET decided_by = %(by)s, decided_at = clock_timestamp() WHERE sync_id = %(sync_id)s

-- name: due
-- Grain: one zone whose time of the scheduled sync has come today, in the state's time zone, and was not asked since.
-- A sandbox and a suspended zone are never due.
SELECT name
FROM (
    SELECT z.*, ((%(now)s::timestamptz AT TIME ZONE %(timezone)s)::date + z.sync_at) AT TIME ZONE %(timezone)s AS today
    FROM inbox.zone AS z
    WHERE z.sync_at IS NOT NULL AND z.suspended_at IS NULL AND NOT z.is_sandbox
) AS z
WHERE today <= %(now)s::timestamptz AND (last_asked_at IS NULL OR last_asked_at < today)
ORDER BY sync_at, name

-- name: synced
-- Grain: one object that a zone was asked everything of since a moment, and that it answered or still may.
SELECT DISTINCT s.object_name
FROM outbox.sync AS s
JOIN inbox.zone AS z USING (zone_id)
WHERE z.name = %(zone)s AND s.asked_at >= %(since)s AND s.state <> 'failed'

-- name: being_answered
-- Grain: one request of the state's for an object that is not answered yet, or whose answer is not yet compared.
SELECT r.msg_id
FROM outbox.request AS r
JOIN inbox.zone AS z USING (zone_id)
LEFT JOIN outbox.sync AS s USING (sync_id)
WHERE z.name = %(zone)s AND r.source_id = %(source_id)s AND r.object_name = %(object_name)s
    AND (r.state = 'open' OR s.state IN ('asked', 'receiving', 'compared'))
ORDER BY r.created_at
LIMIT 1

-- name: asked_now
-- Grain: one zone that is asked.
UPDATE inbox.zone SET last_asked_at = clock_timestamp() WHERE name = %(zone)s

-- name: request
-- Grain: one full sync: the request it makes.
SELECT msg_id FROM outbox.request WHERE sync_id = %(sync_id)s

-- name: schedule
-- Grain: one zone: when it is asked every day.
UPDATE inbox.zone SET sync_at = %(sync_at)s, change_limit = coalesce(%(change_limit)s, change_limit)
WHERE name = %(zone)s
RETURNING zone_id
