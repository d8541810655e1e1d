-- name: zones_with_work
-- The zones that have waited longest and whose drain nobody else holds; the locks last until the transaction ends.
-- Few at a time, so that several drains share the zones. Materialized: only the rows taken may be locked.
WITH waiting AS MATERIALIZED (
    SELECT z.zone_id
    FROM inbox.zone AS z
    CROSS JOIN LATERAL (
        SELECT m.message_id
        FROM inbox.message AS m
        WHERE m.zone_id = z.zone_id AND m.state = 'pending'
        ORDER BY m.recorded_at, m.message_id
        LIMIT 1
    ) AS oldest
    ORDER BY oldest.message_id
)
SELECT zone_id FROM waiting WHERE pg_try_advisory_xact_lock(7437, zone_id) LIMIT %(zones)s

-- name: anything_pending
SELECT EXISTS (SELECT FROM inbox.message WHERE state = 'pending')

-- name: lock_zone
SELECT pg_advisory_xact_lock(7437, %(zone_id)s)

-- name: claim
-- The next messages of the zones whose lock we hold, a fair share of each, oldest first; messages that are replayed
-- come in the order of their first drain.
SELECT message_id, zone_id, source_id, message_type, sif_timestamp, received_at, recorded_at, body
FROM (
    SELECT m.*, sum(octet_length(m.body)) OVER (ORDER BY m.place, m.message_id) AS bytes
    FROM unnest(%(zone_ids)s::int[]) AS z (zone_id)
    CROSS JOIN LATERAL (
        SELECT p.*, row_number() OVER (ORDER BY p.recorded_at, p.message_id) AS place
        FROM (
            SELECT *
            FROM inbox.message
            WHERE state = 'pending' AND zone_id = z.zone_id
            ORDER BY recorded_at, message_id
            LIMIT %(messages)s
        ) AS p
    ) AS m
) AS m
WHERE bytes - octet_length(body) < %(bytes)s
ORDER BY zone_id, place

-- name: last_recorded
SELECT zone_id, last_recorded_at, last_ordered_at, last_ordered_id FROM inbox.zone WHERE zone_id = ANY(%(zone_ids)s)

-- name: heads
-- What is known of objects that earlier messages were about.
WITH k AS (
    SELECT * FROM unnest(%(zone_ids)s::int[], %(names)s::text[], %(keys)s::uuid[]) AS k (zone_id, object_name, row_key)
)
SELECT k.zone_id, k.object_name, k.row_key, last.ordered_at, last.message_id, last.position,
    coalesce(facts.unsettled, false), facts.known
FROM k
CROSS JOIN LATERAL (
    SELECT e.ordered_at, e.message_id, e.position
    FROM inbox.object_event AS e
    WHERE e.zone_id = k.zone_id AND e.row_key = k.row_key AND e.object_name = k.object_name
      AND e.outcome IN ('applied', 'held', 'unfit', 'superseded')
    ORDER BY e.ordered_at DESC, e.message_id DESC, e.position DESC
    LIMIT 1
) AS last
CROSS JOIN LATERAL (
    SELECT
        max(e.ordered_at) FILTER (WHERE e.outcome IN ('held', 'unfit'))
            >= coalesce(max(e.ordered_at) FILTER (WHERE e.outcome = 'applied' AND e.action <> 'Change'), '-infinity')
            AS unsettled,
        bool_or(e.outcome = 'applied' AND e.action IN ('Add', 'Response')) AS known
    FROM inbox.object_event AS e
    WHERE e.zone_id = k.zone_id AND e.row_key = k.row_key AND e.object_name = k.object_name
      AND e.outcome IN ('applied', 'held', 'unfit', 'superseded')
) AS facts

-- name: missing
-- Objects that others may not refer to yet: no whole image of them was applied.
-- A scalar subquery and not NOT EXISTS, which the planner would turn into a join with all events of a middling table.
SELECT k.zone_id, k.object_name, k.row_key
FROM unnest(%(zone_ids)s::int[], %(names)s::text[], %(keys)s::uuid[]) AS k (zone_id, object_name, row_key)
WHERE (
    SELECT true
    FROM inbox.object_event AS e
    WHERE e.zone_id = k.zone_id AND e.row_key = k.row_key AND e.object_name = k.object_name
      AND e.outcome = 'applied' AND e.outcome IN ('applied', 'held', 'unfit', 'superseded') AND e.action IN ('Add', 'Response')
    LIMIT 1
) IS NULL

-- name: unsettled
-- Whether zones have any held events, and any open findings: where they have none, nobody need look object by object.
SELECT
    EXISTS (SELECT FROM inbox.object_event WHERE zone_id = ANY(%(zone_ids)s) AND outcome IN ('held', 'superseded')),
    EXISTS (SELECT FROM inbox.notice WHERE zone_id = ANY(%(zone_ids)s) AND resolved_at IS NULL)

