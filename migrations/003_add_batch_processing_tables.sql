-- Sessions, their batches and items, the ledger of paid calls, the audit trail and the alert outbox.
-- Every money column is whole micro-dollars. Every time is the database's clock.

-- Up Migration

CREATE TABLE batch_processing_sessions (
  session_id     uuid PRIMARY KEY DEFAULT gen_random_uuid(),
  -- What people say and type. Counted by the program: an identity column leaves a gap of 32 after a crash.
  number         integer     NOT NULL UNIQUE CHECK (number > 0),
  status         text        NOT NULL CHECK (status IN
    ('INITIATED', 'PROCESSING', 'PAUSED', 'COMPLETED', 'PARTIAL', 'FAILED', 'CANCELLED')),
  -- Why it is paused or why it ended short: budget, day_budget, failures, operator, cancelled, or a provider failure.
  reason         text,
  provider       text        NOT NULL,
  model          text        NOT NULL,
  simulated      boolean     NOT NULL,

  budget         bigint      NOT NULL CHECK (budget > 0),
  -- Reserved for calls that are out.
  held           bigint      NOT NULL DEFAULT 0 CHECK (held >= 0),
  -- Charged, unknown outcomes included.
  spent          bigint      NOT NULL DEFAULT 0 CHECK (spent >= 0),
  -- The part of `spent` that stands for calls whose outcome nobody knows yet.
  unknown        bigint      NOT NULL DEFAULT 0 CHECK (unknown >= 0 AND unknown <= spent),
  -- Billed above a hold. Outside the cap because it cannot be prevented any more; shown, and it raises later holds.
  overrun        bigint      NOT NULL DEFAULT 0 CHECK (overrun >= 0),
  estimated_cost bigint      NOT NULL,
  worst_cost     bigint      NOT NULL,
  -- Holds are worst cases times this, in thousandths; over 1000 after a bill above its hold.
  hold_permille  integer     NOT NULL DEFAULT 1000 CHECK (hold_permille >= 1000),

  total          integer     NOT NULL CHECK (total >= 0),
  analyzed       integer     NOT NULL DEFAULT 0,
  failed         integer     NOT NULL DEFAULT 0,
  skipped        integer     NOT NULL DEFAULT 0,
  retries        integer     NOT NULL DEFAULT 0,
  -- Failures since the last success; a long run pauses the session.
  failure_run    integer     NOT NULL DEFAULT 0,
  -- Writes of workers that had lost their claim; they changed nothing.
  stale_writes   integer     NOT NULL DEFAULT 0,
  ungrounded     integer     NOT NULL DEFAULT 0,
  -- Why searches stopped although the session asked for them.
  research_off   text,

  -- The settings it was started with, so that a restart or an edit of the environment does not change it midway.
  settings       jsonb       NOT NULL,
  started_by     text        NOT NULL,
  created_at     timestamptz NOT NULL DEFAULT now(),
  started_at     timestamptz,
  finished_at    timestamptz,
  last_progress_at timestamptz NOT NULL DEFAULT now(),

  CONSTRAINT within_budget CHECK (spent + held <= budget),
  CONSTRAINT counted_once CHECK (analyzed + failed + skipped <= total)
);

-- Few rows: what workers, monitor and the single-session rule look for.
CREATE INDEX batch_processing_sessions_live ON batch_processing_sessions (number)
  WHERE status IN ('INITIATED', 'PROCESSING', 'PAUSED');

CREATE TABLE batch_processing_records (
  batch_id       bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  session_id     uuid        NOT NULL REFERENCES batch_processing_sessions,
  batch_number   integer     NOT NULL CHECK (batch_number > 0),
  article_ids    bigint[]    NOT NULL,
  status         text        NOT NULL DEFAULT 'PENDING' CHECK (status IN
    ('PENDING', 'PROCESSING', 'COMPLETED', 'PARTIAL', 'FAILED', 'CANCELLED')),
  not_before     timestamptz NOT NULL,
  estimated_cost bigint      NOT NULL,
  actual_cost    bigint      NOT NULL DEFAULT 0,
  total          integer     NOT NULL,
  processed      integer     NOT NULL DEFAULT 0,
  failed         integer     NOT NULL DEFAULT 0,
  skipped        integer     NOT NULL DEFAULT 0,
  error          text,
  created_at     timestamptz NOT NULL DEFAULT now(),
  started_at     timestamptz,
  finished_at    timestamptz,
  UNIQUE (session_id, batch_number),
  CONSTRAINT counted_once CHECK (processed + failed + skipped <= total)
);

