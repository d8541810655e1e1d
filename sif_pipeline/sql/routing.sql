-- name: responder
-- Grain: one agent that answers requests for an object: the one named, or the zone's provider; with what it reads.
SELECT a.source_id, a.versions
FROM inbox.agent AS a
WHERE a.zone_id = %(zone_id)s AND a.unregistered_at IS NULL
    AND (
        a.source_id = %(named)s
        OR (%(named)s::text IS NULL AND EXISTS (
            SELECT FROM inbox.provision AS p
            WHERE p.zone_id = a.zone_id AND p.source_id = a.source_id
                AND p.kind = 'SIF_ProvideObjects' AND p.object_name = %(object_name)s
        ))
    )
ORDER BY a.registered_at
LIMIT 1

-- name: agent
-- Grain: one registered agent: the versions it reads and the largest message it takes.
SELECT versions, max_buffer_size FROM inbox.agent
WHERE zone_id = %(zone_id)s AND source_id = %(source_id)s AND unregistered_at IS NULL

-- name: subscribers
-- Grain: one registered agent that subscribed to one of these objects, other than the sender; the one named, if any.
SELECT DISTINCT p.source_id
FROM inbox.provision AS p
JOIN inbox.agent AS a USING (zone_id, source_id)
WHERE p.zone_id = %(zone_id)s AND p.kind = 'SIF_SubscribeObjects' AND p.object_name = ANY (%(object_names)s)
    AND p.source_id <> %(sender_id)s AND a.unregistered_at IS NULL
    AND (%(named)s::text IS NULL OR p.source_id = %(named)s)
ORDER BY p.source_id

-- name: passed_on
-- Grain: one message that the sender sent before under this MsgId and that was passed on: are its bytes the same?
SELECT body = %(body)b::bytea FROM outbox.message
WHERE zone_id = %(zone_id)s AND msg_id = %(msg_id)s AND sender_id = %(sender_id)s
LIMIT 1

-- name: taken_in
-- Grain: one yes or no: is a message with this MsgId from this sender in the inbox?
SELECT EXISTS (
    SELECT FROM inbox.message
    WHERE zone_id = %(zone_id)s AND source_id = %(sender_id)s AND msg_id = %(msg_id)s
)

-- name: open
-- Grain: one request; no row when the requester used its MsgId for another before.
INSERT INTO outbox.request (
    zone_id, source_id, msg_id, object_name, destination_id, versions, max_buffer_size, expires_at, purpose, sync_id
)
VALUES (
    %(zone_id)s, %(source_id)s, %(msg_id)s, %(object_name)s, %(destination_id)s, %(versions)s, %(max_buffer_size)s,
    clock_timestamp() + %(lasts)s, %(purpose)s, %(sync_id)s
)
ON CONFLICT DO NOTHING
RETURNING msg_id

-- name: asked
-- Grain: one request, locked so that its packets come in one after the other; that of the requester named goes first.
SELECT
    source_id, msg_id, object_name, destination_id, versions, max_buffer_size, next_packet, state, purpose
FROM outbox.request
WHERE zone_id = %(zone_id)s AND msg_id = %(msg_id)s
ORDER BY source_id = %(source_id)s DESC NULLS LAST
LIMIT 1
FOR UPDATE

-- name: advance
-- Grain: one request to which a packet came. While packets come it is not given up.
UPDATE outbox.request
SET next_packet = next_packet + 1, state = %(state)s, error = %(error)s,
    expires_at = greatest(expires_at, clock_timestamp() + %(lasts)s),
    ended_at = CASE WHEN %(state)s <> 'open' THEN clock_timestamp() END
WHERE zone_id = %(zone_id)s AND source_id = %(source_id)s AND msg_id = %(msg_id)s

-- name: end
-- Grain: one open request that ends without its last packet, and is not delivered any more; no row when it had ended. The
-- request is locked before its message.
WITH ended AS (
    UPDATE outbox.request SET state = %(state)s, error = %(error)s, ended_at = clock_timestamp()
    WHERE zone_id = %(zone_id)s AND source_id = %(source_id)s AND msg_id = %(msg_id)s AND state = 'open'
    RETURNING
        zone_id, source_id, msg_id, object_name, destination_id, versions, max_buffer_size, next_packet, state, purpose
), withdrawn AS (
    UPDATE outbox.message AS m SET state = 'dropped', settled_at = clock_timestamp(), last_failure = %(state)s
    FROM ended AS r
    WHERE m.zone_id = r.zone_id AND m.msg_id = r.msg_id AND m.sender_id = r.source_id
        AND m.message_type = 'SIF_Request' AND m.state IN ('queued', 'delivering')
)
SELECT source_id, msg_id, object_name, destination_id, versions, max_buffer_size, next_packet, state, purpose
FROM ended

-- name: expired
-- Grain: one open request, of everybody or of one who asks, whose time is over; those that another process has in hand
-- are left to it.
SELECT zone_id, source_id, msg_id FROM outbox.request
WHERE state = 'open' AND expires_at < clock_timestamp()
    AND (%(source_id)s::text IS NULL OR source_id = %(source_id)s)
ORDER BY expires_at
LIMIT %(most)s
FOR UPDATE SKIP LOCKED

-- name: open_with
-- Grain: one open request that an agent made or was asked, locked.
SELECT source_id, msg_id FROM outbox.request
WHERE zone_id = %(zone_id)s AND state = 'open' AND %(source_id)s IN (source_id, destination_id)
ORDER BY zone_id, source_id, msg_id
FOR UPDATE

-- name: solicited_only
-- Grain: one zone: does it refuse a SIF_Response that nobody asked for?
SELECT solicited_only FROM inbox.zone WHERE zone_id = %(zone_id)s

-- name: end_dropped
-- Grain: one open request whose message an operator took off the queue of the agent asked; it ends.
UPDATE outbox.request AS r SET state = %(state)s, error = %(error)s, ended_at = clock_timestamp()
FROM outbox.message AS m
WHERE r.state = 'open' AND m.zone_id = r.zone_id AND m.msg_id = r.msg_id AND m.sender_id = r.source_id
    AND m.message_type = 'SIF_Request' AND m.state = 'dropped' AND m.last_failure = 'operator'
RETURNING
    r.zone_id, r.source_id, r.msg_id, r.object_name, r.destination_id, r.versions, r.max_buffer_size, r.next_packet,
    r.state, r.purpose
