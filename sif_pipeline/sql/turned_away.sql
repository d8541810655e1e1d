-- name: hurry
-- Grain: none. In the rest of the transaction, wait no longer than this for a row, and not for the disk.
SELECT set_config('lock_timeout', '250ms', TRUE), set_config('synchronous_commit', 'off', TRUE)

-- name: note
-- Grain: one fault that a sender's messages were answered for; the latest of them is remembered, and their number. Of
-- the faults of one error those that were not seen for longest give way when there would be more than so many.
WITH crowded_out AS (
    SELECT zone_id, source_id, category, code, fault FROM inbox.refusal
    WHERE zone_id = %(zone_id)s AND source_id = %(source_id)s AND category = %(category)s AND code = %(code)s
        AND fault <> %(fault)s
    ORDER BY last_at DESC
    OFFSET %(most)s - 1
), forgotten AS (
    DELETE FROM inbox.refusal USING crowded_out
    WHERE (refusal.zone_id, refusal.source_id, refusal.category, refusal.code, refusal.fault)
        = (crowded_out.zone_id, crowded_out.source_id, crowded_out.category, crowded_out.code, crowded_out.fault)
)
INSERT INTO inbox.refusal (zone_id, source_id, category, code, fault, sentence, message_type, msg_id)
VALUES (
    %(zone_id)s, %(source_id)s, %(category)s, %(code)s, %(fault)s, %(sentence)s, %(message_type)s, %(msg_id)s
)
ON CONFLICT (zone_id, source_id, category, code, fault) DO UPDATE SET
    sentence = excluded.sentence, message_type = excluded.message_type, msg_id = excluded.msg_id,
    times = refusal.times + 1, last_at = clock_timestamp()