-- name: waiting
-- Objects with events that wait, or waited, for one of these.
-- OFFSET 0 keeps a look-up for each key from becoming a join with a whole table, here and below.
SELECT DISTINCT k.zone_id, k.object_name, k.row_key, e.object_name, e.row_key
FROM unnest(%(zone_ids)s::int[], %(names)s::text[], %(keys)s::uuid[]) AS k (zone_id, object_name, row_key)
CROSS JOIN LATERAL (
    SELECT e.object_name, e.row_key
    FROM inbox.object_event AS e
    WHERE e.zone_id = k.zone_id AND e.waiting_key = k.row_key AND e.waiting_object = k.object_name
      AND e.outcome IN ('held', 'superseded')
    OFFSET 0
) AS e

-- name: open_findings
-- The findings on objects that earlier messages, or full syncs, left open.
SELECT k.zone_id, k.object_name, k.row_key, n.message_id, n.position, n.severity, n.path, n.recorded_at,
    starts_with(n.code, 'sync_')
FROM unnest(%(zone_ids)s::int[], %(names)s::text[], %(keys)s::uuid[]) AS k (zone_id, object_name, row_key)
CROSS JOIN LATERAL (
    SELECT *
    FROM inbox.notice AS n
    WHERE n.zone_id = k.zone_id AND n.row_key = k.row_key AND n.object_name = k.object_name AND n.resolved_at IS NULL
    OFFSET 0
) AS n

-- name: any_unchanged_after
-- Whether messages of a zone after a place in its folds said anything again.
SELECT EXISTS (
    SELECT
    FROM inbox.unchanged
    WHERE zone_id = %(zone_id)s AND (ordered_at, message_id) > (%(ordered_at)s, %(message_id)s)
)

-- name: unchanged_after
-- What the messages of a zone after a place in its folds said again.
SELECT message_id, ordered_at, hashes
FROM inbox.unchanged
WHERE zone_id = %(zone_id)s AND (ordered_at, message_id) > (%(ordered_at)s, %(message_id)s)

-- name: recall
-- Make object events of objects that messages said again.
INSERT INTO inbox.object_event (message_id, position, zone_id, object_name, row_key, action, ordered_at, outcome)
SELECT u.message_id, r.position, u.zone_id, r.object_name, r.row_key, 'Response', u.ordered_at, 'applied'
FROM unnest(%(message_ids)s::bigint[], %(positions)s::int[], %(names)s::text[], %(keys)s::uuid[])
    AS r (message_id, position, object_name, row_key)
JOIN inbox.unchanged AS u USING (message_id)

-- name: count_recalled
-- One message for each of its objects that became an object event; its zone counts them too.
WITH counted AS (
    UPDATE inbox.message AS m
    SET unchanged = m.unchanged - r.times
    FROM (SELECT message_id, count(*) AS times FROM unnest(%(message_ids)s::bigint[]) AS r (message_id) GROUP BY 1) AS r
    WHERE m.message_id = r.message_id
    RETURNING m.zone_id, r.times
)
UPDATE inbox.zone AS z
SET unchanged = z.unchanged - c.times
FROM (SELECT zone_id, sum(times) AS times FROM counted GROUP BY zone_id) AS c
WHERE z.zone_id = c.zone_id

-- name: keep_unchanged
UPDATE inbox.unchanged AS u
SET hashes = k.hashes
FROM unnest(%(message_ids)s::bigint[], %(hashes)s::bytea[]) AS k (message_id, hashes)
WHERE u.message_id = k.message_id

-- name: drop_unchanged
DELETE FROM inbox.unchanged WHERE message_id = ANY(%(message_ids)s::bigint[])

-- name: events
-- Earlier events of one object that take part in its fold.
SELECT e.message_id, e.position, e.action, e.ordered_at, e.outcome, e.waiting_object, e.waiting_key, m.recorded_at,
    EXISTS (
        SELECT
        FROM inbox.notice AS n
        WHERE n.message_id = e.message_id AND n.position = e.position AND n.severity = 'warning'
    )
FROM inbox.object_event AS e
JOIN inbox.message AS m USING (message_id)
WHERE e.zone_id = %(zone_id)s AND e.row_key = %(row_key)s AND e.object_name = %(object_name)s
  AND e.outcome IN ('applied', 'held', 'unfit', 'superseded')

-- name: places
-- Where the earlier events of objects stand that take part in their folds.
SELECT k.zone_id, k.object_name, k.row_key, e.message_id, e.position
FROM unnest(%(zone_ids)s::int[], %(names)s::text[], %(keys)s::uuid[]) AS k (zone_id, object_name, row_key)
CROSS JOIN LATERAL (
    SELECT e.message_id, e.position
    FROM inbox.object_event AS e
    WHERE e.zone_id = k.zone_id AND e.row_key = k.row_key AND e.object_name = k.object_name
      AND e.outcome IN ('applied', 'held', 'unfit', 'superseded')
    OFFSET 0
) AS e

-- name: body
SELECT body FROM inbox.message WHERE message_id = %(message_id)s

