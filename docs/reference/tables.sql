-- Written by `sif-pipeline generate` from the declarations; migrations in warehouse/migrations make them.

CREATE SCHEMA inbox;

CREATE SCHEMA outbox;

CREATE SCHEMA sif;

CREATE SCHEMA sif_history;

CREATE TABLE inbox.audit (
    audit_id BIGINT GENERATED ALWAYS AS IDENTITY,
    at TIMESTAMP WITH TIME ZONE DEFAULT clock_timestamp() NOT NULL,
    event TEXT NOT NULL,
    zone_id INTEGER,
    source_id TEXT,
    detail TEXT,
    CONSTRAINT pk_audit PRIMARY KEY (audit_id)
);

COMMENT ON TABLE inbox.audit IS 'Security-relevant facts';

COMMENT ON COLUMN inbox.audit.event IS 'What happened, a snake_case word';

COMMENT ON COLUMN inbox.audit.detail IS 'Ids, hashes and counts only';

CREATE TABLE inbox.notice (
    notice_id BIGINT GENERATED ALWAYS AS IDENTITY,
    zone_id INTEGER NOT NULL,
    message_id BIGINT NOT NULL,
    position INTEGER NOT NULL,
    object_name TEXT,
    row_key UUID,
    code TEXT NOT NULL,
    severity TEXT NOT NULL,
    path TEXT NOT NULL,
    line INTEGER NOT NULL,
    times INTEGER DEFAULT '1' NOT NULL,
    recorded_at TIMESTAMP WITH TIME ZONE NOT NULL,
    resolved_at TIMESTAMP WITH TIME ZONE,
    CONSTRAINT pk_notice PRIMARY KEY (notice_id)
);

CREATE INDEX ix_notice_message ON inbox.notice (message_id);

CREATE INDEX ix_notice_open ON inbox.notice (zone_id, row_key) WHERE resolved_at IS NULL;

CREATE INDEX ix_notice_recorded ON inbox.notice (zone_id, recorded_at);

COMMENT ON TABLE inbox.notice IS 'Findings, without the offending value';

COMMENT ON COLUMN inbox.notice.position IS 'Object in the message, from 1; 0 for the message itself';

COMMENT ON COLUMN inbox.notice.code IS 'Stable code; the catalogue has its words';

COMMENT ON COLUMN inbox.notice.path IS 'Element path the finding is about';

COMMENT ON COLUMN inbox.notice.line IS 'Line of the message as received; 0 when unknown';

COMMENT ON COLUMN inbox.notice.times IS 'How many findings it stands for: more than one where it counts what is not listed';

COMMENT ON COLUMN inbox.notice.resolved_at IS 'Recorded time at which the object was good again';

CREATE TABLE inbox.object_event (
    message_id BIGINT NOT NULL,
    position INTEGER NOT NULL,
    zone_id INTEGER NOT NULL,
    object_name TEXT NOT NULL,
    row_key UUID,
    action TEXT NOT NULL,
    ordered_at TIMESTAMP WITH TIME ZONE NOT NULL,
    outcome TEXT NOT NULL,
    waiting_object TEXT,
    waiting_key UUID,
    CONSTRAINT pk_object_event PRIMARY KEY (message_id, position)
);

CREATE INDEX ix_object_event_fold ON inbox.object_event (zone_id, row_key, ordered_at, message_id, position) WHERE outcome IN ('applied', 'held', 'unfit', 'superseded');

CREATE INDEX ix_object_event_waiting ON inbox.object_event (zone_id, waiting_key) WHERE outcome IN ('held', 'superseded');

COMMENT ON TABLE inbox.object_event IS 'One object in one message and what became of it';

COMMENT ON COLUMN inbox.object_event.position IS 'Place in the message, from 1';

COMMENT ON COLUMN inbox.object_event.row_key IS 'Key of the object; empty where it could not be read';

COMMENT ON COLUMN inbox.object_event.action IS 'Add, Change, Delete, or Response for a whole image';

COMMENT ON COLUMN inbox.object_event.ordered_at IS 'Place in the fold: SIF_Timestamp, bounded by receipt';

COMMENT ON COLUMN inbox.object_event.waiting_object IS 'Kind of object a held event waits for';

COMMENT ON COLUMN inbox.object_event.waiting_key IS 'Key of the object a held event waits for';

CREATE TABLE inbox.outcome_change (
    message_id BIGINT NOT NULL,
    position INTEGER NOT NULL,
    recorded_at TIMESTAMP WITH TIME ZONE NOT NULL,
    zone_id INTEGER NOT NULL,
    outcome TEXT NOT NULL,
    waiting_object TEXT,
    waiting_key UUID,
    CONSTRAINT pk_outcome_change PRIMARY KEY (message_id, position, recorded_at)
);

CREATE INDEX ix_outcome_change_zone ON inbox.outcome_change (zone_id, recorded_at);

COMMENT ON TABLE inbox.outcome_change IS 'Earlier outcomes of object events';

COMMENT ON COLUMN inbox.outcome_change.recorded_at IS 'Recorded time of the message that changed it';

COMMENT ON COLUMN inbox.outcome_change.outcome IS 'The outcome until then';

CREATE TABLE inbox.unchanged (
    message_id BIGINT NOT NULL,
    zone_id INTEGER NOT NULL,
    ordered_at TIMESTAMP WITH TIME ZONE NOT NULL,
    recorded_at TIMESTAMP WITH TIME ZONE NOT NULL,
    hashes BYTEA NOT NULL,
    CONSTRAINT pk_unchanged PRIMARY KEY (message_id)
);

CREATE INDEX ix_unchanged_order ON inbox.unchanged (zone_id, ordered_at, message_id);

COMMENT ON TABLE inbox.unchanged IS 'Objects of messages that said again what was known';

COMMENT ON COLUMN inbox.unchanged.ordered_at IS 'Place in the fold, as of the message';

COMMENT ON COLUMN inbox.unchanged.recorded_at IS 'Recorded time of the message';

COMMENT ON COLUMN inbox.unchanged.hashes IS '16 bytes for each object of the message: its content_hash, or zeros for an object event';

CREATE TABLE inbox.zone (
    zone_id INTEGER GENERATED ALWAYS AS IDENTITY,
    name TEXT NOT NULL,
    lea_code TEXT NOT NULL,
    token_sha256 BYTEA NOT NULL,
    created_at TIMESTAMP WITH TIME ZONE DEFAULT clock_timestamp() NOT NULL,
    last_recorded_at TIMESTAMP WITH TIME ZONE,
    recorded BIGINT DEFAULT '0' NOT NULL,
    last_received_at TIMESTAMP WITH TIME ZONE,
    last_ordered_at TIMESTAMP WITH TIME ZONE,
    last_ordered_id BIGINT,
    unchanged BIGINT DEFAULT '0' NOT NULL,
    objects BIGINT DEFAULT '0' NOT NULL,
    unknown BIGINT DEFAULT '0' NOT NULL,
    authentication_level INTEGER DEFAULT '0' NOT NULL,
    encryption_level INTEGER DEFAULT '0' NOT NULL,
    is_sandbox BOOLEAN DEFAULT false NOT NULL,
    suspended_at TIMESTAMP WITH TIME ZONE,
    log_entries BOOLEAN DEFAULT true NOT NULL,
    solicited_only BOOLEAN DEFAULT false NOT NULL,
    sync_at TIME WITHOUT TIME ZONE,
    last_asked_at TIMESTAMP WITH TIME ZONE,
    change_limit NUMERIC DEFAULT '0.1' NOT NULL,
    CONSTRAINT pk_zone PRIMARY KEY (zone_id),
    CONSTRAINT uq_zone_name UNIQUE (name),
    CONSTRAINT uq_zone_token_sha256 UNIQUE (token_sha256)
);

COMMENT ON TABLE inbox.zone IS 'A district''s connection';

COMMENT ON COLUMN inbox.zone.name IS 'Name of the zone, chosen by the state';

COMMENT ON COLUMN inbox.zone.lea_code IS 'State code of the district (LEA)';

COMMENT ON COLUMN inbox.zone.token_sha256 IS 'SHA-256 of the zone URL''s token';

COMMENT ON COLUMN inbox.zone.last_recorded_at IS 'Recorded time of the latest drained message; the next one is later, whatever the clock says';

COMMENT ON COLUMN inbox.zone.recorded IS 'Messages up to last_recorded_at, so that nobody need count them';

COMMENT ON COLUMN inbox.zone.last_received_at IS 'Latest receipt of any of those';

COMMENT ON COLUMN inbox.zone.last_ordered_at IS 'Place in the fold of the newest drained message: its time';

COMMENT ON COLUMN inbox.zone.last_ordered_id IS 'Place in the fold of the newest drained message: its number';

COMMENT ON COLUMN inbox.zone.unchanged IS 'Objects that its messages said again, so that nobody need count them';

COMMENT ON COLUMN inbox.zone.objects IS 'Objects in its drained messages';

COMMENT ON COLUMN inbox.zone.unknown IS 'Of those, how many are of kinds that the state does not collect';

COMMENT ON COLUMN inbox.zone.authentication_level IS 'SIF_AuthenticationLevel agents must reach, 0 to 3';

COMMENT ON COLUMN inbox.zone.encryption_level IS 'SIF_EncryptionLevel agents must reach, 0 to 4';

COMMENT ON COLUMN inbox.zone.is_sandbox IS 'Whether what arrives is kept only, for trials of vendors';

COMMENT ON COLUMN inbox.zone.suspended_at IS 'Since when the zone takes and gives nothing';

COMMENT ON COLUMN inbox.zone.log_entries IS 'Whether agents are told of findings by SIF_LogEntry';

COMMENT ON COLUMN inbox.zone.solicited_only IS 'Whether a SIF_Response that nobody asked for is refused';

COMMENT ON COLUMN inbox.zone.sync_at IS 'Time of day of the scheduled sync; empty for none';

COMMENT ON COLUMN inbox.zone.last_asked_at IS 'When the district was last asked on schedule';

COMMENT ON COLUMN inbox.zone.change_limit IS 'Share of a sync''s objects that it may remove or change without a person';

CREATE TABLE inbox.access (
    zone_id INTEGER NOT NULL,
    source_id TEXT NOT NULL,
    kind TEXT NOT NULL,
    object_name TEXT NOT NULL,
    allowed BOOLEAN NOT NULL,
    CONSTRAINT pk_access PRIMARY KEY (zone_id, source_id, kind, object_name),
    CONSTRAINT fk_access_zone_id FOREIGN KEY(zone_id) REFERENCES inbox.zone (zone_id)
);

COMMENT ON TABLE inbox.access IS 'Exceptions to what agents may do with objects';

COMMENT ON COLUMN inbox.access.source_id IS 'SIF_SourceId; * for every agent of the zone';

COMMENT ON COLUMN inbox.access.kind IS 'List of SIF_AgentACL, such as SIF_SubscribeAccess';

COMMENT ON COLUMN inbox.access.object_name IS 'SIF object; * for every object';

CREATE TABLE inbox.agent (
    zone_id INTEGER NOT NULL,
    source_id TEXT NOT NULL,
    name TEXT,
    sif_version TEXT,
    mode TEXT,
    max_buffer_size BIGINT,
    push_url TEXT,
    registered_at TIMESTAMP WITH TIME ZONE DEFAULT clock_timestamp() NOT NULL,
    unregistered_at TIMESTAMP WITH TIME ZONE,
    versions TEXT[],
    accepts_gzip BOOLEAN DEFAULT false NOT NULL,
    takes_bundles BOOLEAN DEFAULT false NOT NULL,
    secure BOOLEAN,
    vendor TEXT,
    application TEXT,
    is_asleep BOOLEAN DEFAULT false NOT NULL,
    blocked_by TEXT,
    next_try_at TIMESTAMP WITH TIME ZONE,
    failures INTEGER DEFAULT '0' NOT NULL,
    last_failure TEXT,
    failing_since TIMESTAMP WITH TIME ZONE,
    log_entries_until TIMESTAMP WITH TIME ZONE,
    withhold_answer BOOLEAN DEFAULT false NOT NULL,
    CONSTRAINT pk_agent PRIMARY KEY (zone_id, source_id),
    CONSTRAINT fk_agent_zone_id FOREIGN KEY(zone_id) REFERENCES inbox.zone (zone_id)
);

COMMENT ON TABLE inbox.agent IS 'An agent that registered in a zone';

COMMENT ON COLUMN inbox.agent.source_id IS 'SIF_SourceId, unique in the zone';

COMMENT ON COLUMN inbox.agent.name IS 'SIF_Name as registered';

COMMENT ON COLUMN inbox.agent.sif_version IS 'SIF_Message/@Version of the registration';

COMMENT ON COLUMN inbox.agent.mode IS 'Push or Pull';

COMMENT ON COLUMN inbox.agent.max_buffer_size IS 'Largest message the agent takes, bytes';

COMMENT ON COLUMN inbox.agent.push_url IS 'Where a push agent listens';

COMMENT ON COLUMN inbox.agent.unregistered_at IS 'When it left; empty while registered';

COMMENT ON COLUMN inbox.agent.versions IS 'SIF_Version as registered, wildcards as sent';

COMMENT ON COLUMN inbox.agent.accepts_gzip IS 'Whether it registered Accept-Encoding gzip';

COMMENT ON COLUMN inbox.agent.takes_bundles IS 'Whether it registered SupportsBundledEvents';

COMMENT ON COLUMN inbox.agent.secure IS 'SIF_Protocol/@Secure as registered';

COMMENT ON COLUMN inbox.agent.vendor IS 'Vendor of the agent as registered';

COMMENT ON COLUMN inbox.agent.application IS 'Product and version of the agent as registered';

COMMENT ON COLUMN inbox.agent.is_asleep IS 'Whether it asked with SIF_Sleep for nothing to be delivered';

COMMENT ON COLUMN inbox.agent.blocked_by IS 'SIF_MsgId of the event under selective message blocking, which holds all events of the agent';

COMMENT ON COLUMN inbox.agent.next_try_at IS 'When delivery may be tried again after failures; empty for at once';

COMMENT ON COLUMN inbox.agent.failures IS 'Deliveries that failed in a row';

COMMENT ON COLUMN inbox.agent.last_failure IS 'Kind of the last failure of delivery, without values';

COMMENT ON COLUMN inbox.agent.failing_since IS 'When the first of these failures was';

COMMENT ON COLUMN inbox.agent.log_entries_until IS 'Recorded time up to which it was told of findings by SIF_LogEntry';

COMMENT ON COLUMN inbox.agent.withhold_answer IS 'In a sandbox: whether the answer to its next event is held back, once';

CREATE TABLE inbox.certificate (
    zone_id INTEGER NOT NULL,
    fingerprint BYTEA NOT NULL,
    subject TEXT NOT NULL,
    source_id TEXT,
    not_after TIMESTAMP WITH TIME ZONE NOT NULL,
    added_at TIMESTAMP WITH TIME ZONE DEFAULT clock_timestamp() NOT NULL,
    revoked_at TIMESTAMP WITH TIME ZONE,
    CONSTRAINT pk_certificate PRIMARY KEY (zone_id, fingerprint),
    CONSTRAINT fk_certificate_zone_id FOREIGN KEY(zone_id) REFERENCES inbox.zone (zone_id)
);

COMMENT ON TABLE inbox.certificate IS 'Client certificates that identify agents';

COMMENT ON COLUMN inbox.certificate.fingerprint IS 'SHA-256 of the certificate in DER';

COMMENT ON COLUMN inbox.certificate.subject IS 'Distinguished name in the certificate';

COMMENT ON COLUMN inbox.certificate.source_id IS 'The agent it belongs to; empty for any of the zone';

COMMENT ON COLUMN inbox.certificate.not_after IS 'When it expires';

COMMENT ON COLUMN inbox.certificate.revoked_at IS 'Since when it is no longer taken';

CREATE TABLE inbox.exchange (
    exchange_id BIGINT GENERATED ALWAYS AS IDENTITY,
    zone_id INTEGER NOT NULL,
    at TIMESTAMP WITH TIME ZONE DEFAULT clock_timestamp() NOT NULL,
    source_id TEXT,
    msg_id TEXT,
    said TEXT,
    sif_version TEXT,
    bytes INTEGER NOT NULL,
    original_msg_id TEXT,
    told TEXT,
    answer TEXT NOT NULL,
    carried_msg_id TEXT,
    envelope TEXT,
    CONSTRAINT pk_exchange PRIMARY KEY (exchange_id),
    CONSTRAINT fk_exchange_zone_id FOREIGN KEY(zone_id) REFERENCES inbox.zone (zone_id)
);

CREATE INDEX ix_exchange_agent ON inbox.exchange (zone_id, source_id, exchange_id);

COMMENT ON TABLE inbox.exchange IS 'What agents of sandboxes said, and the answers';

COMMENT ON COLUMN inbox.exchange.source_id IS 'SIF_SourceId; empty where it could not be read';

COMMENT ON COLUMN inbox.exchange.msg_id IS 'SIF_MsgId; empty where it could not be read';

COMMENT ON COLUMN inbox.exchange.said IS 'Message type, or the command of a SIF_SystemControl';

COMMENT ON COLUMN inbox.exchange.sif_version IS 'SIF_Message/@Version';

COMMENT ON COLUMN inbox.exchange.bytes IS 'Size of the message as received';

COMMENT ON COLUMN inbox.exchange.original_msg_id IS 'Of a SIF_Ack: which message it is about';

COMMENT ON COLUMN inbox.exchange.told IS 'Of a SIF_Ack: its status, or its error as category/code';

COMMENT ON COLUMN inbox.exchange.answer IS 'Our answer: a status, or an error as category/code and its sentence';

COMMENT ON COLUMN inbox.exchange.carried_msg_id IS 'SIF_MsgId of the message that our answer carried';

COMMENT ON COLUMN inbox.exchange.envelope IS 'Findings about the envelope, by code; no values';

CREATE TABLE inbox.message (
    message_id BIGINT GENERATED ALWAYS AS IDENTITY,
    zone_id INTEGER NOT NULL,
    source_id TEXT NOT NULL,
    msg_id TEXT NOT NULL,
    message_type TEXT NOT NULL,
    sif_version TEXT,
    sif_timestamp TIMESTAMP WITH TIME ZONE,
    origin TEXT NOT NULL,
    received_at TIMESTAMP WITH TIME ZONE DEFAULT clock_timestamp() NOT NULL,
    first_line INTEGER,
    body BYTEA NOT NULL,
    body_sha256 BYTEA NOT NULL,
    state TEXT DEFAULT 'pending' NOT NULL,
    duplicates INTEGER DEFAULT '0' NOT NULL,
    attempts INTEGER DEFAULT '0' NOT NULL,
    last_failure TEXT,
    recorded_at TIMESTAMP WITH TIME ZONE,
    ordered_at TIMESTAMP WITH TIME ZONE,
    loaded_at TIMESTAMP WITH TIME ZONE,
    objects INTEGER DEFAULT '0' NOT NULL,
    held INTEGER DEFAULT '0' NOT NULL,
    rejected INTEGER DEFAULT '0' NOT NULL,
    unchanged INTEGER DEFAULT '0' NOT NULL,
    unknown INTEGER DEFAULT '0' NOT NULL,
    request_msg_id TEXT,
    packet_number INTEGER,
    more_packets BOOLEAN,
    CONSTRAINT pk_message PRIMARY KEY (message_id),
    CONSTRAINT uq_message_zone_id_source_id_msg_id UNIQUE (zone_id, source_id, msg_id),
    CONSTRAINT fk_message_zone_id FOREIGN KEY(zone_id) REFERENCES inbox.zone (zone_id)
);

CREATE INDEX ix_message_apart ON inbox.message (zone_id) INCLUDE (state, objects, held, rejected, duplicates, recorded_at, received_at) WHERE state <> 'pending' AND (state <> 'done' OR held > 0 OR rejected > 0 OR duplicates > 0 OR recorded_at IS NULL);

CREATE INDEX ix_message_pending ON inbox.message (zone_id, recorded_at, message_id) WHERE state = 'pending';

CREATE INDEX ix_message_recorded ON inbox.message (zone_id, recorded_at);

CREATE INDEX ix_message_staged ON inbox.message (zone_id, request_msg_id, packet_number) WHERE state = 'staged';

COMMENT ON TABLE inbox.message IS 'SIF messages as received';

COMMENT ON COLUMN inbox.message.source_id IS 'SIF_SourceId of the sender';

COMMENT ON COLUMN inbox.message.msg_id IS 'SIF_MsgId; with zone and source it identifies the message';

COMMENT ON COLUMN inbox.message.message_type IS 'Element under SIF_Message, or Objects for a bare list';

COMMENT ON COLUMN inbox.message.sif_version IS 'SIF_Message/@Version';

COMMENT ON COLUMN inbox.message.sif_timestamp IS 'SIF_Timestamp; UTC when it came without offset';

COMMENT ON COLUMN inbox.message.origin IS 'http, file, agent (pulled from a zone of another), or sync (a deletion of ours)';

COMMENT ON COLUMN inbox.message.first_line IS 'Line of its file that its first line stands for; empty when it came by no file';

COMMENT ON COLUMN inbox.message.body IS 'The bytes as received';

COMMENT ON COLUMN inbox.message.duplicates IS 'How often the same message came again';

COMMENT ON COLUMN inbox.message.attempts IS 'Drains that failed on this message';

COMMENT ON COLUMN inbox.message.last_failure IS 'Exception class and SQLSTATE of the last failed drain';

COMMENT ON COLUMN inbox.message.recorded_at IS 'Recorded time of everything this message changed; unique and rising within the zone';

COMMENT ON COLUMN inbox.message.ordered_at IS 'Its events'' place in the fold, once it is drained';

COMMENT ON COLUMN inbox.message.loaded_at IS 'Clock time at which the drain settled the message';

COMMENT ON COLUMN inbox.message.objects IS 'Object events in the message';

COMMENT ON COLUMN inbox.message.held IS 'Of those, how many are held now';

COMMENT ON COLUMN inbox.message.rejected IS 'Of those, how many are rejected or unfit';

COMMENT ON COLUMN inbox.message.unchanged IS 'Of those, how many said again what was known, and are no object events';

COMMENT ON COLUMN inbox.message.unknown IS 'Of those, how many are of kinds that the state does not collect';

COMMENT ON COLUMN inbox.message.request_msg_id IS 'SIF_MsgId of the request that it answers, or whose full sync made it';

COMMENT ON COLUMN inbox.message.packet_number IS 'Of a SIF_Response: SIF_PacketNumber, from 1';

COMMENT ON COLUMN inbox.message.more_packets IS 'Of a SIF_Response: whether more packets follow';

CREATE TABLE inbox.provision (
    zone_id INTEGER NOT NULL,
    source_id TEXT NOT NULL,
    kind TEXT NOT NULL,
    object_name TEXT NOT NULL,
    CONSTRAINT pk_provision PRIMARY KEY (zone_id, source_id, kind, object_name),
    CONSTRAINT fk_provision_zone_id FOREIGN KEY(zone_id) REFERENCES inbox.zone (zone_id)
);

COMMENT ON TABLE inbox.provision IS 'What an agent provides or publishes';

COMMENT ON COLUMN inbox.provision.kind IS 'List of SIF_Provision, such as SIF_ProvideObjects';

CREATE TABLE inbox.refusal (
    zone_id INTEGER NOT NULL,
    source_id TEXT NOT NULL,
    category INTEGER NOT NULL,
    code INTEGER NOT NULL,
    fault TEXT NOT NULL,
    sentence TEXT NOT NULL,
    message_type TEXT,
    msg_id TEXT,
    times BIGINT DEFAULT '1' NOT NULL,
    first_at TIMESTAMP WITH TIME ZONE DEFAULT clock_timestamp() NOT NULL,
    last_at TIMESTAMP WITH TIME ZONE DEFAULT clock_timestamp() NOT NULL,
    CONSTRAINT pk_refusal PRIMARY KEY (zone_id, source_id, category, code, fault),
    CONSTRAINT fk_refusal_zone_id FOREIGN KEY(zone_id) REFERENCES inbox.zone (zone_id)
);

COMMENT ON TABLE inbox.refusal IS 'Messages that were refused, by sender and error';

COMMENT ON COLUMN inbox.refusal.source_id IS 'SIF_SourceId as the message had it; empty where it could not be read';

COMMENT ON COLUMN inbox.refusal.category IS 'SIF_Category of the answer';

COMMENT ON COLUMN inbox.refusal.code IS 'SIF_Code of the answer';

COMMENT ON COLUMN inbox.refusal.fault IS 'Start of the sentence, with # for its numbers';

COMMENT ON COLUMN inbox.refusal.sentence IS 'SIF_Desc of the latest answer; never a value of a message';

COMMENT ON COLUMN inbox.refusal.message_type IS 'Type of the latest message, as far as it could be read';

COMMENT ON COLUMN inbox.refusal.msg_id IS 'SIF_MsgId of the latest message, as far as it could be read';

COMMENT ON COLUMN inbox.refusal.times IS 'How many messages were refused so';

CREATE TABLE outbox.message (
    queue_id BIGINT GENERATED ALWAYS AS IDENTITY,
    zone_id INTEGER NOT NULL,
    source_id TEXT NOT NULL,
    sender_id TEXT NOT NULL,
    msg_id TEXT NOT NULL,
    message_type TEXT NOT NULL,
    object_name TEXT,
    request_msg_id TEXT,
    authentication_level INTEGER DEFAULT '0' NOT NULL,
    encryption_level INTEGER DEFAULT '0' NOT NULL,
    body BYTEA NOT NULL,
    created_at TIMESTAMP WITH TIME ZONE DEFAULT clock_timestamp() NOT NULL,
    state TEXT DEFAULT 'queued' NOT NULL,
    attempts INTEGER DEFAULT '0' NOT NULL,
    carriers TEXT[] DEFAULT '{}' NOT NULL,
    delivered_at TIMESTAMP WITH TIME ZONE,
    settled_at TIMESTAMP WITH TIME ZONE,
    last_failure TEXT,
    CONSTRAINT pk_message PRIMARY KEY (queue_id),
    CONSTRAINT fk_message_zone_id FOREIGN KEY(zone_id) REFERENCES inbox.zone (zone_id)
);

CREATE INDEX ix_message_handed_out ON outbox.message (zone_id, source_id) WHERE state IN ('delivering', 'blocked');

CREATE INDEX ix_message_msg_id ON outbox.message (zone_id, msg_id);

CREATE INDEX ix_message_settled ON outbox.message (settled_at) WHERE state IN ('done', 'dropped');

CREATE INDEX ix_message_waiting ON outbox.message (zone_id, source_id, queue_id) WHERE state IN ('queued', 'delivering', 'blocked');

CREATE INDEX ix_message_waiting_no_event ON outbox.message (zone_id, source_id, queue_id) WHERE state IN ('queued', 'delivering', 'blocked') AND message_type <> 'SIF_Event';

COMMENT ON TABLE outbox.message IS 'Messages on their way to agents';

COMMENT ON COLUMN outbox.message.queue_id IS 'Place in the queue of its agent';

COMMENT ON COLUMN outbox.message.source_id IS 'SIF_SourceId of the agent it goes to';

COMMENT ON COLUMN outbox.message.sender_id IS 'SIF_SourceId in the message: the agent it comes from, or ours';

