-- name: rules_of
-- Grain: one rule that concerns an agent, its own and everybody's.
SELECT source_id, kind, object_name, allowed FROM inbox.access
WHERE zone_id = %(zone_id)s AND source_id IN (%(source_id)s, '*')

-- name: rules_in
-- Grain: one rule of a zone, by the zone's name.
SELECT a.source_id, a.kind, a.object_name, a.allowed
FROM inbox.access AS a JOIN inbox.zone AS z USING (zone_id)
WHERE z.name = %(zone)s
ORDER BY a.source_id, a.kind, a.object_name

-- name: set
-- Grain: one rule; the latest word about the same right counts. No row when there is no such zone.
WITH rule AS (
    INSERT INTO inbox.access (zone_id, source_id, kind, object_name, allowed)
    SELECT zone_id, %(source_id)s, %(kind)s, %(object_name)s, %(allowed)s FROM inbox.zone WHERE name = %(zone)s
    ON CONFLICT (zone_id, source_id, kind, object_name) DO UPDATE SET allowed = excluded.allowed
    RETURNING zone_id
)
INSERT INTO inbox.audit (event, zone_id, source_id, detail)
SELECT
    CASE WHEN %(allowed)s THEN 'access_allowed' ELSE 'access_denied' END, zone_id, %(source_id)s,
    concat(%(kind)s::text, ' ', %(object_name)s::text)
FROM rule

-- name: declared
-- Grain: one object that an agent of a zone declared, by list.
SELECT p.source_id, p.kind, p.object_name
FROM inbox.provision AS p JOIN inbox.zone AS z USING (zone_id)
WHERE z.name = %(zone)s

-- name: undeclare
-- Grain: one declaration of an agent that it has no right to any more.
DELETE FROM inbox.provision
WHERE zone_id = (SELECT zone_id FROM inbox.zone WHERE name = %(zone)s)
    AND source_id = %(source_id)s AND kind = %(kind)s AND object_name = %(object_name)s
