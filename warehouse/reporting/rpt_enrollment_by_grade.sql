-- One row per district and grade: students who are members on the day of the question, see fct_membership.
CREATE FUNCTION reporting.rpt_enrollment_by_grade_as_of(as_of timestamptz)
RETURNS TABLE (lea_code text, district_name text, grade_code text, students bigint)
LANGUAGE sql STABLE AS $$
    WITH counted AS (
        SELECT zone_id, grade_code, count(*) AS students
        FROM reporting.fct_membership_as_of(as_of)
        GROUP BY zone_id, grade_code
    )
    SELECT d.lea_code, d.district_name, c.grade_code, c.students
    FROM counted AS c
    JOIN reporting.dim_district_as_of(as_of) AS d USING (zone_id)
    ORDER BY d.lea_code, d.zone_id, array_position(
        '{PK,KG,01,02,03,04,05,06,07,08,09,10,11,12,PG,UN,Other,Unknown}'::text[], c.grade_code
    ), c.grade_code
$$;

CREATE VIEW reporting.rpt_enrollment_by_grade AS
SELECT lea_code, district_name, grade_code, students FROM reporting.rpt_enrollment_by_grade_as_of(NULL);
COMMENT ON VIEW reporting.rpt_enrollment_by_grade IS 'Students by district and grade';
