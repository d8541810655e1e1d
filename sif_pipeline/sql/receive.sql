-- name: store
-- Grain: one message. One row: may the sender send, is there more to look at first, and the id of the message if it is
-- new. SIF_Register and files need no registration (anyone); the others do. There is more to look at
-- where a rule denies a right of this kind, or somebody in the zone subscribed; then nothing is stored.
WITH sender AS (
    SELECT 1
    WHERE %(anyone)s OR EXISTS (
        SELECT FROM inbox.agent
        WHERE zone_id = %(zone_id)s AND source_id = %(source_id)s AND unregistered_at IS NULL
    )
), closer AS (
    SELECT 1
    WHERE NOT %(is_checked)s AND (
        EXISTS (
            SELECT FROM inbox.access
            WHERE zone_id = %(zone_id)s AND source_id IN (%(source_id)s, '*') AND kind = ANY (%(kinds)s) AND NOT allowed
        )
        OR EXISTS (
            SELECT FROM inbox.provision
            WHERE zone_id = %(zone_id)s AND kind = 'SIF_SubscribeObjects' AND object_name = ANY (%(object_names)s)
        )
    )
), stored AS (
    INSERT INTO inbox.message (
        zone_id, source_id, msg_id, message_type, sif_version, sif_timestamp, origin, body, body_sha256, state,
        loaded_at, request_msg_id, packet_number, more_packets
    )
    SELECT
        %(zone_id)s, %(source_id)s, %(msg_id)s, %(message_type)s, %(sif_version)s, %(sif_timestamp)s::timestamptz,
        %(origin)s, %(body)b::bytea, %(body_sha256)b::bytea, %(state)s,
        CASE WHEN %(state)s = 'done' THEN clock_timestamp() END,
        %(request_msg_id)s::text, %(packet_number)s::int, %(more_packets)s::boolean
    FROM sender
    WHERE NOT EXISTS (SELECT FROM closer)
    ON CONFLICT (zone_id, source_id, msg_id) DO NOTHING
    RETURNING message_id
)
SELECT
    EXISTS (SELECT FROM sender) AS admitted,
    EXISTS (SELECT FROM closer) AS closer,
    (SELECT message_id FROM stored) AS message_id

-- name: announce
-- Grain: none. Wakes the drain. Not part of storing: commits that notify wait for each other, disk and all.
SELECT pg_notify('sif_inbox', '')

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

-- name: mode_of
-- Grain: one registered agent; no row when it never registered, or left. Early ones registered without a mode.
SELECT coalesce(mode, 'Pull') FROM inbox.agent
WHERE zone_id = %(zone_id)s AND source_id = %(source_id)s AND unregistered_at IS NULL

-- name: audit
-- Grain: one security-relevant fact: ids, hashes and counts, never a value of a message.
INSERT INTO inbox.audit (event, zone_id, source_id, detail)
VALUES (%(event)s, %(zone_id)s, %(source_id)s, %(detail)s)