COMMENT ON COLUMN outbox.message.msg_id IS 'SIF_MsgId in the message, the same at every delivery';

COMMENT ON COLUMN outbox.message.message_type IS 'Element under SIF_Message';

COMMENT ON COLUMN outbox.message.object_name IS 'SIF object it is about';

COMMENT ON COLUMN outbox.message.request_msg_id IS 'Of a SIF_Response: SIF_RequestMsgId it answers';

COMMENT ON COLUMN outbox.message.authentication_level IS 'SIF_AuthenticationLevel its SIF_SecureChannel asks for';

COMMENT ON COLUMN outbox.message.encryption_level IS 'SIF_EncryptionLevel its SIF_SecureChannel asks for';

COMMENT ON COLUMN outbox.message.body IS 'The bytes to deliver, the same at every delivery';

COMMENT ON COLUMN outbox.message.attempts IS 'How often it was handed out';

COMMENT ON COLUMN outbox.message.carriers IS 'SIF_MsgIds of the latest acks that carried it to a pull agent';

COMMENT ON COLUMN outbox.message.delivered_at IS 'When it was last handed out';

COMMENT ON COLUMN outbox.message.settled_at IS 'When it was taken off the queue';

COMMENT ON COLUMN outbox.message.last_failure IS 'Kind of the last failure, without values';

CREATE TABLE outbox.sync (
    sync_id BIGINT GENERATED ALWAYS AS IDENTITY,
    zone_id INTEGER NOT NULL,
    object_name TEXT NOT NULL,
    asked_at TIMESTAMP WITH TIME ZONE DEFAULT clock_timestamp() NOT NULL,
    state TEXT DEFAULT 'asked' NOT NULL,
    there INTEGER,
    here INTEGER,
    missing_here INTEGER,
    missing_there INTEGER,
    different INTEGER,
    decided_by TEXT,
    decided_at TIMESTAMP WITH TIME ZONE,
    as_of TIMESTAMP WITH TIME ZONE,
    deletes BOOLEAN DEFAULT true NOT NULL,
    reason TEXT,
    ended_at TIMESTAMP WITH TIME ZONE,
    CONSTRAINT pk_sync PRIMARY KEY (sync_id),
    CONSTRAINT fk_sync_zone_id FOREIGN KEY(zone_id) REFERENCES inbox.zone (zone_id)
);

CREATE INDEX ix_sync_open ON outbox.sync (sync_id) WHERE ended_at IS NULL;

CREATE INDEX ix_sync_zone ON outbox.sync (zone_id, object_name, asked_at);

COMMENT ON TABLE outbox.sync IS 'Full syncs of one object in one zone';

COMMENT ON COLUMN outbox.sync.there IS 'Objects that the district sent';

COMMENT ON COLUMN outbox.sync.here IS 'Objects that the state had';

COMMENT ON COLUMN outbox.sync.missing_here IS 'Objects that only the district has';

COMMENT ON COLUMN outbox.sync.missing_there IS 'Objects that only the state had';

COMMENT ON COLUMN outbox.sync.different IS 'Objects that both have and that differ';

COMMENT ON COLUMN outbox.sync.decided_by IS 'Who let it be applied or refused it; limit: the zone''s limit';

COMMENT ON COLUMN outbox.sync.decided_at IS 'When that was';

COMMENT ON COLUMN outbox.sync.as_of IS 'Time of the answer, by the district''s clock within reason; what changed after it is not compared';

COMMENT ON COLUMN outbox.sync.deletes IS 'Whether objects that only the state had are deleted when it is applied';

COMMENT ON COLUMN outbox.sync.reason IS 'Why it waits, or why it failed; never a value';

COMMENT ON COLUMN outbox.sync.ended_at IS 'When it was applied, refused or failed';

CREATE TABLE outbox.difference (
    sync_id BIGINT NOT NULL,
    row_key UUID NOT NULL,
    kind TEXT NOT NULL,
    message_id BIGINT,
    position INTEGER,
    CONSTRAINT pk_difference PRIMARY KEY (sync_id, row_key),
    CONSTRAINT fk_difference_sync_id FOREIGN KEY(sync_id) REFERENCES outbox.sync (sync_id)
);

COMMENT ON TABLE outbox.difference IS 'Objects that a full sync found to differ';

COMMENT ON COLUMN outbox.difference.row_key IS 'The object''s RefId, or a hash of its natural key';

COMMENT ON COLUMN outbox.difference.kind IS 'missing_here, missing_there or different';

COMMENT ON COLUMN outbox.difference.message_id IS 'Packet that brought it; empty if none did';

COMMENT ON COLUMN outbox.difference.position IS 'Place in the packet, from 1';

CREATE TABLE outbox.request (
    zone_id INTEGER NOT NULL,
    source_id TEXT NOT NULL,
    msg_id TEXT NOT NULL,
    object_name TEXT NOT NULL,
    destination_id TEXT NOT NULL,
    versions TEXT[] DEFAULT '{}' NOT NULL,
    max_buffer_size BIGINT NOT NULL,
    created_at TIMESTAMP WITH TIME ZONE DEFAULT clock_timestamp() NOT NULL,
    expires_at TIMESTAMP WITH TIME ZONE NOT NULL,
    next_packet INTEGER DEFAULT '1' NOT NULL,
    state TEXT DEFAULT 'open' NOT NULL,
    ended_at TIMESTAMP WITH TIME ZONE,
    error TEXT,
    purpose TEXT,
    sync_id BIGINT,
    CONSTRAINT pk_request PRIMARY KEY (zone_id, source_id, msg_id),
    CONSTRAINT fk_request_zone_id FOREIGN KEY(zone_id) REFERENCES inbox.zone (zone_id),
    CONSTRAINT fk_request_sync_id FOREIGN KEY(sync_id) REFERENCES outbox.sync (sync_id)
);

CREATE INDEX ix_request_open ON outbox.request (expires_at) WHERE state = 'open';

CREATE INDEX ix_request_sync_id ON outbox.request (sync_id) WHERE sync_id IS NOT NULL;

COMMENT ON TABLE outbox.request IS 'SIF_Requests and how far they are answered';

COMMENT ON COLUMN outbox.request.source_id IS 'SIF_SourceId of who asks; SIF-PIPELINE for the state';

COMMENT ON COLUMN outbox.request.msg_id IS 'SIF_MsgId of the request';

COMMENT ON COLUMN outbox.request.object_name IS 'SIF object asked for';

COMMENT ON COLUMN outbox.request.destination_id IS 'SIF_SourceId of the agent that is asked';

COMMENT ON COLUMN outbox.request.versions IS 'SIF_Version the response may have';

COMMENT ON COLUMN outbox.request.max_buffer_size IS 'Largest packet the requester takes, bytes';

COMMENT ON COLUMN outbox.request.expires_at IS 'When it is given up unless a packet comes before';

COMMENT ON COLUMN outbox.request.next_packet IS 'SIF_PacketNumber that is due';

COMMENT ON COLUMN outbox.request.ended_at IS 'When it was answered or given up';

COMMENT ON COLUMN outbox.request.error IS 'SIF_Error it ended with, as category/code';

COMMENT ON COLUMN outbox.request.purpose IS 'sync for a full sync; empty otherwise';

COMMENT ON COLUMN outbox.request.sync_id IS 'The full sync it is part of';

CREATE TABLE sif.assessment (
    zone_id INTEGER NOT NULL,
    row_key UUID NOT NULL,
    name TEXT NOT NULL,
    assessment_id TEXT,
    package_guid UUID,
    descriptor_codes TEXT[] NOT NULL,
    recorded_from TIMESTAMP WITH TIME ZONE NOT NULL,
    message_id BIGINT NOT NULL,
    content_hash UUID NOT NULL,
    extended JSONB,
    document TEXT NOT NULL,
    repeatable BOOLEAN DEFAULT false NOT NULL,
    CONSTRAINT pk_assessment PRIMARY KEY (zone_id, row_key)
);

CREATE INDEX ix_assessment_repeatable ON sif.assessment (zone_id, content_hash) WHERE repeatable;

COMMENT ON TABLE sif.assessment IS 'A test that students are given, such as the state''s of one subject; its forms are objects of their own.';

COMMENT ON COLUMN sif.assessment.zone_id IS 'Zone of the district that sent the object';

COMMENT ON COLUMN sif.assessment.row_key IS 'The object''s RefId, or a hash of its natural key';

COMMENT ON COLUMN sif.assessment.name IS 'Name of the test';

COMMENT ON COLUMN sif.assessment.assessment_id IS 'Identifier of the state, district or publisher';

COMMENT ON COLUMN sif.assessment.package_guid IS 'Package that holds its content';

COMMENT ON COLUMN sif.assessment.descriptor_codes IS 'What kinds of test it is';

COMMENT ON COLUMN sif.assessment.recorded_from IS 'When the state knew this version';

COMMENT ON COLUMN sif.assessment.message_id IS 'Message that made this version';

COMMENT ON COLUMN sif.assessment.content_hash IS 'First 16 bytes of the document''s SHA-256';

COMMENT ON COLUMN sif.assessment.extended IS 'SIF_ExtendedElements: name to value';

COMMENT ON COLUMN sif.assessment.document IS 'The folded object as XML';

COMMENT ON COLUMN sif.assessment.repeatable IS 'Whether the same image again would change nothing';

CREATE TABLE sif.assessment_administration (
    zone_id INTEGER NOT NULL,
    row_key UUID NOT NULL,
    form_ref_id UUID NOT NULL,
    administration_name TEXT,
    special_conditions JSONB NOT NULL,
    administration_date DATE NOT NULL,
    start_date DATE,
    finish_date DATE,
    due_date DATE,
    address JSONB NOT NULL,
    staff_ref_id UUID,
    lea_ref_id UUID,
    school_ref_id UUID,
    recorded_from TIMESTAMP WITH TIME ZONE NOT NULL,
    message_id BIGINT NOT NULL,
    content_hash UUID NOT NULL,
    extended JSONB,
    document TEXT NOT NULL,
    repeatable BOOLEAN DEFAULT false NOT NULL,
    CONSTRAINT pk_assessment_administration PRIMARY KEY (zone_id, row_key)
);

CREATE INDEX ix_assessment_administration_repeatable ON sif.assessment_administration (zone_id, content_hash) WHERE repeatable;

COMMENT ON TABLE sif.assessment_administration IS 'A form of a test being given: when, where, and what was unusual about it.';

COMMENT ON COLUMN sif.assessment_administration.zone_id IS 'Zone of the district that sent the object';

COMMENT ON COLUMN sif.assessment_administration.row_key IS 'The object''s RefId, or a hash of its natural key';

COMMENT ON COLUMN sif.assessment_administration.form_ref_id IS 'Form that is given';

COMMENT ON COLUMN sif.assessment_administration.administration_name IS 'Name of the administration';

COMMENT ON COLUMN sif.assessment_administration.special_conditions IS 'What was unusual, such as a fire drill, by code';

COMMENT ON COLUMN sif.assessment_administration.administration_date IS 'Day it is to be given';

COMMENT ON COLUMN sif.assessment_administration.start_date IS 'Day testing begins';

COMMENT ON COLUMN sif.assessment_administration.finish_date IS 'Day testing ends';

COMMENT ON COLUMN sif.assessment_administration.due_date IS 'Day the test is due';

COMMENT ON COLUMN sif.assessment_administration.address IS 'Where it is given';

COMMENT ON COLUMN sif.assessment_administration.staff_ref_id IS 'Member of staff who gives it';

COMMENT ON COLUMN sif.assessment_administration.lea_ref_id IS 'District that gives it';

COMMENT ON COLUMN sif.assessment_administration.school_ref_id IS 'School that gives it';

COMMENT ON COLUMN sif.assessment_administration.recorded_from IS 'When the state knew this version';

COMMENT ON COLUMN sif.assessment_administration.message_id IS 'Message that made this version';

COMMENT ON COLUMN sif.assessment_administration.content_hash IS 'First 16 bytes of the document''s SHA-256';

COMMENT ON COLUMN sif.assessment_administration.extended IS 'SIF_ExtendedElements: name to value';

COMMENT ON COLUMN sif.assessment_administration.document IS 'The folded object as XML';

COMMENT ON COLUMN sif.assessment_administration.repeatable IS 'Whether the same image again would change nothing';

CREATE TABLE sif.assessment_form (
    zone_id INTEGER NOT NULL,
    row_key UUID NOT NULL,
    assessment_ref_id UUID NOT NULL,
    assessment_type_code TEXT,
    form_name TEXT NOT NULL,
    form_numbers TEXT[] NOT NULL,
    level TEXT,
    period TEXT,
    grade_codes TEXT[] NOT NULL,
    sub_test_guids TEXT[] NOT NULL,
    recorded_from TIMESTAMP WITH TIME ZONE NOT NULL,
    message_id BIGINT NOT NULL,
    content_hash UUID NOT NULL,
    extended JSONB,
    document TEXT NOT NULL,
    repeatable BOOLEAN DEFAULT false NOT NULL,
    CONSTRAINT pk_assessment_form PRIMARY KEY (zone_id, row_key)
);

CREATE INDEX ix_assessment_form_repeatable ON sif.assessment_form (zone_id, content_hash) WHERE repeatable;

COMMENT ON TABLE sif.assessment_form IS 'One set of a test''s questions, as a booklet is, and the sub-tests it gives scores in.';

COMMENT ON COLUMN sif.assessment_form.zone_id IS 'Zone of the district that sent the object';

COMMENT ON COLUMN sif.assessment_form.row_key IS 'The object''s RefId, or a hash of its natural key';

COMMENT ON COLUMN sif.assessment_form.assessment_ref_id IS 'Test it is a form of';

COMMENT ON COLUMN sif.assessment_form.assessment_type_code IS 'Standard or alternate administration';

COMMENT ON COLUMN sif.assessment_form.form_name IS 'Name of the form';

COMMENT ON COLUMN sif.assessment_form.form_numbers IS 'Publisher''s numbers of the form';

COMMENT ON COLUMN sif.assessment_form.level IS 'Level of the form, such as a grade, in words';

COMMENT ON COLUMN sif.assessment_form.period IS 'Part of the year it is meant for, in words';

COMMENT ON COLUMN sif.assessment_form.grade_codes IS 'Grades it is meant for';

COMMENT ON COLUMN sif.assessment_form.sub_test_guids IS 'Sub-tests it gives scores in';

COMMENT ON COLUMN sif.assessment_form.recorded_from IS 'When the state knew this version';

COMMENT ON COLUMN sif.assessment_form.message_id IS 'Message that made this version';

COMMENT ON COLUMN sif.assessment_form.content_hash IS 'First 16 bytes of the document''s SHA-256';

COMMENT ON COLUMN sif.assessment_form.extended IS 'SIF_ExtendedElements: name to value';

COMMENT ON COLUMN sif.assessment_form.document IS 'The folded object as XML';

COMMENT ON COLUMN sif.assessment_form.repeatable IS 'Whether the same image again would change nothing';

CREATE TABLE sif.assessment_registration (
    zone_id INTEGER NOT NULL,
    row_key UUID NOT NULL,
    student_ref_id UUID NOT NULL,
    administration_ref_id UUID NOT NULL,
    creation_date DATE NOT NULL,
    special_conditions JSONB NOT NULL,
    grade_code TEXT,
    grade_other_codes JSONB NOT NULL,
    tested_grade_code TEXT,
    tested_grade_other_codes JSONB NOT NULL,
    race_codes TEXT[] NOT NULL,
    is_hispanic TEXT,
    gender TEXT,
    birth_date DATE,
    title1 TEXT,
    ell TEXT,
    lea_ref_id UUID,
    school_ref_id UUID,
    staff_ref_id UUID,
    section_ref_id UUID,
    recorded_from TIMESTAMP WITH TIME ZONE NOT NULL,
    message_id BIGINT NOT NULL,
    content_hash UUID NOT NULL,
    extended JSONB,
    document TEXT NOT NULL,
    repeatable BOOLEAN DEFAULT false NOT NULL,
    CONSTRAINT pk_assessment_registration PRIMARY KEY (zone_id, row_key)
);

CREATE INDEX ix_assessment_registration_repeatable ON sif.assessment_registration (zone_id, content_hash) WHERE repeatable;

COMMENT ON TABLE sif.assessment_registration IS 'A student who is to take a test, and who the student was by the records of that day.';

COMMENT ON COLUMN sif.assessment_registration.zone_id IS 'Zone of the district that sent the object';

COMMENT ON COLUMN sif.assessment_registration.row_key IS 'The object''s RefId, or a hash of its natural key';

COMMENT ON COLUMN sif.assessment_registration.student_ref_id IS 'Student registered';

COMMENT ON COLUMN sif.assessment_registration.administration_ref_id IS 'Administration of the test';

COMMENT ON COLUMN sif.assessment_registration.creation_date IS 'Day of the registration';

COMMENT ON COLUMN sif.assessment_registration.special_conditions IS 'What was unusual for this student, by code';

COMMENT ON COLUMN sif.assessment_registration.grade_code IS 'Grade of the student then';

COMMENT ON COLUMN sif.assessment_registration.grade_other_codes IS 'State''s or other codes of the grade';

COMMENT ON COLUMN sif.assessment_registration.tested_grade_code IS 'Grade tested, where it is another';

COMMENT ON COLUMN sif.assessment_registration.tested_grade_other_codes IS 'State''s or other codes of the grade tested';

COMMENT ON COLUMN sif.assessment_registration.race_codes IS 'Races reported then';

COMMENT ON COLUMN sif.assessment_registration.is_hispanic IS 'Hispanic or Latino, as reported then';

COMMENT ON COLUMN sif.assessment_registration.gender IS 'Gender as reported then';

COMMENT ON COLUMN sif.assessment_registration.birth_date IS 'Date of birth';

COMMENT ON COLUMN sif.assessment_registration.title1 IS 'Served under Title I then';

COMMENT ON COLUMN sif.assessment_registration.ell IS 'English learner then';

COMMENT ON COLUMN sif.assessment_registration.lea_ref_id IS 'District of the student';

COMMENT ON COLUMN sif.assessment_registration.school_ref_id IS 'School of the student';

COMMENT ON COLUMN sif.assessment_registration.staff_ref_id IS 'Member of staff responsible';

COMMENT ON COLUMN sif.assessment_registration.section_ref_id IS 'Section of the student';

COMMENT ON COLUMN sif.assessment_registration.recorded_from IS 'When the state knew this version';

COMMENT ON COLUMN sif.assessment_registration.message_id IS 'Message that made this version';

COMMENT ON COLUMN sif.assessment_registration.content_hash IS 'First 16 bytes of the document''s SHA-256';

COMMENT ON COLUMN sif.assessment_registration.extended IS 'SIF_ExtendedElements: name to value';

COMMENT ON COLUMN sif.assessment_registration.document IS 'The folded object as XML';

COMMENT ON COLUMN sif.assessment_registration.repeatable IS 'Whether the same image again would change nothing';

CREATE TABLE sif.assessment_sub_test (
    zone_id INTEGER NOT NULL,
    row_key UUID NOT NULL,
    name TEXT NOT NULL,
    score_metric_code TEXT,
    lowest_score TEXT,
    highest_score TEXT,
    performance_levels JSONB NOT NULL,
    subject_area TEXT,
    grade_codes TEXT[] NOT NULL,
    part_guids TEXT[] NOT NULL,
    tier INTEGER,
    learning_standard_guids TEXT[] NOT NULL,
    abbreviation TEXT,
    description TEXT,
    item_count INTEGER,
    container_only TEXT,
    recorded_from TIMESTAMP WITH TIME ZONE NOT NULL,
    message_id BIGINT NOT NULL,
    content_hash UUID NOT NULL,
    extended JSONB,
    document TEXT NOT NULL,
    repeatable BOOLEAN DEFAULT false NOT NULL,
    CONSTRAINT pk_assessment_sub_test PRIMARY KEY (zone_id, row_key)
);

CREATE INDEX ix_assessment_sub_test_repeatable ON sif.assessment_sub_test (zone_id, content_hash) WHERE repeatable;

COMMENT ON TABLE sif.assessment_sub_test IS 'One thing that a test measures, with its range of scores and its levels of performance.';

COMMENT ON COLUMN sif.assessment_sub_test.zone_id IS 'Zone of the district that sent the object';

COMMENT ON COLUMN sif.assessment_sub_test.row_key IS 'The object''s RefId, or a hash of its natural key';

COMMENT ON COLUMN sif.assessment_sub_test.name IS 'Name of the sub-test';

COMMENT ON COLUMN sif.assessment_sub_test.score_metric_code IS 'Scale of the range of scores';

COMMENT ON COLUMN sif.assessment_sub_test.lowest_score IS 'Lowest score there is';

COMMENT ON COLUMN sif.assessment_sub_test.highest_score IS 'Highest score there is';

COMMENT ON COLUMN sif.assessment_sub_test.performance_levels IS 'Levels of performance with the scores between which they lie';

COMMENT ON COLUMN sif.assessment_sub_test.subject_area IS 'Subject, in words';

COMMENT ON COLUMN sif.assessment_sub_test.grade_codes IS 'Grades its scores are valid for';

COMMENT ON COLUMN sif.assessment_sub_test.part_guids IS 'Sub-tests it is composed of';

COMMENT ON COLUMN sif.assessment_sub_test.tier IS 'Depth in the composition; 0 is the whole';

COMMENT ON COLUMN sif.assessment_sub_test.learning_standard_guids IS 'Learning standards it measures';

COMMENT ON COLUMN sif.assessment_sub_test.abbreviation IS 'Short name for reports';

COMMENT ON COLUMN sif.assessment_sub_test.description IS 'More about it, in words';

COMMENT ON COLUMN sif.assessment_sub_test.item_count IS 'How many questions it has';

COMMENT ON COLUMN sif.assessment_sub_test.container_only IS 'Has parts but no scores of its own, true or false';

COMMENT ON COLUMN sif.assessment_sub_test.recorded_from IS 'When the state knew this version';

COMMENT ON COLUMN sif.assessment_sub_test.message_id IS 'Message that made this version';

COMMENT ON COLUMN sif.assessment_sub_test.content_hash IS 'First 16 bytes of the document''s SHA-256';

COMMENT ON COLUMN sif.assessment_sub_test.extended IS 'SIF_ExtendedElements: name to value';

COMMENT ON COLUMN sif.assessment_sub_test.document IS 'The folded object as XML';

COMMENT ON COLUMN sif.assessment_sub_test.repeatable IS 'Whether the same image again would change nothing';

CREATE TABLE sif.discipline_incident (
    zone_id INTEGER NOT NULL,
    row_key UUID NOT NULL,
    school_year INTEGER NOT NULL,
    school_ref_id UUID NOT NULL,
    reporting_object TEXT NOT NULL,
    incident_number TEXT NOT NULL,
    incident_date DATE NOT NULL,
    incident_time TEXT NOT NULL,
    incident_time_code TEXT NOT NULL,
    location TEXT NOT NULL,
    location_code TEXT NOT NULL,
    cost TEXT,
    reporter JSONB NOT NULL,
    related_to_codes TEXT[] NOT NULL,
    weapon_type_codes TEXT[] NOT NULL,
    category_code TEXT NOT NULL,
    category_other_codes JSONB NOT NULL,
    category_comment TEXT,
    offender_ref_ids TEXT[] NOT NULL,
    offenders JSONB NOT NULL,
    victims JSONB NOT NULL,
    description TEXT,
    actions JSONB NOT NULL,
    recorded_from TIMESTAMP WITH TIME ZONE NOT NULL,
    message_id BIGINT NOT NULL,
    content_hash UUID NOT NULL,
    extended JSONB,
    document TEXT NOT NULL,
    repeatable BOOLEAN DEFAULT false NOT NULL,
    CONSTRAINT pk_discipline_incident PRIMARY KEY (zone_id, row_key)
);

CREATE INDEX ix_discipline_incident_repeatable ON sif.discipline_incident (zone_id, content_hash) WHERE repeatable;

COMMENT ON TABLE sif.discipline_incident IS 'A discipline incident: when, where and what, its offenders and victims, and the actions taken.';

COMMENT ON COLUMN sif.discipline_incident.zone_id IS 'Zone of the district that sent the object';

COMMENT ON COLUMN sif.discipline_incident.row_key IS 'The object''s RefId, or a hash of its natural key';

COMMENT ON COLUMN sif.discipline_incident.school_year IS 'School year by its end year';

COMMENT ON COLUMN sif.discipline_incident.school_ref_id IS 'School that reports the incident';

COMMENT ON COLUMN sif.discipline_incident.reporting_object IS 'Whether a school or a district reports';

COMMENT ON COLUMN sif.discipline_incident.incident_number IS 'District''s number of the incident';

COMMENT ON COLUMN sif.discipline_incident.incident_date IS 'Day of the incident';

COMMENT ON COLUMN sif.discipline_incident.incident_time IS 'Time of day; may be empty';

COMMENT ON COLUMN sif.discipline_incident.incident_time_code IS 'Part of the day';

COMMENT ON COLUMN sif.discipline_incident.location IS 'Where it happened, in words';

COMMENT ON COLUMN sif.discipline_incident.location_code IS 'Kind of place';

COMMENT ON COLUMN sif.discipline_incident.cost IS 'What it cost, in words';

COMMENT ON COLUMN sif.discipline_incident.reporter IS 'Who reported it';

COMMENT ON COLUMN sif.discipline_incident.related_to_codes IS 'What it was related to, such as drugs';

COMMENT ON COLUMN sif.discipline_incident.weapon_type_codes IS 'Weapons involved';

COMMENT ON COLUMN sif.discipline_incident.category_code IS 'Gravest offence';

COMMENT ON COLUMN sif.discipline_incident.category_other_codes IS 'State''s or other codes of the offence';

COMMENT ON COLUMN sif.discipline_incident.category_comment IS 'Comment on the offence';

COMMENT ON COLUMN sif.discipline_incident.offender_ref_ids IS 'Offenders; the list of offenders tells of which kind';

COMMENT ON COLUMN sif.discipline_incident.offenders IS 'Offenders with injury, weapons and the actions taken';

COMMENT ON COLUMN sif.discipline_incident.victims IS 'Victims with injury';

COMMENT ON COLUMN sif.discipline_incident.description IS 'What happened, in words';

COMMENT ON COLUMN sif.discipline_incident.actions IS 'Actions taken on the incident as a whole';

COMMENT ON COLUMN sif.discipline_incident.recorded_from IS 'When the state knew this version';

COMMENT ON COLUMN sif.discipline_incident.message_id IS 'Message that made this version';

COMMENT ON COLUMN sif.discipline_incident.content_hash IS 'First 16 bytes of the document''s SHA-256';

COMMENT ON COLUMN sif.discipline_incident.extended IS 'SIF_ExtendedElements: name to value';

COMMENT ON COLUMN sif.discipline_incident.document IS 'The folded object as XML';

COMMENT ON COLUMN sif.discipline_incident.repeatable IS 'Whether the same image again would change nothing';

