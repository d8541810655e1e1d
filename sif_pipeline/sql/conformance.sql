-- name: withhold
-- Grain: one agent of a sandbox: the answer to its next event is to be held back.
UPDATE inbox.agent SET withhold_answer = TRUE
WHERE zone_id = %(zone_id)s AND source_id = %(source_id)s AND unregistered_at IS NULL

-- name: zone
-- Grain: one zone, by its name.
SELECT zone_id, is_sandbox FROM inbox.zone WHERE name = %(name)s

-- name: agents
-- Grain: one agent that said something in a sandbox since a moment, the one heard last first.
SELECT source_id FROM inbox.exchange
WHERE zone_id = %(zone_id)s AND source_id IS NOT NULL AND at >= %(since)s
GROUP BY source_id
ORDER BY max(exchange_id) DESC

-- name: agent
-- Grain: one agent, as it registered last.
SELECT name, mode, max_buffer_size, coalesce(versions, '{}') AS versions, vendor, application,
    unregistered_at IS NULL AS is_registered,
    EXISTS (
        SELECT FROM inbox.provision AS p
        WHERE p.zone_id = a.zone_id AND p.source_id = a.source_id AND p.object_name = 'SIF_LogEntry'
    ) AS wants_log_entries,
    ARRAY(
        SELECT p.object_name FROM inbox.provision AS p
        WHERE p.zone_id = a.zone_id AND p.source_id = a.source_id AND p.kind = 'SIF_ProvideObjects'
        ORDER BY p.object_name
    ) AS provides
FROM inbox.agent AS a WHERE zone_id = %(zone_id)s AND source_id = %(source_id)s

-- name: exchanges
-- Grain: one message of an agent since a moment, in order.
SELECT exchange_id, at, msg_id, said, sif_version, bytes, original_msg_id, told, answer, carried_msg_id, envelope
FROM inbox.exchange
WHERE zone_id = %(zone_id)s AND source_id = %(source_id)s AND at >= %(since)s AND exchange_id > %(after)s
ORDER BY exchange_id

-- name: strays
-- Grain: one answer to a message of nobody knows whom since a moment, in order.
SELECT answer FROM inbox.exchange
WHERE zone_id = %(zone_id)s AND source_id IS NULL AND at >= %(since)s
ORDER BY exchange_id

-- name: messages
-- Grain: one message of an agent that was kept, with its bytes, in order.
SELECT message_id, received_at, msg_id, message_type, request_msg_id, packet_number, more_packets, body
FROM inbox.message
WHERE zone_id = %(zone_id)s AND source_id = %(source_id)s AND received_at >= %(since)s AND message_id > %(after)s
    AND message_type IN ('SIF_Event', 'SIF_BundledEvents', 'SIF_Response', 'SIF_Provision', 'SIF_Provide')
ORDER BY message_id
LIMIT 500

-- name: body
-- Grain: the bytes of one message that an agent sent.
SELECT body FROM inbox.message
WHERE zone_id = %(zone_id)s AND source_id = %(source_id)s AND msg_id = %(msg_id)s

-- name: deliveries
-- Grain: one message that was on the agent's queue since a moment, in order.
SELECT msg_id, message_type, object_name, state, attempts, created_at, delivered_at, settled_at, last_failure
FROM outbox.message
WHERE zone_id = %(zone_id)s AND source_id = %(source_id)s AND created_at >= %(since)s
ORDER BY queue_id

-- name: requests
-- Grain: one request that the agent was asked since a moment, in order.
SELECT msg_id, object_name, max_buffer_size, state, error, created_at
FROM outbox.request
WHERE zone_id = %(zone_id)s AND destination_id = %(source_id)s AND created_at >= %(since)s
ORDER BY created_at

-- name: now
SELECT clock_timestamp()
