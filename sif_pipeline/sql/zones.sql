-- name: add
-- Grain: one zone. Stores only the hash of its token.
INSERT INTO inbox.zone (name, lea_code, token_sha256)
VALUES (%(name)s, %(lea_code)s, %(token_sha256)s)

-- name: renew
-- Grain: one zone. The old token stops working at once.
UPDATE inbox.zone SET token_sha256 = %(token_sha256)s WHERE name = %(name)s

-- name: find
-- Grain: one zone, by the hash of the token in its URL.
SELECT
    zone_id, name, lea_code, is_sandbox, suspended_at IS NOT NULL AS is_suspended, authentication_level,
    encryption_level
FROM inbox.zone
WHERE token_sha256 = %(token_sha256)b
