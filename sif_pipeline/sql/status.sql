-- name: zones
-- One row per zone: where its messages stand, in messages. Those that were drained and loaded, which are nearly all, are
-- counted by the zone itself; read are only those that are pending, and those that index ix_message_apart holds.
WITH pending AS (
    SELECT
        zone_id, count(*) AS messages, count(*) FILTER (WHERE recorded_at IS NULL) AS unrecorded,
        sum(duplicates) AS duplicates, min(received_at) AS oldest, max(received_at) AS latest
    FROM inbox.message
    WHERE state = 'pending'
    GROUP BY zone_id
), apart AS (
    SELECT
        zone_id,
        count(*) FILTER (WHERE recorded_at IS NULL) AS unrecorded,
        count(*) FILTER (WHERE state = 'done' AND held > 0) AS held,
        count(*) FILTER (WHERE state = 'done' AND held = 0 AND objects > 0 AND rejected = objects) AS rejected,
        count(*) FILTER (WHERE state = 'quarantined') AS quarantined,
        count(*) FILTER (WHERE state = 'staged') AS staged,
        count(*) FILTER (WHERE state = 'kept') AS kept,
        sum(duplicates) AS duplicates, sum(held) AS objects_held, sum(rejected) AS objects_rejected,
        max(received_at) AS latest
    FROM inbox.message
    -- As the index states it, so that the planner knows it again.
    WHERE state <> 'pending' AND (state <> 'done' OR held > 0 OR rejected > 0 OR duplicates > 0 OR recorded_at IS NULL)
    GROUP BY zone_id
), counted AS (
    SELECT
        z.zone_id, z.name, z.lea_code, z.last_received_at,
        z.recorded + coalesce(p.unrecorded, 0) + coalesce(a.unrecorded, 0) AS received,
        coalesce(p.messages, 0) AS pending,
        coalesce(a.held, 0) AS held,
        coalesce(a.rejected, 0) AS rejected,
        coalesce(a.quarantined, 0) AS quarantined,
        coalesce(a.staged, 0) AS staged,
        coalesce(a.kept, 0) AS kept,
        coalesce(p.duplicates, 0) + coalesce(a.duplicates, 0) AS duplicate,
        z.objects, z.unchanged AS objects_unchanged, z.unknown AS objects_not_collected,
        coalesce(a.objects_held, 0) AS objects_held,
        coalesce(a.objects_rejected, 0) AS objects_rejected,
        p.oldest, greatest(z.last_received_at, p.latest, a.latest) AS last_received
    FROM inbox.zone AS z
    LEFT JOIN pending AS p USING (zone_id)
    LEFT JOIN apart AS a USING (zone_id)
)
SELECT
    name AS zone, lea_code, received, pending,
    received - pending - held - rejected - quarantined - staged - kept AS loaded,
    held, rejected, quarantined, staged, kept, duplicate,
    objects - objects_held - objects_rejected - objects_not_collected AS objects_loaded,
    objects_unchanged, objects_held, objects_rejected, objects_not_collected,
    extract(epoch FROM clock_timestamp() - oldest)::float AS oldest_pending_seconds,
    last_received
FROM counted
ORDER BY name

-- name: delays
-- One row per zone: seconds from receipt to loaded and visible, of what was received since a moment.
SELECT
    z.name AS zone,
    percentile_cont(0.5) WITHIN GROUP (ORDER BY extract(epoch FROM m.loaded_at - m.received_at))::float AS p50,
    percentile_cont(0.95) WITHIN GROUP (ORDER BY extract(epoch FROM m.loaded_at - m.received_at))::float AS p95
FROM inbox.message AS m
JOIN inbox.zone AS z USING (zone_id)
WHERE m.loaded_at IS NOT NULL AND m.objects > 0 AND m.received_at >= %(since)s
GROUP BY z.name
ORDER BY z.name

-- name: findings
-- The open findings of a zone by kind, most frequent first.
SELECT n.code, n.severity, coalesce(n.object_name, '') AS object_name,
    regexp_replace(n.path, '\[[0-9]+\]', '', 'g') AS path, sum(n.times)::bigint AS times
FROM inbox.notice AS n
JOIN inbox.zone AS z USING (zone_id)
WHERE z.name = %(zone)s AND n.resolved_at IS NULL AND (%(code)s::text IS NULL OR n.code = %(code)s)
GROUP BY 1, 2, 3, 4
ORDER BY times DESC, n.code, path
LIMIT %(limit)s

-- name: each
-- Every open finding of a zone, those of the latest message first, in the message's order: on which object, and where it
-- is said. The line is that of the file where a file was sent, and of the message else. An object that cannot be read has
-- no line of its own: it is a message, and begins where that does.
SELECT
    n.recorded_at, n.severity, n.code, coalesce(n.object_name, '') AS object_name,
    upper(replace(n.row_key::text, '-', '')) AS row_key, n.path, m.msg_id,
    CASE WHEN n.line > 0 THEN coalesce(m.first_line - 1, 0) + n.line
        WHEN n.code = 'message_unreadable' THEN m.first_line END AS line,
    n.times
FROM inbox.notice AS n
JOIN inbox.zone AS z USING (zone_id)
LEFT JOIN inbox.message AS m ON m.message_id = n.message_id
WHERE z.name = %(zone)s AND n.resolved_at IS NULL AND (%(code)s::text IS NULL OR n.code = %(code)s)
ORDER BY n.recorded_at DESC, n.message_id, n.position, n.line, n.notice_id
LIMIT %(limit)s
