-- One row per district and school year: days attended over days in membership, and students absent for a tenth or
-- more of their days (chronically absent). Of several summaries of a student in a school and year the latest counts.
CREATE FUNCTION reporting.rpt_attendance_as_of(as_of timestamptz)
RETURNS TABLE (
    lea_code text, district_name text, school_year integer, students bigint, days_in_membership numeric,
    days_attended numeric, attendance_rate numeric, chronically_absent bigint, chronic_absence_rate numeric
)
LANGUAGE sql STABLE AS $$
    WITH latest AS (
        SELECT DISTINCT ON (v.zone_id, v.student_ref_id, v.school_ref_id, v.school_year)
            v.zone_id, v.student_ref_id, v.school_year, v.days_in_membership, v.days_attended
        FROM reporting.student_attendance_summary_versions AS v
        WHERE (as_of IS NULL AND v.recorded_to IS NULL)
           OR (v.recorded_from <= as_of AND (v.recorded_to IS NULL OR v.recorded_to > as_of))
        ORDER BY v.zone_id, v.student_ref_id, v.school_ref_id, v.school_year, v.end_date DESC, v.start_date
    ), student AS (
        SELECT
            zone_id, student_ref_id, school_year, sum(days_in_membership) AS membership, sum(days_attended) AS attended
        FROM latest
        GROUP BY zone_id, student_ref_id, school_year
        HAVING sum(days_in_membership) > 0
    )
    SELECT
        d.lea_code, d.district_name, s.school_year, count(*), sum(s.membership), sum(s.attended),
        round(100 * sum(s.attended) / sum(s.membership), 1),
        count(*) FILTER (WHERE s.membership - s.attended >= 0.1 * s.membership),
        round(100.0 * count(*) FILTER (WHERE s.membership - s.attended >= 0.1 * s.membership) / count(*), 1)
    FROM student AS s
    JOIN reporting.dim_district_as_of(as_of) AS d USING (zone_id)
    GROUP BY d.zone_id, d.lea_code, d.district_name, s.school_year
    ORDER BY d.lea_code, d.zone_id, s.school_year
$$;

CREATE VIEW reporting.rpt_attendance AS
SELECT
    lea_code, district_name, school_year, students, days_in_membership, days_attended, attendance_rate,
    chronically_absent, chronic_absence_rate
FROM reporting.rpt_attendance_as_of(NULL);
COMMENT ON VIEW reporting.rpt_attendance IS 'Attendance rate and chronic absence by district and school year';
