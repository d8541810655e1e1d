-- name: zone
-- Grain: one zone of ours, by its name; whether it is suspended now, and where its messages go.
SELECT zone_id, is_sandbox, suspended_at IS NOT NULL AS is_suspended FROM inbox.zone WHERE name = %(name)s

-- name: store
-- Grain: one message from a zone that we joined; no row when it is held already. Wakes the drain.
WITH stored AS (
    INSERT INTO inbox.message (
        zone_id, source_id, msg_id, message_type, sif_version, sif_timestamp, origin, body, body_sha256, state,
        request_msg_id, packet_number, more_packets
    )
    VALUES (
        %(zone_id)s, %(source_id)s, %(msg_id)s, %(message_type)s, %(sif_version)s, %(sif_timestamp)s, 'agent',
        %(body)s, sha256(%(body)s), %(state)s, %(request_msg_id)s, %(packet_number)s, %(more_packets)s
    )
    ON CONFLICT (zone_id, source_id, msg_id) DO NOTHING
    RETURNING message_id, state
)
SELECT message_id, (SELECT pg_notify('sif_inbox', '') FROM stored WHERE state = 'pending') FROM stored

-- name: held
-- Grain: one message: whether what is held under this MsgId is the same.
SELECT body_sha256 = sha256(%(body)s) FROM inbox.message
WHERE zone_id = %(zone_id)s AND source_id = %(source_id)s AND msg_id = %(msg_id)s

-- name: count_duplicate
-- Where the drain has the row in hand, the count is let go: the ack matters more.
UPDATE inbox.message SET duplicates = duplicates + 1
WHERE message_id IN (
    SELECT message_id FROM inbox.message
    WHERE zone_id = %(zone_id)s AND source_id = %(source_id)s AND msg_id = %(msg_id)s
    FOR UPDATE SKIP LOCKED
)

-- name: audit
-- Grain: one security-relevant fact: ids, hashes and counts, never a value of a message.
INSERT INTO inbox.audit (event, zone_id, source_id, detail)
VALUES (%(event)s, %(zone_id)s, %(source_id)s, %(detail)s)

-- name: is_answered
-- Grain: one yes or no: was a request of ours for everything of an object, made since a moment or ever, answered to the
-- end?
SELECT EXISTS (
    SELECT FROM outbox.request
    WHERE zone_id = %(zone_id)s AND source_id = %(source_id)s AND object_name = %(object_name)s
        AND destination_id = %(destination_id)s AND state = 'complete'
        AND (%(since)s::timestamptz IS NULL OR created_at >= %(since)s)
)

-- name: open_requests
-- Grain: one request of ours for an object that is not answered yet, and whether a packet has come.
SELECT msg_id, next_packet > 1 AS is_begun FROM outbox.request
WHERE zone_id = %(zone_id)s AND source_id = %(source_id)s AND object_name = %(object_name)s AND state = 'open'
    AND destination_id = %(destination_id)s AND expires_at > clock_timestamp()

-- name: cancel_request
-- Grain: one request of ours that is called off.
UPDATE outbox.request SET state = 'cancelled', ended_at = clock_timestamp()
WHERE zone_id = %(zone_id)s AND source_id = %(source_id)s AND msg_id = %(msg_id)s AND state = 'open'

-- name: ask
-- Grain: one request that is about to be sent.
INSERT INTO outbox.request
    (zone_id, source_id, msg_id, object_name, destination_id, versions, max_buffer_size, expires_at)
VALUES (
    %(zone_id)s, %(source_id)s, %(msg_id)s, %(object_name)s, %(destination_id)s, %(versions)s, %(max_buffer_size)s,
    clock_timestamp() + interval '1 day'
)

-- name: end_request
-- Grain: one request of ours that failed, with the SIF_Error as category/code.
UPDATE outbox.request SET state = 'failed', error = %(error)s, ended_at = clock_timestamp()
WHERE zone_id = %(zone_id)s AND source_id = %(source_id)s AND msg_id = %(msg_id)s AND state = 'open'

-- name: packet
-- Grain: one request of ours: the packet that came was due, and was the last one or not.
UPDATE outbox.request SET
    next_packet = next_packet + 1,
    state = CASE WHEN %(more_packets)s THEN 'open' ELSE 'complete' END,
    ended_at = CASE WHEN %(more_packets)s THEN NULL ELSE clock_timestamp() END
WHERE zone_id = %(zone_id)s AND source_id = %(source_id)s AND msg_id = %(request_msg_id)s AND state = 'open'
    AND next_packet = %(packet_number)s