CREATE TABLE sif.employment_record (
    zone_id INTEGER NOT NULL,
    row_key UUID NOT NULL,
    staff_ref_id UUID NOT NULL,
    employee_object TEXT NOT NULL,
    lea_ref_id UUID NOT NULL,
    active TEXT,
    full_time_status_code TEXT,
    hire_date DATE,
    termination_date DATE,
    years_of_experience INTEGER,
    position_title TEXT,
    position_number TEXT,
    seniority_date DATE,
    tenure_date DATE,
    recorded_from TIMESTAMP WITH TIME ZONE NOT NULL,
    message_id BIGINT NOT NULL,
    content_hash UUID NOT NULL,
    extended JSONB,
    document TEXT NOT NULL,
    repeatable BOOLEAN DEFAULT false NOT NULL,
    CONSTRAINT pk_employment_record PRIMARY KEY (zone_id, row_key)
);

CREATE INDEX ix_employment_record_repeatable ON sif.employment_record (zone_id, content_hash) WHERE repeatable;

COMMENT ON TABLE sif.employment_record IS 'A person''s employment by the district, as it is now.';

COMMENT ON COLUMN sif.employment_record.zone_id IS 'Zone of the district that sent the object';

COMMENT ON COLUMN sif.employment_record.row_key IS 'The object''s RefId, or a hash of its natural key';

COMMENT ON COLUMN sif.employment_record.staff_ref_id IS 'Person employed';

COMMENT ON COLUMN sif.employment_record.employee_object IS 'Object that tells who the person is';

COMMENT ON COLUMN sif.employment_record.lea_ref_id IS 'District that employs';

COMMENT ON COLUMN sif.employment_record.active IS 'Whether the person is employed now, true or false';

COMMENT ON COLUMN sif.employment_record.full_time_status_code IS 'Full or part time';

COMMENT ON COLUMN sif.employment_record.hire_date IS 'Day the employment began';

COMMENT ON COLUMN sif.employment_record.termination_date IS 'Day the employment ended';

COMMENT ON COLUMN sif.employment_record.years_of_experience IS 'Years of experience';

COMMENT ON COLUMN sif.employment_record.position_title IS 'Title of the position';

COMMENT ON COLUMN sif.employment_record.position_number IS 'District''s number of the position';

COMMENT ON COLUMN sif.employment_record.seniority_date IS 'Day seniority counts from';

COMMENT ON COLUMN sif.employment_record.tenure_date IS 'Day tenure was granted';

COMMENT ON COLUMN sif.employment_record.recorded_from IS 'When the state knew this version';

COMMENT ON COLUMN sif.employment_record.message_id IS 'Message that made this version';

COMMENT ON COLUMN sif.employment_record.content_hash IS 'First 16 bytes of the document''s SHA-256';

COMMENT ON COLUMN sif.employment_record.extended IS 'SIF_ExtendedElements: name to value';

COMMENT ON COLUMN sif.employment_record.document IS 'The folded object as XML';

COMMENT ON COLUMN sif.employment_record.repeatable IS 'Whether the same image again would change nothing';

CREATE TABLE sif.lea_info (
    zone_id INTEGER NOT NULL,
    row_key UUID NOT NULL,
    local_id TEXT NOT NULL,
    state_id TEXT,
    nces_id TEXT,
    lea_name TEXT NOT NULL,
    url TEXT,
    agency_type_code TEXT,
    operational_status_code TEXT,
    grade_codes TEXT[] NOT NULL,
    addresses JSONB NOT NULL,
    phone_numbers JSONB NOT NULL,
    contacts JSONB NOT NULL,
    recorded_from TIMESTAMP WITH TIME ZONE NOT NULL,
    message_id BIGINT NOT NULL,
    content_hash UUID NOT NULL,
    extended JSONB,
    document TEXT NOT NULL,
    repeatable BOOLEAN DEFAULT false NOT NULL,
    CONSTRAINT pk_lea_info PRIMARY KEY (zone_id, row_key)
);

CREATE INDEX ix_lea_info_repeatable ON sif.lea_info (zone_id, content_hash) WHERE repeatable;

COMMENT ON TABLE sif.lea_info IS 'A district (local education agency).';

COMMENT ON COLUMN sif.lea_info.zone_id IS 'Zone of the district that sent the object';

COMMENT ON COLUMN sif.lea_info.row_key IS 'The object''s RefId, or a hash of its natural key';

COMMENT ON COLUMN sif.lea_info.local_id IS 'Identifier the district uses for itself';

COMMENT ON COLUMN sif.lea_info.state_id IS 'State organisation code, 8 digits in Massachusetts';

COMMENT ON COLUMN sif.lea_info.nces_id IS 'Federal (NCES) identifier of the district';

COMMENT ON COLUMN sif.lea_info.lea_name IS 'Name of the district';

COMMENT ON COLUMN sif.lea_info.url IS 'Web site of the district';

COMMENT ON COLUMN sif.lea_info.agency_type_code IS 'Kind of education agency';

COMMENT ON COLUMN sif.lea_info.operational_status_code IS 'Whether the district is open';

COMMENT ON COLUMN sif.lea_info.grade_codes IS 'Grades the district serves';

COMMENT ON COLUMN sif.lea_info.addresses IS 'Addresses of the district by type';

COMMENT ON COLUMN sif.lea_info.phone_numbers IS 'Telephone numbers by type';

COMMENT ON COLUMN sif.lea_info.contacts IS 'Contact persons of the district';

COMMENT ON COLUMN sif.lea_info.recorded_from IS 'When the state knew this version';

COMMENT ON COLUMN sif.lea_info.message_id IS 'Message that made this version';

COMMENT ON COLUMN sif.lea_info.content_hash IS 'First 16 bytes of the document''s SHA-256';

COMMENT ON COLUMN sif.lea_info.extended IS 'SIF_ExtendedElements: name to value';

COMMENT ON COLUMN sif.lea_info.document IS 'The folded object as XML';

COMMENT ON COLUMN sif.lea_info.repeatable IS 'Whether the same image again would change nothing';

CREATE TABLE sif.mark_info (
    zone_id INTEGER NOT NULL,
    row_key UUID NOT NULL,
    mark_value_ref_id UUID NOT NULL,
    school_ref_id UUID NOT NULL,
    school_year INTEGER NOT NULL,
    description TEXT NOT NULL,
    recorded_from TIMESTAMP WITH TIME ZONE NOT NULL,
    message_id BIGINT NOT NULL,
    content_hash UUID NOT NULL,
    extended JSONB,
    document TEXT NOT NULL,
    repeatable BOOLEAN DEFAULT false NOT NULL,
    CONSTRAINT pk_mark_info PRIMARY KEY (zone_id, row_key)
);

CREATE INDEX ix_mark_info_repeatable ON sif.mark_info (zone_id, content_hash) WHERE repeatable;

COMMENT ON TABLE sif.mark_info IS 'A kind of mark that a school gives, such as a final mark or one for effort.';

COMMENT ON COLUMN sif.mark_info.zone_id IS 'Zone of the district that sent the object';

COMMENT ON COLUMN sif.mark_info.row_key IS 'The object''s RefId, or a hash of its natural key';

COMMENT ON COLUMN sif.mark_info.mark_value_ref_id IS 'Values it may have';

COMMENT ON COLUMN sif.mark_info.school_ref_id IS 'School that gives it';

COMMENT ON COLUMN sif.mark_info.school_year IS 'School year by its end year';

COMMENT ON COLUMN sif.mark_info.description IS 'What the mark is for';

COMMENT ON COLUMN sif.mark_info.recorded_from IS 'When the state knew this version';

COMMENT ON COLUMN sif.mark_info.message_id IS 'Message that made this version';

COMMENT ON COLUMN sif.mark_info.content_hash IS 'First 16 bytes of the document''s SHA-256';

COMMENT ON COLUMN sif.mark_info.extended IS 'SIF_ExtendedElements: name to value';

COMMENT ON COLUMN sif.mark_info.document IS 'The folded object as XML';

COMMENT ON COLUMN sif.mark_info.repeatable IS 'Whether the same image again would change nothing';

CREATE TABLE sif.mark_value_info (
    zone_id INTEGER NOT NULL,
    row_key UUID NOT NULL,
    school_ref_id UUID NOT NULL,
    school_year INTEGER NOT NULL,
    name TEXT NOT NULL,
    percentage_accepted TEXT NOT NULL,
    percentage_minimum NUMERIC,
    percentage_maximum NUMERIC,
    numeric_accepted TEXT NOT NULL,
    numeric_precision INTEGER,
    numeric_scale INTEGER,
    numeric_low NUMERIC,
    numeric_high NUMERIC,
    letter_accepted TEXT NOT NULL,
    letters JSONB NOT NULL,
    narrative_accepted TEXT NOT NULL,
    narrative_maximum_size INTEGER,
    recorded_from TIMESTAMP WITH TIME ZONE NOT NULL,
    message_id BIGINT NOT NULL,
    content_hash UUID NOT NULL,
    extended JSONB,
    document TEXT NOT NULL,
    repeatable BOOLEAN DEFAULT false NOT NULL,
    CONSTRAINT pk_mark_value_info PRIMARY KEY (zone_id, row_key)
);

CREATE INDEX ix_mark_value_info_repeatable ON sif.mark_value_info (zone_id, content_hash) WHERE repeatable;

COMMENT ON TABLE sif.mark_value_info IS 'A range of values that marks of a school may have: percentages, numbers, letters, words.';

COMMENT ON COLUMN sif.mark_value_info.zone_id IS 'Zone of the district that sent the object';

COMMENT ON COLUMN sif.mark_value_info.row_key IS 'The object''s RefId, or a hash of its natural key';

COMMENT ON COLUMN sif.mark_value_info.school_ref_id IS 'School that gives such marks';

COMMENT ON COLUMN sif.mark_value_info.school_year IS 'School year by its end year';

COMMENT ON COLUMN sif.mark_value_info.name IS 'Name of the range of values';

COMMENT ON COLUMN sif.mark_value_info.percentage_accepted IS 'Whether percentages are, true or false';

COMMENT ON COLUMN sif.mark_value_info.percentage_minimum IS 'Lowest percentage';

COMMENT ON COLUMN sif.mark_value_info.percentage_maximum IS 'Highest percentage';

COMMENT ON COLUMN sif.mark_value_info.numeric_accepted IS 'Whether numbers are, true or false';

COMMENT ON COLUMN sif.mark_value_info.numeric_precision IS 'Digits of a number in all';

COMMENT ON COLUMN sif.mark_value_info.numeric_scale IS 'Digits of a number behind the point';

COMMENT ON COLUMN sif.mark_value_info.numeric_low IS 'Lowest number';

COMMENT ON COLUMN sif.mark_value_info.numeric_high IS 'Highest number';

COMMENT ON COLUMN sif.mark_value_info.letter_accepted IS 'Whether letters are, true or false';

COMMENT ON COLUMN sif.mark_value_info.letters IS 'Letters with what they are worth';

COMMENT ON COLUMN sif.mark_value_info.narrative_accepted IS 'Whether words are, true or false';

COMMENT ON COLUMN sif.mark_value_info.narrative_maximum_size IS 'Most characters of the words';

COMMENT ON COLUMN sif.mark_value_info.recorded_from IS 'When the state knew this version';

COMMENT ON COLUMN sif.mark_value_info.message_id IS 'Message that made this version';

COMMENT ON COLUMN sif.mark_value_info.content_hash IS 'First 16 bytes of the document''s SHA-256';

COMMENT ON COLUMN sif.mark_value_info.extended IS 'SIF_ExtendedElements: name to value';

COMMENT ON COLUMN sif.mark_value_info.document IS 'The folded object as XML';

COMMENT ON COLUMN sif.mark_value_info.repeatable IS 'Whether the same image again would change nothing';

CREATE TABLE sif.school_course_info (
    zone_id INTEGER NOT NULL,
    row_key UUID NOT NULL,
    school_ref_id UUID NOT NULL,
    school_year INTEGER NOT NULL,
    course_code TEXT NOT NULL,
    state_course_code TEXT,
    district_course_code TEXT,
    subject_area_codes TEXT[] NOT NULL,
    course_title TEXT NOT NULL,
    description TEXT,
    instructional_level_code TEXT,
    instructional_level_other_codes JSONB NOT NULL,
    course_credits NUMERIC,
    credit_type_code TEXT,
    is_core_academic TEXT,
    is_graduation_requirement TEXT,
    department TEXT,
    dual_credit TEXT,
    recorded_from TIMESTAMP WITH TIME ZONE NOT NULL,
    message_id BIGINT NOT NULL,
    content_hash UUID NOT NULL,
    extended JSONB,
    document TEXT NOT NULL,
    repeatable BOOLEAN DEFAULT false NOT NULL,
    CONSTRAINT pk_school_course_info PRIMARY KEY (zone_id, row_key)
);

CREATE INDEX ix_school_course_info_repeatable ON sif.school_course_info (zone_id, content_hash) WHERE repeatable;

COMMENT ON TABLE sif.school_course_info IS 'A course offered by one school in one school year.';

COMMENT ON COLUMN sif.school_course_info.zone_id IS 'Zone of the district that sent the object';

COMMENT ON COLUMN sif.school_course_info.row_key IS 'The object''s RefId, or a hash of its natural key';

COMMENT ON COLUMN sif.school_course_info.school_ref_id IS 'School that offers the course';

COMMENT ON COLUMN sif.school_course_info.school_year IS 'School year by its end year';

COMMENT ON COLUMN sif.school_course_info.course_code IS 'School''s code of the course';

COMMENT ON COLUMN sif.school_course_info.state_course_code IS 'State''s subject-area course code';

COMMENT ON COLUMN sif.school_course_info.district_course_code IS 'District''s code of the course';

COMMENT ON COLUMN sif.school_course_info.subject_area_codes IS 'Subject areas of the course';

COMMENT ON COLUMN sif.school_course_info.course_title IS 'Title of the course';

COMMENT ON COLUMN sif.school_course_info.description IS 'What the course is about';

COMMENT ON COLUMN sif.school_course_info.instructional_level_code IS 'Level of instruction';

COMMENT ON COLUMN sif.school_course_info.instructional_level_other_codes IS 'State''s or other codes of the level (SCS09 in Massachusetts)';

COMMENT ON COLUMN sif.school_course_info.course_credits IS 'Credits a student can earn';

COMMENT ON COLUMN sif.school_course_info.credit_type_code IS 'Kind of credit';

COMMENT ON COLUMN sif.school_course_info.is_core_academic IS 'Core academic course';

COMMENT ON COLUMN sif.school_course_info.is_graduation_requirement IS 'Needed to graduate';

COMMENT ON COLUMN sif.school_course_info.department IS 'Department that teaches it';

COMMENT ON COLUMN sif.school_course_info.dual_credit IS 'Also earns college credit';

COMMENT ON COLUMN sif.school_course_info.recorded_from IS 'When the state knew this version';

COMMENT ON COLUMN sif.school_course_info.message_id IS 'Message that made this version';

COMMENT ON COLUMN sif.school_course_info.content_hash IS 'First 16 bytes of the document''s SHA-256';

COMMENT ON COLUMN sif.school_course_info.extended IS 'SIF_ExtendedElements: name to value';

COMMENT ON COLUMN sif.school_course_info.document IS 'The folded object as XML';

COMMENT ON COLUMN sif.school_course_info.repeatable IS 'Whether the same image again would change nothing';

CREATE TABLE sif.school_info (
    zone_id INTEGER NOT NULL,
    row_key UUID NOT NULL,
    lea_ref_id UUID,
    local_id TEXT,
    state_id TEXT,
    nces_id TEXT,
    school_name TEXT NOT NULL,
    school_type_code TEXT,
    focus_codes TEXT[] NOT NULL,
    url TEXT,
    session_type_code TEXT,
    grade_codes TEXT[] NOT NULL,
    title1_status TEXT,
    operational_status_code TEXT,
    active_school_year INTEGER,
    addresses JSONB NOT NULL,
    phone_numbers JSONB NOT NULL,
    principal JSONB NOT NULL,
    recorded_from TIMESTAMP WITH TIME ZONE NOT NULL,
    message_id BIGINT NOT NULL,
    content_hash UUID NOT NULL,
    extended JSONB,
    document TEXT NOT NULL,
    repeatable BOOLEAN DEFAULT false NOT NULL,
    CONSTRAINT pk_school_info PRIMARY KEY (zone_id, row_key)
);

CREATE INDEX ix_school_info_repeatable ON sif.school_info (zone_id, content_hash) WHERE repeatable;

COMMENT ON TABLE sif.school_info IS 'A school, or a programme that is reported as one.';

COMMENT ON COLUMN sif.school_info.zone_id IS 'Zone of the district that sent the object';

COMMENT ON COLUMN sif.school_info.row_key IS 'The object''s RefId, or a hash of its natural key';

COMMENT ON COLUMN sif.school_info.lea_ref_id IS 'District the school belongs to';

COMMENT ON COLUMN sif.school_info.local_id IS 'Identifier the district uses for the school';

COMMENT ON COLUMN sif.school_info.state_id IS 'State organisation code, 8 digits in Massachusetts';

COMMENT ON COLUMN sif.school_info.nces_id IS 'Federal (NCES) identifier of the school';

COMMENT ON COLUMN sif.school_info.school_name IS 'Name of the school';

COMMENT ON COLUMN sif.school_info.school_type_code IS 'Level of the school';

COMMENT ON COLUMN sif.school_info.focus_codes IS 'Special focuses of the school';

COMMENT ON COLUMN sif.school_info.url IS 'Web site of the school';

COMMENT ON COLUMN sif.school_info.session_type_code IS 'Kind of session the school runs';

COMMENT ON COLUMN sif.school_info.grade_codes IS 'Grades the school serves';

COMMENT ON COLUMN sif.school_info.title1_status IS 'Title I status of the school';

COMMENT ON COLUMN sif.school_info.operational_status_code IS 'Whether the school is open';

COMMENT ON COLUMN sif.school_info.active_school_year IS 'School year now active, by its end year';

COMMENT ON COLUMN sif.school_info.addresses IS 'Addresses of the school by type';

COMMENT ON COLUMN sif.school_info.phone_numbers IS 'Telephone numbers by type';

COMMENT ON COLUMN sif.school_info.principal IS 'The principal';

COMMENT ON COLUMN sif.school_info.recorded_from IS 'When the state knew this version';

COMMENT ON COLUMN sif.school_info.message_id IS 'Message that made this version';

COMMENT ON COLUMN sif.school_info.content_hash IS 'First 16 bytes of the document''s SHA-256';

COMMENT ON COLUMN sif.school_info.extended IS 'SIF_ExtendedElements: name to value';

COMMENT ON COLUMN sif.school_info.document IS 'The folded object as XML';

COMMENT ON COLUMN sif.school_info.repeatable IS 'Whether the same image again would change nothing';

CREATE TABLE sif.section_info (
    zone_id INTEGER NOT NULL,
    row_key UUID NOT NULL,
    course_ref_id UUID NOT NULL,
    school_year INTEGER NOT NULL,
    local_id TEXT NOT NULL,
    description TEXT,
    term_ref_ids TEXT[] NOT NULL,
    schedule JSONB NOT NULL,
    medium_of_instruction_code TEXT,
    language_of_instruction_code TEXT,
    is_summer_school TEXT,
    course_section_code TEXT,
    section_code TEXT,
    counts_for_attendance TEXT,
    recorded_from TIMESTAMP WITH TIME ZONE NOT NULL,
    message_id BIGINT NOT NULL,
    content_hash UUID NOT NULL,
    extended JSONB,
    document TEXT NOT NULL,
    repeatable BOOLEAN DEFAULT false NOT NULL,
    CONSTRAINT pk_section_info PRIMARY KEY (zone_id, row_key)
);

CREATE INDEX ix_section_info_repeatable ON sif.section_info (zone_id, content_hash) WHERE repeatable;

COMMENT ON TABLE sif.section_info IS 'A section of a course: the group that meets in given terms.';

COMMENT ON COLUMN sif.section_info.zone_id IS 'Zone of the district that sent the object';

COMMENT ON COLUMN sif.section_info.row_key IS 'The object''s RefId, or a hash of its natural key';

COMMENT ON COLUMN sif.section_info.course_ref_id IS 'Course taught';

COMMENT ON COLUMN sif.section_info.school_year IS 'School year by its end year';

COMMENT ON COLUMN sif.section_info.local_id IS 'Identifier of the section in the district''s system';

COMMENT ON COLUMN sif.section_info.description IS 'Name of the section';

COMMENT ON COLUMN sif.section_info.term_ref_ids IS 'Terms the section meets in';

COMMENT ON COLUMN sif.section_info.schedule IS 'Meeting times, rooms and staff by term';

COMMENT ON COLUMN sif.section_info.medium_of_instruction_code IS 'How instruction is given';

COMMENT ON COLUMN sif.section_info.language_of_instruction_code IS 'Language of instruction';

COMMENT ON COLUMN sif.section_info.is_summer_school IS 'Summer school section';

COMMENT ON COLUMN sif.section_info.course_section_code IS 'District''s code of course and section together';

COMMENT ON COLUMN sif.section_info.section_code IS 'District''s code of the section within its course';

COMMENT ON COLUMN sif.section_info.counts_for_attendance IS 'Attendance is taken';

COMMENT ON COLUMN sif.section_info.recorded_from IS 'When the state knew this version';

COMMENT ON COLUMN sif.section_info.message_id IS 'Message that made this version';

COMMENT ON COLUMN sif.section_info.content_hash IS 'First 16 bytes of the document''s SHA-256';

COMMENT ON COLUMN sif.section_info.extended IS 'SIF_ExtendedElements: name to value';

COMMENT ON COLUMN sif.section_info.document IS 'The folded object as XML';

COMMENT ON COLUMN sif.section_info.repeatable IS 'Whether the same image again would change nothing';

CREATE TABLE sif.section_mark_info (
    zone_id INTEGER NOT NULL,
    row_key UUID NOT NULL,
    section_ref_id UUID NOT NULL,
    school_ref_id UUID NOT NULL,
    term_ref_ids TEXT[] NOT NULL,
    mark_ref_ids TEXT[] NOT NULL,
    marks_by_term JSONB NOT NULL,
    recorded_from TIMESTAMP WITH TIME ZONE NOT NULL,
    message_id BIGINT NOT NULL,
    content_hash UUID NOT NULL,
    extended JSONB,
    document TEXT NOT NULL,
    repeatable BOOLEAN DEFAULT false NOT NULL,
    CONSTRAINT pk_section_mark_info PRIMARY KEY (zone_id, row_key)
);

CREATE INDEX ix_section_mark_info_repeatable ON sif.section_mark_info (zone_id, content_hash) WHERE repeatable;

COMMENT ON TABLE sif.section_mark_info IS 'The kinds of marks that are given in one section, by term.';

COMMENT ON COLUMN sif.section_mark_info.zone_id IS 'Zone of the district that sent the object';

COMMENT ON COLUMN sif.section_mark_info.row_key IS 'The object''s RefId, or a hash of its natural key';

COMMENT ON COLUMN sif.section_mark_info.section_ref_id IS 'Section marked';

COMMENT ON COLUMN sif.section_mark_info.school_ref_id IS 'School of the section';

COMMENT ON COLUMN sif.section_mark_info.term_ref_ids IS 'Terms marks are given for';

COMMENT ON COLUMN sif.section_mark_info.mark_ref_ids IS 'Marks given, of all terms';

COMMENT ON COLUMN sif.section_mark_info.marks_by_term IS 'Marks given, term by term';

COMMENT ON COLUMN sif.section_mark_info.recorded_from IS 'When the state knew this version';

COMMENT ON COLUMN sif.section_mark_info.message_id IS 'Message that made this version';

COMMENT ON COLUMN sif.section_mark_info.content_hash IS 'First 16 bytes of the document''s SHA-256';

COMMENT ON COLUMN sif.section_mark_info.extended IS 'SIF_ExtendedElements: name to value';

COMMENT ON COLUMN sif.section_mark_info.document IS 'The folded object as XML';

COMMENT ON COLUMN sif.section_mark_info.repeatable IS 'Whether the same image again would change nothing';

CREATE TABLE sif.staff_assignment (
    zone_id INTEGER NOT NULL,
    row_key UUID NOT NULL,
    staff_ref_id UUID NOT NULL,
    school_ref_id UUID NOT NULL,
    school_year INTEGER NOT NULL,
    description TEXT,
    is_primary TEXT NOT NULL,
    job_start_date DATE,
    job_end_date DATE,
    job_fte NUMERIC,
    job_function_code TEXT,
    job_function_other_codes JSONB NOT NULL,
    teaching_assignment_code TEXT,
    teaching_assignment_other_codes JSONB NOT NULL,
    grade_codes TEXT[] NOT NULL,
    itinerant_teacher TEXT,
    instructional_level_code TEXT,
    recorded_from TIMESTAMP WITH TIME ZONE NOT NULL,
    message_id BIGINT NOT NULL,
    content_hash UUID NOT NULL,
    extended JSONB,
    document TEXT NOT NULL,
    repeatable BOOLEAN DEFAULT false NOT NULL,
    CONSTRAINT pk_staff_assignment PRIMARY KEY (zone_id, row_key)
);

CREATE INDEX ix_staff_assignment_repeatable ON sif.staff_assignment (zone_id, content_hash) WHERE repeatable;

COMMENT ON TABLE sif.staff_assignment IS 'A member of staff''s job in one school in one school year.';

COMMENT ON COLUMN sif.staff_assignment.zone_id IS 'Zone of the district that sent the object';

COMMENT ON COLUMN sif.staff_assignment.row_key IS 'The object''s RefId, or a hash of its natural key';

COMMENT ON COLUMN sif.staff_assignment.staff_ref_id IS 'Member of staff assigned';

COMMENT ON COLUMN sif.staff_assignment.school_ref_id IS 'School of the job';

COMMENT ON COLUMN sif.staff_assignment.school_year IS 'School year by its end year';

COMMENT ON COLUMN sif.staff_assignment.description IS 'Name of the job';

COMMENT ON COLUMN sif.staff_assignment.is_primary IS 'The person''s main job; there is one per year';

COMMENT ON COLUMN sif.staff_assignment.job_start_date IS 'First day of the job';

COMMENT ON COLUMN sif.staff_assignment.job_end_date IS 'Last day of the job; empty while it lasts';

COMMENT ON COLUMN sif.staff_assignment.job_fte IS 'Share of full time, 0 to 1';

COMMENT ON COLUMN sif.staff_assignment.job_function_code IS 'Function of the job';

COMMENT ON COLUMN sif.staff_assignment.job_function_other_codes IS 'State''s or other codes of the job (WA07 in Massachusetts)';

COMMENT ON COLUMN sif.staff_assignment.teaching_assignment_code IS 'Subject taught';

COMMENT ON COLUMN sif.staff_assignment.teaching_assignment_other_codes IS 'State''s or other codes of the subject (WA08 in Massachusetts)';

COMMENT ON COLUMN sif.staff_assignment.grade_codes IS 'Grades the job is for';

COMMENT ON COLUMN sif.staff_assignment.itinerant_teacher IS 'Teaches in several schools';

COMMENT ON COLUMN sif.staff_assignment.instructional_level_code IS 'Level of instruction';

COMMENT ON COLUMN sif.staff_assignment.recorded_from IS 'When the state knew this version';

COMMENT ON COLUMN sif.staff_assignment.message_id IS 'Message that made this version';

