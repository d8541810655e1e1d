-- Taking the reporting views down and putting them up again, without the rights on them getting lost.

-- name: lock
SELECT pg_advisory_xact_lock(%(lock)s)

-- name: rights
-- Each right on a view, column or function that is not its owner's by nature, and the statement that gives it again.
SELECT 'relation', format('%I.%I', 'reporting', c.relname), NULL::text, format(
    'GRANT %s ON TABLE reporting.%I TO %s%s', a.privilege_type, c.relname,
    CASE a.grantee WHEN 0 THEN 'PUBLIC' ELSE quote_ident(pg_get_userbyid(a.grantee)) END,
    CASE WHEN a.is_grantable THEN ' WITH GRANT OPTION' ELSE '' END
)
FROM pg_class AS c
CROSS JOIN LATERAL aclexplode(c.relacl) AS a
WHERE c.relnamespace = to_regnamespace('reporting') AND c.relkind IN ('v', 'm') AND a.grantee <> c.relowner
UNION ALL
SELECT 'relation', format('%I.%I', 'reporting', c.relname), t.attname, format(
    'GRANT %s (%I) ON TABLE reporting.%I TO %s%s', a.privilege_type, t.attname, c.relname,
    CASE a.grantee WHEN 0 THEN 'PUBLIC' ELSE quote_ident(pg_get_userbyid(a.grantee)) END,
    CASE WHEN a.is_grantable THEN ' WITH GRANT OPTION' ELSE '' END
)
FROM pg_class AS c
JOIN pg_attribute AS t ON t.attrelid = c.oid
CROSS JOIN LATERAL aclexplode(t.attacl) AS a
WHERE c.relnamespace = to_regnamespace('reporting') AND c.relkind IN ('v', 'm') AND a.grantee <> c.relowner
UNION ALL
SELECT 'function', p.oid::regprocedure::text, NULL, format(
    'GRANT EXECUTE ON FUNCTION %s TO %s%s', p.oid::regprocedure,
    CASE a.grantee WHEN 0 THEN 'PUBLIC' ELSE quote_ident(pg_get_userbyid(a.grantee)) END,
    CASE WHEN a.is_grantable THEN ' WITH GRANT OPTION' ELSE '' END
)
FROM pg_proc AS p
CROSS JOIN LATERAL aclexplode(p.proacl) AS a
WHERE p.pronamespace = to_regnamespace('reporting') AND a.grantee <> p.proowner
UNION ALL
SELECT 'function', p.oid::regprocedure::text, NULL, format('REVOKE ALL ON FUNCTION %s FROM PUBLIC', p.oid::regprocedure)
FROM pg_proc AS p
WHERE p.pronamespace = to_regnamespace('reporting') AND p.proacl IS NOT NULL
  AND NOT EXISTS (SELECT FROM aclexplode(p.proacl) AS a WHERE a.grantee = 0)

-- name: exists
-- Whether a view or function, and its column where one is named, is there.
SELECT CASE %(kind)s
    WHEN 'function' THEN to_regprocedure(%(name)s) IS NOT NULL
    ELSE to_regclass(%(name)s) IS NOT NULL AND (%(column)s::text IS NULL OR EXISTS (
        SELECT FROM pg_attribute
        WHERE attrelid = to_regclass(%(name)s) AND attname = %(column)s AND NOT attisdropped
    ))
END

-- name: drops
-- The statements that drop the schema's views and functions, and nothing else.
SELECT 'DROP MATERIALIZED VIEW ' || string_agg(format('%I.%I', 'reporting', relname), ', ')
FROM pg_class WHERE relnamespace = to_regnamespace('reporting') AND relkind = 'm' HAVING count(*) > 0
UNION ALL
SELECT 'DROP VIEW ' || string_agg(format('%I.%I', 'reporting', relname), ', ')
FROM pg_class WHERE relnamespace = to_regnamespace('reporting') AND relkind = 'v' HAVING count(*) > 0
UNION ALL
SELECT 'DROP ROUTINE ' || string_agg(oid::regprocedure::text, ', ')
FROM pg_proc WHERE pronamespace = to_regnamespace('reporting') HAVING count(*) > 0
