-- name: ready
-- Grain: one full sync whose last packet is there.
SELECT s.sync_id
FROM outbox.sync AS s
JOIN outbox.request AS r USING (sync_id)
WHERE s.state IN ('asked', 'receiving') AND r.state = 'complete'
ORDER BY s.sync_id

-- name: claim
-- Grain: one full sync in one of some states, with its request; no row while another process has it in hand.
SELECT s.sync_id, s.zone_id, s.object_name, s.asked_at, s.state, s.as_of, s.deletes, r.msg_id AS request_msg_id,
    r.ended_at AS answered_at, r.destination_id AS asked, z.change_limit
FROM outbox.sync AS s
JOIN outbox.request AS r USING (sync_id)
JOIN inbox.zone AS z ON z.zone_id = s.zone_id
WHERE s.sync_id = %(sync_id)s AND s.state = ANY (%(states)s)
FOR UPDATE OF s SKIP LOCKED

-- name: packets
-- Grain: one packet of an answer that waits for its comparison, in the order of the packets.
SELECT message_id, sif_timestamp, received_at, body
FROM inbox.message
WHERE zone_id = %(zone_id)s AND request_msg_id = %(request_msg_id)s AND state = 'staged'
ORDER BY packet_number, message_id

-- name: make_answer
-- Grain: one object in the answer, as often as it is in there. It lasts as long as the transaction.
CREATE TEMPORARY TABLE answer (
    row_key uuid NOT NULL, content_hash uuid NOT NULL, message_id bigint NOT NULL, position integer NOT NULL,
    ordered_at timestamptz NOT NULL, school_year text
) ON COMMIT DROP

-- name: analyze_answer
ANALYZE answer

-- name: lock_zone
SELECT pg_advisory_xact_lock(7437, %(zone_id)s)

-- name: undrained
-- Grain: one yes or no: does the zone hold undrained messages that came before a moment and may be about an object? The
-- packets of full syncs of other objects are not.
SELECT EXISTS (
    SELECT FROM inbox.message AS m
    WHERE m.zone_id = %(zone_id)s AND m.state = 'pending'
        AND m.received_at <= coalesce(%(before)s::timestamptz, 'infinity')
        AND NOT EXISTS (
            SELECT FROM outbox.request AS r
            WHERE r.zone_id = m.zone_id AND r.source_id = %(asking)s AND r.msg_id = m.request_msg_id
                AND r.sync_id IS NOT NULL AND r.object_name <> %(object_name)s
        )
)

-- name: scope
-- Grain: one answer: when it begins, and how many different objects it holds.
SELECT min(ordered_at), count(DISTINCT row_key) FROM answer

-- name: forget_differences
DELETE FROM outbox.difference WHERE sync_id = %(sync_id)s

-- name: note
-- Grain: one finding for each object that differs, up to a cap. It ends as soon as an event of the object is applied.
INSERT INTO inbox.notice (
    zone_id, message_id, position, object_name, row_key, code, severity, path, line, recorded_at
)
SELECT s.zone_id, coalesce(d.message_id, %(last_message_id)s), coalesce(d.position, 0), s.object_name, d.row_key,
    'sync_' || d.kind, 'info', s.object_name, 0, clock_timestamp()
FROM outbox.difference AS d
JOIN outbox.sync AS s USING (sync_id)
WHERE d.sync_id = %(sync_id)s
ORDER BY d.kind, d.row_key
LIMIT %(most)s

-- name: unnote
-- Grain: one open finding of this sync, known by its packets. Those of earlier ones hold until this one is applied.
UPDATE inbox.notice AS n SET resolved_at = clock_timestamp()
FROM inbox.message AS m
WHERE m.zone_id = %(zone_id)s AND m.request_msg_id = %(request_msg_id)s AND n.message_id = m.message_id
    AND n.zone_id = m.zone_id AND n.object_name = %(object_name)s
    AND n.code IN ('sync_missing_here', 'sync_missing_there', 'sync_different') AND n.resolved_at IS NULL