CREATE TABLE batch_processing_items (
  item_id        bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  session_id     uuid        NOT NULL REFERENCES batch_processing_sessions,
  batch_id       bigint      NOT NULL REFERENCES batch_processing_records,
  article_id     bigint      NOT NULL REFERENCES articles (id),
  -- Order of work inside the session.
  position       integer     NOT NULL,
  status         text        NOT NULL DEFAULT 'PENDING' CHECK (status IN
    ('PENDING', 'PROCESSING', 'ANALYZED', 'FAILED', 'SKIPPED')),
  -- Why it was skipped: budget, day_budget, cancelled, invalid.
  reason         text,
  -- RESEARCH once the analysis is stored and only searching is left.
  stage          text        NOT NULL DEFAULT 'ANALYSIS' CHECK (stage IN ('ANALYSIS', 'RESEARCH')),
  attempts       integer     NOT NULL DEFAULT 0,
  max_attempts   integer     NOT NULL,
  -- Times an operator gave it new attempts.
  recoveries     integer     NOT NULL DEFAULT 0,
  not_before     timestamptz NOT NULL,
  lease_token    uuid,
  lease_until    timestamptz,
  lease_owner    text,
  -- The most its analysis can cost; holds are made from it.
  worst_case     bigint      NOT NULL CHECK (worst_case >= 0),
  -- Machine word and text of the last failure; `permanent` when trying again cannot help.
  error_class    text,
  error          text,
  permanent      boolean     NOT NULL DEFAULT false,
  updated_at     timestamptz NOT NULL DEFAULT now(),
  UNIQUE (session_id, article_id),
  CONSTRAINT leased_while_processing CHECK ((status = 'PROCESSING') = (lease_token IS NOT NULL))
);

-- Every claim and every settlement changes an entry in each index of this table, so there are no more than needed.

-- The claim: due work of a session in order. Leading with not_before keeps batches that are not due yet,
-- and articles that wait for their next attempt, out of the scan.
CREATE INDEX batch_processing_items_due ON batch_processing_items (session_id, not_before, position)
  WHERE status = 'PENDING';
-- An article is in at most one live session; a second claim on it fails here whatever the program does.
CREATE UNIQUE INDEX batch_processing_items_live ON batch_processing_items (article_id)
  WHERE status IN ('PENDING', 'PROCESSING');
CREATE INDEX batch_processing_items_leases ON batch_processing_items (lease_until) WHERE status = 'PROCESSING';

-- The ledger: one row a request that costs money, written and committed before the request leaves.
CREATE TABLE paid_calls (
  call_id        bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  session_id     uuid        NOT NULL REFERENCES batch_processing_sessions,
  batch_id       bigint      NOT NULL,
  item_id        bigint      NOT NULL REFERENCES batch_processing_items,
  article_id     bigint      NOT NULL,
  attempt        integer     NOT NULL,
  kind           text        NOT NULL CHECK (kind IN ('analysis', 'search', 'validation')),
  provider       text        NOT NULL,
  model          text        NOT NULL,
  simulated      boolean     NOT NULL,
  state          text        NOT NULL DEFAULT 'HELD' CHECK (state IN ('HELD', 'SETTLED', 'RELEASED', 'UNKNOWN')),
  -- The hold: the most the call can cost.
  amount         bigint      NOT NULL CHECK (amount >= 0),
  spent          bigint      NOT NULL DEFAULT 0 CHECK (spent >= 0),
  overrun        bigint      NOT NULL DEFAULT 0 CHECK (overrun >= 0),
  input_tokens   integer,
  output_tokens  integer,
  thought_tokens integer,
  cached_tokens  integer,
  credits        integer,
  answered_model text,
  failure        text,
  detail         text,
  -- The UTC day whose cap it counts against.
  day            date        NOT NULL,
  lease_token    uuid        NOT NULL,
  -- Names the write that ended the call, so that repeating it after a lost answer is recognised.
  outcome_id     uuid,
  held_at        timestamptz NOT NULL DEFAULT now(),
  ended_at       timestamptz,
  CONSTRAINT never_above_hold CHECK (spent <= amount),
  CONSTRAINT charged_by_state CHECK (
    (state = 'SETTLED') OR (state = 'UNKNOWN' AND spent = amount) OR (state IN ('HELD', 'RELEASED') AND spent = 0))
);

