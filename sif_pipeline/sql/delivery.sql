-- name: lead
-- Grain: one yes or no: is this session now the one that delivers?
SELECT pg_try_advisory_lock(%(lock)s)

-- name: due
-- Grain: one push agent for which something waits that may be delivered now, apart from those that are being served.
SELECT
    a.zone_id, z.name AS zone, a.source_id, a.push_url, a.accepts_gzip, a.failures, z.authentication_level
FROM inbox.agent AS a
JOIN inbox.zone AS z USING (zone_id)
WHERE a.mode = 'Push' AND a.unregistered_at IS NULL AND NOT a.is_asleep AND z.suspended_at IS NULL
    AND (a.next_try_at IS NULL OR a.next_try_at <= clock_timestamp())
    AND NOT (a.zone_id, a.source_id) IN (SELECT * FROM unnest(%(zone_ids)s::int[], %(source_ids)s::text[]))
    AND EXISTS (
        SELECT FROM outbox.message AS m
        WHERE m.zone_id = a.zone_id AND m.source_id = a.source_id AND m.state IN ('queued', 'delivering')
            AND (a.blocked_by IS NULL OR m.message_type <> 'SIF_Event')
    )

-- name: next_try
-- Grain: one number: seconds until the first agent that failed may be tried again; nothing when none failed.
SELECT extract(epoch FROM min(next_try_at) - clock_timestamp())::float
FROM inbox.agent
WHERE mode = 'Push' AND unregistered_at IS NULL AND NOT is_asleep AND next_try_at > clock_timestamp()

-- name: failed
-- Grain: one agent to which a delivery failed: it is left alone for a while. How often in a row that was, and since when.
UPDATE inbox.agent
SET failures = failures + 1, last_failure = %(failure)s, next_try_at = clock_timestamp() + %(wait)s,
    failing_since = coalesce(failing_since, clock_timestamp())
WHERE zone_id = %(zone_id)s AND source_id = %(source_id)s
RETURNING failures, failing_since

-- name: waiting
-- Grain: one agent: how many messages wait for it.
SELECT count(*) FROM outbox.message
WHERE zone_id = %(zone_id)s AND source_id = %(source_id)s AND state IN ('queued', 'delivering', 'blocked')

-- name: message_failed
-- Grain: one message whose delivery failed.
UPDATE outbox.message SET last_failure = %(failure)s WHERE queue_id = %(queue_id)s AND state = 'delivering'

-- name: worked
-- Grain: one agent to which a delivery worked after others failed.
UPDATE inbox.agent SET failures = 0, last_failure = NULL, next_try_at = NULL, failing_since = NULL
WHERE zone_id = %(zone_id)s AND source_id = %(source_id)s
