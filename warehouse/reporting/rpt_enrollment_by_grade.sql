-- One row per district and grade: students with a home enrolment that covers the day of the question.
CREATE FUNCTION reporting.rpt_enrollment_by_grade_as_of(as_of timestamptz)
RETURNS TABLE (lea_code text, district_name text, grade_code text, students bigint)
LANGUAGE sql STABLE AS $$
    SELECT d.lea_code, d.district_name, e.grade_code, count(DISTINCT e.student_ref_id)
    FROM reporting.fct_enrollment_as_of(as_of) AS e
    JOIN reporting.dim_district_as_of(as_of) AS d USING (zone_id)
    WHERE e.is_member AND e.membership_type = 'Home'
    GROUP BY d.lea_code, d.district_name, e.grade_code
    ORDER BY d.lea_code, array_position(
        '{PK,KG,01,02,03,04,05,06,07,08,09,10,11,12,PG,UN,Other,Unknown}'::text[], e.grade_code
    ), e.grade_code
$$;

CREATE VIEW reporting.rpt_enrollment_by_grade AS
SELECT lea_code, district_name, grade_code, students FROM reporting.rpt_enrollment_by_grade_as_of(NULL);
COMMENT ON VIEW reporting.rpt_enrollment_by_grade IS 'Students by district and grade';
