-- name: enqueue
-- Grain: one message at the end of an agent's queue; no row when the agent is not registered. Wakes delivery. The agent
-- cannot leave in between: its queue is purged after it was marked as gone.
WITH addressee AS (
    SELECT mode FROM inbox.agent
    WHERE zone_id = %(zone_id)s AND source_id = %(source_id)s AND unregistered_at IS NULL
    FOR SHARE
), queued AS (
    INSERT INTO outbox.message (
        zone_id, source_id, sender_id, msg_id, message_type, object_name, request_msg_id, authentication_level,
        encryption_level, body
    )
    SELECT
        %(zone_id)s, %(source_id)s, %(sender_id)s, %(msg_id)s, %(message_type)s, %(object_name)s, %(request_msg_id)s,
        %(authentication_level)s, %(encryption_level)s, %(body)b::bytea
    FROM addressee
    RETURNING queue_id
)
SELECT queue_id, (SELECT pg_notify('sif_outbox', '') FROM addressee WHERE mode = 'Push')
FROM queued

-- name: next
-- Grain: one message: the next for an agent, with what decides whether it can be handed out. Nothing for an agent that
-- left, sleeps or is of a suspended zone; no event while one is under selective message blocking. The place in the
-- queue is sought as the first key from here on: only the indexes of what waits have that order, so that no plan reads
-- what is settled.
WITH addressee AS (
    SELECT a.blocked_by, a.max_buffer_size, a.versions
    FROM inbox.agent AS a
    JOIN inbox.zone AS z USING (zone_id)
    WHERE a.zone_id = %(zone_id)s AND a.source_id = %(source_id)s
        AND a.unregistered_at IS NULL AND NOT a.is_asleep AND z.suspended_at IS NULL
), first AS (
    (
        SELECT zone_id, source_id, queue_id FROM outbox.message
        WHERE (zone_id, source_id, queue_id) > (%(zone_id)s, %(source_id)s, 0) AND state IN ('queued', 'delivering')
            AND (SELECT blocked_by IS NULL FROM addressee)
        ORDER BY zone_id, source_id, queue_id
        LIMIT 1
    )
    UNION ALL
    (
        SELECT zone_id, source_id, queue_id FROM outbox.message
        WHERE (zone_id, source_id, queue_id) > (%(zone_id)s, %(source_id)s, 0) AND state IN ('queued', 'delivering')
            AND message_type <> 'SIF_Event' AND (SELECT blocked_by IS NOT NULL FROM addressee)
        ORDER BY zone_id, source_id, queue_id
        LIMIT 1
    )
)
SELECT
    m.queue_id, m.sender_id, m.msg_id, m.message_type, m.request_msg_id, m.authentication_level, m.encryption_level,
    m.body, m.attempts, addressee.max_buffer_size, addressee.versions
FROM first
JOIN outbox.message AS m USING (queue_id)
CROSS JOIN addressee
WHERE first.zone_id = %(zone_id)s AND first.source_id = %(source_id)s

-- name: hand_out
-- Grain: one message that is about to be handed to its agent; no row when it was settled in the meantime. Of the acks
-- that carry it to a pull agent the latest few are remembered.
UPDATE outbox.message
SET state = 'delivering', attempts = attempts + 1, delivered_at = clock_timestamp(),
    carriers = CASE
        WHEN %(carrier)s::text IS NULL THEN carriers
        ELSE (carriers || %(carrier)s::text)[greatest(cardinality(carriers) - 8, 1):]
    END
WHERE queue_id = %(queue_id)s AND state IN ('queued', 'delivering')
RETURNING queue_id

-- name: acked
-- Grain: one message that its agent has, by its own MsgId or that of an ack that carried it.
SELECT queue_id, sender_id, msg_id, message_type, request_msg_id, state
FROM outbox.message
WHERE zone_id = %(zone_id)s AND source_id = %(source_id)s AND state IN ('delivering', 'blocked')
    AND (msg_id = %(original)s OR %(original)s = ANY (carriers))
ORDER BY queue_id
LIMIT 1
FOR UPDATE