COMMENT ON COLUMN sif.staff_assignment.content_hash IS 'First 16 bytes of the document''s SHA-256';

COMMENT ON COLUMN sif.staff_assignment.extended IS 'SIF_ExtendedElements: name to value';

COMMENT ON COLUMN sif.staff_assignment.document IS 'The folded object as XML';

COMMENT ON COLUMN sif.staff_assignment.repeatable IS 'Whether the same image again would change nothing';

CREATE TABLE sif.staff_evaluation (
    zone_id INTEGER NOT NULL,
    row_key UUID NOT NULL,
    staff_ref_id UUID NOT NULL,
    school_ref_id UUID NOT NULL,
    evaluator_state_id TEXT,
    bargaining_unit TEXT,
    evaluation_cycle TEXT,
    preconference_date DATE,
    projected_date DATE,
    evaluation_date DATE NOT NULL,
    postconference_date DATE,
    evaluation_system TEXT NOT NULL,
    parts JSONB NOT NULL,
    holistic_score TEXT NOT NULL,
    holistic_scale TEXT NOT NULL,
    recommendation_code TEXT,
    recorded_from TIMESTAMP WITH TIME ZONE NOT NULL,
    message_id BIGINT NOT NULL,
    content_hash UUID NOT NULL,
    extended JSONB,
    document TEXT NOT NULL,
    repeatable BOOLEAN DEFAULT false NOT NULL,
    CONSTRAINT pk_staff_evaluation PRIMARY KEY (zone_id, row_key)
);

CREATE INDEX ix_staff_evaluation_repeatable ON sif.staff_evaluation (zone_id, content_hash) WHERE repeatable;

COMMENT ON TABLE sif.staff_evaluation IS 'An evaluation of a member of staff in one school.';

COMMENT ON COLUMN sif.staff_evaluation.zone_id IS 'Zone of the district that sent the object';

COMMENT ON COLUMN sif.staff_evaluation.row_key IS 'The object''s RefId, or a hash of its natural key';

COMMENT ON COLUMN sif.staff_evaluation.staff_ref_id IS 'Member of staff evaluated';

COMMENT ON COLUMN sif.staff_evaluation.school_ref_id IS 'School of the evaluation';

COMMENT ON COLUMN sif.staff_evaluation.evaluator_state_id IS 'State''s identifier of the evaluator';

COMMENT ON COLUMN sif.staff_evaluation.bargaining_unit IS 'Bargaining unit of the person';

COMMENT ON COLUMN sif.staff_evaluation.evaluation_cycle IS 'Name of the evaluation cycle';

COMMENT ON COLUMN sif.staff_evaluation.preconference_date IS 'Day of the conference before';

COMMENT ON COLUMN sif.staff_evaluation.projected_date IS 'Day it was planned for';

COMMENT ON COLUMN sif.staff_evaluation.evaluation_date IS 'Day of the evaluation';

COMMENT ON COLUMN sif.staff_evaluation.postconference_date IS 'Day of the conference after';

COMMENT ON COLUMN sif.staff_evaluation.evaluation_system IS 'System of evaluation in use';

COMMENT ON COLUMN sif.staff_evaluation.parts IS 'Parts of the evaluation with score and scale';

COMMENT ON COLUMN sif.staff_evaluation.holistic_score IS 'Overall score';

COMMENT ON COLUMN sif.staff_evaluation.holistic_scale IS 'Scale of the overall score';

COMMENT ON COLUMN sif.staff_evaluation.recommendation_code IS 'District''s code of what is recommended';

COMMENT ON COLUMN sif.staff_evaluation.recorded_from IS 'When the state knew this version';

COMMENT ON COLUMN sif.staff_evaluation.message_id IS 'Message that made this version';

COMMENT ON COLUMN sif.staff_evaluation.content_hash IS 'First 16 bytes of the document''s SHA-256';

COMMENT ON COLUMN sif.staff_evaluation.extended IS 'SIF_ExtendedElements: name to value';

COMMENT ON COLUMN sif.staff_evaluation.document IS 'The folded object as XML';

COMMENT ON COLUMN sif.staff_evaluation.repeatable IS 'Whether the same image again would change nothing';

CREATE TABLE sif.staff_personal (
    zone_id INTEGER NOT NULL,
    row_key UUID NOT NULL,
    local_id TEXT NOT NULL,
    state_id TEXT,
    other_ids JSONB NOT NULL,
    last_name TEXT NOT NULL,
    first_name TEXT NOT NULL,
    middle_name TEXT,
    birth_date DATE,
    gender TEXT,
    race_codes TEXT[] NOT NULL,
    race_other_codes JSONB NOT NULL,
    is_hispanic TEXT,
    title TEXT,
    addresses JSONB NOT NULL,
    phone_numbers JSONB NOT NULL,
    emails JSONB NOT NULL,
    recorded_from TIMESTAMP WITH TIME ZONE NOT NULL,
    message_id BIGINT NOT NULL,
    content_hash UUID NOT NULL,
    extended JSONB,
    document TEXT NOT NULL,
    repeatable BOOLEAN DEFAULT false NOT NULL,
    CONSTRAINT pk_staff_personal PRIMARY KEY (zone_id, row_key)
);

CREATE INDEX ix_staff_personal_repeatable ON sif.staff_personal (zone_id, content_hash) WHERE repeatable;

COMMENT ON TABLE sif.staff_personal IS 'A member of staff: identifiers, legal name and demographics.';

COMMENT ON COLUMN sif.staff_personal.zone_id IS 'Zone of the district that sent the object';

COMMENT ON COLUMN sif.staff_personal.row_key IS 'The object''s RefId, or a hash of its natural key';

COMMENT ON COLUMN sif.staff_personal.local_id IS 'District''s identifier of the person';

COMMENT ON COLUMN sif.staff_personal.state_id IS 'State''s identifier of the educator (MEPID)';

COMMENT ON COLUMN sif.staff_personal.other_ids IS 'Other identifiers by type, such as licences';

COMMENT ON COLUMN sif.staff_personal.last_name IS 'Legal last name';

COMMENT ON COLUMN sif.staff_personal.first_name IS 'Legal first name';

COMMENT ON COLUMN sif.staff_personal.middle_name IS 'Legal middle name';

COMMENT ON COLUMN sif.staff_personal.birth_date IS 'Date of birth';

COMMENT ON COLUMN sif.staff_personal.gender IS 'Gender as reported';

COMMENT ON COLUMN sif.staff_personal.race_codes IS 'Races reported';

COMMENT ON COLUMN sif.staff_personal.race_other_codes IS 'State''s or other codes of the races (SR08 in Massachusetts)';

COMMENT ON COLUMN sif.staff_personal.is_hispanic IS 'Hispanic or Latino';

COMMENT ON COLUMN sif.staff_personal.title IS 'Job title';

COMMENT ON COLUMN sif.staff_personal.addresses IS 'Addresses by type';

COMMENT ON COLUMN sif.staff_personal.phone_numbers IS 'Telephone numbers by type';

COMMENT ON COLUMN sif.staff_personal.emails IS 'E-mail addresses by type';

COMMENT ON COLUMN sif.staff_personal.recorded_from IS 'When the state knew this version';

COMMENT ON COLUMN sif.staff_personal.message_id IS 'Message that made this version';

COMMENT ON COLUMN sif.staff_personal.content_hash IS 'First 16 bytes of the document''s SHA-256';

COMMENT ON COLUMN sif.staff_personal.extended IS 'SIF_ExtendedElements: name to value';

COMMENT ON COLUMN sif.staff_personal.document IS 'The folded object as XML';

COMMENT ON COLUMN sif.staff_personal.repeatable IS 'Whether the same image again would change nothing';

CREATE TABLE sif.staff_section_assignment (
    zone_id INTEGER NOT NULL,
    row_key UUID NOT NULL,
    staff_ref_id UUID NOT NULL,
    section_ref_id UUID NOT NULL,
    assignment_start_date DATE,
    assignment_end_date DATE,
    is_teacher_of_record TEXT NOT NULL,
    roles TEXT[] NOT NULL,
    percent_responsible NUMERIC,
    recorded_from TIMESTAMP WITH TIME ZONE NOT NULL,
    message_id BIGINT NOT NULL,
    content_hash UUID NOT NULL,
    extended JSONB,
    document TEXT NOT NULL,
    repeatable BOOLEAN DEFAULT false NOT NULL,
    CONSTRAINT pk_staff_section_assignment PRIMARY KEY (zone_id, row_key)
);

CREATE INDEX ix_staff_section_assignment_repeatable ON sif.staff_section_assignment (zone_id, content_hash) WHERE repeatable;

COMMENT ON TABLE sif.staff_section_assignment IS 'A member of staff''s part in teaching one section.';

COMMENT ON COLUMN sif.staff_section_assignment.zone_id IS 'Zone of the district that sent the object';

COMMENT ON COLUMN sif.staff_section_assignment.row_key IS 'The object''s RefId, or a hash of its natural key';

COMMENT ON COLUMN sif.staff_section_assignment.staff_ref_id IS 'Member of staff assigned';

COMMENT ON COLUMN sif.staff_section_assignment.section_ref_id IS 'Section taught';

COMMENT ON COLUMN sif.staff_section_assignment.assignment_start_date IS 'First day of the assignment, by the district''s clock';

COMMENT ON COLUMN sif.staff_section_assignment.assignment_end_date IS 'Last day of the assignment, by the district''s clock';

COMMENT ON COLUMN sif.staff_section_assignment.is_teacher_of_record IS 'Answers for the section';

COMMENT ON COLUMN sif.staff_section_assignment.roles IS 'What the person does there';

COMMENT ON COLUMN sif.staff_section_assignment.percent_responsible IS 'Share of the responsibility in percent, 0 to 100';

COMMENT ON COLUMN sif.staff_section_assignment.recorded_from IS 'When the state knew this version';

COMMENT ON COLUMN sif.staff_section_assignment.message_id IS 'Message that made this version';

COMMENT ON COLUMN sif.staff_section_assignment.content_hash IS 'First 16 bytes of the document''s SHA-256';

COMMENT ON COLUMN sif.staff_section_assignment.extended IS 'SIF_ExtendedElements: name to value';

COMMENT ON COLUMN sif.staff_section_assignment.document IS 'The folded object as XML';

COMMENT ON COLUMN sif.staff_section_assignment.repeatable IS 'Whether the same image again would change nothing';

CREATE TABLE sif.student_attendance_summary (
    zone_id INTEGER NOT NULL,
    row_key UUID NOT NULL,
    student_ref_id UUID NOT NULL,
    school_ref_id UUID NOT NULL,
    school_year INTEGER NOT NULL,
    start_date DATE NOT NULL,
    end_date DATE NOT NULL,
    start_day INTEGER NOT NULL,
    end_day INTEGER NOT NULL,
    is_resident TEXT NOT NULL,
    fte NUMERIC,
    days_attended NUMERIC NOT NULL,
    excused_absences NUMERIC NOT NULL,
    unexcused_absences NUMERIC NOT NULL,
    days_tardy NUMERIC,
    days_in_membership NUMERIC NOT NULL,
    enrollment_ref_id UUID,
    recorded_from TIMESTAMP WITH TIME ZONE NOT NULL,
    message_id BIGINT NOT NULL,
    content_hash UUID NOT NULL,
    extended JSONB,
    document TEXT NOT NULL,
    repeatable BOOLEAN DEFAULT false NOT NULL,
    CONSTRAINT pk_student_attendance_summary PRIMARY KEY (zone_id, row_key)
);

CREATE INDEX ix_student_attendance_summary_covering ON sif.student_attendance_summary (zone_id, student_ref_id, school_year, school_ref_id, end_date DESC, start_date) INCLUDE (days_in_membership, days_attended, recorded_from);

CREATE INDEX ix_student_attendance_summary_repeatable ON sif.student_attendance_summary (zone_id, content_hash) WHERE repeatable;

COMMENT ON TABLE sif.student_attendance_summary IS 'A student''s days attended, absent and in membership in one school over one span of dates.';

COMMENT ON COLUMN sif.student_attendance_summary.zone_id IS 'Zone of the district that sent the object';

COMMENT ON COLUMN sif.student_attendance_summary.row_key IS 'The object''s RefId, or a hash of its natural key';

COMMENT ON COLUMN sif.student_attendance_summary.student_ref_id IS 'Student summarised';

COMMENT ON COLUMN sif.student_attendance_summary.school_ref_id IS 'School attended';

COMMENT ON COLUMN sif.student_attendance_summary.school_year IS 'School year by its end year';

COMMENT ON COLUMN sif.student_attendance_summary.start_date IS 'First date summarised';

COMMENT ON COLUMN sif.student_attendance_summary.end_date IS 'Last date summarised';

COMMENT ON COLUMN sif.student_attendance_summary.start_day IS 'School day number of the first date';

COMMENT ON COLUMN sif.student_attendance_summary.end_day IS 'School day number of the last date';

COMMENT ON COLUMN sif.student_attendance_summary.is_resident IS 'Resident of the district';

COMMENT ON COLUMN sif.student_attendance_summary.fte IS 'Share of full time, 0 to 1';

COMMENT ON COLUMN sif.student_attendance_summary.days_attended IS 'Days present';

COMMENT ON COLUMN sif.student_attendance_summary.excused_absences IS 'Days absent with excuse';

COMMENT ON COLUMN sif.student_attendance_summary.unexcused_absences IS 'Days absent without excuse';

COMMENT ON COLUMN sif.student_attendance_summary.days_tardy IS 'Days tardy';

COMMENT ON COLUMN sif.student_attendance_summary.days_in_membership IS 'Days enrolled';

COMMENT ON COLUMN sif.student_attendance_summary.enrollment_ref_id IS 'Enrolment summarised';

COMMENT ON COLUMN sif.student_attendance_summary.recorded_from IS 'When the state knew this version';

COMMENT ON COLUMN sif.student_attendance_summary.message_id IS 'Message that made this version';

COMMENT ON COLUMN sif.student_attendance_summary.content_hash IS 'First 16 bytes of the document''s SHA-256';

COMMENT ON COLUMN sif.student_attendance_summary.extended IS 'SIF_ExtendedElements: name to value';

COMMENT ON COLUMN sif.student_attendance_summary.document IS 'The folded object as XML';

COMMENT ON COLUMN sif.student_attendance_summary.repeatable IS 'Whether the same image again would change nothing';

CREATE TABLE sif.student_locator (
    zone_id INTEGER NOT NULL,
    row_key UUID NOT NULL,
    transaction_guid UUID NOT NULL,
    id_status TEXT NOT NULL,
    student_guid UUID,
    state_id TEXT NOT NULL,
    confidence TEXT,
    local_id TEXT,
    requesting_agencies JSONB NOT NULL,
    grade_code TEXT,
    names JSONB NOT NULL,
    addresses JSONB NOT NULL,
    birth_date DATE,
    place_of_birth TEXT,
    gender TEXT,
    contacts JSONB NOT NULL,
    effective_date DATE,
    start_date DATE,
    end_date DATE,
    graduation TEXT,
    school_attended TEXT,
    school_attended_location TEXT,
    other_ids JSONB NOT NULL,
    error JSONB NOT NULL,
    recorded_from TIMESTAMP WITH TIME ZONE NOT NULL,
    message_id BIGINT NOT NULL,
    content_hash UUID NOT NULL,
    extended JSONB,
    document TEXT NOT NULL,
    repeatable BOOLEAN DEFAULT false NOT NULL,
    CONSTRAINT pk_student_locator PRIMARY KEY (zone_id, row_key)
);

CREATE INDEX ix_student_locator_repeatable ON sif.student_locator (zone_id, content_hash) WHERE repeatable;

COMMENT ON TABLE sif.student_locator IS 'A transaction between district and state about one student''s state identifier (SASID), as it stands.';

COMMENT ON COLUMN sif.student_locator.zone_id IS 'Zone of the district that sent the object';

COMMENT ON COLUMN sif.student_locator.row_key IS 'The object''s RefId, or a hash of its natural key';

COMMENT ON COLUMN sif.student_locator.transaction_guid IS 'Transaction between district and state';

COMMENT ON COLUMN sif.student_locator.id_status IS 'How the transaction stands';

COMMENT ON COLUMN sif.student_locator.student_guid IS 'Student, if the district has sent it';

COMMENT ON COLUMN sif.student_locator.state_id IS 'State''s identifier (SASID); may be empty in a request';

COMMENT ON COLUMN sif.student_locator.confidence IS 'How sure the state is';

COMMENT ON COLUMN sif.student_locator.local_id IS 'District''s identifier of the student (LASID)';

COMMENT ON COLUMN sif.student_locator.requesting_agencies IS 'Agencies that ask, with their kind';

COMMENT ON COLUMN sif.student_locator.grade_code IS 'Grade of the student';

COMMENT ON COLUMN sif.student_locator.names IS 'Names by type';

COMMENT ON COLUMN sif.student_locator.addresses IS 'Addresses by type';

COMMENT ON COLUMN sif.student_locator.birth_date IS 'Date of birth';

COMMENT ON COLUMN sif.student_locator.place_of_birth IS 'City or town of birth';

COMMENT ON COLUMN sif.student_locator.gender IS 'Gender as reported';

COMMENT ON COLUMN sif.student_locator.contacts IS 'Parents and guardians';

COMMENT ON COLUMN sif.student_locator.effective_date IS 'Day of entry, or of exit in a release';

COMMENT ON COLUMN sif.student_locator.start_date IS 'First day of the range asked for';

COMMENT ON COLUMN sif.student_locator.end_date IS 'Last day of the range asked for';

COMMENT ON COLUMN sif.student_locator.graduation IS 'Date, month or year of graduation';

COMMENT ON COLUMN sif.student_locator.school_attended IS 'School last attended';

COMMENT ON COLUMN sif.student_locator.school_attended_location IS 'Where that school is';

COMMENT ON COLUMN sif.student_locator.other_ids IS 'Another identifier with its type';

COMMENT ON COLUMN sif.student_locator.error IS 'Why the lookup failed';

COMMENT ON COLUMN sif.student_locator.recorded_from IS 'When the state knew this version';

COMMENT ON COLUMN sif.student_locator.message_id IS 'Message that made this version';

COMMENT ON COLUMN sif.student_locator.content_hash IS 'First 16 bytes of the document''s SHA-256';

COMMENT ON COLUMN sif.student_locator.extended IS 'SIF_ExtendedElements: name to value';

COMMENT ON COLUMN sif.student_locator.document IS 'The folded object as XML';

COMMENT ON COLUMN sif.student_locator.repeatable IS 'Whether the same image again would change nothing';

CREATE TABLE sif.student_personal (
    zone_id INTEGER NOT NULL,
    row_key UUID NOT NULL,
    local_id TEXT NOT NULL,
    state_id TEXT,
    last_name TEXT NOT NULL,
    first_name TEXT NOT NULL,
    middle_name TEXT,
    other_names JSONB NOT NULL,
    birth_date DATE,
    place_of_birth TEXT,
    country_of_birth_code TEXT,
    gender TEXT,
    race_codes TEXT[] NOT NULL,
    race_other_codes JSONB NOT NULL,
    is_hispanic TEXT,
    english_proficiency_code TEXT,
    languages JSONB NOT NULL,
    addresses JSONB NOT NULL,
    phone_numbers JSONB NOT NULL,
    emails JSONB NOT NULL,
    other_ids JSONB NOT NULL,
    on_time_graduation_year INTEGER,
    graduation TEXT,
    most_recent_grade_code TEXT,
    idea TEXT,
    migrant TEXT,
    title1 TEXT,
    gifted_talented TEXT,
    economic_disadvantage TEXT,
    ell TEXT,
    homeless TEXT,
    section504 TEXT,
    immigrant TEXT,
    first_us_enrollment_date DATE,
    recorded_from TIMESTAMP WITH TIME ZONE NOT NULL,
    message_id BIGINT NOT NULL,
    content_hash UUID NOT NULL,
    extended JSONB,
    document TEXT NOT NULL,
    repeatable BOOLEAN DEFAULT false NOT NULL,
    CONSTRAINT pk_student_personal PRIMARY KEY (zone_id, row_key)
);

CREATE INDEX ix_student_personal_covering ON sif.student_personal (zone_id, row_key) INCLUDE (gender, race_codes, is_hispanic, english_proficiency_code, idea, economic_disadvantage, ell, recorded_from);

CREATE INDEX ix_student_personal_repeatable ON sif.student_personal (zone_id, content_hash) WHERE repeatable;

COMMENT ON TABLE sif.student_personal IS 'A student: identifiers, legal name, demographics and programme flags.';

COMMENT ON COLUMN sif.student_personal.zone_id IS 'Zone of the district that sent the object';

COMMENT ON COLUMN sif.student_personal.row_key IS 'The object''s RefId, or a hash of its natural key';

COMMENT ON COLUMN sif.student_personal.local_id IS 'District''s identifier of the student (LASID)';

COMMENT ON COLUMN sif.student_personal.state_id IS 'State''s identifier of the student (SASID)';

COMMENT ON COLUMN sif.student_personal.last_name IS 'Legal last name';

COMMENT ON COLUMN sif.student_personal.first_name IS 'Legal first name';

COMMENT ON COLUMN sif.student_personal.middle_name IS 'Legal middle name';

COMMENT ON COLUMN sif.student_personal.other_names IS 'Former and other names by type';

COMMENT ON COLUMN sif.student_personal.birth_date IS 'Date of birth';

COMMENT ON COLUMN sif.student_personal.place_of_birth IS 'City or town of birth';

COMMENT ON COLUMN sif.student_personal.country_of_birth_code IS 'Country of birth';

COMMENT ON COLUMN sif.student_personal.gender IS 'Gender as reported';

COMMENT ON COLUMN sif.student_personal.race_codes IS 'Races reported';

COMMENT ON COLUMN sif.student_personal.race_other_codes IS 'State''s or other codes of the races (DOE010 in Massachusetts)';

COMMENT ON COLUMN sif.student_personal.is_hispanic IS 'Hispanic or Latino';

COMMENT ON COLUMN sif.student_personal.english_proficiency_code IS 'Proficiency in English';

COMMENT ON COLUMN sif.student_personal.languages IS 'Languages and their use';

COMMENT ON COLUMN sif.student_personal.addresses IS 'Addresses by type';

COMMENT ON COLUMN sif.student_personal.phone_numbers IS 'Telephone numbers by type';

COMMENT ON COLUMN sif.student_personal.emails IS 'E-mail addresses by type';

COMMENT ON COLUMN sif.student_personal.other_ids IS 'Other identifiers by type';

COMMENT ON COLUMN sif.student_personal.on_time_graduation_year IS 'Year of on-time graduation';

COMMENT ON COLUMN sif.student_personal.graduation IS 'Date, month or year of graduation';

COMMENT ON COLUMN sif.student_personal.most_recent_grade_code IS 'Grade at last enrolment';

COMMENT ON COLUMN sif.student_personal.idea IS 'Has a disability under IDEA';

COMMENT ON COLUMN sif.student_personal.migrant IS 'Migrant student';

COMMENT ON COLUMN sif.student_personal.title1 IS 'Served under Title I';

COMMENT ON COLUMN sif.student_personal.gifted_talented IS 'Gifted and talented';

COMMENT ON COLUMN sif.student_personal.economic_disadvantage IS 'Economically disadvantaged';

COMMENT ON COLUMN sif.student_personal.ell IS 'English learner';

COMMENT ON COLUMN sif.student_personal.homeless IS 'Homeless';

COMMENT ON COLUMN sif.student_personal.section504 IS 'Has a Section 504 plan';

COMMENT ON COLUMN sif.student_personal.immigrant IS 'Immigrant student';

COMMENT ON COLUMN sif.student_personal.first_us_enrollment_date IS 'First enrolled in a US school';

COMMENT ON COLUMN sif.student_personal.recorded_from IS 'When the state knew this version';

COMMENT ON COLUMN sif.student_personal.message_id IS 'Message that made this version';

COMMENT ON COLUMN sif.student_personal.content_hash IS 'First 16 bytes of the document''s SHA-256';

COMMENT ON COLUMN sif.student_personal.extended IS 'SIF_ExtendedElements: name to value';

COMMENT ON COLUMN sif.student_personal.document IS 'The folded object as XML';

COMMENT ON COLUMN sif.student_personal.repeatable IS 'Whether the same image again would change nothing';

CREATE TABLE sif.student_school_enrollment (
    zone_id INTEGER NOT NULL,
    row_key UUID NOT NULL,
    student_ref_id UUID NOT NULL,
    school_ref_id UUID NOT NULL,
    membership_type TEXT NOT NULL,
    time_frame TEXT NOT NULL,
    school_year INTEGER NOT NULL,
    entry_date DATE NOT NULL,
    entry_type_code TEXT,
    grade_code TEXT,
    grade_other_codes JSONB NOT NULL,
    exit_date DATE,
    exit_status_code TEXT,
    exit_type_code TEXT,
    exit_type_other_codes JSONB NOT NULL,
    record_closure_reason TEXT,
    fte NUMERIC,
    full_time_status TEXT,
    residency_code TEXT,
    residency_other_codes JSONB NOT NULL,
    nonresident_reason_code TEXT,
    promotion_status TEXT,
    recorded_from TIMESTAMP WITH TIME ZONE NOT NULL,
    message_id BIGINT NOT NULL,
    content_hash UUID NOT NULL,
    extended JSONB,
    document TEXT NOT NULL,
    repeatable BOOLEAN DEFAULT false NOT NULL,
    CONSTRAINT pk_student_school_enrollment PRIMARY KEY (zone_id, row_key)
);

CREATE INDEX ix_student_school_enrollment_covering ON sif.student_school_enrollment (zone_id, student_ref_id, entry_date DESC, row_key) INCLUDE (school_ref_id, membership_type, school_year, grade_code, exit_date, recorded_from);

CREATE INDEX ix_student_school_enrollment_repeatable ON sif.student_school_enrollment (zone_id, content_hash) WHERE repeatable;

COMMENT ON TABLE sif.student_school_enrollment IS 'A student''s membership in one school over one span of dates within one school year.';

COMMENT ON COLUMN sif.student_school_enrollment.zone_id IS 'Zone of the district that sent the object';

COMMENT ON COLUMN sif.student_school_enrollment.row_key IS 'The object''s RefId, or a hash of its natural key';

COMMENT ON COLUMN sif.student_school_enrollment.student_ref_id IS 'Enrolled student';

COMMENT ON COLUMN sif.student_school_enrollment.school_ref_id IS 'School attended';

COMMENT ON COLUMN sif.student_school_enrollment.membership_type IS 'Home, Concurrent or Summer';

COMMENT ON COLUMN sif.student_school_enrollment.time_frame IS 'Historical, Current or Future, seen from the sender''s today';

COMMENT ON COLUMN sif.student_school_enrollment.school_year IS 'School year by its end year';

COMMENT ON COLUMN sif.student_school_enrollment.entry_date IS 'First day of membership';

COMMENT ON COLUMN sif.student_school_enrollment.entry_type_code IS 'Kind of entry';

COMMENT ON COLUMN sif.student_school_enrollment.grade_code IS 'Grade during the membership';

COMMENT ON COLUMN sif.student_school_enrollment.grade_other_codes IS 'State''s or other codes of the grade (DOE016 in Massachusetts)';

