-- name: add
-- Grain: one zone. Stores only the hash of its token.
INSERT INTO inbox.zone (name, lea_code, token_sha256, is_sandbox)
VALUES (%(name)s, %(lea_code)s, %(token_sha256)s, %(is_sandbox)s)

-- name: rotate
-- Grain: one zone. The old token stops working within ZONE_REMEMBERED (5 s): until then servers that know it need not ask.
WITH changed AS (
    UPDATE inbox.zone SET token_sha256 = %(token_sha256)s WHERE name = %(name)s RETURNING zone_id
)
INSERT INTO inbox.audit (event, zone_id, detail)
SELECT 'zone_rotated', zone_id, '' FROM changed
RETURNING zone_id

-- name: suspend
-- Grain: one zone. One that is suspended stays so since then.
WITH changed AS (
    UPDATE inbox.zone SET suspended_at = coalesce(suspended_at, clock_timestamp()) WHERE name = %(name)s
    RETURNING zone_id
)
INSERT INTO inbox.audit (event, zone_id, detail)
SELECT 'zone_suspended', zone_id, '' FROM changed
RETURNING zone_id

-- name: resume
-- Grain: one zone. Wakes delivery.
WITH changed AS (
    UPDATE inbox.zone SET suspended_at = NULL WHERE name = %(name)s RETURNING zone_id, pg_notify('sif_outbox', '')
)
INSERT INTO inbox.audit (event, zone_id, detail)
SELECT 'zone_resumed', zone_id, '' FROM changed
RETURNING zone_id

-- name: change
-- Grain: one zone; what is not given stays.
WITH changed AS (
    UPDATE inbox.zone SET
        lea_code = coalesce(%(lea_code)s, lea_code),
        solicited_only = coalesce(%(solicited_only)s, solicited_only),
        log_entries = coalesce(%(log_entries)s, log_entries)
    WHERE name = %(name)s
    RETURNING zone_id, lea_code, solicited_only, log_entries
)
INSERT INTO inbox.audit (event, zone_id, detail)
SELECT 'zone_changed', zone_id, concat('lea ', lea_code, ', solicited_only ', solicited_only, ', log_entries ', log_entries)
FROM changed
RETURNING zone_id

-- name: list
-- Grain: one zone: how it is set, how many agents are registered in it, and how much waits for them.
SELECT
    z.name AS zone, z.lea_code,
    CASE WHEN z.suspended_at IS NOT NULL THEN 'suspended' WHEN z.is_sandbox THEN 'sandbox' ELSE 'open' END AS state,
    z.authentication_level AS authentication, z.encryption_level AS encryption, z.sync_at,
    (SELECT count(*) FROM inbox.agent AS a WHERE a.zone_id = z.zone_id AND a.unregistered_at IS NULL) AS agents,
    (
        SELECT count(*) FROM outbox.message AS m
        WHERE m.zone_id = z.zone_id AND m.state IN ('queued', 'delivering', 'blocked')
    ) AS waiting
FROM inbox.zone AS z
ORDER BY z.name

-- name: show
-- Grain: one zone, every setting a column.
SELECT
    name AS zone, lea_code, created_at, suspended_at AS suspended_since, is_sandbox AS sandbox,
    authentication_level AS authentication, encryption_level AS encryption, solicited_only, log_entries, sync_at,
    change_limit
FROM inbox.zone
WHERE name = %(name)s

-- name: refusals
-- Grain: one fault that messages of one sender were answered for, the latest first. No row, too, where there is no zone.
SELECT
    r.last_at, nullif(r.source_id, '') AS agent, concat(r.category, '/', r.code) AS error, r.sentence, r.times,
    r.first_at, r.message_type, r.msg_id
FROM inbox.refusal AS r
JOIN inbox.zone AS z USING (zone_id)
WHERE z.name = %(name)s AND (%(source_id)s::text IS NULL OR r.source_id = %(source_id)s)
ORDER BY r.last_at DESC, r.source_id, r.category, r.code, r.fault
LIMIT %(most)s

-- name: find
-- Grain: one zone, by the hash of the token in its URL.
SELECT
    zone_id, name, lea_code, is_sandbox, suspended_at IS NOT NULL AS is_suspended, authentication_level,
    encryption_level
FROM inbox.zone
WHERE token_sha256 = %(token_sha256)b

-- name: number
-- Grain: one zone.
SELECT zone_id FROM inbox.zone WHERE name = %(name)s