-- name: unnote_earlier
-- Grain: one open finding of an earlier sync of the same object and zone than one that is applied.
UPDATE inbox.notice AS n SET resolved_at = clock_timestamp()
WHERE n.zone_id = %(zone_id)s AND n.object_name = %(object_name)s
    AND n.code IN ('sync_missing_here', 'sync_missing_there', 'sync_different') AND n.resolved_at IS NULL
    AND n.message_id < (
        SELECT min(m.message_id) FROM inbox.message AS m
        WHERE m.zone_id = %(zone_id)s AND m.request_msg_id = %(request_msg_id)s
    )

-- name: compared
-- Grain: one full sync that was compared.
UPDATE outbox.sync
SET state = %(state)s, as_of = %(as_of)s, there = %(there)s, here = %(here)s, missing_here = %(missing_here)s,
    missing_there = %(missing_there)s, different = %(different)s, reason = %(reason)s,
    decided_by = CASE WHEN %(state)s = 'compared' THEN 'limit' END,
    decided_at = CASE WHEN %(state)s = 'compared' THEN clock_timestamp() END
WHERE sync_id = %(sync_id)s

-- name: outdated
-- Grain: one full sync that still waits for a person while a newer one of the same object has been compared.
SELECT old.sync_id
FROM outbox.sync AS new
JOIN outbox.sync AS old USING (zone_id, object_name)
WHERE new.sync_id = %(sync_id)s AND old.sync_id < new.sync_id AND old.state = 'waiting'

-- name: to_release
SELECT sync_id FROM outbox.sync WHERE state = 'compared' ORDER BY sync_id

-- name: store_deletion
-- Grain: one event of ours that deletes what only the state had.
INSERT INTO inbox.message (
    zone_id, source_id, msg_id, message_type, sif_version, sif_timestamp, origin, body, body_sha256, request_msg_id
)
VALUES (
    %(zone_id)s, %(source_id)s, %(msg_id)s, 'SIF_Event', %(sif_version)s, %(sif_timestamp)s, 'sync', %(body)s,
    sha256(%(body)s), %(request_msg_id)s
)
ON CONFLICT (zone_id, source_id, msg_id) DO NOTHING

-- name: move_packets
-- Grain: one packet of an answer that waited for its comparison.
UPDATE inbox.message SET state = %(state)s
WHERE zone_id = %(zone_id)s AND request_msg_id = %(request_msg_id)s AND state = 'staged'

-- name: not_before_now
-- Grain: one zone: what is drained next is recorded as of now, also a packet that came days ago and has just been
-- released. A report as of yesterday must not change.
UPDATE inbox.zone SET last_recorded_at = greatest(last_recorded_at, clock_timestamp()) WHERE zone_id = %(zone_id)s

-- name: end
-- Grain: one full sync that is over.
UPDATE outbox.sync SET state = %(state)s, ended_at = clock_timestamp(), reason = coalesce(%(reason)s, reason)
WHERE sync_id = %(sync_id)s

-- name: wake_drain
SELECT pg_notify('sif_inbox', '')

-- name: receiving
-- Grain: one full sync whose first packets are there.
UPDATE outbox.sync AS s SET state = 'receiving'
FROM outbox.request AS r
WHERE r.sync_id = s.sync_id AND s.state = 'asked' AND r.next_packet > 1

-- name: without_answer
-- Grain: one full sync whose request was not answered to the end.
SELECT s.sync_id
FROM outbox.sync AS s
JOIN outbox.request AS r USING (sync_id)
WHERE s.state IN ('asked', 'receiving') AND r.state IN ('failed', 'cancelled', 'timed_out')
ORDER BY s.sync_id

-- name: why_without_answer
-- Grain: one request: how it ended.
SELECT state, error FROM outbox.request WHERE sync_id = %(sync_id)s
