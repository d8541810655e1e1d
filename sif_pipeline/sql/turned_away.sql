-- name: hurry
-- Grain: none. In the rest of the transaction, wait no longer than this for a row, and not for the disk.
SELECT set_config('lock_timeout', '250ms', TRUE), set_config('synchronous_commit', 'off', TRUE)

-- name: note
-- Grain: one error that a sender's messages were answered with; the latest of them is remembered, and their number.
INSERT INTO inbox.refusal (zone_id, source_id, category, code, sentence, message_type, msg_id)
VALUES (
    %(zone_id)s, %(source_id)s, %(category)s, %(code)s, %(sentence)s, %(message_type)s, %(msg_id)s
)
ON CONFLICT (zone_id, source_id, category, code) DO UPDATE SET
    sentence = excluded.sentence, message_type = excluded.message_type, msg_id = excluded.msg_id,
    times = refusal.times + 1, last_at = clock_timestamp()
