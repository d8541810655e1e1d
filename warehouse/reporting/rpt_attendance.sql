-- One row per district and school year: days attended over days in membership, and students absent for a tenth or
-- more of their days (chronically absent). Of several summaries of a student in a school and year the latest counts.
CREATE FUNCTION reporting.rpt_attendance_as_of(as_of timestamptz)
RETURNS TABLE (
    lea_code text, district_name text, school_year integer, students bigint, days_in_membership numeric,
    days_attended numeric, attendance_rate numeric, chronically_absent bigint, chronic_absence_rate numeric
)
LANGUAGE sql STABLE AS $$
    WITH latest AS (
        SELECT DISTINCT ON (v.zone_id, v.student_ref_id, v.school_year, v.school_ref_id)
            v.zone_id, v.student_ref_id, v.school_year, v.days_in_membership, v.days_attended
        FROM reporting.student_attendance_summary_versions AS v
        WHERE (as_of IS NULL AND v.recorded_to IS NULL)
           OR (v.recorded_from <= as_of AND v.held_until > as_of)
        ORDER BY v.zone_id, v.student_ref_id, v.school_year, v.school_ref_id, v.end_date DESC, v.start_date
    ), student AS (
        SELECT
            zone_id, school_year, sum(days_in_membership) AS membership, sum(days_attended) AS attended
        FROM latest
        GROUP BY zone_id, student_ref_id, school_year
        HAVING sum(days_in_membership) > 0
    ), counted AS (
        SELECT
            zone_id, school_year, count(*) AS students, sum(membership) AS membership, sum(attended) AS attended,
            count(*) FILTER (WHERE membership - attended >= 0.1 * membership) AS chronic
        FROM student
        GROUP BY zone_id, school_year
    )
    SELECT
        d.lea_code, d.district_name, c.school_year, c.students, c.membership, c.attended,
        round(100 * c.attended / c.membership, 1), c.chronic, round(100.0 * c.chronic / c.students, 1)
    FROM counted AS c
    JOIN reporting.dim_district_as_of(as_of) AS d USING (zone_id)
    ORDER BY d.lea_code, d.zone_id, c.school_year
$$;

CREATE VIEW reporting.rpt_attendance AS
SELECT
    lea_code, district_name, school_year, students, days_in_membership, days_attended, attendance_rate,
    chronically_absent, chronic_absence_rate
FROM reporting.rpt_attendance_as_of(NULL);
COMMENT ON VIEW reporting.rpt_attendance IS 'Attendance rate and chronic absence by district and school year';