COMMENT ON COLUMN sif.student_school_enrollment.exit_date IS 'Last day of membership; empty while enrolled';

COMMENT ON COLUMN sif.student_school_enrollment.exit_status_code IS 'Permanent or temporary exit';

COMMENT ON COLUMN sif.student_school_enrollment.exit_type_code IS 'Reason of the exit';

COMMENT ON COLUMN sif.student_school_enrollment.exit_type_other_codes IS 'State''s or other codes of the exit reason (DOE012 in Massachusetts)';

COMMENT ON COLUMN sif.student_school_enrollment.record_closure_reason IS 'Why the record was closed';

COMMENT ON COLUMN sif.student_school_enrollment.fte IS 'Share of full time, 0 to 1';

COMMENT ON COLUMN sif.student_school_enrollment.full_time_status IS 'Full or part time';

COMMENT ON COLUMN sif.student_school_enrollment.residency_code IS 'Residence against attendance area';

COMMENT ON COLUMN sif.student_school_enrollment.residency_other_codes IS 'State''s or other codes of the residence';

COMMENT ON COLUMN sif.student_school_enrollment.nonresident_reason_code IS 'Why a non-resident attends';

COMMENT ON COLUMN sif.student_school_enrollment.promotion_status IS 'Promoted, retained or demoted';

COMMENT ON COLUMN sif.student_school_enrollment.recorded_from IS 'When the state knew this version';

COMMENT ON COLUMN sif.student_school_enrollment.message_id IS 'Message that made this version';

COMMENT ON COLUMN sif.student_school_enrollment.content_hash IS 'First 16 bytes of the document''s SHA-256';

COMMENT ON COLUMN sif.student_school_enrollment.extended IS 'SIF_ExtendedElements: name to value';

COMMENT ON COLUMN sif.student_school_enrollment.document IS 'The folded object as XML';

COMMENT ON COLUMN sif.student_school_enrollment.repeatable IS 'Whether the same image again would change nothing';

CREATE TABLE sif.student_score_set (
    zone_id INTEGER NOT NULL,
    row_key UUID NOT NULL,
    score_metric_code TEXT NOT NULL,
    administration_ref_id UUID NOT NULL,
    student_ref_id UUID NOT NULL,
    registration_ref_id UUID,
    scores JSONB NOT NULL,
    recorded_from TIMESTAMP WITH TIME ZONE NOT NULL,
    message_id BIGINT NOT NULL,
    content_hash UUID NOT NULL,
    extended JSONB,
    document TEXT NOT NULL,
    repeatable BOOLEAN DEFAULT false NOT NULL,
    CONSTRAINT pk_student_score_set PRIMARY KEY (zone_id, row_key)
);

CREATE INDEX ix_student_score_set_repeatable ON sif.student_score_set (zone_id, content_hash) WHERE repeatable;

COMMENT ON TABLE sif.student_score_set IS 'What a student scored in a test, on one scale, by sub-test.';

COMMENT ON COLUMN sif.student_score_set.zone_id IS 'Zone of the district that sent the object';

COMMENT ON COLUMN sif.student_score_set.row_key IS 'The object''s RefId, or a hash of its natural key';

COMMENT ON COLUMN sif.student_score_set.score_metric_code IS 'Scale the scores are on';

COMMENT ON COLUMN sif.student_score_set.administration_ref_id IS 'Administration of the test';

COMMENT ON COLUMN sif.student_score_set.student_ref_id IS 'Student tested';

COMMENT ON COLUMN sif.student_score_set.registration_ref_id IS 'Registration for the test';

COMMENT ON COLUMN sif.student_score_set.scores IS 'Scores and what they say, by sub-test';

COMMENT ON COLUMN sif.student_score_set.recorded_from IS 'When the state knew this version';

COMMENT ON COLUMN sif.student_score_set.message_id IS 'Message that made this version';

COMMENT ON COLUMN sif.student_score_set.content_hash IS 'First 16 bytes of the document''s SHA-256';

COMMENT ON COLUMN sif.student_score_set.extended IS 'SIF_ExtendedElements: name to value';

COMMENT ON COLUMN sif.student_score_set.document IS 'The folded object as XML';

COMMENT ON COLUMN sif.student_score_set.repeatable IS 'Whether the same image again would change nothing';

CREATE TABLE sif.student_section_enrollment (
    zone_id INTEGER NOT NULL,
    row_key UUID NOT NULL,
    student_ref_id UUID NOT NULL,
    section_ref_id UUID NOT NULL,
    school_year INTEGER NOT NULL,
    entry_date DATE,
    exit_date DATE,
    schedule_overrides JSONB NOT NULL,
    credits_attempted NUMERIC,
    credit_type_code TEXT,
    dual_credit TEXT,
    cte_concentrator TEXT,
    recorded_from TIMESTAMP WITH TIME ZONE NOT NULL,
    message_id BIGINT NOT NULL,
    content_hash UUID NOT NULL,
    extended JSONB,
    document TEXT NOT NULL,
    repeatable BOOLEAN DEFAULT false NOT NULL,
    CONSTRAINT pk_student_section_enrollment PRIMARY KEY (zone_id, row_key)
);

CREATE INDEX ix_student_section_enrollment_repeatable ON sif.student_section_enrollment (zone_id, content_hash) WHERE repeatable;

COMMENT ON TABLE sif.student_section_enrollment IS 'A student''s membership in one section over one span of dates.';

COMMENT ON COLUMN sif.student_section_enrollment.zone_id IS 'Zone of the district that sent the object';

COMMENT ON COLUMN sif.student_section_enrollment.row_key IS 'The object''s RefId, or a hash of its natural key';

COMMENT ON COLUMN sif.student_section_enrollment.student_ref_id IS 'Student in the section';

COMMENT ON COLUMN sif.student_section_enrollment.section_ref_id IS 'Section attended';

COMMENT ON COLUMN sif.student_section_enrollment.school_year IS 'School year by its end year';

COMMENT ON COLUMN sif.student_section_enrollment.entry_date IS 'First day in the section';

COMMENT ON COLUMN sif.student_section_enrollment.exit_date IS 'Last day in the section; empty while there';

COMMENT ON COLUMN sif.student_section_enrollment.schedule_overrides IS 'Meeting times that are the student''s own, by term';

COMMENT ON COLUMN sif.student_section_enrollment.credits_attempted IS 'Credits the student can earn';

COMMENT ON COLUMN sif.student_section_enrollment.credit_type_code IS 'Kind of credit';

COMMENT ON COLUMN sif.student_section_enrollment.dual_credit IS 'Also earns college credit';

COMMENT ON COLUMN sif.student_section_enrollment.cte_concentrator IS 'Concentrates on career and technical education';

COMMENT ON COLUMN sif.student_section_enrollment.recorded_from IS 'When the state knew this version';

COMMENT ON COLUMN sif.student_section_enrollment.message_id IS 'Message that made this version';

COMMENT ON COLUMN sif.student_section_enrollment.content_hash IS 'First 16 bytes of the document''s SHA-256';

COMMENT ON COLUMN sif.student_section_enrollment.extended IS 'SIF_ExtendedElements: name to value';

COMMENT ON COLUMN sif.student_section_enrollment.document IS 'The folded object as XML';

COMMENT ON COLUMN sif.student_section_enrollment.repeatable IS 'Whether the same image again would change nothing';

CREATE TABLE sif.student_section_marks (
    zone_id INTEGER NOT NULL,
    row_key UUID NOT NULL,
    student_ref_id UUID NOT NULL,
    section_ref_id UUID NOT NULL,
    term_ref_id UUID NOT NULL,
    school_ref_id UUID NOT NULL,
    final TEXT NOT NULL,
    marks JSONB NOT NULL,
    recorded_from TIMESTAMP WITH TIME ZONE NOT NULL,
    message_id BIGINT NOT NULL,
    content_hash UUID NOT NULL,
    extended JSONB,
    document TEXT NOT NULL,
    repeatable BOOLEAN DEFAULT false NOT NULL,
    CONSTRAINT pk_student_section_marks PRIMARY KEY (zone_id, row_key)
);

CREATE INDEX ix_student_section_marks_repeatable ON sif.student_section_marks (zone_id, content_hash) WHERE repeatable;

COMMENT ON TABLE sif.student_section_marks IS 'A student''s marks in one section for one term.';

COMMENT ON COLUMN sif.student_section_marks.zone_id IS 'Zone of the district that sent the object';

COMMENT ON COLUMN sif.student_section_marks.row_key IS 'The object''s RefId, or a hash of its natural key';

COMMENT ON COLUMN sif.student_section_marks.student_ref_id IS 'Student marked';

COMMENT ON COLUMN sif.student_section_marks.section_ref_id IS 'Section marked in';

COMMENT ON COLUMN sif.student_section_marks.term_ref_id IS 'Term marked for';

COMMENT ON COLUMN sif.student_section_marks.school_ref_id IS 'School that gives the marks';

COMMENT ON COLUMN sif.student_section_marks.final IS 'Whether the marks are final, true or false';

COMMENT ON COLUMN sif.student_section_marks.marks IS 'Marks as percentage, number, letter or words';

COMMENT ON COLUMN sif.student_section_marks.recorded_from IS 'When the state knew this version';

COMMENT ON COLUMN sif.student_section_marks.message_id IS 'Message that made this version';

COMMENT ON COLUMN sif.student_section_marks.content_hash IS 'First 16 bytes of the document''s SHA-256';

COMMENT ON COLUMN sif.student_section_marks.extended IS 'SIF_ExtendedElements: name to value';

COMMENT ON COLUMN sif.student_section_marks.document IS 'The folded object as XML';

COMMENT ON COLUMN sif.student_section_marks.repeatable IS 'Whether the same image again would change nothing';

CREATE TABLE sif.student_special_education_summary (
    zone_id INTEGER NOT NULL,
    row_key UUID NOT NULL,
    student_ref_id UUID NOT NULL,
    summary_date DATE NOT NULL,
    school_year INTEGER NOT NULL,
    special_education_fte NUMERIC,
    primary_disability_code TEXT,
    neglected_or_delinquent JSONB NOT NULL,
    program_type_other_codes JSONB NOT NULL,
    program_status_other_codes JSONB NOT NULL,
    participation JSONB NOT NULL,
    placement JSONB NOT NULL,
    recorded_from TIMESTAMP WITH TIME ZONE NOT NULL,
    message_id BIGINT NOT NULL,
    content_hash UUID NOT NULL,
    extended JSONB,
    document TEXT NOT NULL,
    repeatable BOOLEAN DEFAULT false NOT NULL,
    CONSTRAINT pk_student_special_education_summary PRIMARY KEY (zone_id, row_key)
);

CREATE INDEX ix_student_special_education_summary_repeatable ON sif.student_special_education_summary (zone_id, content_hash) WHERE repeatable;

COMMENT ON TABLE sif.student_special_education_summary IS 'A student''s participation and placement in special education, as of one day of one school year.';

COMMENT ON COLUMN sif.student_special_education_summary.zone_id IS 'Zone of the district that sent the object';

COMMENT ON COLUMN sif.student_special_education_summary.row_key IS 'The object''s RefId, or a hash of its natural key';

COMMENT ON COLUMN sif.student_special_education_summary.student_ref_id IS 'Student summarised';

COMMENT ON COLUMN sif.student_special_education_summary.summary_date IS 'Day the summary was taken';

COMMENT ON COLUMN sif.student_special_education_summary.school_year IS 'School year by its end year';

COMMENT ON COLUMN sif.student_special_education_summary.special_education_fte IS 'Share of time in special education, 0 to 1';

COMMENT ON COLUMN sif.student_special_education_summary.primary_disability_code IS 'Primary disability (DOE036 in Massachusetts)';

COMMENT ON COLUMN sif.student_special_education_summary.neglected_or_delinquent IS 'Programs for neglected or delinquent students, with days';

COMMENT ON COLUMN sif.student_special_education_summary.program_type_other_codes IS 'State''s or other codes of the placement (DOE032 and DOE034 in Massachusetts)';

COMMENT ON COLUMN sif.student_special_education_summary.program_status_other_codes IS 'State''s or other codes of the evaluation''s result (DOE040 in Massachusetts)';

COMMENT ON COLUMN sif.student_special_education_summary.participation IS 'Programs the student takes part in';

COMMENT ON COLUMN sif.student_special_education_summary.placement IS 'Services the student is given';

COMMENT ON COLUMN sif.student_special_education_summary.recorded_from IS 'When the state knew this version';

COMMENT ON COLUMN sif.student_special_education_summary.message_id IS 'Message that made this version';

COMMENT ON COLUMN sif.student_special_education_summary.content_hash IS 'First 16 bytes of the document''s SHA-256';

COMMENT ON COLUMN sif.student_special_education_summary.extended IS 'SIF_ExtendedElements: name to value';

COMMENT ON COLUMN sif.student_special_education_summary.document IS 'The folded object as XML';

COMMENT ON COLUMN sif.student_special_education_summary.repeatable IS 'Whether the same image again would change nothing';

CREATE TABLE sif.term_info (
    zone_id INTEGER NOT NULL,
    row_key UUID NOT NULL,
    school_ref_id UUID NOT NULL,
    school_year INTEGER NOT NULL,
    start_date DATE NOT NULL,
    end_date DATE NOT NULL,
    description TEXT,
    relative_duration NUMERIC,
    term_code TEXT,
    track TEXT,
    term_span_code TEXT,
    is_marking_term TEXT,
    is_scheduling_term TEXT,
    is_attendance_term TEXT,
    recorded_from TIMESTAMP WITH TIME ZONE NOT NULL,
    message_id BIGINT NOT NULL,
    content_hash UUID NOT NULL,
    extended JSONB,
    document TEXT NOT NULL,
    repeatable BOOLEAN DEFAULT false NOT NULL,
    CONSTRAINT pk_term_info PRIMARY KEY (zone_id, row_key)
);

CREATE INDEX ix_term_info_repeatable ON sif.term_info (zone_id, content_hash) WHERE repeatable;

COMMENT ON TABLE sif.term_info IS 'A term (year, semester, quarter ...) of one school in one school year.';

COMMENT ON COLUMN sif.term_info.zone_id IS 'Zone of the district that sent the object';

COMMENT ON COLUMN sif.term_info.row_key IS 'The object''s RefId, or a hash of its natural key';

COMMENT ON COLUMN sif.term_info.school_ref_id IS 'School that keeps the term';

COMMENT ON COLUMN sif.term_info.school_year IS 'School year by its end year';

COMMENT ON COLUMN sif.term_info.start_date IS 'First day of the term';

COMMENT ON COLUMN sif.term_info.end_date IS 'Last day of the term';

COMMENT ON COLUMN sif.term_info.description IS 'Name of the term';

COMMENT ON COLUMN sif.term_info.relative_duration IS 'Share of the school year, 0 to 1';

COMMENT ON COLUMN sif.term_info.term_code IS 'District''s code of the term';

COMMENT ON COLUMN sif.term_info.track IS 'Track the term belongs to';

COMMENT ON COLUMN sif.term_info.term_span_code IS 'Kind of term';

COMMENT ON COLUMN sif.term_info.is_marking_term IS 'Marks are given for it';

COMMENT ON COLUMN sif.term_info.is_scheduling_term IS 'Sections are scheduled by it';

COMMENT ON COLUMN sif.term_info.is_attendance_term IS 'Attendance is summarised by it';

COMMENT ON COLUMN sif.term_info.recorded_from IS 'When the state knew this version';

COMMENT ON COLUMN sif.term_info.message_id IS 'Message that made this version';

COMMENT ON COLUMN sif.term_info.content_hash IS 'First 16 bytes of the document''s SHA-256';

COMMENT ON COLUMN sif.term_info.extended IS 'SIF_ExtendedElements: name to value';

COMMENT ON COLUMN sif.term_info.document IS 'The folded object as XML';

COMMENT ON COLUMN sif.term_info.repeatable IS 'Whether the same image again would change nothing';

CREATE TABLE sif_history.assessment (
    zone_id INTEGER NOT NULL,
    row_key UUID NOT NULL,
    name TEXT NOT NULL,
    assessment_id TEXT,
    package_guid UUID,
    descriptor_codes TEXT[] NOT NULL,
    recorded_from TIMESTAMP WITH TIME ZONE NOT NULL,
    message_id BIGINT NOT NULL,
    content_hash UUID NOT NULL,
    extended JSONB,
    document TEXT NOT NULL,
    recorded_to TIMESTAMP WITH TIME ZONE NOT NULL,
    CONSTRAINT pk_assessment PRIMARY KEY (zone_id, row_key, recorded_from)
);

CREATE INDEX ix_assessment_recorded_to ON sif_history.assessment (recorded_to);

COMMENT ON TABLE sif_history.assessment IS 'Closed versions: A test that students are given, such as the state''s of one subject; its forms are objects of their own.';

COMMENT ON COLUMN sif_history.assessment.zone_id IS 'Zone of the district that sent the object';

COMMENT ON COLUMN sif_history.assessment.row_key IS 'The object''s RefId, or a hash of its natural key';

COMMENT ON COLUMN sif_history.assessment.name IS 'Name of the test';

COMMENT ON COLUMN sif_history.assessment.assessment_id IS 'Identifier of the state, district or publisher';

COMMENT ON COLUMN sif_history.assessment.package_guid IS 'Package that holds its content';

COMMENT ON COLUMN sif_history.assessment.descriptor_codes IS 'What kinds of test it is';

COMMENT ON COLUMN sif_history.assessment.recorded_from IS 'When the state knew this version';

COMMENT ON COLUMN sif_history.assessment.message_id IS 'Message that made this version';

COMMENT ON COLUMN sif_history.assessment.content_hash IS 'First 16 bytes of the document''s SHA-256';

COMMENT ON COLUMN sif_history.assessment.extended IS 'SIF_ExtendedElements: name to value';

COMMENT ON COLUMN sif_history.assessment.document IS 'The folded object as XML';

COMMENT ON COLUMN sif_history.assessment.recorded_to IS 'When the state knew better';

CREATE TABLE sif_history.assessment_administration (
    zone_id INTEGER NOT NULL,
    row_key UUID NOT NULL,
    form_ref_id UUID NOT NULL,
    administration_name TEXT,
    special_conditions JSONB NOT NULL,
    administration_date DATE NOT NULL,
    start_date DATE,
    finish_date DATE,
    due_date DATE,
    address JSONB NOT NULL,
    staff_ref_id UUID,
    lea_ref_id UUID,
    school_ref_id UUID,
    recorded_from TIMESTAMP WITH TIME ZONE NOT NULL,
    message_id BIGINT NOT NULL,
    content_hash UUID NOT NULL,
    extended JSONB,
    document TEXT NOT NULL,
    recorded_to TIMESTAMP WITH TIME ZONE NOT NULL,
    CONSTRAINT pk_assessment_administration PRIMARY KEY (zone_id, row_key, recorded_from)
);

CREATE INDEX ix_assessment_administration_recorded_to ON sif_history.assessment_administration (recorded_to);

COMMENT ON TABLE sif_history.assessment_administration IS 'Closed versions: A form of a test being given: when, where, and what was unusual about it.';

COMMENT ON COLUMN sif_history.assessment_administration.zone_id IS 'Zone of the district that sent the object';

COMMENT ON COLUMN sif_history.assessment_administration.row_key IS 'The object''s RefId, or a hash of its natural key';

COMMENT ON COLUMN sif_history.assessment_administration.form_ref_id IS 'Form that is given';

COMMENT ON COLUMN sif_history.assessment_administration.administration_name IS 'Name of the administration';

COMMENT ON COLUMN sif_history.assessment_administration.special_conditions IS 'What was unusual, such as a fire drill, by code';

COMMENT ON COLUMN sif_history.assessment_administration.administration_date IS 'Day it is to be given';

COMMENT ON COLUMN sif_history.assessment_administration.start_date IS 'Day testing begins';

COMMENT ON COLUMN sif_history.assessment_administration.finish_date IS 'Day testing ends';

COMMENT ON COLUMN sif_history.assessment_administration.due_date IS 'Day the test is due';

COMMENT ON COLUMN sif_history.assessment_administration.address IS 'Where it is given';

COMMENT ON COLUMN sif_history.assessment_administration.staff_ref_id IS 'Member of staff who gives it';

COMMENT ON COLUMN sif_history.assessment_administration.lea_ref_id IS 'District that gives it';

COMMENT ON COLUMN sif_history.assessment_administration.school_ref_id IS 'School that gives it';

COMMENT ON COLUMN sif_history.assessment_administration.recorded_from IS 'When the state knew this version';

COMMENT ON COLUMN sif_history.assessment_administration.message_id IS 'Message that made this version';

COMMENT ON COLUMN sif_history.assessment_administration.content_hash IS 'First 16 bytes of the document''s SHA-256';

COMMENT ON COLUMN sif_history.assessment_administration.extended IS 'SIF_ExtendedElements: name to value';

COMMENT ON COLUMN sif_history.assessment_administration.document IS 'The folded object as XML';

COMMENT ON COLUMN sif_history.assessment_administration.recorded_to IS 'When the state knew better';

CREATE TABLE sif_history.assessment_form (
    zone_id INTEGER NOT NULL,
    row_key UUID NOT NULL,
    assessment_ref_id UUID NOT NULL,
    assessment_type_code TEXT,
    form_name TEXT NOT NULL,
    form_numbers TEXT[] NOT NULL,
    level TEXT,
    period TEXT,
    grade_codes TEXT[] NOT NULL,
    sub_test_guids TEXT[] NOT NULL,
    recorded_from TIMESTAMP WITH TIME ZONE NOT NULL,
    message_id BIGINT NOT NULL,
    content_hash UUID NOT NULL,
    extended JSONB,
    document TEXT NOT NULL,
    recorded_to TIMESTAMP WITH TIME ZONE NOT NULL,
    CONSTRAINT pk_assessment_form PRIMARY KEY (zone_id, row_key, recorded_from)
);

CREATE INDEX ix_assessment_form_recorded_to ON sif_history.assessment_form (recorded_to);

COMMENT ON TABLE sif_history.assessment_form IS 'Closed versions: One set of a test''s questions, as a booklet is, and the sub-tests it gives scores in.';

COMMENT ON COLUMN sif_history.assessment_form.zone_id IS 'Zone of the district that sent the object';

COMMENT ON COLUMN sif_history.assessment_form.row_key IS 'The object''s RefId, or a hash of its natural key';

COMMENT ON COLUMN sif_history.assessment_form.assessment_ref_id IS 'Test it is a form of';

COMMENT ON COLUMN sif_history.assessment_form.assessment_type_code IS 'Standard or alternate administration';

COMMENT ON COLUMN sif_history.assessment_form.form_name IS 'Name of the form';

COMMENT ON COLUMN sif_history.assessment_form.form_numbers IS 'Publisher''s numbers of the form';

COMMENT ON COLUMN sif_history.assessment_form.level IS 'Level of the form, such as a grade, in words';

COMMENT ON COLUMN sif_history.assessment_form.period IS 'Part of the year it is meant for, in words';

COMMENT ON COLUMN sif_history.assessment_form.grade_codes IS 'Grades it is meant for';

COMMENT ON COLUMN sif_history.assessment_form.sub_test_guids IS 'Sub-tests it gives scores in';

COMMENT ON COLUMN sif_history.assessment_form.recorded_from IS 'When the state knew this version';

COMMENT ON COLUMN sif_history.assessment_form.message_id IS 'Message that made this version';

COMMENT ON COLUMN sif_history.assessment_form.content_hash IS 'First 16 bytes of the document''s SHA-256';

COMMENT ON COLUMN sif_history.assessment_form.extended IS 'SIF_ExtendedElements: name to value';

COMMENT ON COLUMN sif_history.assessment_form.document IS 'The folded object as XML';

COMMENT ON COLUMN sif_history.assessment_form.recorded_to IS 'When the state knew better';

CREATE TABLE sif_history.assessment_registration (
    zone_id INTEGER NOT NULL,
    row_key UUID NOT NULL,
    student_ref_id UUID NOT NULL,
    administration_ref_id UUID NOT NULL,
    creation_date DATE NOT NULL,
    special_conditions JSONB NOT NULL,
    grade_code TEXT,
    grade_other_codes JSONB NOT NULL,
    tested_grade_code TEXT,
    tested_grade_other_codes JSONB NOT NULL,
    race_codes TEXT[] NOT NULL,
    is_hispanic TEXT,
    gender TEXT,
    birth_date DATE,
    title1 TEXT,
    ell TEXT,
    lea_ref_id UUID,
    school_ref_id UUID,
    staff_ref_id UUID,
    section_ref_id UUID,
    recorded_from TIMESTAMP WITH TIME ZONE NOT NULL,
    message_id BIGINT NOT NULL,
    content_hash UUID NOT NULL,
    extended JSONB,
    document TEXT NOT NULL,
    recorded_to TIMESTAMP WITH TIME ZONE NOT NULL,
    CONSTRAINT pk_assessment_registration PRIMARY KEY (zone_id, row_key, recorded_from)
);

CREATE INDEX ix_assessment_registration_recorded_to ON sif_history.assessment_registration (recorded_to);

COMMENT ON TABLE sif_history.assessment_registration IS 'Closed versions: A student who is to take a test, and who the student was by the records of that day.';

COMMENT ON COLUMN sif_history.assessment_registration.zone_id IS 'Zone of the district that sent the object';

COMMENT ON COLUMN sif_history.assessment_registration.row_key IS 'The object''s RefId, or a hash of its natural key';

COMMENT ON COLUMN sif_history.assessment_registration.student_ref_id IS 'Student registered';

COMMENT ON COLUMN sif_history.assessment_registration.administration_ref_id IS 'Administration of the test';

COMMENT ON COLUMN sif_history.assessment_registration.creation_date IS 'Day of the registration';

COMMENT ON COLUMN sif_history.assessment_registration.special_conditions IS 'What was unusual for this student, by code';

COMMENT ON COLUMN sif_history.assessment_registration.grade_code IS 'Grade of the student then';

COMMENT ON COLUMN sif_history.assessment_registration.grade_other_codes IS 'State''s or other codes of the grade';

COMMENT ON COLUMN sif_history.assessment_registration.tested_grade_code IS 'Grade tested, where it is another';

COMMENT ON COLUMN sif_history.assessment_registration.tested_grade_other_codes IS 'State''s or other codes of the grade tested';

COMMENT ON COLUMN sif_history.assessment_registration.race_codes IS 'Races reported then';

COMMENT ON COLUMN sif_history.assessment_registration.is_hispanic IS 'Hispanic or Latino, as reported then';

COMMENT ON COLUMN sif_history.assessment_registration.gender IS 'Gender as reported then';

COMMENT ON COLUMN sif_history.assessment_registration.birth_date IS 'Date of birth';

COMMENT ON COLUMN sif_history.assessment_registration.title1 IS 'Served under Title I then';

COMMENT ON COLUMN sif_history.assessment_registration.ell IS 'English learner then';

COMMENT ON COLUMN sif_history.assessment_registration.lea_ref_id IS 'District of the student';

COMMENT ON COLUMN sif_history.assessment_registration.school_ref_id IS 'School of the student';

COMMENT ON COLUMN sif_history.assessment_registration.staff_ref_id IS 'Member of staff responsible';

COMMENT ON COLUMN sif_history.assessment_registration.section_ref_id IS 'Section of the student';

