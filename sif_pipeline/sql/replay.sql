-- name: touched
-- The objects of a zone that messages from then on did something to.
CREATE TEMPORARY TABLE touched ON COMMIT DROP AS
SELECT e.object_name, e.row_key
FROM inbox.object_event AS e
JOIN inbox.message AS m USING (message_id)
WHERE m.zone_id = %(zone_id)s AND m.recorded_at >= %(since)s AND e.row_key IS NOT NULL
UNION
SELECT e.object_name, e.row_key
FROM inbox.outcome_change AS c
JOIN inbox.object_event AS e USING (message_id, position)
WHERE c.zone_id = %(zone_id)s AND c.recorded_at >= %(since)s

-- name: touched_names
SELECT DISTINCT object_name FROM touched

-- name: forget_unchanged
DELETE FROM inbox.unchanged WHERE zone_id = %(zone_id)s AND recorded_at >= %(since)s

-- name: forget_events
DELETE FROM inbox.object_event AS e
USING inbox.message AS m
WHERE e.message_id = m.message_id AND m.zone_id = %(zone_id)s AND m.recorded_at >= %(since)s

-- name: restore_events
-- Give the events that stay the outcomes they had at the time: the first ones that later messages changed.
WITH first AS (
    SELECT DISTINCT ON (message_id, position) message_id, position, outcome, waiting_object, waiting_key
    FROM inbox.outcome_change
    WHERE zone_id = %(zone_id)s AND recorded_at >= %(since)s
    ORDER BY message_id, position, recorded_at
)
UPDATE inbox.object_event AS e
SET outcome = f.outcome, waiting_object = f.waiting_object, waiting_key = f.waiting_key
FROM first AS f
WHERE e.message_id = f.message_id AND e.position = f.position

-- name: forget_changes
DELETE FROM inbox.outcome_change WHERE zone_id = %(zone_id)s AND recorded_at >= %(since)s
RETURNING message_id

-- name: forget_notices
-- What a full sync found is no drain's finding: no replay would make it again.
DELETE FROM inbox.notice WHERE zone_id = %(zone_id)s AND recorded_at >= %(since)s AND NOT starts_with(code, 'sync_')

-- name: reopen_notices
UPDATE inbox.notice SET resolved_at = NULL
WHERE zone_id = %(zone_id)s AND resolved_at >= %(since)s AND NOT starts_with(code, 'sync_')

-- name: reset_messages
-- Back to pending; recorded_at stays, so that they are drained in the same order and leave the same history.
UPDATE inbox.message
SET state = 'pending', attempts = 0, last_failure = NULL, loaded_at = NULL, ordered_at = NULL,
    objects = 0, held = 0, rejected = 0, unchanged = 0, unknown = 0
WHERE zone_id = %(zone_id)s
  AND (recorded_at >= %(since)s OR (state = 'quarantined' AND recorded_at IS NULL))

-- name: reset_zone
-- The newest message is the newest of those that stay, and what is in them is all that counts.
UPDATE inbox.zone AS z
SET (unchanged, objects, unknown) = (
    SELECT coalesce(sum(m.unchanged), 0), coalesce(sum(m.objects), 0), coalesce(sum(m.unknown), 0)
    FROM inbox.message AS m
    WHERE m.zone_id = z.zone_id
), (last_ordered_at, last_ordered_id) = (
    SELECT m.ordered_at, m.message_id
    FROM inbox.message AS m
    WHERE m.zone_id = z.zone_id AND m.ordered_at IS NOT NULL
    ORDER BY m.ordered_at DESC, m.message_id DESC
    LIMIT 1
)
WHERE z.zone_id = %(zone_id)s
