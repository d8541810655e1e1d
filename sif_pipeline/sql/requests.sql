-- name: zone
-- Grain: one zone, and whether it can be asked.
SELECT zone_id, suspended_at IS NOT NULL AS suspended FROM inbox.zone WHERE name = %(name)s

-- name: provider
-- Grain: one agent that answers requests for an object: the object's provider, to whom the zone brings what names nobody,
-- or else one that responds to what names it.
SELECT p.source_id, coalesce(a.versions, ARRAY[a.sif_version]) AS versions, p.kind = 'SIF_ProvideObjects' AS provides
FROM inbox.provision AS p
JOIN inbox.agent AS a USING (zone_id, source_id)
WHERE p.zone_id = %(zone_id)s AND p.object_name = %(object_name)s AND a.unregistered_at IS NULL
    AND p.kind IN ('SIF_ProvideObjects', 'SIF_RespondObjects')
ORDER BY provides DESC, a.registered_at
LIMIT 1

-- name: provided
-- Grain: one object that some agent of a zone answers requests for.
SELECT DISTINCT p.object_name
FROM inbox.provision AS p
JOIN inbox.agent AS a USING (zone_id, source_id)
WHERE p.zone_id = %(zone_id)s AND a.unregistered_at IS NULL
    AND p.kind IN ('SIF_ProvideObjects', 'SIF_RespondObjects')

-- name: list
-- Grain: one request of the state's, the newest first.
SELECT z.name AS zone, r.object_name, r.destination_id AS agent, r.state, r.next_packet - 1 AS packets, r.error,
    r.created_at, r.expires_at, r.ended_at, r.purpose, r.sync_id, r.msg_id
FROM outbox.request AS r
JOIN inbox.zone AS z USING (zone_id)
WHERE r.source_id = %(source_id)s
    AND (%(zone)s::text IS NULL OR z.name = %(zone)s)
    AND (%(msg_ids)s::text[] IS NULL OR r.msg_id = ANY (%(msg_ids)s))
    AND (%(state)s::text IS NULL OR r.state = %(state)s)
ORDER BY r.created_at DESC, r.msg_id
LIMIT %(most)s

-- name: queued
-- Grain: one request's message on the queue of the agent that is asked.
SELECT state, attempts, delivered_at, last_failure FROM outbox.message
WHERE msg_id = %(msg_id)s AND sender_id = %(source_id)s AND message_type = 'SIF_Request'

-- name: answered
-- Grain: one request: packets, objects and bytes that came in for it.
SELECT count(*), coalesce(sum(objects), 0)::bigint, coalesce(sum(octet_length(body)), 0)::bigint
FROM inbox.message
WHERE zone_id = (SELECT zone_id FROM inbox.zone WHERE name = %(zone)s) AND request_msg_id = %(msg_id)s
    AND message_type = 'SIF_Response'

-- name: own
-- Grain: one request of the state's: the zone it was made in.
SELECT zone_id FROM outbox.request WHERE source_id = %(source_id)s AND msg_id = %(msg_id)s
