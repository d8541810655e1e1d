-- One row per zone, that is per district; its name and codes come from its LEAInfo once that has arrived.
CREATE FUNCTION reporting.dim_district_as_of(as_of timestamptz)
RETURNS TABLE (zone_id integer, zone_name text, lea_code text, district_name text, lea_ref_id uuid)
LANGUAGE sql STABLE AS $$
    SELECT z.zone_id, z.name, z.lea_code, coalesce(l.lea_name, z.name), l.row_key
    FROM inbox.zone AS z
    LEFT JOIN LATERAL (
        SELECT v.lea_name, v.row_key
        FROM reporting.lea_info_versions AS v
        WHERE v.zone_id = z.zone_id
          AND ((as_of IS NULL AND v.recorded_to IS NULL)
               OR (v.recorded_from <= as_of AND v.held_until > as_of))
        ORDER BY v.recorded_from DESC, v.row_key
        LIMIT 1
    ) AS l ON true
$$;

CREATE VIEW reporting.dim_district AS
SELECT zone_id, zone_name, lea_code, district_name, lea_ref_id FROM reporting.dim_district_as_of(NULL);
COMMENT ON VIEW reporting.dim_district IS 'One row per district';
