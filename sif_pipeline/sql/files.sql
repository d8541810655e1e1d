-- name: store
-- Store one message or piece of a file; nothing when the zone already has it.
INSERT INTO inbox.message
    (zone_id, source_id, msg_id, message_type, sif_version, sif_timestamp, origin, body, body_sha256)
VALUES
    (%(zone_id)s, %(source_id)s, %(msg_id)s, %(message_type)s, %(sif_version)s, %(sif_timestamp)s, 'file', %(body)s,
     sha256(%(body)s))
ON CONFLICT (zone_id, source_id, msg_id) DO UPDATE
    SET duplicates = inbox.message.duplicates + 1
    WHERE inbox.message.body_sha256 = excluded.body_sha256
RETURNING duplicates

-- name: notify
SELECT pg_notify('sif_inbox', '')

-- name: zone
SELECT zone_id FROM inbox.zone WHERE name = %(name)s
