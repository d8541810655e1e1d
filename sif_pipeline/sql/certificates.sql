-- name: door
-- Grain: one zone: what it asks of a connection, and whose the client certificate is if it is one of the zone's.
SELECT
    zone.authentication_level, zone.encryption_level, certificate.fingerprint IS NOT NULL AS is_registered,
    certificate.source_id
FROM inbox.zone LEFT JOIN inbox.certificate
    ON certificate.zone_id = zone.zone_id AND certificate.fingerprint = %(fingerprint)b
    AND certificate.revoked_at IS NULL
WHERE zone.zone_id = %(zone_id)s

-- name: add
-- Grain: one certificate of a zone; no row when there is no such zone. Adding a revoked one takes it back.
INSERT INTO inbox.certificate (zone_id, fingerprint, subject, source_id, not_after)
SELECT zone_id, %(fingerprint)b::bytea, %(subject)s, %(source_id)s, %(not_after)s FROM inbox.zone WHERE name = %(zone)s
ON CONFLICT (zone_id, fingerprint) DO UPDATE SET
    source_id = excluded.source_id, added_at = clock_timestamp(), revoked_at = NULL
RETURNING zone_id

-- name: revoke
-- Grain: certificates of a zone whose fingerprint begins so and that are not revoked yet.
UPDATE inbox.certificate SET revoked_at = clock_timestamp()
FROM inbox.zone
WHERE zone.zone_id = certificate.zone_id AND zone.name = %(zone)s AND revoked_at IS NULL
    AND starts_with(encode(fingerprint, 'hex'), %(fingerprint)s)
RETURNING zone.zone_id, encode(fingerprint, 'hex')

-- name: list
-- Grain: one certificate of a zone, of all zones when none is named.
SELECT
    zone.name AS zone, encode(fingerprint, 'hex') AS fingerprint, source_id AS agent, subject, not_after,
    CASE WHEN revoked_at IS NOT NULL THEN 'revoked' WHEN not_after < now() THEN 'expired' ELSE 'taken' END AS state
FROM inbox.certificate JOIN inbox.zone USING (zone_id)
WHERE %(zone)s::text IS NULL OR zone.name = %(zone)s
ORDER BY zone.name, added_at, fingerprint

-- name: require
-- Grain: one zone; a level that is not given stays.
UPDATE inbox.zone SET
    authentication_level = coalesce(%(authentication_level)s, authentication_level),
    encryption_level = coalesce(%(encryption_level)s, encryption_level)
WHERE name = %(zone)s
RETURNING zone_id, authentication_level, encryption_level

-- name: audit
-- Grain: one security-relevant fact: fingerprints and levels.
INSERT INTO inbox.audit (event, zone_id, source_id, detail)
VALUES (%(event)s, %(zone_id)s, %(source_id)s, %(detail)s)