-- name: settled_before
-- Grain: one yes or no: did the agent's ack, or one that came before it, settle this message already?
SELECT EXISTS (
    SELECT FROM outbox.message
    WHERE zone_id = %(zone_id)s AND msg_id = %(original)s AND source_id = %(source_id)s AND state IN ('done', 'dropped')
) OR EXISTS (
    SELECT FROM outbox.message
    WHERE settled_at > clock_timestamp() - interval '1 hour' AND state IN ('done', 'dropped')
        AND zone_id = %(zone_id)s AND source_id = %(source_id)s AND %(original)s = ANY (carriers)
)

-- name: settle
-- Grain: one message, taken off its queue: done, or dropped for a reason.
UPDATE outbox.message SET state = %(state)s, settled_at = clock_timestamp(), last_failure = %(failure)s
WHERE queue_id = %(queue_id)s AND state IN ('queued', 'delivering', 'blocked')
RETURNING queue_id

-- name: blocked_by
-- Grain: one agent: the event under selective message blocking; none when there is none.
SELECT blocked_by FROM inbox.agent
WHERE zone_id = %(zone_id)s AND source_id = %(source_id)s
FOR UPDATE

-- name: block
-- Grain: one event that its agent has begun with; it holds back the agent's other events.
WITH held AS (
    UPDATE outbox.message SET state = 'blocked' WHERE queue_id = %(queue_id)s RETURNING zone_id, source_id, msg_id
)
UPDATE inbox.agent AS a SET blocked_by = held.msg_id
FROM held
WHERE a.zone_id = held.zone_id AND a.source_id = held.source_id

-- name: unblock
-- Grain: one agent. An event it had begun with and not finished is delivered again. Wakes delivery.
WITH released AS (
    UPDATE outbox.message SET state = 'delivering'
    WHERE zone_id = %(zone_id)s AND source_id = %(source_id)s AND state = 'blocked'
)
UPDATE inbox.agent SET blocked_by = NULL
WHERE zone_id = %(zone_id)s AND source_id = %(source_id)s
RETURNING pg_notify('sif_outbox', '')

-- name: wake
-- Grain: one agent: it is awake, and what failed before is tried at once. Wakes delivery.
UPDATE inbox.agent SET is_asleep = FALSE, next_try_at = NULL, failures = 0, last_failure = NULL, failing_since = NULL
WHERE zone_id = %(zone_id)s AND source_id = %(source_id)s
RETURNING pg_notify('sif_outbox', '')

-- name: sleep
-- Grain: one agent: nothing is delivered until it wakes up or registers.
UPDATE inbox.agent SET is_asleep = TRUE
WHERE zone_id = %(zone_id)s AND source_id = %(source_id)s AND unregistered_at IS NULL

-- name: purge
-- Grain: the next of the messages that wait for one agent, taken off for a reason: the number of them, and the last one.
WITH portion AS (
    SELECT queue_id FROM outbox.message
    WHERE zone_id = %(zone_id)s AND source_id = %(source_id)s AND queue_id > %(after)s
        AND state IN ('queued', 'delivering', 'blocked')
    ORDER BY zone_id, source_id, queue_id
    LIMIT %(most)s
), purged AS (
    UPDATE outbox.message SET state = 'dropped', settled_at = clock_timestamp(), last_failure = %(failure)s
    WHERE queue_id IN (SELECT queue_id FROM portion) AND state IN ('queued', 'delivering', 'blocked')
    RETURNING queue_id
), freed AS (
    UPDATE inbox.agent SET blocked_by = NULL
    WHERE zone_id = %(zone_id)s AND source_id = %(source_id)s AND blocked_by IS NOT NULL
)
SELECT (SELECT count(*) FROM purged), (SELECT max(queue_id) FROM portion)

-- name: queues
-- Grain: one agent with its queue: how much waits, since when, and what holds it up.
SELECT
    z.name AS zone, a.source_id AS agent, a.mode, a.unregistered_at IS NULL AS registered, a.is_asleep AS asleep, a.blocked_by,
    a.failures, a.next_try_at, a.last_failure, z.suspended_at IS NOT NULL AS suspended,
    count(m.queue_id) AS waiting, min(m.created_at) AS waiting_since
FROM inbox.agent AS a
JOIN inbox.zone AS z USING (zone_id)
LEFT JOIN outbox.message AS m
    ON m.zone_id = a.zone_id AND m.source_id = a.source_id AND m.state IN ('queued', 'delivering', 'blocked')
WHERE %(zone)s::text IS NULL OR z.name = %(zone)s
GROUP BY z.name, a.zone_id, a.source_id, z.suspended_at
ORDER BY z.name, a.source_id

