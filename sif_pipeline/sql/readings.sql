-- Functions that read a text as a type: NULL for one that cannot be read, never an error with a value in it.
-- Plain expressions, so that views which call them can be read in parallel.
-- name: integer
CREATE FUNCTION reporting.as_integer(value text) RETURNS integer LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN CASE WHEN value ~ '^[ \t\r\n]*[+-]?[0-9]{1,9}[ \t\r\n]*$' THEN value::integer END;
-- name: numeric
CREATE FUNCTION reporting.as_numeric(value text) RETURNS numeric LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN CASE
        WHEN value ~ '^[ \t\r\n]*[+-]?([0-9]{1,40}(\.[0-9]{0,40})?|\.[0-9]{1,40})[ \t\r\n]*$' THEN value::numeric
    END;
-- name: date
CREATE FUNCTION reporting.as_date(value text) RETURNS date LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN CASE
        WHEN value ~ '^[ \t\r\n]*(?!0000)[0-9]{4}-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])(Z|[+-][0-9]{2}:[0-9]{2})?[ \t\r\n]*$' THEN
            CASE
                WHEN substr(btrim(value, E' \t\r\n'), 9, 2)::integer <= extract(
                    day FROM make_date(
                        substr(btrim(value, E' \t\r\n'), 1, 4)::integer,
                        substr(btrim(value, E' \t\r\n'), 6, 2)::integer,
                        1
                    ) + interval '1 month' - interval '1 day'
                ) THEN make_date(
                    substr(btrim(value, E' \t\r\n'), 1, 4)::integer,
                    substr(btrim(value, E' \t\r\n'), 6, 2)::integer,
                    substr(btrim(value, E' \t\r\n'), 9, 2)::integer
                )
            END
    END;