COMMENT ON COLUMN sif_history.assessment_registration.recorded_from IS 'When the state knew this version';

COMMENT ON COLUMN sif_history.assessment_registration.message_id IS 'Message that made this version';

COMMENT ON COLUMN sif_history.assessment_registration.content_hash IS 'First 16 bytes of the document''s SHA-256';

COMMENT ON COLUMN sif_history.assessment_registration.extended IS 'SIF_ExtendedElements: name to value';

COMMENT ON COLUMN sif_history.assessment_registration.document IS 'The folded object as XML';

COMMENT ON COLUMN sif_history.assessment_registration.recorded_to IS 'When the state knew better';

CREATE TABLE sif_history.assessment_sub_test (
    zone_id INTEGER NOT NULL,
    row_key UUID NOT NULL,
    name TEXT NOT NULL,
    score_metric_code TEXT,
    lowest_score TEXT,
    highest_score TEXT,
    performance_levels JSONB NOT NULL,
    subject_area TEXT,
    grade_codes TEXT[] NOT NULL,
    part_guids TEXT[] NOT NULL,
    tier INTEGER,
    learning_standard_guids TEXT[] NOT NULL,
    abbreviation TEXT,
    description TEXT,
    item_count INTEGER,
    container_only TEXT,
    recorded_from TIMESTAMP WITH TIME ZONE NOT NULL,
    message_id BIGINT NOT NULL,
    content_hash UUID NOT NULL,
    extended JSONB,
    document TEXT NOT NULL,
    recorded_to TIMESTAMP WITH TIME ZONE NOT NULL,
    CONSTRAINT pk_assessment_sub_test PRIMARY KEY (zone_id, row_key, recorded_from)
);

CREATE INDEX ix_assessment_sub_test_recorded_to ON sif_history.assessment_sub_test (recorded_to);

COMMENT ON TABLE sif_history.assessment_sub_test IS 'Closed versions: One thing that a test measures, with its range of scores and its levels of performance.';

COMMENT ON COLUMN sif_history.assessment_sub_test.zone_id IS 'Zone of the district that sent the object';

COMMENT ON COLUMN sif_history.assessment_sub_test.row_key IS 'The object''s RefId, or a hash of its natural key';

COMMENT ON COLUMN sif_history.assessment_sub_test.name IS 'Name of the sub-test';

COMMENT ON COLUMN sif_history.assessment_sub_test.score_metric_code IS 'Scale of the range of scores';

COMMENT ON COLUMN sif_history.assessment_sub_test.lowest_score IS 'Lowest score there is';

COMMENT ON COLUMN sif_history.assessment_sub_test.highest_score IS 'Highest score there is';

COMMENT ON COLUMN sif_history.assessment_sub_test.performance_levels IS 'Levels of performance with the scores between which they lie';

COMMENT ON COLUMN sif_history.assessment_sub_test.subject_area IS 'Subject, in words';

COMMENT ON COLUMN sif_history.assessment_sub_test.grade_codes IS 'Grades its scores are valid for';

COMMENT ON COLUMN sif_history.assessment_sub_test.part_guids IS 'Sub-tests it is composed of';

COMMENT ON COLUMN sif_history.assessment_sub_test.tier IS 'Depth in the composition; 0 is the whole';

COMMENT ON COLUMN sif_history.assessment_sub_test.learning_standard_guids IS 'Learning standards it measures';

COMMENT ON COLUMN sif_history.assessment_sub_test.abbreviation IS 'Short name for reports';

COMMENT ON COLUMN sif_history.assessment_sub_test.description IS 'More about it, in words';

COMMENT ON COLUMN sif_history.assessment_sub_test.item_count IS 'How many questions it has';

COMMENT ON COLUMN sif_history.assessment_sub_test.container_only IS 'Has parts but no scores of its own, true or false';

COMMENT ON COLUMN sif_history.assessment_sub_test.recorded_from IS 'When the state knew this version';

COMMENT ON COLUMN sif_history.assessment_sub_test.message_id IS 'Message that made this version';

COMMENT ON COLUMN sif_history.assessment_sub_test.content_hash IS 'First 16 bytes of the document''s SHA-256';

COMMENT ON COLUMN sif_history.assessment_sub_test.extended IS 'SIF_ExtendedElements: name to value';

COMMENT ON COLUMN sif_history.assessment_sub_test.document IS 'The folded object as XML';

COMMENT ON COLUMN sif_history.assessment_sub_test.recorded_to IS 'When the state knew better';

CREATE TABLE sif_history.discipline_incident (
    zone_id INTEGER NOT NULL,
    row_key UUID NOT NULL,
    school_year INTEGER NOT NULL,
    school_ref_id UUID NOT NULL,
    reporting_object TEXT NOT NULL,
    incident_number TEXT NOT NULL,
    incident_date DATE NOT NULL,
    incident_time TEXT NOT NULL,
    incident_time_code TEXT NOT NULL,
    location TEXT NOT NULL,
    location_code TEXT NOT NULL,
    cost TEXT,
    reporter JSONB NOT NULL,
    related_to_codes TEXT[] NOT NULL,
    weapon_type_codes TEXT[] NOT NULL,
    category_code TEXT NOT NULL,
    category_other_codes JSONB NOT NULL,
    category_comment TEXT,
    offender_ref_ids TEXT[] NOT NULL,
    offenders JSONB NOT NULL,
    victims JSONB NOT NULL,
    description TEXT,
    actions JSONB NOT NULL,
    recorded_from TIMESTAMP WITH TIME ZONE NOT NULL,
    message_id BIGINT NOT NULL,
    content_hash UUID NOT NULL,
    extended JSONB,
    document TEXT NOT NULL,
    recorded_to TIMESTAMP WITH TIME ZONE NOT NULL,
    CONSTRAINT pk_discipline_incident PRIMARY KEY (zone_id, row_key, recorded_from)
);

CREATE INDEX ix_discipline_incident_recorded_to ON sif_history.discipline_incident (recorded_to);

COMMENT ON TABLE sif_history.discipline_incident IS 'Closed versions: A discipline incident: when, where and what, its offenders and victims, and the actions taken.';

COMMENT ON COLUMN sif_history.discipline_incident.zone_id IS 'Zone of the district that sent the object';

COMMENT ON COLUMN sif_history.discipline_incident.row_key IS 'The object''s RefId, or a hash of its natural key';

COMMENT ON COLUMN sif_history.discipline_incident.school_year IS 'School year by its end year';

COMMENT ON COLUMN sif_history.discipline_incident.school_ref_id IS 'School that reports the incident';

COMMENT ON COLUMN sif_history.discipline_incident.reporting_object IS 'Whether a school or a district reports';

COMMENT ON COLUMN sif_history.discipline_incident.incident_number IS 'District''s number of the incident';

COMMENT ON COLUMN sif_history.discipline_incident.incident_date IS 'Day of the incident';

COMMENT ON COLUMN sif_history.discipline_incident.incident_time IS 'Time of day; may be empty';

COMMENT ON COLUMN sif_history.discipline_incident.incident_time_code IS 'Part of the day';

COMMENT ON COLUMN sif_history.discipline_incident.location IS 'Where it happened, in words';

COMMENT ON COLUMN sif_history.discipline_incident.location_code IS 'Kind of place';

COMMENT ON COLUMN sif_history.discipline_incident.cost IS 'What it cost, in words';

COMMENT ON COLUMN sif_history.discipline_incident.reporter IS 'Who reported it';

COMMENT ON COLUMN sif_history.discipline_incident.related_to_codes IS 'What it was related to, such as drugs';

COMMENT ON COLUMN sif_history.discipline_incident.weapon_type_codes IS 'Weapons involved';

COMMENT ON COLUMN sif_history.discipline_incident.category_code IS 'Gravest offence';

COMMENT ON COLUMN sif_history.discipline_incident.category_other_codes IS 'State''s or other codes of the offence';

COMMENT ON COLUMN sif_history.discipline_incident.category_comment IS 'Comment on the offence';

COMMENT ON COLUMN sif_history.discipline_incident.offender_ref_ids IS 'Offenders; the list of offenders tells of which kind';

COMMENT ON COLUMN sif_history.discipline_incident.offenders IS 'Offenders with injury, weapons and the actions taken';

COMMENT ON COLUMN sif_history.discipline_incident.victims IS 'Victims with injury';

COMMENT ON COLUMN sif_history.discipline_incident.description IS 'What happened, in words';

COMMENT ON COLUMN sif_history.discipline_incident.actions IS 'Actions taken on the incident as a whole';

COMMENT ON COLUMN sif_history.discipline_incident.recorded_from IS 'When the state knew this version';

COMMENT ON COLUMN sif_history.discipline_incident.message_id IS 'Message that made this version';

COMMENT ON COLUMN sif_history.discipline_incident.content_hash IS 'First 16 bytes of the document''s SHA-256';

COMMENT ON COLUMN sif_history.discipline_incident.extended IS 'SIF_ExtendedElements: name to value';

COMMENT ON COLUMN sif_history.discipline_incident.document IS 'The folded object as XML';

COMMENT ON COLUMN sif_history.discipline_incident.recorded_to IS 'When the state knew better';

CREATE TABLE sif_history.employment_record (
    zone_id INTEGER NOT NULL,
    row_key UUID NOT NULL,
    staff_ref_id UUID NOT NULL,
    employee_object TEXT NOT NULL,
    lea_ref_id UUID NOT NULL,
    active TEXT,
    full_time_status_code TEXT,
    hire_date DATE,
    termination_date DATE,
    years_of_experience INTEGER,
    position_title TEXT,
    position_number TEXT,
    seniority_date DATE,
    tenure_date DATE,
    recorded_from TIMESTAMP WITH TIME ZONE NOT NULL,
    message_id BIGINT NOT NULL,
    content_hash UUID NOT NULL,
    extended JSONB,
    document TEXT NOT NULL,
    recorded_to TIMESTAMP WITH TIME ZONE NOT NULL,
    CONSTRAINT pk_employment_record PRIMARY KEY (zone_id, row_key, recorded_from)
);

CREATE INDEX ix_employment_record_recorded_to ON sif_history.employment_record (recorded_to);

COMMENT ON TABLE sif_history.employment_record IS 'Closed versions: A person''s employment by the district, as it is now.';

COMMENT ON COLUMN sif_history.employment_record.zone_id IS 'Zone of the district that sent the object';

COMMENT ON COLUMN sif_history.employment_record.row_key IS 'The object''s RefId, or a hash of its natural key';

COMMENT ON COLUMN sif_history.employment_record.staff_ref_id IS 'Person employed';

COMMENT ON COLUMN sif_history.employment_record.employee_object IS 'Object that tells who the person is';

COMMENT ON COLUMN sif_history.employment_record.lea_ref_id IS 'District that employs';

COMMENT ON COLUMN sif_history.employment_record.active IS 'Whether the person is employed now, true or false';

COMMENT ON COLUMN sif_history.employment_record.full_time_status_code IS 'Full or part time';

COMMENT ON COLUMN sif_history.employment_record.hire_date IS 'Day the employment began';

COMMENT ON COLUMN sif_history.employment_record.termination_date IS 'Day the employment ended';

COMMENT ON COLUMN sif_history.employment_record.years_of_experience IS 'Years of experience';

COMMENT ON COLUMN sif_history.employment_record.position_title IS 'Title of the position';

COMMENT ON COLUMN sif_history.employment_record.position_number IS 'District''s number of the position';

COMMENT ON COLUMN sif_history.employment_record.seniority_date IS 'Day seniority counts from';

COMMENT ON COLUMN sif_history.employment_record.tenure_date IS 'Day tenure was granted';

COMMENT ON COLUMN sif_history.employment_record.recorded_from IS 'When the state knew this version';

COMMENT ON COLUMN sif_history.employment_record.message_id IS 'Message that made this version';

COMMENT ON COLUMN sif_history.employment_record.content_hash IS 'First 16 bytes of the document''s SHA-256';

COMMENT ON COLUMN sif_history.employment_record.extended IS 'SIF_ExtendedElements: name to value';

COMMENT ON COLUMN sif_history.employment_record.document IS 'The folded object as XML';

COMMENT ON COLUMN sif_history.employment_record.recorded_to IS 'When the state knew better';

CREATE TABLE sif_history.lea_info (
    zone_id INTEGER NOT NULL,
    row_key UUID NOT NULL,
    local_id TEXT NOT NULL,
    state_id TEXT,
    nces_id TEXT,
    lea_name TEXT NOT NULL,
    url TEXT,
    agency_type_code TEXT,
    operational_status_code TEXT,
    grade_codes TEXT[] NOT NULL,
    addresses JSONB NOT NULL,
    phone_numbers JSONB NOT NULL,
    contacts JSONB NOT NULL,
    recorded_from TIMESTAMP WITH TIME ZONE NOT NULL,
    message_id BIGINT NOT NULL,
    content_hash UUID NOT NULL,
    extended JSONB,
    document TEXT NOT NULL,
    recorded_to TIMESTAMP WITH TIME ZONE NOT NULL,
    CONSTRAINT pk_lea_info PRIMARY KEY (zone_id, row_key, recorded_from)
);

CREATE INDEX ix_lea_info_recorded_to ON sif_history.lea_info (recorded_to);

COMMENT ON TABLE sif_history.lea_info IS 'Closed versions: A district (local education agency).';

COMMENT ON COLUMN sif_history.lea_info.zone_id IS 'Zone of the district that sent the object';

COMMENT ON COLUMN sif_history.lea_info.row_key IS 'The object''s RefId, or a hash of its natural key';

COMMENT ON COLUMN sif_history.lea_info.local_id IS 'Identifier the district uses for itself';

COMMENT ON COLUMN sif_history.lea_info.state_id IS 'State organisation code, 8 digits in Massachusetts';

COMMENT ON COLUMN sif_history.lea_info.nces_id IS 'Federal (NCES) identifier of the district';

COMMENT ON COLUMN sif_history.lea_info.lea_name IS 'Name of the district';

COMMENT ON COLUMN sif_history.lea_info.url IS 'Web site of the district';

COMMENT ON COLUMN sif_history.lea_info.agency_type_code IS 'Kind of education agency';

COMMENT ON COLUMN sif_history.lea_info.operational_status_code IS 'Whether the district is open';

COMMENT ON COLUMN sif_history.lea_info.grade_codes IS 'Grades the district serves';

COMMENT ON COLUMN sif_history.lea_info.addresses IS 'Addresses of the district by type';

COMMENT ON COLUMN sif_history.lea_info.phone_numbers IS 'Telephone numbers by type';

COMMENT ON COLUMN sif_history.lea_info.contacts IS 'Contact persons of the district';

COMMENT ON COLUMN sif_history.lea_info.recorded_from IS 'When the state knew this version';

COMMENT ON COLUMN sif_history.lea_info.message_id IS 'Message that made this version';

COMMENT ON COLUMN sif_history.lea_info.content_hash IS 'First 16 bytes of the document''s SHA-256';

COMMENT ON COLUMN sif_history.lea_info.extended IS 'SIF_ExtendedElements: name to value';

COMMENT ON COLUMN sif_history.lea_info.document IS 'The folded object as XML';

COMMENT ON COLUMN sif_history.lea_info.recorded_to IS 'When the state knew better';

CREATE TABLE sif_history.mark_info (
    zone_id INTEGER NOT NULL,
    row_key UUID NOT NULL,
    mark_value_ref_id UUID NOT NULL,
    school_ref_id UUID NOT NULL,
    school_year INTEGER NOT NULL,
    description TEXT NOT NULL,
    recorded_from TIMESTAMP WITH TIME ZONE NOT NULL,
    message_id BIGINT NOT NULL,
    content_hash UUID NOT NULL,
    extended JSONB,
    document TEXT NOT NULL,
    recorded_to TIMESTAMP WITH TIME ZONE NOT NULL,
    CONSTRAINT pk_mark_info PRIMARY KEY (zone_id, row_key, recorded_from)
);

CREATE INDEX ix_mark_info_recorded_to ON sif_history.mark_info (recorded_to);

COMMENT ON TABLE sif_history.mark_info IS 'Closed versions: A kind of mark that a school gives, such as a final mark or one for effort.';

COMMENT ON COLUMN sif_history.mark_info.zone_id IS 'Zone of the district that sent the object';

COMMENT ON COLUMN sif_history.mark_info.row_key IS 'The object''s RefId, or a hash of its natural key';

COMMENT ON COLUMN sif_history.mark_info.mark_value_ref_id IS 'Values it may have';

COMMENT ON COLUMN sif_history.mark_info.school_ref_id IS 'School that gives it';

COMMENT ON COLUMN sif_history.mark_info.school_year IS 'School year by its end year';

COMMENT ON COLUMN sif_history.mark_info.description IS 'What the mark is for';

COMMENT ON COLUMN sif_history.mark_info.recorded_from IS 'When the state knew this version';

COMMENT ON COLUMN sif_history.mark_info.message_id IS 'Message that made this version';

COMMENT ON COLUMN sif_history.mark_info.content_hash IS 'First 16 bytes of the document''s SHA-256';

COMMENT ON COLUMN sif_history.mark_info.extended IS 'SIF_ExtendedElements: name to value';

COMMENT ON COLUMN sif_history.mark_info.document IS 'The folded object as XML';

COMMENT ON COLUMN sif_history.mark_info.recorded_to IS 'When the state knew better';

CREATE TABLE sif_history.mark_value_info (
    zone_id INTEGER NOT NULL,
    row_key UUID NOT NULL,
    school_ref_id UUID NOT NULL,
    school_year INTEGER NOT NULL,
    name TEXT NOT NULL,
    percentage_accepted TEXT NOT NULL,
    percentage_minimum NUMERIC,
    percentage_maximum NUMERIC,
    numeric_accepted TEXT NOT NULL,
    numeric_precision INTEGER,
    numeric_scale INTEGER,
    numeric_low NUMERIC,
    numeric_high NUMERIC,
    letter_accepted TEXT NOT NULL,
    letters JSONB NOT NULL,
    narrative_accepted TEXT NOT NULL,
    narrative_maximum_size INTEGER,
    recorded_from TIMESTAMP WITH TIME ZONE NOT NULL,
    message_id BIGINT NOT NULL,
    content_hash UUID NOT NULL,
    extended JSONB,
    document TEXT NOT NULL,
    recorded_to TIMESTAMP WITH TIME ZONE NOT NULL,
    CONSTRAINT pk_mark_value_info PRIMARY KEY (zone_id, row_key, recorded_from)
);

CREATE INDEX ix_mark_value_info_recorded_to ON sif_history.mark_value_info (recorded_to);

COMMENT ON TABLE sif_history.mark_value_info IS 'Closed versions: A range of values that marks of a school may have: percentages, numbers, letters, words.';

COMMENT ON COLUMN sif_history.mark_value_info.zone_id IS 'Zone of the district that sent the object';

COMMENT ON COLUMN sif_history.mark_value_info.row_key IS 'The object''s RefId, or a hash of its natural key';

COMMENT ON COLUMN sif_history.mark_value_info.school_ref_id IS 'School that gives such marks';

COMMENT ON COLUMN sif_history.mark_value_info.school_year IS 'School year by its end year';

COMMENT ON COLUMN sif_history.mark_value_info.name IS 'Name of the range of values';

COMMENT ON COLUMN sif_history.mark_value_info.percentage_accepted IS 'Whether percentages are, true or false';

COMMENT ON COLUMN sif_history.mark_value_info.percentage_minimum IS 'Lowest percentage';

COMMENT ON COLUMN sif_history.mark_value_info.percentage_maximum IS 'Highest percentage';

COMMENT ON COLUMN sif_history.mark_value_info.numeric_accepted IS 'Whether numbers are, true or false';

COMMENT ON COLUMN sif_history.mark_value_info.numeric_precision IS 'Digits of a number in all';

COMMENT ON COLUMN sif_history.mark_value_info.numeric_scale IS 'Digits of a number behind the point';

COMMENT ON COLUMN sif_history.mark_value_info.numeric_low IS 'Lowest number';

COMMENT ON COLUMN sif_history.mark_value_info.numeric_high IS 'Highest number';

COMMENT ON COLUMN sif_history.mark_value_info.letter_accepted IS 'Whether letters are, true or false';

COMMENT ON COLUMN sif_history.mark_value_info.letters IS 'Letters with what they are worth';

COMMENT ON COLUMN sif_history.mark_value_info.narrative_accepted IS 'Whether words are, true or false';

COMMENT ON COLUMN sif_history.mark_value_info.narrative_maximum_size IS 'Most characters of the words';

COMMENT ON COLUMN sif_history.mark_value_info.recorded_from IS 'When the state knew this version';

COMMENT ON COLUMN sif_history.mark_value_info.message_id IS 'Message that made this version';

COMMENT ON COLUMN sif_history.mark_value_info.content_hash IS 'First 16 bytes of the document''s SHA-256';

COMMENT ON COLUMN sif_history.mark_value_info.extended IS 'SIF_ExtendedElements: name to value';

COMMENT ON COLUMN sif_history.mark_value_info.document IS 'The folded object as XML';

COMMENT ON COLUMN sif_history.mark_value_info.recorded_to IS 'When the state knew better';

CREATE TABLE sif_history.school_course_info (
    zone_id INTEGER NOT NULL,
    row_key UUID NOT NULL,
    school_ref_id UUID NOT NULL,
    school_year INTEGER NOT NULL,
    course_code TEXT NOT NULL,
    state_course_code TEXT,
    district_course_code TEXT,
    subject_area_codes TEXT[] NOT NULL,
    course_title TEXT NOT NULL,
    description TEXT,
    instructional_level_code TEXT,
    instructional_level_other_codes JSONB NOT NULL,
    course_credits NUMERIC,
    credit_type_code TEXT,
    is_core_academic TEXT,
    is_graduation_requirement TEXT,
    department TEXT,
    dual_credit TEXT,
    recorded_from TIMESTAMP WITH TIME ZONE NOT NULL,
    message_id BIGINT NOT NULL,
    content_hash UUID NOT NULL,
    extended JSONB,
    document TEXT NOT NULL,
    recorded_to TIMESTAMP WITH TIME ZONE NOT NULL,
    CONSTRAINT pk_school_course_info PRIMARY KEY (zone_id, row_key, recorded_from)
);

CREATE INDEX ix_school_course_info_recorded_to ON sif_history.school_course_info (recorded_to);

COMMENT ON TABLE sif_history.school_course_info IS 'Closed versions: A course offered by one school in one school year.';

COMMENT ON COLUMN sif_history.school_course_info.zone_id IS 'Zone of the district that sent the object';

COMMENT ON COLUMN sif_history.school_course_info.row_key IS 'The object''s RefId, or a hash of its natural key';

COMMENT ON COLUMN sif_history.school_course_info.school_ref_id IS 'School that offers the course';

COMMENT ON COLUMN sif_history.school_course_info.school_year IS 'School year by its end year';

COMMENT ON COLUMN sif_history.school_course_info.course_code IS 'School''s code of the course';

COMMENT ON COLUMN sif_history.school_course_info.state_course_code IS 'State''s subject-area course code';

COMMENT ON COLUMN sif_history.school_course_info.district_course_code IS 'District''s code of the course';

COMMENT ON COLUMN sif_history.school_course_info.subject_area_codes IS 'Subject areas of the course';

COMMENT ON COLUMN sif_history.school_course_info.course_title IS 'Title of the course';

COMMENT ON COLUMN sif_history.school_course_info.description IS 'What the course is about';

COMMENT ON COLUMN sif_history.school_course_info.instructional_level_code IS 'Level of instruction';

COMMENT ON COLUMN sif_history.school_course_info.instructional_level_other_codes IS 'State''s or other codes of the level (SCS09 in Massachusetts)';

COMMENT ON COLUMN sif_history.school_course_info.course_credits IS 'Credits a student can earn';

COMMENT ON COLUMN sif_history.school_course_info.credit_type_code IS 'Kind of credit';

COMMENT ON COLUMN sif_history.school_course_info.is_core_academic IS 'Core academic course';

COMMENT ON COLUMN sif_history.school_course_info.is_graduation_requirement IS 'Needed to graduate';

COMMENT ON COLUMN sif_history.school_course_info.department IS 'Department that teaches it';

COMMENT ON COLUMN sif_history.school_course_info.dual_credit IS 'Also earns college credit';

COMMENT ON COLUMN sif_history.school_course_info.recorded_from IS 'When the state knew this version';

COMMENT ON COLUMN sif_history.school_course_info.message_id IS 'Message that made this version';

COMMENT ON COLUMN sif_history.school_course_info.content_hash IS 'First 16 bytes of the document''s SHA-256';

COMMENT ON COLUMN sif_history.school_course_info.extended IS 'SIF_ExtendedElements: name to value';

COMMENT ON COLUMN sif_history.school_course_info.document IS 'The folded object as XML';

COMMENT ON COLUMN sif_history.school_course_info.recorded_to IS 'When the state knew better';

CREATE TABLE sif_history.school_info (
    zone_id INTEGER NOT NULL,
    row_key UUID NOT NULL,
    lea_ref_id UUID,
    local_id TEXT,
    state_id TEXT,
    nces_id TEXT,
    school_name TEXT NOT NULL,
    school_type_code TEXT,
    focus_codes TEXT[] NOT NULL,
    url TEXT,
    session_type_code TEXT,
    grade_codes TEXT[] NOT NULL,
    title1_status TEXT,
    operational_status_code TEXT,
    active_school_year INTEGER,
    addresses JSONB NOT NULL,
    phone_numbers JSONB NOT NULL,
    principal JSONB NOT NULL,
    recorded_from TIMESTAMP WITH TIME ZONE NOT NULL,
    message_id BIGINT NOT NULL,
    content_hash UUID NOT NULL,
    extended JSONB,
    document TEXT NOT NULL,
    recorded_to TIMESTAMP WITH TIME ZONE NOT NULL,
    CONSTRAINT pk_school_info PRIMARY KEY (zone_id, row_key, recorded_from)
);

CREATE INDEX ix_school_info_recorded_to ON sif_history.school_info (recorded_to);

COMMENT ON TABLE sif_history.school_info IS 'Closed versions: A school, or a programme that is reported as one.';

COMMENT ON COLUMN sif_history.school_info.zone_id IS 'Zone of the district that sent the object';

COMMENT ON COLUMN sif_history.school_info.row_key IS 'The object''s RefId, or a hash of its natural key';

COMMENT ON COLUMN sif_history.school_info.lea_ref_id IS 'District the school belongs to';

COMMENT ON COLUMN sif_history.school_info.local_id IS 'Identifier the district uses for the school';

COMMENT ON COLUMN sif_history.school_info.state_id IS 'State organisation code, 8 digits in Massachusetts';

COMMENT ON COLUMN sif_history.school_info.nces_id IS 'Federal (NCES) identifier of the school';

COMMENT ON COLUMN sif_history.school_info.school_name IS 'Name of the school';

COMMENT ON COLUMN sif_history.school_info.school_type_code IS 'Level of the school';

COMMENT ON COLUMN sif_history.school_info.focus_codes IS 'Special focuses of the school';

COMMENT ON COLUMN sif_history.school_info.url IS 'Web site of the school';

COMMENT ON COLUMN sif_history.school_info.session_type_code IS 'Kind of session the school runs';