-- name: messages
-- Grain: one message of a zone's queues in a state or any, the oldest first; never its content.
SELECT
    m.queue_id AS number, m.source_id AS agent, m.sender_id AS sender, m.msg_id, m.message_type, m.object_name, octet_length(m.body) AS bytes,
    m.created_at, m.state, m.attempts, m.delivered_at, m.settled_at, m.last_failure
FROM outbox.message AS m
JOIN inbox.zone AS z USING (zone_id)
WHERE z.name = %(zone)s
    AND (%(source_id)s::text IS NULL OR m.source_id = %(source_id)s)
    AND m.state = ANY (%(states)s)
ORDER BY m.queue_id
LIMIT %(most)s

-- name: waiting
-- Grain: one line: how many of these messages, or of those for an agent, are on a queue, and of them how many requests.
SELECT count(*), count(*) FILTER (WHERE m.message_type = 'SIF_Request')
FROM outbox.message AS m
JOIN inbox.zone AS z USING (zone_id)
WHERE (m.queue_id = ANY (%(queue_ids)s) OR (z.name = %(zone)s AND m.source_id = %(source_id)s))
    AND m.state IN ('queued', 'delivering', 'blocked')

-- name: retry
-- Grain: one message that was dropped, put back in its old place of its queue; no request that has ended, and nothing
-- for an agent that has left: should it come back, it begins anew. Wakes delivery.
UPDATE outbox.message AS m SET state = 'queued', settled_at = NULL, last_failure = NULL
WHERE queue_id = %(queue_id)s AND state = 'dropped'
    AND EXISTS (
        SELECT FROM inbox.agent AS a
        WHERE a.zone_id = m.zone_id AND a.source_id = m.source_id AND a.unregistered_at IS NULL
        FOR SHARE
    )
    AND (message_type <> 'SIF_Request' OR EXISTS (
        SELECT FROM outbox.request AS r
        WHERE r.zone_id = m.zone_id AND r.source_id = m.sender_id AND r.msg_id = m.msg_id AND r.state = 'open'
    ))
RETURNING pg_notify('sif_outbox', '')

-- name: retry_agent
-- Grain: one agent whose deliveries failed: they are tried again at once. Wakes delivery.
UPDATE inbox.agent SET next_try_at = NULL, failures = 0, failing_since = NULL
WHERE zone_id = (SELECT zone_id FROM inbox.zone WHERE name = %(zone)s) AND source_id = %(source_id)s
RETURNING pg_notify('sif_outbox', '')

-- name: hold_requests
-- Grain: one request whose message is one of these, locked: whoever ends a request locks it before its message.
SELECT r.msg_id
FROM outbox.request AS r
JOIN outbox.message AS m ON m.zone_id = r.zone_id AND m.msg_id = r.msg_id AND m.sender_id = r.source_id
WHERE m.queue_id = ANY (%(queue_ids)s) AND m.message_type = 'SIF_Request'
ORDER BY r.zone_id, r.source_id, r.msg_id
FOR UPDATE OF r

-- name: hold_acked
-- Grain: the request whose message an agent acknowledges, locked, and its message not yet.
SELECT r.msg_id
FROM outbox.request AS r
JOIN outbox.message AS m ON m.zone_id = r.zone_id AND m.msg_id = r.msg_id AND m.sender_id = r.source_id
WHERE m.zone_id = %(zone_id)s AND m.source_id = %(source_id)s AND m.message_type = 'SIF_Request'
    AND m.state = 'delivering' AND (m.msg_id = %(original)s OR %(original)s = ANY (m.carriers))
FOR UPDATE OF r

-- name: drop
-- Grain: one message that waits, taken off by an operator. An event under selective message blocking no longer blocks.
WITH dropped AS (
    UPDATE outbox.message SET state = 'dropped', settled_at = clock_timestamp(), last_failure = 'operator'
    WHERE queue_id = %(queue_id)s AND state IN ('queued', 'delivering', 'blocked')
    RETURNING zone_id, source_id, msg_id
), freed AS (
    UPDATE inbox.agent AS a SET blocked_by = NULL
    FROM dropped
    WHERE a.zone_id = dropped.zone_id AND a.source_id = dropped.source_id AND a.blocked_by = dropped.msg_id
)
SELECT pg_notify('sif_outbox', '') FROM dropped
