-- name: delete_audit
-- Delete audit rows that are older than the state keeps them.
DELETE FROM inbox.audit WHERE at < clock_timestamp() - %(keep)s

-- name: delete_settled
-- Delete messages to agents that left their queues longer ago than they are kept.
DELETE FROM outbox.message WHERE state IN ('done', 'dropped') AND settled_at < clock_timestamp() - %(keep)s

-- name: delete_requests
-- Delete requests that ended longer ago than they are kept; not those of full syncs, which are listed with them, nor what
-- a zone that we joined has answered, so that it is not asked again.
DELETE FROM outbox.request
WHERE state <> 'open' AND ended_at < clock_timestamp() - %(keep)s AND sync_id IS NULL
    AND NOT (destination_id = '' AND state = 'complete')

-- name: delete_differences
-- Delete what full syncs found object by object that ended longer ago than it is kept; their counts stay.
DELETE FROM outbox.difference AS d
USING outbox.sync AS s
WHERE d.sync_id = s.sync_id AND s.ended_at < clock_timestamp() - %(keep)s

-- name: delete_exchanges
-- Delete what agents of sandboxes said, when it is older than the state keeps such records. Their messages stay.
DELETE FROM inbox.exchange WHERE at < clock_timestamp() - %(keep)s

-- name: delete_refusals
-- Delete what messages were refused for that did not come again for longer than the state keeps such records.
DELETE FROM inbox.refusal WHERE last_at < clock_timestamp() - %(keep)s

-- name: vacuum
-- Free what updates left behind and refresh the planner's statistics, where rows change most.
VACUUM (ANALYZE, SKIP_LOCKED) inbox.message, inbox.object_event, inbox.notice, inbox.outcome_change, inbox.unchanged,
    inbox.audit, outbox.message, outbox.request
