-- One row per district and subgroup: students who are members on the day of the question, see fct_membership.
-- A student is in one race group and one gender, and in each programme group that applies.
CREATE FUNCTION reporting.rpt_enrollment_by_subgroup_as_of(as_of timestamptz)
RETURNS TABLE (
    lea_code text, district_name text, subgroup_type text, subgroup text, students bigint, percent numeric
)
LANGUAGE sql STABLE AS $$
    WITH grouped AS (
        SELECT m.zone_id, g.subgroup_type, g.subgroup
        FROM reporting.fct_membership_as_of(as_of) AS m
        JOIN reporting.dim_student_as_of(as_of) AS s USING (zone_id, student_ref_id)
        CROSS JOIN LATERAL (
            VALUES
                ('All', 'All students', true),
                ('Race', s.race_group, true),
                ('Gender', coalesce(s.gender, 'Not reported'), true),
                ('Programme', 'English learners', s.english_learner),
                ('Programme', 'Economically disadvantaged', s.economically_disadvantaged),
                ('Programme', 'Students with disabilities', s.has_disability)
        ) AS g (subgroup_type, subgroup, applies)
        WHERE g.applies
    ), counted AS (
        SELECT zone_id, subgroup_type, subgroup, count(*) AS students FROM grouped GROUP BY 1, 2, 3
    )
    SELECT
        d.lea_code, d.district_name, c.subgroup_type, c.subgroup, c.students,
        round(100.0 * c.students / max(c.students) OVER (PARTITION BY c.zone_id), 1)
    FROM counted AS c
    JOIN reporting.dim_district_as_of(as_of) AS d USING (zone_id)
    ORDER BY d.lea_code, d.zone_id, array_position('{All,Race,Gender,Programme}'::text[], c.subgroup_type), c.subgroup
$$;

CREATE VIEW reporting.rpt_enrollment_by_subgroup AS
SELECT lea_code, district_name, subgroup_type, subgroup, students, percent
FROM reporting.rpt_enrollment_by_subgroup_as_of(NULL);
COMMENT ON VIEW reporting.rpt_enrollment_by_subgroup IS 'Students by district, race, gender and programme';
