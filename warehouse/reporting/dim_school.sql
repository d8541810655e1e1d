-- One row per school of a district.
CREATE FUNCTION reporting.dim_school_as_of(as_of timestamptz)
RETURNS TABLE (
    zone_id integer, school_ref_id uuid, school_code text, local_id text, school_name text, school_type_code text,
    grade_codes text[]
)
LANGUAGE sql STABLE AS $$
    SELECT v.zone_id, v.row_key, v.state_id, v.local_id, v.school_name, v.school_type_code, v.grade_codes
    FROM reporting.school_info_versions AS v
    WHERE (as_of IS NULL AND v.recorded_to IS NULL)
       OR (v.recorded_from <= as_of AND v.held_until > as_of)
$$;

CREATE VIEW reporting.dim_school AS
SELECT zone_id, school_ref_id, school_code, local_id, school_name, school_type_code, grade_codes
FROM reporting.dim_school_as_of(NULL);
COMMENT ON VIEW reporting.dim_school IS 'One row per school of a district';
