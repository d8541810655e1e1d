-- name: zones
-- One row per zone: where its messages stand, in messages.
SELECT
    z.name AS zone,
    z.lea_code,
    count(m.message_id) AS received,
    count(*) FILTER (WHERE m.state = 'pending') AS pending,
    count(*) FILTER (WHERE m.state = 'done' AND m.held = 0 AND (m.objects = 0 OR m.rejected < m.objects)) AS loaded,
    count(*) FILTER (WHERE m.state = 'done' AND m.held > 0) AS held,
    count(*) FILTER (WHERE m.state = 'done' AND m.held = 0 AND m.objects > 0 AND m.rejected = m.objects) AS rejected,
    count(*) FILTER (WHERE m.state = 'quarantined') AS quarantined,
    count(*) FILTER (WHERE m.state = 'staged') AS staged,
    count(*) FILTER (WHERE m.state = 'kept') AS kept,
    coalesce(sum(m.duplicates), 0)::bigint AS duplicate,
    coalesce(sum(m.held), 0)::bigint AS objects_held,
    coalesce(sum(m.rejected), 0)::bigint AS objects_rejected,
    extract(epoch FROM clock_timestamp() - min(m.received_at) FILTER (WHERE m.state = 'pending'))::float
        AS oldest_pending_seconds,
    max(m.received_at) AS last_received
FROM inbox.zone AS z
LEFT JOIN inbox.message AS m USING (zone_id)
GROUP BY z.zone_id
ORDER BY z.name

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
WHERE z.name = %(zone)s AND n.resolved_at IS NULL
GROUP BY 1, 2, 3, 4
ORDER BY times DESC, n.code, path
LIMIT %(limit)s
