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
-- Grain: one object that some message was about, and whether others may refer to it; not those that nobody refers to
-- and of which only whole images were applied.
SELECT object_name, row_key, bool_or(outcome = 'applied' AND action IN ('Add', 'Response'))
FROM inbox.object_event
WHERE zone_id = %(zone_id)s AND row_key IS NOT NULL
GROUP BY object_name, row_key
HAVING object_name = ANY(%(referred)s) OR NOT bool_and(outcome = 'applied' AND action IN ('Add', 'Response'))

-- name: awaited
SELECT DISTINCT waiting_object, waiting_key
FROM inbox.object_event
WHERE zone_id = %(zone_id)s AND outcome IN ('held', 'superseded') AND waiting_key IS NOT NULL

-- name: reserve
SELECT nextval(pg_get_serial_sequence('inbox.message', 'message_id')), clock_timestamp()
FROM generate_series(1, %(messages)s)

-- name: count
UPDATE inbox.message SET held = %(held)s, rejected = %(rejected)s, unknown = %(unknown)s WHERE message_id = %(message_id)s

-- name: advance
-- Count the messages beyond the zone's last recorded time, as the drain's advance_zones does.
UPDATE inbox.zone AS z
SET last_recorded_at = %(recorded_at)s, recorded = z.recorded + n.messages,
    last_received_at = greatest(z.last_received_at, n.received_at),
    objects = z.objects + n.objects, unknown = z.unknown + n.unknown
FROM (
    SELECT count(*) AS messages, max(m.received_at) AS received_at, coalesce(sum(m.objects), 0) AS objects,
        coalesce(sum(m.unknown), 0) AS unknown
    FROM inbox.zone AS o
    JOIN inbox.message AS m ON m.zone_id = o.zone_id AND m.recorded_at > coalesce(o.last_recorded_at, '-infinity')
    WHERE o.zone_id = %(zone_id)s
) AS n
WHERE z.zone_id = %(zone_id)s

-- name: newest
-- The newest message of the zone: a repeated image in a newer one need not be kept as an event.
UPDATE inbox.zone SET last_ordered_at = %(ordered_at)s, last_ordered_id = %(message_id)s
WHERE zone_id = %(zone_id)s
  AND (last_ordered_at IS NULL OR (last_ordered_at, last_ordered_id) < (%(ordered_at)s, %(message_id)s))

-- name: tables
-- Tables that hold anything; INBOX has some always.
SELECT n.nspname, c.relname
FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = c.relnamespace
WHERE n.nspname = ANY(%(schemas)s) AND c.relkind = 'r' AND pg_relation_size(c.oid) > 0
