-- One row per district and subgroup: students who are members on the day of the question, see fct_membership.
-- A student is in one race group and one gender, and in each programme group that applies.
CREATE FUNCTION reporting.rpt_enrollment_by_subgroup_as_of(as_of timestamptz)
RETURNS TABLE (
    lea_code text, district_name text, subgroup_type text, subgroup text, students bigint, percent numeric
)
LANGUAGE sql STABLE AS $$
    -- Students are counted by all that sorts them at once, a few hundred lines a district; subgroups are sums of those.
    WITH sorted AS (
        SELECT
            zone_id, race_group, gender, english_learner, economically_disadvantaged, has_disability,
            count(*) AS students
        FROM reporting.fct_membership_as_of(as_of)
        GROUP BY 1, 2, 3, 4, 5, 6
    ), counted AS (
        SELECT s.zone_id, g.subgroup_type, g.subgroup, sum(s.students)::bigint AS students
        FROM sorted AS s
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
        GROUP BY 1, 2, 3
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
