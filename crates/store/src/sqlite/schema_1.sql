CREATE TABLE meta (name TEXT PRIMARY KEY, value ANY) STRICT, WITHOUT ROWID;

-- What repeats from row to row; columns of other tables hold its numbers.
CREATE TABLE dictionary (number INTEGER PRIMARY KEY, kind INTEGER NOT NULL, value BLOB NOT NULL) STRICT;

CREATE TABLE payments (
    id BLOB PRIMARY KEY,
    merchant, mode, status,
    -- Processing, requires action or in doubt: 1, else 0.
    open,
    in_doubt,
    amount, currency, authorized, captured, released, refunded,
    pending, operations,
    country, order_type, reference, method, capture,
    card, checks, capture_before, next_action, failure, last_failure,
    rule, rules_version, channel, reason, snapshot, offer, route,
    provider, provider_reference, observed_at, observed_from, contradiction,
    statement_descriptor, description, customer, metadata, allow_duplicate_reference,
    created_at, updated_at, events, version,
    -- The position of its latest event, from which its others are found without an index.
    last_event,
    webhook_endpoint
) WITHOUT ROWID;

CREATE INDEX payments_open ON payments (reference, merchant, mode) WHERE open = 1;

-- A capture, void or refund is its operation. State 0 is intended, 1 in doubt.
CREATE TABLE operations (
    id BLOB PRIMARY KEY,
    payment, kind, state, amount, last, reason, target, provider_reference, failure,
    created_at, updated_at, send_by, next_look_up_at, look_ups, events, version,
    -- The fingerprint of the request that asked for it, and the number of the answer it was given.
    request, answer,
    -- The form in which that request was written; a replay answers in it.
    form
) WITHOUT ROWID;

CREATE INDEX operations_open ON operations (next_look_up_at, state, created_at)
    WHERE next_look_up_at IS NOT NULL OR state < 2;

-- Final answers, byte for byte. Apart from their operations, so that neither grows when the answer comes.
CREATE TABLE answers (number INTEGER PRIMARY KEY, status, body);

-- The one tree with random keys.
CREATE TABLE claims (key BLOB PRIMARY KEY, operation) WITHOUT ROWID;

-- What it is about is a payment, one of its operations, or without a payment a webhook endpoint.
-- State: how payment and operation stood right after it. Previous: the event of the same payment before it.
CREATE TABLE events (
    position INTEGER PRIMARY KEY, kind, payment, operation, sequence, at, merchant, mode, previous, state
);

CREATE TABLE api_keys (
    id BLOB PRIMARY KEY, hash BLOB NOT NULL, merchant TEXT NOT NULL, mode INTEGER NOT NULL, scopes INTEGER NOT NULL,
    label TEXT NOT NULL, addresses TEXT NOT NULL, created_at INTEGER NOT NULL, expires_at INTEGER, revoked_at INTEGER,
    last_used_at INTEGER, per_second INTEGER, burst INTEGER, version TEXT NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE overrides (
    channel TEXT PRIMARY KEY, status TEXT NOT NULL, reason TEXT NOT NULL, expires_at INTEGER, set_at INTEGER NOT NULL,
    set_by TEXT NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE audit (
    position INTEGER PRIMARY KEY, at INTEGER NOT NULL, actor TEXT NOT NULL, action TEXT NOT NULL,
    subject TEXT NOT NULL, detail TEXT NOT NULL
) STRICT;

-- Decisions that were made before their payments, until they expire. The oldest are the first.
CREATE TABLE routes (
    id BLOB PRIMARY KEY,
    merchant, mode, amount, currency, country, order_type, method, capture,
    rule, rules_version, channel, reason, snapshot, offer, target,
    created_at, expires_at
) WITHOUT ROWID;

-- Every rule set that was ever in force, once: decisions name it by its hash, and are evaluated again with it.
CREATE TABLE rules (
    number INTEGER PRIMARY KEY, hash TEXT NOT NULL UNIQUE, kept_at INTEGER NOT NULL, vocabulary TEXT NOT NULL,
    source TEXT NOT NULL
) STRICT;

-- Where merchants get events. Cursor: up to there nothing is left to do, but for what has a row in deliveries.
CREATE TABLE webhook_endpoints (
    id BLOB PRIMARY KEY, merchant TEXT NOT NULL, mode INTEGER NOT NULL, url TEXT NOT NULL, description TEXT,
    events TEXT NOT NULL, enabled INTEGER NOT NULL, disabled_reason TEXT, secret BLOB NOT NULL, former_secret BLOB,
    former_until INTEGER, created_at INTEGER NOT NULL, updated_at INTEGER NOT NULL, told INTEGER NOT NULL,
    version INTEGER NOT NULL, cursor INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- Events that an endpoint did not take at once. Status 0 is to be delivered.
CREATE TABLE deliveries (
    endpoint BLOB NOT NULL, position INTEGER NOT NULL, event BLOB NOT NULL, object BLOB NOT NULL,
    status INTEGER NOT NULL, again INTEGER NOT NULL, since INTEGER NOT NULL, next_at INTEGER, tries INTEGER NOT NULL,
    attempts BLOB, PRIMARY KEY (endpoint, position)
) STRICT, WITHOUT ROWID;

CREATE INDEX deliveries_due ON deliveries (endpoint, next_at) WHERE status = 0;

CREATE INDEX deliveries_ended ON deliveries (since) WHERE status <> 0;

CREATE INDEX deliveries_waiting ON deliveries (endpoint, object, position) WHERE status = 0 AND again = 0;

-- Changes of channels' statuses: the operators' feed. A handful a day, off the path of payments.
CREATE TABLE channel_events (
    position INTEGER PRIMARY KEY, at INTEGER NOT NULL, channel TEXT NOT NULL, mode INTEGER NOT NULL,
    was TEXT NOT NULL, is_now TEXT NOT NULL, cause TEXT NOT NULL, reason TEXT NOT NULL, caused_by TEXT, until INTEGER
) STRICT;

CREATE INDEX channel_events_last ON channel_events (channel, mode, position);

-- Accounts that no payment needed when the configuration left them out, and that none can have come to since.
CREATE TABLE free_accounts (
    channel TEXT NOT NULL, base TEXT NOT NULL, account TEXT NOT NULL, mode INTEGER NOT NULL,
    PRIMARY KEY (channel, base, account, mode)
) STRICT, WITHOUT ROWID;