CREATE INDEX paid_calls_session ON paid_calls (session_id, call_id);
CREATE INDEX paid_calls_article ON paid_calls (article_id);
CREATE INDEX paid_calls_open ON paid_calls (item_id) WHERE state = 'HELD';
CREATE INDEX paid_calls_unknown ON paid_calls (session_id) WHERE state = 'UNKNOWN';
CREATE INDEX paid_calls_day ON paid_calls (day);

-- One row a UTC day and kind of money. Simulated charges never use up the day's real cap.
CREATE TABLE day_budgets (
  day       date    NOT NULL,
  simulated boolean NOT NULL,
  -- Null: no cap that day.
  budget    bigint,
  held      bigint  NOT NULL DEFAULT 0 CHECK (held >= 0),
  spent     bigint  NOT NULL DEFAULT 0 CHECK (spent >= 0),
  PRIMARY KEY (day, simulated),
  CONSTRAINT within_budget CHECK (budget IS NULL OR spent + held <= budget)
);

-- Append-only: nothing in the program updates or deletes here, and the trigger below makes sure.
CREATE TABLE session_events (
  event_id   bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  session_id uuid        NOT NULL REFERENCES batch_processing_sessions,
  batch_id   bigint,
  item_id    bigint,
  call_id    bigint,
  -- Who: "operator:cli", "worker:ab12", "cron:monitor".
  actor      text        NOT NULL,
  action     text        NOT NULL,
  from_state text,
  to_state   text,
  detail     jsonb,
  at         timestamptz NOT NULL DEFAULT now()
);

CREATE INDEX session_events_session ON session_events (session_id, event_id);

CREATE FUNCTION refuse_change_of_history() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  RAISE EXCEPTION 'session_events is append-only';
END $$;

CREATE TRIGGER session_events_append_only BEFORE UPDATE OR DELETE ON session_events
  FOR EACH STATEMENT EXECUTE FUNCTION refuse_change_of_history();

-- Outbox: written in the transaction that caused the alert, delivered later, at least once.
CREATE TABLE alerts (
  alert_id    bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  session_id  uuid REFERENCES batch_processing_sessions,
  -- rule + session + level: the same trouble is told once.
  dedupe_key  text        NOT NULL UNIQUE,
  rule        text        NOT NULL,
  level       text        NOT NULL CHECK (level IN ('info', 'warning', 'critical')),
  text        text        NOT NULL,
  attempts    integer     NOT NULL DEFAULT 0,
  not_before  timestamptz NOT NULL DEFAULT now(),
  created_at  timestamptz NOT NULL DEFAULT now(),
  sent_at     timestamptz,
  resolved_at timestamptz
);

CREATE INDEX alerts_unsent ON alerts (not_before) WHERE sent_at IS NULL;

-- Processes that work off sessions, so that a command finds out whether somebody does already.
CREATE TABLE workers (
  worker_id  text PRIMARY KEY,
  role       text        NOT NULL,
  started_at timestamptz NOT NULL DEFAULT now(),
  seen_at    timestamptz NOT NULL DEFAULT now()
);

ALTER TABLE article_analyses ADD FOREIGN KEY (session_id) REFERENCES batch_processing_sessions;
