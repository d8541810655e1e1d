-- name: store
-- Store one message or piece of a file; nothing when the zone already has it. A sandbox keeps it, and no drain takes it.
INSERT INTO inbox.message
    (zone_id, source_id, msg_id, message_type, sif_version, sif_timestamp, origin, first_line, body, body_sha256, state)
SELECT
    zone_id, %(source_id)s, %(msg_id)s, %(message_type)s, %(sif_version)s, %(sif_timestamp)s, 'file', %(first_line)s,
    %(body)s, %(body_sha256)s, CASE WHEN is_sandbox THEN 'kept' ELSE 'pending' END
FROM inbox.zone WHERE zone_id = %(zone_id)s
ON CONFLICT (zone_id, source_id, msg_id) DO NOTHING
RETURNING message_id

-- name: held
-- Find the message that is held already, without locking it; nothing when it is another one.
SELECT message_id FROM inbox.message
WHERE zone_id = %(zone_id)s AND source_id = %(source_id)s AND msg_id = %(msg_id)s AND body_sha256 = %(body_sha256)s

-- name: count_duplicates
-- Where the drain has a row in hand, the count is let go: that the drain goes on matters more.
UPDATE inbox.message SET duplicates = duplicates + 1
WHERE message_id IN
    (SELECT message_id FROM inbox.message WHERE message_id = ANY(%(message_ids)s) FOR UPDATE SKIP LOCKED)

-- name: notify
SELECT pg_notify('sif_inbox', '')
