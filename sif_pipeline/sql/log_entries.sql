-- name: listeners
-- Grain: one registered agent that wants to be told, by subscribing to or providing SIF_LogEntry, in a zone that tells.
SELECT a.zone_id, a.source_id
FROM inbox.agent AS a
JOIN inbox.zone AS z USING (zone_id)
WHERE z.log_entries AND z.suspended_at IS NULL AND a.unregistered_at IS NULL
    AND EXISTS (
        SELECT FROM inbox.provision AS p
        WHERE p.zone_id = a.zone_id AND p.source_id = a.source_id AND p.object_name = 'SIF_LogEntry'
            AND p.kind IN ('SIF_SubscribeObjects', 'SIF_ProvideObjects')
    )
    AND (a.log_entries_until IS NULL OR a.log_entries_until < z.last_recorded_at)
ORDER BY a.zone_id, a.source_id

-- name: position
-- Grain: one agent: from where on it has not been told, up to where it may be, and how many entries its queue holds. No
-- row while another process tells it. A zone is loaded in the order of recorded times, so what was loaded a while ago
-- has nothing undrained before it; and a replay does not change recorded times, so nothing is told twice.
SELECT coalesce(a.log_entries_until, a.registered_at) AS since,
    coalesce(a.versions, ARRAY[a.sif_version]) AS versions,
    (
        SELECT m.recorded_at FROM inbox.message AS m
        WHERE m.zone_id = a.zone_id AND m.recorded_at IS NOT NULL AND m.state = 'done'
            AND m.loaded_at <= clock_timestamp() - %(after)s
        ORDER BY m.recorded_at DESC
        LIMIT 1
    ) AS until,
    (
        SELECT count(*) FROM outbox.message AS o
        WHERE o.zone_id = a.zone_id AND o.source_id = a.source_id AND o.object_name = 'SIF_LogEntry'
            AND o.state IN ('queued', 'delivering', 'blocked')
    ) AS waiting
FROM inbox.agent AS a
WHERE a.zone_id = %(zone_id)s AND a.source_id = %(source_id)s
FOR NO KEY UPDATE SKIP LOCKED

-- name: messages
-- Grain: one message of an agent of which some object is not loaded and was found so in a span of recorded time; with the
-- sums over all such messages. Where not all findings are listed, the message's own counts say how many objects.
SELECT message_id, objects, count(*) OVER () AS all_messages, (sum(objects) OVER ())::bigint AS all_objects
FROM (
    SELECT n.message_id, min(n.recorded_at) AS recorded_at,
        CASE
            WHEN EXISTS (
                SELECT FROM inbox.notice AS c
                WHERE c.message_id = n.message_id AND c.code = 'message_findings_capped' AND c.resolved_at IS NULL
            ) THEN m.held + m.rejected
            ELSE count(DISTINCT n.position)
        END AS objects
    FROM inbox.notice AS n
    JOIN inbox.message AS m USING (message_id)
    WHERE n.zone_id = %(zone_id)s AND n.recorded_at > %(since)s AND n.recorded_at <= %(until)s
        AND m.source_id = %(source_id)s AND n.resolved_at IS NULL
        AND (n.severity = 'error' OR n.code IN ('parent_missing', 'change_before_add'))
    GROUP BY n.message_id, m.held, m.rejected
) AS found
ORDER BY recorded_at, message_id
LIMIT %(most)s

-- name: findings
-- Grain: one kind of finding at one element path in one message, what weighs most first, then what is most frequent.
SELECT n.code, regexp_replace(n.path, '\[[0-9]+\]', '', 'g') AS path, count(*) AS times
FROM inbox.notice AS n
WHERE n.message_id = %(message_id)s AND n.recorded_at > %(since)s AND n.recorded_at <= %(until)s
    AND n.resolved_at IS NULL AND (n.severity = 'error' OR n.code IN ('parent_missing', 'change_before_add'))
GROUP BY n.code, n.severity, 2
ORDER BY n.severity = 'error' DESC, times DESC, n.code, path
LIMIT %(most)s

-- name: objects
-- Grain: one object of one message that is not loaded.
SELECT DISTINCT n.position, n.object_name, replace(n.row_key::text, '-', '')
FROM inbox.notice AS n
WHERE n.message_id = %(message_id)s AND n.recorded_at > %(since)s AND n.recorded_at <= %(until)s
    AND n.resolved_at IS NULL AND (n.severity = 'error' OR n.code IN ('parent_missing', 'change_before_add'))
ORDER BY n.position
LIMIT %(most)s

-- name: body
SELECT body FROM inbox.message WHERE message_id = %(message_id)s

-- name: told
-- Grain: one agent that has been told up to a recorded time.
UPDATE inbox.agent SET log_entries_until = greatest(log_entries_until, %(until)s)
WHERE zone_id = %(zone_id)s AND source_id = %(source_id)s
