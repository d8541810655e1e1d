-- name: zones
-- Grain: one zone. Those of these names, or of districts with these codes.
SELECT zone_id, name, lea_code, is_sandbox FROM inbox.zone WHERE name = ANY(%(names)s) OR lea_code = ANY(%(names)s)

-- name: stored
SELECT count(*) FROM inbox.message WHERE zone_id = %(zone_id)s

-- name: begin
-- Take the zone's lock until the transaction ends, and see whether anybody else drained into it.
SELECT pg_advisory_xact_lock(7437, %(zone_id)s), (SELECT last_recorded_at FROM inbox.zone WHERE zone_id = %(zone_id)s)

-- name: is_pending
SELECT EXISTS (SELECT FROM inbox.message WHERE zone_id = %(zone_id)s AND state = 'pending')

-- name: held
-- Of these messages, those that the zone has, and whether they are the same.
SELECT m.message_id, m.source_id, m.msg_id, m.body_sha256 = k.body_sha256
FROM unnest(%(source_ids)s::text[], %(msg_ids)s::text[], %(hashes)s::bytea[]) AS k (source_id, msg_id, body_sha256)
JOIN inbox.message AS m ON m.zone_id = %(zone_id)s AND m.source_id = k.source_id AND m.msg_id = k.msg_id

-- name: keys
-- Grain: one object that some message was about, and whether others may refer to it.
SELECT object_name, row_key, bool_or(outcome = 'applied' AND action IN ('Add', 'Response'))
FROM inbox.object_event
WHERE zone_id = %(zone_id)s AND row_key IS NOT NULL
GROUP BY object_name, row_key

-- name: awaited
SELECT DISTINCT waiting_object, waiting_key
FROM inbox.object_event
WHERE zone_id = %(zone_id)s AND outcome IN ('held', 'superseded') AND waiting_key IS NOT NULL

-- name: reserve
SELECT nextval(pg_get_serial_sequence('inbox.message', 'message_id')), clock_timestamp()
FROM generate_series(1, %(messages)s)

-- name: store
INSERT INTO inbox.message (
    message_id, zone_id, source_id, msg_id, message_type, sif_version, sif_timestamp, origin, received_at, body,
    body_sha256, state, recorded_at, loaded_at, objects
)
OVERRIDING SYSTEM VALUE
VALUES (
    %(message_id)s, %(zone_id)s, %(source_id)s, %(msg_id)s, %(message_type)s, %(sif_version)s, %(sif_timestamp)s,
    'file', %(received_at)s, %(body)b, %(body_sha256)b, 'done', %(recorded_at)s, clock_timestamp(), %(objects)s
)

-- name: count
UPDATE inbox.message SET held = %(held)s, rejected = %(rejected)s WHERE message_id = %(message_id)s

-- name: advance
UPDATE inbox.zone SET last_recorded_at = %(recorded_at)s WHERE zone_id = %(zone_id)s

-- name: analyze
ANALYZE
