-- One row per student of a district, with the race rolled up as federal reports count it (one group per student).
CREATE FUNCTION reporting.dim_student_as_of(as_of timestamptz)
RETURNS TABLE (
    zone_id integer, student_ref_id uuid, state_id text, local_id text, last_name text, first_name text,
    middle_name text, birth_date date, gender text, race_group text, english_learner boolean,
    economically_disadvantaged boolean, has_disability boolean
)
LANGUAGE sql STABLE AS $$
    SELECT
        v.zone_id, v.row_key, v.state_id, v.local_id, v.last_name, v.first_name, v.middle_name, v.birth_date, v.gender,
        CASE
            WHEN v.is_hispanic = 'Yes' THEN 'Hispanic or Latino'
            WHEN cardinality(v.race_codes) > 1 THEN 'Multi-race, not Hispanic or Latino'
            ELSE CASE v.race_codes[1]
                WHEN '0998' THEN 'American Indian or Alaska Native'
                WHEN '0999' THEN 'Asian'
                WHEN '1000' THEN 'Black or African American'
                WHEN '1001' THEN 'Native Hawaiian or other Pacific Islander'
                WHEN '1002' THEN 'White'
                ELSE 'Not reported'
            END
        END,
        coalesce(v.ell = 'Yes' OR v.english_proficiency_code = '2349', false),
        coalesce(v.economic_disadvantage = 'Yes', false),
        coalesce(v.idea = 'Yes', false)
    FROM reporting.student_personal_versions AS v
    WHERE (as_of IS NULL AND v.recorded_to IS NULL)
       OR (v.recorded_from <= as_of AND v.held_until > as_of)
$$;

CREATE VIEW reporting.dim_student AS
SELECT
    zone_id, student_ref_id, state_id, local_id, last_name, first_name, middle_name, birth_date, gender, race_group,
    english_learner, economically_disadvantaged, has_disability
FROM reporting.dim_student_as_of(NULL);
COMMENT ON VIEW reporting.dim_student IS 'One row per student of a district';
