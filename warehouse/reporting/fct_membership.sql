-- One row per zone and student with a home enrolment that covers the day of the question: the students that reports
-- count, with the groups they are counted in. The student must be on record; of several such enrolments the one entered
-- last counts.
CREATE FUNCTION reporting.fct_membership_as_of(as_of timestamptz)
RETURNS TABLE (
    zone_id integer, student_ref_id uuid, enrollment_ref_id uuid, school_ref_id uuid, school_year integer,
    grade_code text, gender text, race_group text, english_learner boolean, economically_disadvantaged boolean,
    has_disability boolean
)
LANGUAGE sql STABLE AS $$
    SELECT DISTINCT ON (e.zone_id, e.student_ref_id)
        e.zone_id, e.student_ref_id, e.enrollment_ref_id, e.school_ref_id, e.school_year, e.grade_code, s.gender,
        s.race_group, s.english_learner, s.economically_disadvantaged, s.has_disability
    FROM reporting.fct_enrollment_as_of(as_of) AS e
    JOIN reporting.dim_student_as_of(as_of) AS s USING (zone_id, student_ref_id)
    WHERE e.is_member AND e.membership_type = 'Home'
    ORDER BY e.zone_id, e.student_ref_id, e.entry_date DESC, e.enrollment_ref_id
$$;

CREATE VIEW reporting.fct_membership AS
SELECT
    zone_id, student_ref_id, enrollment_ref_id, school_ref_id, school_year, grade_code, gender, race_group,
    english_learner, economically_disadvantaged, has_disability
FROM reporting.fct_membership_as_of(NULL);
COMMENT ON VIEW reporting.fct_membership IS 'One row per student who is a member today';
