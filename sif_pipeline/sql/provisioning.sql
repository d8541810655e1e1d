-- name: register
-- Grain: one agent; registering again renews everything it said before. What it declared stays.
INSERT INTO inbox.agent (
    zone_id, source_id, name, sif_version, versions, mode, max_buffer_size, push_url, secure, accepts_gzip,
    takes_bundles, vendor, application
)
VALUES (
    %(zone_id)s, %(source_id)s, %(name)s, %(sif_version)s, %(versions)s, %(mode)s, %(max_buffer_size)s, %(push_url)s,
    %(secure)s, %(accepts_gzip)s, %(takes_bundles)s, %(vendor)s, %(application)s
)
ON CONFLICT (zone_id, source_id) DO UPDATE SET
    name = excluded.name, sif_version = excluded.sif_version, versions = excluded.versions, mode = excluded.mode,
    max_buffer_size = excluded.max_buffer_size, push_url = excluded.push_url, secure = excluded.secure,
    accepts_gzip = excluded.accepts_gzip, takes_bundles = excluded.takes_bundles, vendor = excluded.vendor,
    application = excluded.application, registered_at = clock_timestamp(), unregistered_at = NULL

-- name: way
-- Grain: one agent, registered or not: how it is reached.
SELECT mode, push_url FROM inbox.agent WHERE zone_id = %(zone_id)s AND source_id = %(source_id)s

-- name: unregister
-- Grain: one agent; no row when it had left. What it sent stays.
UPDATE inbox.agent SET unregistered_at = clock_timestamp()
WHERE zone_id = %(zone_id)s AND source_id = %(source_id)s AND unregistered_at IS NULL
RETURNING source_id

-- name: one_at_a_time
-- Grain: none. Of the agents of a zone one declares at a time, or two might become the provider of an object.
SELECT pg_advisory_xact_lock(%(lock)s, %(zone_id)s)

-- name: provided_by_others
-- Grain: one object of these that another registered agent of the zone provides.
SELECT p.object_name
FROM inbox.provision AS p
JOIN inbox.agent AS a USING (zone_id, source_id)
WHERE p.zone_id = %(zone_id)s AND p.kind = 'SIF_ProvideObjects' AND p.object_name = ANY (%(object_names)s)
    AND p.source_id <> %(source_id)s AND a.unregistered_at IS NULL
ORDER BY p.object_name

-- name: withdraw_all
-- Grain: the provisions of one agent.
DELETE FROM inbox.provision WHERE zone_id = %(zone_id)s AND source_id = %(source_id)s

-- name: withdraw
-- Grain: the provisions of one agent that it names.
DELETE FROM inbox.provision
WHERE zone_id = %(zone_id)s AND source_id = %(source_id)s
    AND (kind, object_name) IN (SELECT * FROM unnest(%(kinds)s::text[], %(object_names)s::text[]))

-- name: provide
-- Grain: one provision per object and list that an agent names.
INSERT INTO inbox.provision (zone_id, source_id, kind, object_name)
SELECT %(zone_id)s, %(source_id)s, kind, object_name
FROM unnest(%(kinds)s::text[], %(object_names)s::text[]) AS named (kind, object_name)
ON CONFLICT DO NOTHING

-- name: nodes
-- Grain: one registered agent of a zone, as it said of itself.
SELECT source_id, name, mode, coalesce(versions, '{}') AS versions, max_buffer_size, secure AS is_secure, is_asleep
FROM inbox.agent
WHERE zone_id = %(zone_id)s AND unregistered_at IS NULL
ORDER BY source_id

-- name: listed
-- Grain: one object that a registered agent of a zone declared, by list.
SELECT p.source_id, p.kind, p.object_name
FROM inbox.provision AS p
JOIN inbox.agent AS a USING (zone_id, source_id)
WHERE p.zone_id = %(zone_id)s AND a.unregistered_at IS NULL
ORDER BY p.source_id, p.kind, p.object_name
