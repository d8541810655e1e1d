-- name: store
-- Grain: one message. One row: may the sender send, and the id of the message if it is new. Wakes the drain.
-- SIF_Register and files need no registration (anyone); the others do.
WITH sender AS (
    SELECT 1
    WHERE %(anyone)s OR EXISTS (
        SELECT FROM inbox.agent
        WHERE zone_id = %(zone_id)s AND source_id = %(source_id)s AND unregistered_at IS NULL
    )
), stored AS (
    INSERT INTO inbox.message (
        zone_id, source_id, msg_id, message_type, sif_version, sif_timestamp, origin, body, body_sha256, state,
        loaded_at
    )
    SELECT
        %(zone_id)s, %(source_id)s, %(msg_id)s, %(message_type)s, %(sif_version)s, %(sif_timestamp)s::timestamptz,
        %(origin)s, %(body)b::bytea, %(body_sha256)b::bytea, %(state)s,
        CASE WHEN %(state)s = 'done' THEN clock_timestamp() END
    FROM sender
    ON CONFLICT (zone_id, source_id, msg_id) DO NOTHING
    RETURNING message_id, state
)
SELECT
    EXISTS (SELECT FROM sender) AS admitted,
    (SELECT message_id FROM stored) AS message_id,
    (SELECT pg_notify('sif_inbox', '') FROM stored WHERE state = 'pending')

-- name: hurry
-- Grain: none. Wait no longer than this for a row in the rest of the transaction.
SET LOCAL lock_timeout = '250ms'

-- name: count_duplicate
-- Grain: one message that came again with the same bytes; no row when the bytes are others.
UPDATE inbox.message SET duplicates = duplicates + 1
WHERE zone_id = %(zone_id)s AND source_id = %(source_id)s AND msg_id = %(msg_id)s
    AND body_sha256 = %(body_sha256)b
RETURNING message_id

-- name: held
-- Grain: one message: the hash of the bytes that are held under this MsgId.
SELECT encode(body_sha256, 'hex') FROM inbox.message
WHERE zone_id = %(zone_id)s AND source_id = %(source_id)s AND msg_id = %(msg_id)s

-- name: agent
-- Grain: one registered agent; no row when it never registered, or left.
SELECT mode FROM inbox.agent
WHERE zone_id = %(zone_id)s AND source_id = %(source_id)s AND unregistered_at IS NULL

-- name: register
-- Grain: one agent; registering again renews everything it said before.
INSERT INTO inbox.agent (zone_id, source_id, name, sif_version, mode, max_buffer_size, push_url)
VALUES (
    %(zone_id)s, %(source_id)s, %(name)s, %(sif_version)s, %(mode)s, %(max_buffer_size)s, %(push_url)s
)
ON CONFLICT (zone_id, source_id) DO UPDATE SET
    name = excluded.name, sif_version = excluded.sif_version, mode = excluded.mode,
    max_buffer_size = excluded.max_buffer_size, push_url = excluded.push_url,
    registered_at = clock_timestamp(), unregistered_at = NULL

-- name: unregister
-- Grain: one agent. What it sent stays.
UPDATE inbox.agent SET unregistered_at = clock_timestamp()
WHERE zone_id = %(zone_id)s AND source_id = %(source_id)s

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

-- name: audit
-- Grain: one security-relevant fact: ids, hashes and counts, never a value of a message.
INSERT INTO inbox.audit (event, zone_id, source_id, detail)
VALUES (%(event)s, %(zone_id)s, %(source_id)s, %(detail)s)
