-- name: list
-- Grain: one agent of a zone, of all zones when none is named, and how it stands.
SELECT
    z.name AS zone, a.source_id AS agent,
    CASE
        WHEN a.unregistered_at IS NOT NULL THEN 'left' WHEN a.is_asleep THEN 'asleep'
        WHEN a.failures > 0 THEN 'failing' ELSE 'awake'
    END AS state,
    a.mode, a.application, a.versions, a.max_buffer_size AS buffer,
    (
        SELECT count(*) FROM outbox.message AS m
        WHERE m.zone_id = a.zone_id AND m.source_id = a.source_id AND m.state IN ('queued', 'delivering', 'blocked')
    ) AS waiting,
    a.failing_since, a.last_failure
FROM inbox.agent AS a
JOIN inbox.zone AS z USING (zone_id)
WHERE %(zone)s::text IS NULL OR z.name = %(zone)s
ORDER BY z.name, a.source_id

-- name: show
-- Grain: one agent of a zone, everything it said of itself and what was found of it a column.
SELECT
    z.name AS zone, a.source_id AS agent,
    CASE
        WHEN a.unregistered_at IS NOT NULL THEN 'left' WHEN a.is_asleep THEN 'asleep'
        WHEN a.failures > 0 THEN 'failing' ELSE 'awake'
    END AS state, -- as in the list
    a.name, a.vendor, a.application, a.mode, a.sif_version AS registered_in,
    a.versions, a.max_buffer_size AS buffer, a.takes_bundles, a.push_url, a.secure,
    a.accepts_gzip AS gzip, a.registered_at, a.unregistered_at AS left_at, a.is_asleep AS asleep,
    a.blocked_by, a.failing_since, a.failures, a.last_failure, a.next_try_at,
    (
        SELECT count(*) FROM outbox.message AS m
        WHERE m.zone_id = a.zone_id AND m.source_id = a.source_id AND m.state IN ('queued', 'delivering', 'blocked')
    ) AS waiting,
    (
        SELECT min(created_at) FROM outbox.message AS m
        WHERE m.zone_id = a.zone_id AND m.source_id = a.source_id AND m.state IN ('queued', 'delivering', 'blocked')
    ) AS waiting_since,
    (
        SELECT max(received_at) FROM inbox.message AS m WHERE m.zone_id = a.zone_id AND m.source_id = a.source_id
    ) AS last_received
FROM inbox.agent AS a
JOIN inbox.zone AS z USING (zone_id)
WHERE z.name = %(zone)s AND a.source_id = %(source_id)s

-- name: declared
-- Grain: one list of what an agent declared, with its objects.
SELECT p.kind, array_agg(p.object_name ORDER BY p.object_name)
FROM inbox.provision AS p
JOIN inbox.zone AS z USING (zone_id)
WHERE z.name = %(zone)s AND p.source_id = %(source_id)s
GROUP BY p.kind
ORDER BY p.kind

-- name: standing
-- Grain: one agent of a zone: what ends when its registration does.
SELECT
    a.zone_id, a.unregistered_at IS NULL AS registered,
    (
        SELECT count(*) FROM outbox.message AS m
        WHERE m.zone_id = a.zone_id AND m.source_id = a.source_id AND m.state IN ('queued', 'delivering', 'blocked')
    ) AS waiting,
    (
        SELECT count(*) FROM outbox.request AS r
        WHERE r.zone_id = a.zone_id AND r.destination_id = a.source_id AND r.state = 'open'
    ) AS asked,
    (
        SELECT count(*) FROM outbox.request AS r
        WHERE r.zone_id = a.zone_id AND r.source_id = a.source_id AND r.state = 'open'
    ) AS made,
    (
        SELECT count(*) FROM inbox.provision AS p WHERE p.zone_id = a.zone_id AND p.source_id = a.source_id
    ) AS declared
FROM inbox.agent AS a
JOIN inbox.zone AS z USING (zone_id)
WHERE z.name = %(zone)s AND a.source_id = %(source_id)s

-- name: key
-- Grain: one agent of a zone.
SELECT a.zone_id FROM inbox.agent AS a JOIN inbox.zone AS z USING (zone_id)
WHERE z.name = %(zone)s AND a.source_id = %(source_id)s

-- name: audit
-- Grain: one thing an operator did to an agent.
INSERT INTO inbox.audit (event, zone_id, source_id, detail)
VALUES (%(event)s, %(zone_id)s, %(source_id)s, %(detail)s)
