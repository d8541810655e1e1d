-- name: record
-- Grain: one message of an agent of a sandbox, and our answer.
INSERT INTO inbox.exchange (
    zone_id, source_id, msg_id, said, sif_version, bytes, original_msg_id, told, answer, carried_msg_id, envelope
)
VALUES (
    %(zone_id)s, %(source_id)s, %(msg_id)s, %(said)s, %(sif_version)s, %(bytes)s, %(original_msg_id)s, %(told)s,
    %(answer)s, %(carried_msg_id)s, %(envelope)s
)

-- name: withheld
-- Grain: one agent whose answer is to be held back now; no row otherwise. Once only.
UPDATE inbox.agent SET withhold_answer = FALSE
WHERE zone_id = %(zone_id)s AND source_id = %(source_id)s AND withhold_answer
RETURNING source_id