COMMENT ON COLUMN sif_history.school_info.grade_codes IS 'Grades the school serves';

COMMENT ON COLUMN sif_history.school_info.title1_status IS 'Title I status of the school';

COMMENT ON COLUMN sif_history.school_info.operational_status_code IS 'Whether the school is open';

COMMENT ON COLUMN sif_history.school_info.active_school_year IS 'School year now active, by its end year';

COMMENT ON COLUMN sif_history.school_info.addresses IS 'Addresses of the school by type';

COMMENT ON COLUMN sif_history.school_info.phone_numbers IS 'Telephone numbers by type';

COMMENT ON COLUMN sif_history.school_info.principal IS 'The principal';

COMMENT ON COLUMN sif_history.school_info.recorded_from IS 'When the state knew this version';

COMMENT ON COLUMN sif_history.school_info.message_id IS 'Message that made this version';

COMMENT ON COLUMN sif_history.school_info.content_hash IS 'First 16 bytes of the document''s SHA-256';

COMMENT ON COLUMN sif_history.school_info.extended IS 'SIF_ExtendedElements: name to value';

COMMENT ON COLUMN sif_history.school_info.document IS 'The folded object as XML';

COMMENT ON COLUMN sif_history.school_info.recorded_to IS 'When the state knew better';

CREATE TABLE sif_history.section_info (
    zone_id INTEGER NOT NULL,
    row_key UUID NOT NULL,
    course_ref_id UUID NOT NULL,
    school_year INTEGER NOT NULL,
    local_id TEXT NOT NULL,
    description TEXT,
    term_ref_ids TEXT[] NOT NULL,
    schedule JSONB NOT NULL,
    medium_of_instruction_code TEXT,
    language_of_instruction_code TEXT,
    is_summer_school TEXT,
    course_section_code TEXT,
    section_code TEXT,
    counts_for_attendance TEXT,
    recorded_from TIMESTAMP WITH TIME ZONE NOT NULL,
    message_id BIGINT NOT NULL,
    content_hash UUID NOT NULL,
    extended JSONB,
    document TEXT NOT NULL,
    recorded_to TIMESTAMP WITH TIME ZONE NOT NULL,
    CONSTRAINT pk_section_info PRIMARY KEY (zone_id, row_key, recorded_from)
);

CREATE INDEX ix_section_info_recorded_to ON sif_history.section_info (recorded_to);

COMMENT ON TABLE sif_history.section_info IS 'Closed versions: A section of a course: the group that meets in given terms.';

COMMENT ON COLUMN sif_history.section_info.zone_id IS 'Zone of the district that sent the object';

COMMENT ON COLUMN sif_history.section_info.row_key IS 'The object''s RefId, or a hash of its natural key';

COMMENT ON COLUMN sif_history.section_info.course_ref_id IS 'Course taught';

COMMENT ON COLUMN sif_history.section_info.school_year IS 'School year by its end year';

COMMENT ON COLUMN sif_history.section_info.local_id IS 'Identifier of the section in the district''s system';

COMMENT ON COLUMN sif_history.section_info.description IS 'Name of the section';

COMMENT ON COLUMN sif_history.section_info.term_ref_ids IS 'Terms the section meets in';

COMMENT ON COLUMN sif_history.section_info.schedule IS 'Meeting times, rooms and staff by term';

COMMENT ON COLUMN sif_history.section_info.medium_of_instruction_code IS 'How instruction is given';

COMMENT ON COLUMN sif_history.section_info.language_of_instruction_code IS 'Language of instruction';

COMMENT ON COLUMN sif_history.section_info.is_summer_school IS 'Summer school section';

COMMENT ON COLUMN sif_history.section_info.course_section_code IS 'District''s code of course and section together';

COMMENT ON COLUMN sif_history.section_info.section_code IS 'District''s code of the section within its course';

COMMENT ON COLUMN sif_history.section_info.counts_for_attendance IS 'Attendance is taken';

COMMENT ON COLUMN sif_history.section_info.recorded_from IS 'When the state knew this version';

COMMENT ON COLUMN sif_history.section_info.message_id IS 'Message that made this version';

COMMENT ON COLUMN sif_history.section_info.content_hash IS 'First 16 bytes of the document''s SHA-256';

COMMENT ON COLUMN sif_history.section_info.extended IS 'SIF_ExtendedElements: name to value';

COMMENT ON COLUMN sif_history.section_info.document IS 'The folded object as XML';

COMMENT ON COLUMN sif_history.section_info.recorded_to IS 'When the state knew better';

CREATE TABLE sif_history.section_mark_info (
    zone_id INTEGER NOT NULL,
    row_key UUID NOT NULL,
    section_ref_id UUID NOT NULL,
    school_ref_id UUID NOT NULL,
    term_ref_ids TEXT[] NOT NULL,
    mark_ref_ids TEXT[] NOT NULL,
    marks_by_term JSONB NOT NULL,
    recorded_from TIMESTAMP WITH TIME ZONE NOT NULL,
    message_id BIGINT NOT NULL,
    content_hash UUID NOT NULL,
    extended JSONB,
    document TEXT NOT NULL,
    recorded_to TIMESTAMP WITH TIME ZONE NOT NULL,
    CONSTRAINT pk_section_mark_info PRIMARY KEY (zone_id, row_key, recorded_from)
);

CREATE INDEX ix_section_mark_info_recorded_to ON sif_history.section_mark_info (recorded_to);

COMMENT ON TABLE sif_history.section_mark_info IS 'Closed versions: The kinds of marks that are given in one section, by term.';

COMMENT ON COLUMN sif_history.section_mark_info.zone_id IS 'Zone of the district that sent the object';

COMMENT ON COLUMN sif_history.section_mark_info.row_key IS 'The object''s RefId, or a hash of its natural key';

COMMENT ON COLUMN sif_history.section_mark_info.section_ref_id IS 'Section marked';

COMMENT ON COLUMN sif_history.section_mark_info.school_ref_id IS 'School of the section';

COMMENT ON COLUMN sif_history.section_mark_info.term_ref_ids IS 'Terms marks are given for';

COMMENT ON COLUMN sif_history.section_mark_info.mark_ref_ids IS 'Marks given, of all terms';

COMMENT ON COLUMN sif_history.section_mark_info.marks_by_term IS 'Marks given, term by term';

COMMENT ON COLUMN sif_history.section_mark_info.recorded_from IS 'When the state knew this version';

COMMENT ON COLUMN sif_history.section_mark_info.message_id IS 'Message that made this version';

COMMENT ON COLUMN sif_history.section_mark_info.content_hash IS 'First 16 bytes of the document''s SHA-256';

COMMENT ON COLUMN sif_history.section_mark_info.extended IS 'SIF_ExtendedElements: name to value';

COMMENT ON COLUMN sif_history.section_mark_info.document IS 'The folded object as XML';

COMMENT ON COLUMN sif_history.section_mark_info.recorded_to IS 'When the state knew better';

CREATE TABLE sif_history.staff_assignment (
    zone_id INTEGER NOT NULL,
    row_key UUID NOT NULL,
    staff_ref_id UUID NOT NULL,
    school_ref_id UUID NOT NULL,
    school_year INTEGER NOT NULL,
    description TEXT,
    is_primary TEXT NOT NULL,
    job_start_date DATE,
    job_end_date DATE,
    job_fte NUMERIC,
    job_function_code TEXT,
    job_function_other_codes JSONB NOT NULL,
    teaching_assignment_code TEXT,
    teaching_assignment_other_codes JSONB NOT NULL,
    grade_codes TEXT[] NOT NULL,
    itinerant_teacher TEXT,
    instructional_level_code TEXT,
    recorded_from TIMESTAMP WITH TIME ZONE NOT NULL,
    message_id BIGINT NOT NULL,
    content_hash UUID NOT NULL,
    extended JSONB,
    document TEXT NOT NULL,
    recorded_to TIMESTAMP WITH TIME ZONE NOT NULL,
    CONSTRAINT pk_staff_assignment PRIMARY KEY (zone_id, row_key, recorded_from)
);

CREATE INDEX ix_staff_assignment_recorded_to ON sif_history.staff_assignment (recorded_to);

COMMENT ON TABLE sif_history.staff_assignment IS 'Closed versions: A member of staff''s job in one school in one school year.';

COMMENT ON COLUMN sif_history.staff_assignment.zone_id IS 'Zone of the district that sent the object';

COMMENT ON COLUMN sif_history.staff_assignment.row_key IS 'The object''s RefId, or a hash of its natural key';

COMMENT ON COLUMN sif_history.staff_assignment.staff_ref_id IS 'Member of staff assigned';

COMMENT ON COLUMN sif_history.staff_assignment.school_ref_id IS 'School of the job';

COMMENT ON COLUMN sif_history.staff_assignment.school_year IS 'School year by its end year';

COMMENT ON COLUMN sif_history.staff_assignment.description IS 'Name of the job';

COMMENT ON COLUMN sif_history.staff_assignment.is_primary IS 'The person''s main job; there is one per year';

COMMENT ON COLUMN sif_history.staff_assignment.job_start_date IS 'First day of the job';

COMMENT ON COLUMN sif_history.staff_assignment.job_end_date IS 'Last day of the job; empty while it lasts';

COMMENT ON COLUMN sif_history.staff_assignment.job_fte IS 'Share of full time, 0 to 1';

COMMENT ON COLUMN sif_history.staff_assignment.job_function_code IS 'Function of the job';

COMMENT ON COLUMN sif_history.staff_assignment.job_function_other_codes IS 'State''s or other codes of the job (WA07 in Massachusetts)';

COMMENT ON COLUMN sif_history.staff_assignment.teaching_assignment_code IS 'Subject taught';

COMMENT ON COLUMN sif_history.staff_assignment.teaching_assignment_other_codes IS 'State''s or other codes of the subject (WA08 in Massachusetts)';

COMMENT ON COLUMN sif_history.staff_assignment.grade_codes IS 'Grades the job is for';

COMMENT ON COLUMN sif_history.staff_assignment.itinerant_teacher IS 'Teaches in several schools';

COMMENT ON COLUMN sif_history.staff_assignment.instructional_level_code IS 'Level of instruction';

COMMENT ON COLUMN sif_history.staff_assignment.recorded_from IS 'When the state knew this version';

COMMENT ON COLUMN sif_history.staff_assignment.message_id IS 'Message that made this version';

COMMENT ON COLUMN sif_history.staff_assignment.content_hash IS 'First 16 bytes of the document''s SHA-256';

COMMENT ON COLUMN sif_history.staff_assignment.extended IS 'SIF_ExtendedElements: name to value';

COMMENT ON COLUMN sif_history.staff_assignment.document IS 'The folded object as XML';

COMMENT ON COLUMN sif_history.staff_assignment.recorded_to IS 'When the state knew better';

CREATE TABLE sif_history.staff_evaluation (
    zone_id INTEGER NOT NULL,
    row_key UUID NOT NULL,
    staff_ref_id UUID NOT NULL,
    school_ref_id UUID NOT NULL,
    evaluator_state_id TEXT,
    bargaining_unit TEXT,
    evaluation_cycle TEXT,
    preconference_date DATE,
    projected_date DATE,
    evaluation_date DATE NOT NULL,
    postconference_date DATE,
    evaluation_system TEXT NOT NULL,
    parts JSONB NOT NULL,
    holistic_score TEXT NOT NULL,
    holistic_scale TEXT NOT NULL,
    recommendation_code TEXT,
    recorded_from TIMESTAMP WITH TIME ZONE NOT NULL,
    message_id BIGINT NOT NULL,
    content_hash UUID NOT NULL,
    extended JSONB,
    document TEXT NOT NULL,
    recorded_to TIMESTAMP WITH TIME ZONE NOT NULL,
    CONSTRAINT pk_staff_evaluation PRIMARY KEY (zone_id, row_key, recorded_from)
);

CREATE INDEX ix_staff_evaluation_recorded_to ON sif_history.staff_evaluation (recorded_to);

COMMENT ON TABLE sif_history.staff_evaluation IS 'Closed versions: An evaluation of a member of staff in one school.';

COMMENT ON COLUMN sif_history.staff_evaluation.zone_id IS 'Zone of the district that sent the object';

COMMENT ON COLUMN sif_history.staff_evaluation.row_key IS 'The object''s RefId, or a hash of its natural key';

COMMENT ON COLUMN sif_history.staff_evaluation.staff_ref_id IS 'Member of staff evaluated';

COMMENT ON COLUMN sif_history.staff_evaluation.school_ref_id IS 'School of the evaluation';

COMMENT ON COLUMN sif_history.staff_evaluation.evaluator_state_id IS 'State''s identifier of the evaluator';

COMMENT ON COLUMN sif_history.staff_evaluation.bargaining_unit IS 'Bargaining unit of the person';

COMMENT ON COLUMN sif_history.staff_evaluation.evaluation_cycle IS 'Name of the evaluation cycle';

COMMENT ON COLUMN sif_history.staff_evaluation.preconference_date IS 'Day of the conference before';

COMMENT ON COLUMN sif_history.staff_evaluation.projected_date IS 'Day it was planned for';

COMMENT ON COLUMN sif_history.staff_evaluation.evaluation_date IS 'Day of the evaluation';

COMMENT ON COLUMN sif_history.staff_evaluation.postconference_date IS 'Day of the conference after';

COMMENT ON COLUMN sif_history.staff_evaluation.evaluation_system IS 'System of evaluation in use';

COMMENT ON COLUMN sif_history.staff_evaluation.parts IS 'Parts of the evaluation with score and scale';

COMMENT ON COLUMN sif_history.staff_evaluation.holistic_score IS 'Overall score';

COMMENT ON COLUMN sif_history.staff_evaluation.holistic_scale IS 'Scale of the overall score';

COMMENT ON COLUMN sif_history.staff_evaluation.recommendation_code IS 'District''s code of what is recommended';

COMMENT ON COLUMN sif_history.staff_evaluation.recorded_from IS 'When the state knew this version';

COMMENT ON COLUMN sif_history.staff_evaluation.message_id IS 'Message that made this version';

COMMENT ON COLUMN sif_history.staff_evaluation.content_hash IS 'First 16 bytes of the document''s SHA-256';

COMMENT ON COLUMN sif_history.staff_evaluation.extended IS 'SIF_ExtendedElements: name to value';

COMMENT ON COLUMN sif_history.staff_evaluation.document IS 'The folded object as XML';

COMMENT ON COLUMN sif_history.staff_evaluation.recorded_to IS 'When the state knew better';

CREATE TABLE sif_history.staff_personal (
    zone_id INTEGER NOT NULL,
    row_key UUID NOT NULL,
    local_id TEXT NOT NULL,
    state_id TEXT,
    other_ids JSONB NOT NULL,
    last_name TEXT NOT NULL,
    first_name TEXT NOT NULL,
    middle_name TEXT,
    birth_date DATE,
    gender TEXT,
    race_codes TEXT[] NOT NULL,
    race_other_codes JSONB NOT NULL,
    is_hispanic TEXT,
    title TEXT,
    addresses JSONB NOT NULL,
    phone_numbers JSONB NOT NULL,
    emails JSONB NOT NULL,
    recorded_from TIMESTAMP WITH TIME ZONE NOT NULL,
    message_id BIGINT NOT NULL,
    content_hash UUID NOT NULL,
    extended JSONB,
    document TEXT NOT NULL,
    recorded_to TIMESTAMP WITH TIME ZONE NOT NULL,
    CONSTRAINT pk_staff_personal PRIMARY KEY (zone_id, row_key, recorded_from)
);

CREATE INDEX ix_staff_personal_recorded_to ON sif_history.staff_personal (recorded_to);

COMMENT ON TABLE sif_history.staff_personal IS 'Closed versions: A member of staff: identifiers, legal name and demographics.';

COMMENT ON COLUMN sif_history.staff_personal.zone_id IS 'Zone of the district that sent the object';

COMMENT ON COLUMN sif_history.staff_personal.row_key IS 'The object''s RefId, or a hash of its natural key';

COMMENT ON COLUMN sif_history.staff_personal.local_id IS 'District''s identifier of the person';

COMMENT ON COLUMN sif_history.staff_personal.state_id IS 'State''s identifier of the educator (MEPID)';

COMMENT ON COLUMN sif_history.staff_personal.other_ids IS 'Other identifiers by type, such as licences';

COMMENT ON COLUMN sif_history.staff_personal.last_name IS 'Legal last name';

COMMENT ON COLUMN sif_history.staff_personal.first_name IS 'Legal first name';

COMMENT ON COLUMN sif_history.staff_personal.middle_name IS 'Legal middle name';

COMMENT ON COLUMN sif_history.staff_personal.birth_date IS 'Date of birth';

COMMENT ON COLUMN sif_history.staff_personal.gender IS 'Gender as reported';

COMMENT ON COLUMN sif_history.staff_personal.race_codes IS 'Races reported';

COMMENT ON COLUMN sif_history.staff_personal.race_other_codes IS 'State''s or other codes of the races (SR08 in Massachusetts)';

COMMENT ON COLUMN sif_history.staff_personal.is_hispanic IS 'Hispanic or Latino';

COMMENT ON COLUMN sif_history.staff_personal.title IS 'Job title';

COMMENT ON COLUMN sif_history.staff_personal.addresses IS 'Addresses by type';

COMMENT ON COLUMN sif_history.staff_personal.phone_numbers IS 'Telephone numbers by type';

COMMENT ON COLUMN sif_history.staff_personal.emails IS 'E-mail addresses by type';

COMMENT ON COLUMN sif_history.staff_personal.recorded_from IS 'When the state knew this version';

COMMENT ON COLUMN sif_history.staff_personal.message_id IS 'Message that made this version';

COMMENT ON COLUMN sif_history.staff_personal.content_hash IS 'First 16 bytes of the document''s SHA-256';

COMMENT ON COLUMN sif_history.staff_personal.extended IS 'SIF_ExtendedElements: name to value';

COMMENT ON COLUMN sif_history.staff_personal.document IS 'The folded object as XML';

COMMENT ON COLUMN sif_history.staff_personal.recorded_to IS 'When the state knew better';

CREATE TABLE sif_history.staff_section_assignment (
    zone_id INTEGER NOT NULL,
    row_key UUID NOT NULL,
    staff_ref_id UUID NOT NULL,
    section_ref_id UUID NOT NULL,
    assignment_start_date DATE,
    assignment_end_date DATE,
    is_teacher_of_record TEXT NOT NULL,
    roles TEXT[] NOT NULL,
    percent_responsible NUMERIC,
    recorded_from TIMESTAMP WITH TIME ZONE NOT NULL,
    message_id BIGINT NOT NULL,
    content_hash UUID NOT NULL,
    extended JSONB,
    document TEXT NOT NULL,
    recorded_to TIMESTAMP WITH TIME ZONE NOT NULL,
    CONSTRAINT pk_staff_section_assignment PRIMARY KEY (zone_id, row_key, recorded_from)
);

CREATE INDEX ix_staff_section_assignment_recorded_to ON sif_history.staff_section_assignment (recorded_to);

COMMENT ON TABLE sif_history.staff_section_assignment IS 'Closed versions: A member of staff''s part in teaching one section.';

COMMENT ON COLUMN sif_history.staff_section_assignment.zone_id IS 'Zone of the district that sent the object';

COMMENT ON COLUMN sif_history.staff_section_assignment.row_key IS 'The object''s RefId, or a hash of its natural key';

COMMENT ON COLUMN sif_history.staff_section_assignment.staff_ref_id IS 'Member of staff assigned';

COMMENT ON COLUMN sif_history.staff_section_assignment.section_ref_id IS 'Section taught';

COMMENT ON COLUMN sif_history.staff_section_assignment.assignment_start_date IS 'First day of the assignment, by the district''s clock';

COMMENT ON COLUMN sif_history.staff_section_assignment.assignment_end_date IS 'Last day of the assignment, by the district''s clock';

COMMENT ON COLUMN sif_history.staff_section_assignment.is_teacher_of_record IS 'Answers for the section';

COMMENT ON COLUMN sif_history.staff_section_assignment.roles IS 'What the person does there';

COMMENT ON COLUMN sif_history.staff_section_assignment.percent_responsible IS 'Share of the responsibility in percent, 0 to 100';

COMMENT ON COLUMN sif_history.staff_section_assignment.recorded_from IS 'When the state knew this version';

COMMENT ON COLUMN sif_history.staff_section_assignment.message_id IS 'Message that made this version';

COMMENT ON COLUMN sif_history.staff_section_assignment.content_hash IS 'First 16 bytes of the document''s SHA-256';

COMMENT ON COLUMN sif_history.staff_section_assignment.extended IS 'SIF_ExtendedElements: name to value';

COMMENT ON COLUMN sif_history.staff_section_assignment.document IS 'The folded object as XML';

COMMENT ON COLUMN sif_history.staff_section_assignment.recorded_to IS 'When the state knew better';

CREATE TABLE sif_history.student_attendance_summary (
    zone_id INTEGER NOT NULL,
    row_key UUID NOT NULL,
    student_ref_id UUID NOT NULL,
    school_ref_id UUID NOT NULL,
    school_year INTEGER NOT NULL,
    start_date DATE NOT NULL,
    end_date DATE NOT NULL,
    start_day INTEGER NOT NULL,
    end_day INTEGER NOT NULL,
    is_resident TEXT NOT NULL,
    fte NUMERIC,
    days_attended NUMERIC NOT NULL,
    excused_absences NUMERIC NOT NULL,
    unexcused_absences NUMERIC NOT NULL,
    days_tardy NUMERIC,
    days_in_membership NUMERIC NOT NULL,
    enrollment_ref_id UUID,
    recorded_from TIMESTAMP WITH TIME ZONE NOT NULL,
    message_id BIGINT NOT NULL,
    content_hash UUID NOT NULL,
    extended JSONB,
    document TEXT NOT NULL,
    recorded_to TIMESTAMP WITH TIME ZONE NOT NULL,
    CONSTRAINT pk_student_attendance_summary PRIMARY KEY (zone_id, row_key, recorded_from)
);

CREATE INDEX ix_student_attendance_summary_recorded_to ON sif_history.student_attendance_summary (recorded_to) INCLUDE (zone_id, student_ref_id, school_year, school_ref_id, end_date, start_date, days_in_membership, days_attended, recorded_from);

COMMENT ON TABLE sif_history.student_attendance_summary IS 'Closed versions: A student''s days attended, absent and in membership in one school over one span of dates.';

COMMENT ON COLUMN sif_history.student_attendance_summary.zone_id IS 'Zone of the district that sent the object';

COMMENT ON COLUMN sif_history.student_attendance_summary.row_key IS 'The object''s RefId, or a hash of its natural key';

COMMENT ON COLUMN sif_history.student_attendance_summary.student_ref_id IS 'Student summarised';

COMMENT ON COLUMN sif_history.student_attendance_summary.school_ref_id IS 'School attended';

COMMENT ON COLUMN sif_history.student_attendance_summary.school_year IS 'School year by its end year';

COMMENT ON COLUMN sif_history.student_attendance_summary.start_date IS 'First date summarised';

COMMENT ON COLUMN sif_history.student_attendance_summary.end_date IS 'Last date summarised';

COMMENT ON COLUMN sif_history.student_attendance_summary.start_day IS 'School day number of the first date';

COMMENT ON COLUMN sif_history.student_attendance_summary.end_day IS 'School day number of the last date';

COMMENT ON COLUMN sif_history.student_attendance_summary.is_resident IS 'Resident of the district';

COMMENT ON COLUMN sif_history.student_attendance_summary.fte IS 'Share of full time, 0 to 1';

COMMENT ON COLUMN sif_history.student_attendance_summary.days_attended IS 'Days present';

COMMENT ON COLUMN sif_history.student_attendance_summary.excused_absences IS 'Days absent with excuse';

COMMENT ON COLUMN sif_history.student_attendance_summary.unexcused_absences IS 'Days absent without excuse';

COMMENT ON COLUMN sif_history.student_attendance_summary.days_tardy IS 'Days tardy';

COMMENT ON COLUMN sif_history.student_attendance_summary.days_in_membership IS 'Days enrolled';

COMMENT ON COLUMN sif_history.student_attendance_summary.enrollment_ref_id IS 'Enrolment summarised';

COMMENT ON COLUMN sif_history.student_attendance_summary.recorded_from IS 'When the state knew this version';

COMMENT ON COLUMN sif_history.student_attendance_summary.message_id IS 'Message that made this version';

COMMENT ON COLUMN sif_history.student_attendance_summary.content_hash IS 'First 16 bytes of the document''s SHA-256';

COMMENT ON COLUMN sif_history.student_attendance_summary.extended IS 'SIF_ExtendedElements: name to value';

COMMENT ON COLUMN sif_history.student_attendance_summary.document IS 'The folded object as XML';

COMMENT ON COLUMN sif_history.student_attendance_summary.recorded_to IS 'When the state knew better';

CREATE TABLE sif_history.student_locator (
    zone_id INTEGER NOT NULL,
    row_key UUID NOT NULL,
    transaction_guid UUID NOT NULL,
    id_status TEXT NOT NULL,
    student_guid UUID,
    state_id TEXT NOT NULL,
    confidence TEXT,
    local_id TEXT,
    requesting_agencies JSONB NOT NULL,
    grade_code TEXT,
    names JSONB NOT NULL,
    addresses JSONB NOT NULL,
    birth_date DATE,
    place_of_birth TEXT,
    gender TEXT,
    contacts JSONB NOT NULL,
    effective_date DATE,
    start_date DATE,
    end_date DATE,
    graduation TEXT,
    school_attended TEXT,
    school_attended_location TEXT,
    other_ids JSONB NOT NULL,
    error JSONB NOT NULL,
    recorded_from TIMESTAMP WITH TIME ZONE NOT NULL,
    message_id BIGINT NOT NULL,
    content_hash UUID NOT NULL,
    extended JSONB,
    document TEXT NOT NULL,
    recorded_to TIMESTAMP WITH TIME ZONE NOT NULL,
    CONSTRAINT pk_student_locator PRIMARY KEY (zone_id, row_key, recorded_from)
);

CREATE INDEX ix_student_locator_recorded_to ON sif_history.student_locator (recorded_to);

COMMENT ON TABLE sif_history.student_locator IS 'Closed versions: A transaction between district and state about one student''s state identifier (SASID), as it stands.';

COMMENT ON COLUMN sif_history.student_locator.zone_id IS 'Zone of the district that sent the object';

COMMENT ON COLUMN sif_history.student_locator.row_key IS 'The object''s RefId, or a hash of its natural key';

COMMENT ON COLUMN sif_history.student_locator.transaction_guid IS 'Transaction between district and state';

COMMENT ON COLUMN sif_history.student_locator.id_status IS 'How the transaction stands';

COMMENT ON COLUMN sif_history.student_locator.student_guid IS 'Student, if the district has sent it';

COMMENT ON COLUMN sif_history.student_locator.state_id IS 'State''s identifier (SASID); may be empty in a request';

COMMENT ON COLUMN sif_history.student_locator.confidence IS 'How sure the state is';

COMMENT ON COLUMN sif_history.student_locator.local_id IS 'District''s identifier of the student (LASID)';

COMMENT ON COLUMN sif_history.student_locator.requesting_agencies IS 'Agencies that ask, with their kind';