-- name: revise_events
-- Give earlier events their new outcomes.
UPDATE inbox.object_event AS e
SET outcome = r.outcome, waiting_object = r.waiting_object, waiting_key = r.waiting_key
FROM unnest(
    %(message_ids)s::bigint[], %(positions)s::int[], %(outcomes)s::text[], %(waiting_objects)s::text[],
    %(waiting_keys)s::uuid[]
) AS r (message_id, position, outcome, waiting_object, waiting_key)
WHERE e.message_id = r.message_id AND e.position = r.position

-- name: recount
-- Count again what is held and rejected of messages whose events got new outcomes.
UPDATE inbox.message AS m
SET held = c.held, rejected = c.rejected
FROM (
    SELECT
        message_id,
        count(*) FILTER (WHERE outcome = 'held') AS held,
        count(*) FILTER (WHERE outcome IN ('rejected', 'unfit')) AS rejected
    FROM inbox.object_event
    WHERE message_id = ANY(%(message_ids)s)
    GROUP BY message_id
) AS c
WHERE m.message_id = c.message_id

-- name: resolve
-- End the findings that applied events made good, each at the first that did: its own but for warnings, all on its
-- object, or those below the elements it brought.
UPDATE inbox.notice AS n
SET resolved_at = good.recorded_at
FROM (
    SELECT n.notice_id, min(r.recorded_at) AS recorded_at
    FROM unnest(
        %(zone_ids)s::int[], %(names)s::text[], %(keys)s::uuid[], %(message_ids)s::bigint[], %(positions)s::int[],
        %(recorded)s::timestamptz[], %(elements)s::text[]
    ) AS r (zone_id, object_name, row_key, message_id, position, recorded_at, elements)
    CROSS JOIN LATERAL (
        SELECT *
        FROM inbox.notice AS n
        WHERE n.zone_id = r.zone_id AND n.row_key = r.row_key AND n.object_name = r.object_name
          AND n.resolved_at IS NULL AND n.recorded_at < r.recorded_at
        OFFSET 0
    ) AS n
    WHERE CASE
        WHEN n.message_id = r.message_id AND n.position = r.position THEN n.severity <> 'warning'
        ELSE r.elements IS NULL
            OR split_part(split_part(n.path, '/', 2), '[', 1) = ANY(string_to_array(r.elements, ' '))
    END
    GROUP BY n.notice_id
) AS good
WHERE n.notice_id = good.notice_id

-- name: settle
-- Say what became of the messages; the transaction that loads their objects commits this too.
UPDATE inbox.message AS m
SET state = 'done', recorded_at = s.recorded_at, ordered_at = s.ordered_at, loaded_at = clock_timestamp(),
    objects = s.objects, held = s.held, rejected = s.rejected, unchanged = s.unchanged, unknown = s.unknown,
    last_failure = NULL
FROM unnest(
    %(message_ids)s::bigint[], %(recorded)s::timestamptz[], %(ordered)s::timestamptz[], %(objects)s::int[],
    %(held)s::int[], %(rejected)s::int[], %(unchanged)s::int[], %(unknown)s::int[]
) AS s (message_id, recorded_at, ordered_at, objects, held, rejected, unchanged, unknown)
WHERE m.message_id = s.message_id

-- name: advance_zones
-- Recorded times rise: what lies beyond the zone's last was drained for the first time, and is counted.
UPDATE inbox.zone AS z
SET last_recorded_at = greatest(z.last_recorded_at, n.recorded_at), recorded = z.recorded + n.messages,
    last_received_at = greatest(z.last_received_at, n.received_at),
    last_ordered_at = n.ordered_at, last_ordered_id = n.ordered_id, unchanged = z.unchanged + n.unchanged,
    objects = z.objects + n.objects, unknown = z.unknown + n.unknown
FROM (
    SELECT a.*, counted.messages, counted.received_at
    FROM unnest(
        %(zone_ids)s::int[], %(recorded)s::timestamptz[], %(ordered)s::timestamptz[], %(ordered_ids)s::bigint[],
        %(unchanged)s::bigint[], %(objects)s::bigint[], %(unknown)s::bigint[]
    ) AS a (zone_id, recorded_at, ordered_at, ordered_id, unchanged, objects, unknown)
    JOIN inbox.zone AS o USING (zone_id)
    CROSS JOIN LATERAL (
        SELECT count(*) AS messages, max(m.received_at) AS received_at
        FROM inbox.message AS m
        WHERE m.zone_id = o.zone_id AND m.recorded_at > coalesce(o.last_recorded_at, '-infinity')
    ) AS counted
) AS n
WHERE z.zone_id = n.zone_id

-- name: fail
-- Count a failed drain of one message; the third one takes it out of the way of the others.
UPDATE inbox.message
SET attempts = attempts + 1, last_failure = %(failure)s,
    state = CASE WHEN attempts + 1 >= 3 THEN 'quarantined' ELSE state END
WHERE message_id = %(message_id)s AND state = 'pending'
RETURNING state
