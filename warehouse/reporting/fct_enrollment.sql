-- One row per enrolment; is_member says whether it covers the day of the question (today, or the as-of day,
-- as the state's clocks have it).
-- An enrolment covers only days of its own school year, 1 July to 30 June: it never spans school years, so one of an
-- earlier year that lacks its exit date is not open for ever.
CREATE FUNCTION reporting.fct_enrollment_as_of(as_of timestamptz)
RETURNS TABLE (
    zone_id integer, enrollment_ref_id uuid, student_ref_id uuid, school_ref_id uuid, school_year integer,
    membership_type text, grade_code text, entry_date date, exit_date date, exit_type_code text, fte numeric,
    is_member boolean
)
LANGUAGE sql STABLE AS $$
    SELECT
        v.zone_id, v.row_key, v.student_ref_id, v.school_ref_id, v.school_year, v.membership_type,
        coalesce(v.grade_code, 'Unknown'), v.entry_date, v.exit_date, v.exit_type_code, v.fte,
        -- Day and year as subqueries, which are computed once: now() in a time zone costs more than all the rest of a row.
        v.entry_date <= (SELECT reporting.day_of(coalesce(as_of, now())))
            AND (v.exit_date IS NULL OR v.exit_date >= (SELECT reporting.day_of(coalesce(as_of, now()))))
            AND v.school_year = (
                SELECT extract(year FROM reporting.day_of(coalesce(as_of, now())) + interval '6 months')::integer
            )
    FROM reporting.student_school_enrollment_versions AS v
    WHERE (as_of IS NULL AND v.recorded_to IS NULL)
       OR (v.recorded_from <= as_of AND v.held_until > as_of)
$$;

CREATE VIEW reporting.fct_enrollment AS
SELECT
    zone_id, enrollment_ref_id, student_ref_id, school_ref_id, school_year, membership_type, grade_code, entry_date,
    exit_date, exit_type_code, fte, is_member
FROM reporting.fct_enrollment_as_of(NULL);
COMMENT ON VIEW reporting.fct_enrollment IS 'One row per enrolment';