COMMENT ON COLUMN sif_history.student_locator.grade_code IS 'Grade of the student';

COMMENT ON COLUMN sif_history.student_locator.names IS 'Names by type';

COMMENT ON COLUMN sif_history.student_locator.addresses IS 'Addresses by type';

COMMENT ON COLUMN sif_history.student_locator.birth_date IS 'Date of birth';

COMMENT ON COLUMN sif_history.student_locator.place_of_birth IS 'City or town of birth';

COMMENT ON COLUMN sif_history.student_locator.gender IS 'Gender as reported';

COMMENT ON COLUMN sif_history.student_locator.contacts IS 'Parents and guardians';

COMMENT ON COLUMN sif_history.student_locator.effective_date IS 'Day of entry, or of exit in a release';

COMMENT ON COLUMN sif_history.student_locator.start_date IS 'First day of the range asked for';

COMMENT ON COLUMN sif_history.student_locator.end_date IS 'Last day of the range asked for';

COMMENT ON COLUMN sif_history.student_locator.graduation IS 'Date, month or year of graduation';

COMMENT ON COLUMN sif_history.student_locator.school_attended IS 'School last attended';

COMMENT ON COLUMN sif_history.student_locator.school_attended_location IS 'Where that school is';

COMMENT ON COLUMN sif_history.student_locator.other_ids IS 'Another identifier with its type';

COMMENT ON COLUMN sif_history.student_locator.error IS 'Why the lookup failed';

COMMENT ON COLUMN sif_history.student_locator.recorded_from IS 'When the state knew this version';

COMMENT ON COLUMN sif_history.student_locator.message_id IS 'Message that made this version';

COMMENT ON COLUMN sif_history.student_locator.content_hash IS 'First 16 bytes of the document''s SHA-256';

COMMENT ON COLUMN sif_history.student_locator.extended IS 'SIF_ExtendedElements: name to value';

COMMENT ON COLUMN sif_history.student_locator.document IS 'The folded object as XML';

COMMENT ON COLUMN sif_history.student_locator.recorded_to IS 'When the state knew better';

CREATE TABLE sif_history.student_personal (
    zone_id INTEGER NOT NULL,
    row_key UUID NOT NULL,
    local_id TEXT NOT NULL,
    state_id TEXT,
    last_name TEXT NOT NULL,
    first_name TEXT NOT NULL,
    middle_name TEXT,
    other_names JSONB NOT NULL,
    birth_date DATE,
    place_of_birth TEXT,
    country_of_birth_code TEXT,
    gender TEXT,
    race_codes TEXT[] NOT NULL,
    race_other_codes JSONB NOT NULL,
    is_hispanic TEXT,
    english_proficiency_code TEXT,
    languages JSONB NOT NULL,
    addresses JSONB NOT NULL,
    phone_numbers JSONB NOT NULL,
    emails JSONB NOT NULL,
    other_ids JSONB NOT NULL,
    on_time_graduation_year INTEGER,
    graduation TEXT,
    most_recent_grade_code TEXT,
    idea TEXT,
    migrant TEXT,
    title1 TEXT,
    gifted_talented TEXT,
    economic_disadvantage TEXT,
    ell TEXT,
    homeless TEXT,
    section504 TEXT,
    immigrant TEXT,
    first_us_enrollment_date DATE,
    recorded_from TIMESTAMP WITH TIME ZONE NOT NULL,
    message_id BIGINT NOT NULL,
    content_hash UUID NOT NULL,
    extended JSONB,
    document TEXT NOT NULL,
    recorded_to TIMESTAMP WITH TIME ZONE NOT NULL,
    CONSTRAINT pk_student_personal PRIMARY KEY (zone_id, row_key, recorded_from)
);

CREATE INDEX ix_student_personal_recorded_to ON sif_history.student_personal (recorded_to) INCLUDE (zone_id, row_key, gender, race_codes, is_hispanic, english_proficiency_code, idea, economic_disadvantage, ell, recorded_from);

COMMENT ON TABLE sif_history.student_personal IS 'Closed versions: A student: identifiers, legal name, demographics and programme flags.';

COMMENT ON COLUMN sif_history.student_personal.zone_id IS 'Zone of the district that sent the object';

COMMENT ON COLUMN sif_history.student_personal.row_key IS 'The object''s RefId, or a hash of its natural key';

COMMENT ON COLUMN sif_history.student_personal.local_id IS 'District''s identifier of the student (LASID)';

COMMENT ON COLUMN sif_history.student_personal.state_id IS 'State''s identifier of the student (SASID)';

COMMENT ON COLUMN sif_history.student_personal.last_name IS 'Legal last name';

COMMENT ON COLUMN sif_history.student_personal.first_name IS 'Legal first name';

COMMENT ON COLUMN sif_history.student_personal.middle_name IS 'Legal middle name';

COMMENT ON COLUMN sif_history.student_personal.other_names IS 'Former and other names by type';

COMMENT ON COLUMN sif_history.student_personal.birth_date IS 'Date of birth';

COMMENT ON COLUMN sif_history.student_personal.place_of_birth IS 'City or town of birth';

COMMENT ON COLUMN sif_history.student_personal.country_of_birth_code IS 'Country of birth';

COMMENT ON COLUMN sif_history.student_personal.gender IS 'Gender as reported';

COMMENT ON COLUMN sif_history.student_personal.race_codes IS 'Races reported';

COMMENT ON COLUMN sif_history.student_personal.race_other_codes IS 'State''s or other codes of the races (DOE010 in Massachusetts)';

COMMENT ON COLUMN sif_history.student_personal.is_hispanic IS 'Hispanic or Latino';

COMMENT ON COLUMN sif_history.student_personal.english_proficiency_code IS 'Proficiency in English';

COMMENT ON COLUMN sif_history.student_personal.languages IS 'Languages and their use';

COMMENT ON COLUMN sif_history.student_personal.addresses IS 'Addresses by type';

COMMENT ON COLUMN sif_history.student_personal.phone_numbers IS 'Telephone numbers by type';

COMMENT ON COLUMN sif_history.student_personal.emails IS 'E-mail addresses by type';

COMMENT ON COLUMN sif_history.student_personal.other_ids IS 'Other identifiers by type';

COMMENT ON COLUMN sif_history.student_personal.on_time_graduation_year IS 'Year of on-time graduation';

COMMENT ON COLUMN sif_history.student_personal.graduation IS 'Date, month or year of graduation';

COMMENT ON COLUMN sif_history.student_personal.most_recent_grade_code IS 'Grade at last enrolment';

COMMENT ON COLUMN sif_history.student_personal.idea IS 'Has a disability under IDEA';

COMMENT ON COLUMN sif_history.student_personal.migrant IS 'Migrant student';

COMMENT ON COLUMN sif_history.student_personal.title1 IS 'Served under Title I';

COMMENT ON COLUMN sif_history.student_personal.gifted_talented IS 'Gifted and talented';

COMMENT ON COLUMN sif_history.student_personal.economic_disadvantage IS 'Economically disadvantaged';

COMMENT ON COLUMN sif_history.student_personal.ell IS 'English learner';

COMMENT ON COLUMN sif_history.student_personal.homeless IS 'Homeless';

COMMENT ON COLUMN sif_history.student_personal.section504 IS 'Has a Section 504 plan';

COMMENT ON COLUMN sif_history.student_personal.immigrant IS 'Immigrant student';

COMMENT ON COLUMN sif_history.student_personal.first_us_enrollment_date IS 'First enrolled in a US school';

COMMENT ON COLUMN sif_history.student_personal.recorded_from IS 'When the state knew this version';

COMMENT ON COLUMN sif_history.student_personal.message_id IS 'Message that made this version';

COMMENT ON COLUMN sif_history.student_personal.content_hash IS 'First 16 bytes of the document''s SHA-256';

COMMENT ON COLUMN sif_history.student_personal.extended IS 'SIF_ExtendedElements: name to value';

COMMENT ON COLUMN sif_history.student_personal.document IS 'The folded object as XML';

COMMENT ON COLUMN sif_history.student_personal.recorded_to IS 'When the state knew better';

CREATE TABLE sif_history.student_school_enrollment (
    zone_id INTEGER NOT NULL,
    row_key UUID NOT NULL,
    student_ref_id UUID NOT NULL,
    school_ref_id UUID NOT NULL,
    membership_type TEXT NOT NULL,
    time_frame TEXT NOT NULL,
    school_year INTEGER NOT NULL,
    entry_date DATE NOT NULL,
    entry_type_code TEXT,
    grade_code TEXT,
    grade_other_codes JSONB NOT NULL,
    exit_date DATE,
    exit_status_code TEXT,
    exit_type_code TEXT,
    exit_type_other_codes JSONB NOT NULL,
    record_closure_reason TEXT,
    fte NUMERIC,
    full_time_status TEXT,
    residency_code TEXT,
    residency_other_codes JSONB NOT NULL,
    nonresident_reason_code TEXT,
    promotion_status TEXT,
    recorded_from TIMESTAMP WITH TIME ZONE NOT NULL,
    message_id BIGINT NOT NULL,
    content_hash UUID NOT NULL,
    extended JSONB,
    document TEXT NOT NULL,
    recorded_to TIMESTAMP WITH TIME ZONE NOT NULL,
    CONSTRAINT pk_student_school_enrollment PRIMARY KEY (zone_id, row_key, recorded_from)
);

CREATE INDEX ix_student_school_enrollment_recorded_to ON sif_history.student_school_enrollment (recorded_to) INCLUDE (zone_id, student_ref_id, entry_date, row_key, school_ref_id, membership_type, school_year, grade_code, exit_date, recorded_from);

COMMENT ON TABLE sif_history.student_school_enrollment IS 'Closed versions: A student''s membership in one school over one span of dates within one school year.';

COMMENT ON COLUMN sif_history.student_school_enrollment.zone_id IS 'Zone of the district that sent the object';

COMMENT ON COLUMN sif_history.student_school_enrollment.row_key IS 'The object''s RefId, or a hash of its natural key';

COMMENT ON COLUMN sif_history.student_school_enrollment.student_ref_id IS 'Enrolled student';

COMMENT ON COLUMN sif_history.student_school_enrollment.school_ref_id IS 'School attended';

COMMENT ON COLUMN sif_history.student_school_enrollment.membership_type IS 'Home, Concurrent or Summer';

COMMENT ON COLUMN sif_history.student_school_enrollment.time_frame IS 'Historical, Current or Future, seen from the sender''s today';

COMMENT ON COLUMN sif_history.student_school_enrollment.school_year IS 'School year by its end year';

COMMENT ON COLUMN sif_history.student_school_enrollment.entry_date IS 'First day of membership';

COMMENT ON COLUMN sif_history.student_school_enrollment.entry_type_code IS 'Kind of entry';

COMMENT ON COLUMN sif_history.student_school_enrollment.grade_code IS 'Grade during the membership';

COMMENT ON COLUMN sif_history.student_school_enrollment.grade_other_codes IS 'State''s or other codes of the grade (DOE016 in Massachusetts)';

COMMENT ON COLUMN sif_history.student_school_enrollment.exit_date IS 'Last day of membership; empty while enrolled';

COMMENT ON COLUMN sif_history.student_school_enrollment.exit_status_code IS 'Permanent or temporary exit';

COMMENT ON COLUMN sif_history.student_school_enrollment.exit_type_code IS 'Reason of the exit';

COMMENT ON COLUMN sif_history.student_school_enrollment.exit_type_other_codes IS 'State''s or other codes of the exit reason (DOE012 in Massachusetts)';

COMMENT ON COLUMN sif_history.student_school_enrollment.record_closure_reason IS 'Why the record was closed';

COMMENT ON COLUMN sif_history.student_school_enrollment.fte IS 'Share of full time, 0 to 1';

COMMENT ON COLUMN sif_history.student_school_enrollment.full_time_status IS 'Full or part time';

COMMENT ON COLUMN sif_history.student_school_enrollment.residency_code IS 'Residence against attendance area';

COMMENT ON COLUMN sif_history.student_school_enrollment.residency_other_codes IS 'State''s or other codes of the residence';

COMMENT ON COLUMN sif_history.student_school_enrollment.nonresident_reason_code IS 'Why a non-resident attends';

COMMENT ON COLUMN sif_history.student_school_enrollment.promotion_status IS 'Promoted, retained or demoted';

COMMENT ON COLUMN sif_history.student_school_enrollment.recorded_from IS 'When the state knew this version';

COMMENT ON COLUMN sif_history.student_school_enrollment.message_id IS 'Message that made this version';

COMMENT ON COLUMN sif_history.student_school_enrollment.content_hash IS 'First 16 bytes of the document''s SHA-256';

COMMENT ON COLUMN sif_history.student_school_enrollment.extended IS 'SIF_ExtendedElements: name to value';

COMMENT ON COLUMN sif_history.student_school_enrollment.document IS 'The folded object as XML';

COMMENT ON COLUMN sif_history.student_school_enrollment.recorded_to IS 'When the state knew better';

CREATE TABLE sif_history.student_score_set (
    zone_id INTEGER NOT NULL,
    row_key UUID NOT NULL,
    score_metric_code TEXT NOT NULL,
    administration_ref_id UUID NOT NULL,
    student_ref_id UUID NOT NULL,
    registration_ref_id UUID,
    scores JSONB NOT NULL,
    recorded_from TIMESTAMP WITH TIME ZONE NOT NULL,
    message_id BIGINT NOT NULL,
    content_hash UUID NOT NULL,
    extended JSONB,
    document TEXT NOT NULL,
    recorded_to TIMESTAMP WITH TIME ZONE NOT NULL,
    CONSTRAINT pk_student_score_set PRIMARY KEY (zone_id, row_key, recorded_from)
);

CREATE INDEX ix_student_score_set_recorded_to ON sif_history.student_score_set (recorded_to);

COMMENT ON TABLE sif_history.student_score_set IS 'Closed versions: What a student scored in a test, on one scale, by sub-test.';

COMMENT ON COLUMN sif_history.student_score_set.zone_id IS 'Zone of the district that sent the object';

COMMENT ON COLUMN sif_history.student_score_set.row_key IS 'The object''s RefId, or a hash of its natural key';

COMMENT ON COLUMN sif_history.student_score_set.score_metric_code IS 'Scale the scores are on';

COMMENT ON COLUMN sif_history.student_score_set.administration_ref_id IS 'Administration of the test';

COMMENT ON COLUMN sif_history.student_score_set.student_ref_id IS 'Student tested';

COMMENT ON COLUMN sif_history.student_score_set.registration_ref_id IS 'Registration for the test';

COMMENT ON COLUMN sif_history.student_score_set.scores IS 'Scores and what they say, by sub-test';

COMMENT ON COLUMN sif_history.student_score_set.recorded_from IS 'When the state knew this version';

COMMENT ON COLUMN sif_history.student_score_set.message_id IS 'Message that made this version';

COMMENT ON COLUMN sif_history.student_score_set.content_hash IS 'First 16 bytes of the document''s SHA-256';

COMMENT ON COLUMN sif_history.student_score_set.extended IS 'SIF_ExtendedElements: name to value';

COMMENT ON COLUMN sif_history.student_score_set.document IS 'The folded object as XML';

COMMENT ON COLUMN sif_history.student_score_set.recorded_to IS 'When the state knew better';

CREATE TABLE sif_history.student_section_enrollment (
    zone_id INTEGER NOT NULL,
    row_key UUID NOT NULL,
    student_ref_id UUID NOT NULL,
    section_ref_id UUID NOT NULL,
    school_year INTEGER NOT NULL,
    entry_date DATE,
    exit_date DATE,
    schedule_overrides JSONB NOT NULL,
    credits_attempted NUMERIC,
    credit_type_code TEXT,
    dual_credit TEXT,
    cte_concentrator TEXT,
    recorded_from TIMESTAMP WITH TIME ZONE NOT NULL,
    message_id BIGINT NOT NULL,
    content_hash UUID NOT NULL,
    extended JSONB,
    document TEXT NOT NULL,
    recorded_to TIMESTAMP WITH TIME ZONE NOT NULL,
    CONSTRAINT pk_student_section_enrollment PRIMARY KEY (zone_id, row_key, recorded_from)
);

CREATE INDEX ix_student_section_enrollment_recorded_to ON sif_history.student_section_enrollment (recorded_to);

COMMENT ON TABLE sif_history.student_section_enrollment IS 'Closed versions: A student''s membership in one section over one span of dates.';

COMMENT ON COLUMN sif_history.student_section_enrollment.zone_id IS 'Zone of the district that sent the object';

COMMENT ON COLUMN sif_history.student_section_enrollment.row_key IS 'The object''s RefId, or a hash of its natural key';

COMMENT ON COLUMN sif_history.student_section_enrollment.student_ref_id IS 'Student in the section';

COMMENT ON COLUMN sif_history.student_section_enrollment.section_ref_id IS 'Section attended';

COMMENT ON COLUMN sif_history.student_section_enrollment.school_year IS 'School year by its end year';

COMMENT ON COLUMN sif_history.student_section_enrollment.entry_date IS 'First day in the section';

COMMENT ON COLUMN sif_history.student_section_enrollment.exit_date IS 'Last day in the section; empty while there';

COMMENT ON COLUMN sif_history.student_section_enrollment.schedule_overrides IS 'Meeting times that are the student''s own, by term';

COMMENT ON COLUMN sif_history.student_section_enrollment.credits_attempted IS 'Credits the student can earn';

COMMENT ON COLUMN sif_history.student_section_enrollment.credit_type_code IS 'Kind of credit';

COMMENT ON COLUMN sif_history.student_section_enrollment.dual_credit IS 'Also earns college credit';

COMMENT ON COLUMN sif_history.student_section_enrollment.cte_concentrator IS 'Concentrates on career and technical education';

COMMENT ON COLUMN sif_history.student_section_enrollment.recorded_from IS 'When the state knew this version';

COMMENT ON COLUMN sif_history.student_section_enrollment.message_id IS 'Message that made this version';

COMMENT ON COLUMN sif_history.student_section_enrollment.content_hash IS 'First 16 bytes of the document''s SHA-256';

COMMENT ON COLUMN sif_history.student_section_enrollment.extended IS 'SIF_ExtendedElements: name to value';

COMMENT ON COLUMN sif_history.student_section_enrollment.document IS 'The folded object as XML';

COMMENT ON COLUMN sif_history.student_section_enrollment.recorded_to IS 'When the state knew better';

CREATE TABLE sif_history.student_section_marks (
    zone_id INTEGER NOT NULL,
    row_key UUID NOT NULL,
    student_ref_id UUID NOT NULL,
    section_ref_id UUID NOT NULL,
    term_ref_id UUID NOT NULL,
    school_ref_id UUID NOT NULL,
    final TEXT NOT NULL,
    marks JSONB NOT NULL,
    recorded_from TIMESTAMP WITH TIME ZONE NOT NULL,
    message_id BIGINT NOT NULL,
    content_hash UUID NOT NULL,
    extended JSONB,
    document TEXT NOT NULL,
    recorded_to TIMESTAMP WITH TIME ZONE NOT NULL,
    CONSTRAINT pk_student_section_marks PRIMARY KEY (zone_id, row_key, recorded_from)
);

CREATE INDEX ix_student_section_marks_recorded_to ON sif_history.student_section_marks (recorded_to);

COMMENT ON TABLE sif_history.student_section_marks IS 'Closed versions: A student''s marks in one section for one term.';

COMMENT ON COLUMN sif_history.student_section_marks.zone_id IS 'Zone of the district that sent the object';

COMMENT ON COLUMN sif_history.student_section_marks.row_key IS 'The object''s RefId, or a hash of its natural key';

COMMENT ON COLUMN sif_history.student_section_marks.student_ref_id IS 'Student marked';

COMMENT ON COLUMN sif_history.student_section_marks.section_ref_id IS 'Section marked in';

COMMENT ON COLUMN sif_history.student_section_marks.term_ref_id IS 'Term marked for';

COMMENT ON COLUMN sif_history.student_section_marks.school_ref_id IS 'School that gives the marks';

COMMENT ON COLUMN sif_history.student_section_marks.final IS 'Whether the marks are final, true or false';

COMMENT ON COLUMN sif_history.student_section_marks.marks IS 'Marks as percentage, number, letter or words';

COMMENT ON COLUMN sif_history.student_section_marks.recorded_from IS 'When the state knew this version';

COMMENT ON COLUMN sif_history.student_section_marks.message_id IS 'Message that made this version';

COMMENT ON COLUMN sif_history.student_section_marks.content_hash IS 'First 16 bytes of the document''s SHA-256';

COMMENT ON COLUMN sif_history.student_section_marks.extended IS 'SIF_ExtendedElements: name to value';

COMMENT ON COLUMN sif_history.student_section_marks.document IS 'The folded object as XML';

COMMENT ON COLUMN sif_history.student_section_marks.recorded_to IS 'When the state knew better';

CREATE TABLE sif_history.student_special_education_summary (
    zone_id INTEGER NOT NULL,
    row_key UUID NOT NULL,
    student_ref_id UUID NOT NULL,
    summary_date DATE NOT NULL,
    school_year INTEGER NOT NULL,
    special_education_fte NUMERIC,
    primary_disability_code TEXT,
    neglected_or_delinquent JSONB NOT NULL,
    program_type_other_codes JSONB NOT NULL,
    program_status_other_codes JSONB NOT NULL,
    participation JSONB NOT NULL,
    placement JSONB NOT NULL,
    recorded_from TIMESTAMP WITH TIME ZONE NOT NULL,
    message_id BIGINT NOT NULL,
    content_hash UUID NOT NULL,
    extended JSONB,
    document TEXT NOT NULL,
    recorded_to TIMESTAMP WITH TIME ZONE NOT NULL,
    CONSTRAINT pk_student_special_education_summary PRIMARY KEY (zone_id, row_key, recorded_from)
);

CREATE INDEX ix_student_special_education_summary_recorded_to ON sif_history.student_special_education_summary (recorded_to);

COMMENT ON TABLE sif_history.student_special_education_summary IS 'Closed versions: A student''s participation and placement in special education, as of one day of one school year.';

COMMENT ON COLUMN sif_history.student_special_education_summary.zone_id IS 'Zone of the district that sent the object';

COMMENT ON COLUMN sif_history.student_special_education_summary.row_key IS 'The object''s RefId, or a hash of its natural key';

COMMENT ON COLUMN sif_history.student_special_education_summary.student_ref_id IS 'Student summarised';

COMMENT ON COLUMN sif_history.student_special_education_summary.summary_date IS 'Day the summary was taken';

COMMENT ON COLUMN sif_history.student_special_education_summary.school_year IS 'School year by its end year';

COMMENT ON COLUMN sif_history.student_special_education_summary.special_education_fte IS 'Share of time in special education, 0 to 1';

COMMENT ON COLUMN sif_history.student_special_education_summary.primary_disability_code IS 'Primary disability (DOE036 in Massachusetts)';

COMMENT ON COLUMN sif_history.student_special_education_summary.neglected_or_delinquent IS 'Programs for neglected or delinquent students, with days';

COMMENT ON COLUMN sif_history.student_special_education_summary.program_type_other_codes IS 'State''s or other codes of the placement (DOE032 and DOE034 in Massachusetts)';

COMMENT ON COLUMN sif_history.student_special_education_summary.program_status_other_codes IS 'State''s or other codes of the evaluation''s result (DOE040 in Massachusetts)';

COMMENT ON COLUMN sif_history.student_special_education_summary.participation IS 'Programs the student takes part in';

COMMENT ON COLUMN sif_history.student_special_education_summary.placement IS 'Services the student is given';

COMMENT ON COLUMN sif_history.student_special_education_summary.recorded_from IS 'When the state knew this version';

COMMENT ON COLUMN sif_history.student_special_education_summary.message_id IS 'Message that made this version';

COMMENT ON COLUMN sif_history.student_special_education_summary.content_hash IS 'First 16 bytes of the document''s SHA-256';

COMMENT ON COLUMN sif_history.student_special_education_summary.extended IS 'SIF_ExtendedElements: name to value';

COMMENT ON COLUMN sif_history.student_special_education_summary.document IS 'The folded object as XML';

COMMENT ON COLUMN sif_history.student_special_education_summary.recorded_to IS 'When the state knew better';

CREATE TABLE sif_history.term_info (
    zone_id INTEGER NOT NULL,
    row_key UUID NOT NULL,
    school_ref_id UUID NOT NULL,
    school_year INTEGER NOT NULL,
    start_date DATE NOT NULL,
    end_date DATE NOT NULL,
    description TEXT,
    relative_duration NUMERIC,
    term_code TEXT,
    track TEXT,
    term_span_code TEXT,
    is_marking_term TEXT,
    is_scheduling_term TEXT,
    is_attendance_term TEXT,
    recorded_from TIMESTAMP WITH TIME ZONE NOT NULL,
    message_id BIGINT NOT NULL,
    content_hash UUID NOT NULL,
    extended JSONB,
    document TEXT NOT NULL,
    recorded_to TIMESTAMP WITH TIME ZONE NOT NULL,
    CONSTRAINT pk_term_info PRIMARY KEY (zone_id, row_key, recorded_from)
);

CREATE INDEX ix_term_info_recorded_to ON sif_history.term_info (recorded_to);

COMMENT ON TABLE sif_history.term_info IS 'Closed versions: A term (year, semester, quarter ...) of one school in one school year.';

COMMENT ON COLUMN sif_history.term_info.zone_id IS 'Zone of the district that sent the object';

COMMENT ON COLUMN sif_history.term_info.row_key IS 'The object''s RefId, or a hash of its natural key';

COMMENT ON COLUMN sif_history.term_info.school_ref_id IS 'School that keeps the term';

COMMENT ON COLUMN sif_history.term_info.school_year IS 'School year by its end year';

COMMENT ON COLUMN sif_history.term_info.start_date IS 'First day of the term';

COMMENT ON COLUMN sif_history.term_info.end_date IS 'Last day of the term';

COMMENT ON COLUMN sif_history.term_info.description IS 'Name of the term';

COMMENT ON COLUMN sif_history.term_info.relative_duration IS 'Share of the school year, 0 to 1';

COMMENT ON COLUMN sif_history.term_info.term_code IS 'District''s code of the term';

COMMENT ON COLUMN sif_history.term_info.track IS 'Track the term belongs to';

COMMENT ON COLUMN sif_history.term_info.term_span_code IS 'Kind of term';

COMMENT ON COLUMN sif_history.term_info.is_marking_term IS 'Marks are given for it';

COMMENT ON COLUMN sif_history.term_info.is_scheduling_term IS 'Sections are scheduled by it';

COMMENT ON COLUMN sif_history.term_info.is_attendance_term IS 'Attendance is summarised by it';

COMMENT ON COLUMN sif_history.term_info.recorded_from IS 'When the state knew this version';

COMMENT ON COLUMN sif_history.term_info.message_id IS 'Message that made this version';

COMMENT ON COLUMN sif_history.term_info.content_hash IS 'First 16 bytes of the document''s SHA-256';

COMMENT ON COLUMN sif_history.term_info.extended IS 'SIF_ExtendedElements: name to value';

COMMENT ON COLUMN sif_history.term_info.document IS 'The folded object as XML';

COMMENT ON COLUMN sif_history.term_info.recorded_to IS 'When the state knew better';
