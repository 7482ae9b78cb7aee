-- What lets the desk watch itself: crons that run once a slot, alerts and their delivery, feeds, and sessions that wait
-- for a provider. Times are the database's clock, money is whole micro-dollars.

-- Up Migration

-- One row a cron. Every process fires every cron; the one whose update of `last_slot` succeeds runs it.
CREATE TABLE crons (
  job           text PRIMARY KEY,
  -- As configured by the process that started last, UTC, or `off`. Processes with another one leave it alone.
  schedule      text        NOT NULL,
  -- Since when it has this schedule: slots before that belong to nobody.
  since         timestamptz NOT NULL DEFAULT now(),
  -- The newest slot that somebody took: the compare-and-set.
  last_slot     timestamptz,
  -- Times that slot was taken: a runner that died is followed by another one, but not for ever.
  tries         integer     NOT NULL DEFAULT 0,
  runner        text,
  -- Null: not running.
  running_since timestamptz,
  -- Renewed while it runs; after this the runner counts as dead.
  lease_until   timestamptz,
  last_ended_at timestamptz,
  last_ok_at    timestamptz,
  -- Of the newest run; null when that went well.
  last_error    text,
  runs          integer     NOT NULL DEFAULT 0,
  -- Of all runs.
  failures      integer     NOT NULL DEFAULT 0,
  CONSTRAINT leased_while_running CHECK ((running_since IS NULL) = (lease_until IS NULL))
);

-- One row a feed of FEEDS, so that one that stays silent is noticed.
CREATE TABLE feeds (
  location      text PRIMARY KEY,
  last_run_at   timestamptz NOT NULL DEFAULT now(),
  last_ok_at    timestamptz,
  last_error    text,
  -- In a row, since the last success.
  failures      integer     NOT NULL DEFAULT 0,
  -- Articles that came by it, all told.
  added         bigint      NOT NULL DEFAULT 0,
  -- What the server calls the version that was read last, and when that was: asked for again only if it has changed.
  etag          text,
  last_modified text,
  read_at       timestamptz
);

ALTER TABLE batch_processing_sessions
  -- PAUSED and comes back by itself at this time: the trouble was the provider's and may pass.
  ADD COLUMN resume_at        timestamptz,
  -- Times that it came back without one success since; the waits grow with it.
  ADD COLUMN resume_tries     integer  NOT NULL DEFAULT 0 CHECK (resume_tries >= 0),
  -- Shares of the budget, in percent, at which people are told.
  ADD COLUMN warn_percent     smallint NOT NULL DEFAULT 67 CHECK (warn_percent BETWEEN 1 AND 100),
  ADD COLUMN critical_percent smallint NOT NULL DEFAULT 83 CHECK (critical_percent BETWEEN 1 AND 100),
  -- Names the wish that started it (a confirmed button, an Idempotency-Key): the same wish starts one session.
  ADD COLUMN request_key      text UNIQUE,
  ADD CONSTRAINT resumes_only_from_pause CHECK (resume_at IS NULL OR status = 'PAUSED');

-- An alert is a condition that lasts until it is resolved, or an event that is told once. Delivery is counted per sink.
ALTER TABLE alerts
  DROP COLUMN attempts,
  DROP COLUMN not_before,
  DROP COLUMN sent_at,
  DROP CONSTRAINT alerts_dedupe_key_key,
  -- The figures behind the text.
  ADD COLUMN detail          jsonb   NOT NULL DEFAULT '{}',
  ADD COLUMN lasting         boolean NOT NULL DEFAULT false,
  ADD COLUMN acknowledged_at timestamptz,
  ADD COLUMN acknowledged_by text,
  -- Why it is over; null with resolved_at: nothing to say.
  ADD COLUMN resolution      text,
  -- Whether its end is told to those who were told of it.
  ADD COLUMN tell_resolved   boolean NOT NULL DEFAULT true;

-- The same trouble is open once; after its end it may come again.
CREATE UNIQUE INDEX alerts_open ON alerts (dedupe_key) WHERE resolved_at IS NULL;
CREATE INDEX alerts_created ON alerts (created_at);
CREATE INDEX alerts_resolved ON alerts (resolved_at) WHERE resolved_at IS NOT NULL;
CREATE INDEX alerts_session ON alerts (session_id);

-- Where alerts go: "log", "webhook", "telegram:<chat>". A sink that is down waits as a whole, so order is kept.
CREATE TABLE alert_sinks (
  sink        text PRIMARY KEY,
  -- It is told of nothing older.
  since       timestamptz NOT NULL DEFAULT now(),
  -- Failures in a row.
  attempts    integer     NOT NULL DEFAULT 0,
  not_before  timestamptz NOT NULL DEFAULT now(),
  last_error  text,
  last_ok_at  timestamptz,
  -- Who delivers now: one process at a time.
  lease_token uuid,
  lease_until timestamptz
);

CREATE TABLE alert_deliveries (
  alert_id bigint      NOT NULL REFERENCES alerts ON DELETE CASCADE,
  notice   text        NOT NULL CHECK (notice IN ('raised', 'resolved')),
  sink     text        NOT NULL,
  -- refused: the sink will never take it. obsolete: over before it could be told.
  outcome  text        NOT NULL CHECK (outcome IN ('sent', 'refused', 'obsolete')),
  detail   text,
  at       timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (alert_id, notice, sink)
);

-- "Be quiet about this until then." Alerts are written all the same.
CREATE TABLE alert_mutes (
  mute_id    bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  -- Null: about everything.
  rule       text,
  session_id uuid REFERENCES batch_processing_sessions,
  until      timestamptz NOT NULL,
  muted_by   text        NOT NULL,
  created_at timestamptz NOT NULL DEFAULT now(),
  -- Taken back before its time.
  ended_at   timestamptz
);

CREATE INDEX alert_mutes_until ON alert_mutes (until) WHERE ended_at IS NULL;

/*
 * Alerts about money are raised by the row itself: claims, settlements, reclaimed leases, an operator's word and a new
 * budget all change it, each in a statement of its own, and none of them can forget this. The WHEN below keeps it out
 * of the way of every other update. Levels are a matter of live sessions: a session that ends takes its level along,
 * one that is recovered is told of it again.
 */
CREATE FUNCTION raise_money_alerts() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
  lives      boolean := NEW.status IN ('INITIATED', 'PROCESSING', 'PAUSED');
  lived      boolean := OLD.status IN ('INITIATED', 'PROCESSING', 'PAUSED');
  now_level  text := CASE WHEN NOT lives THEN NULL
    WHEN NEW.spent * 100 >= NEW.budget * NEW.critical_percent THEN 'critical'
    WHEN NEW.spent * 100 >= NEW.budget * NEW.warn_percent THEN 'warning' END;
  was_level  text := CASE WHEN NOT lived THEN NULL
    WHEN OLD.spent * 100 >= OLD.budget * OLD.critical_percent THEN 'critical'
    WHEN OLD.spent * 100 >= OLD.budget * OLD.warn_percent THEN 'warning' END;
  share      bigint := NEW.spent * 100 / NEW.budget;
  -- Cut, never rounded up, as everywhere else.
  spent_usd  text := '$' || to_char(trunc(NEW.spent / 1000000.0, 4), 'FM999999990.0000');
  budget_usd text := '$' || to_char(trunc(NEW.budget / 1000000.0, 4), 'FM999999990.0000');
  over_usd   text := '$' || to_char((NEW.overrun - OLD.overrun) / 1000000.0, 'FM999999990.000000');
  money      text := CASE WHEN NEW.simulated THEN ' (simulated)' ELSE '' END;
BEGIN
  IF now_level IS DISTINCT FROM was_level THEN
    UPDATE alerts SET resolved_at = now(), tell_resolved = now_level IS NULL AND lives,
      resolution = CASE WHEN NOT lives THEN 'the session has ended'
        WHEN now_level IS NULL THEN 'the budget has room again' ELSE 'its level changed' END
    WHERE session_id = NEW.session_id AND rule IN ('budget_warning', 'budget_critical') AND resolved_at IS NULL
      AND rule <> 'budget_' || coalesce(now_level, '');
    IF now_level IS NOT NULL THEN
      INSERT INTO alerts (session_id, dedupe_key, rule, level, lasting, text, detail)
      VALUES (NEW.session_id, 'budget_' || now_level || ':' || NEW.session_id, 'budget_' || now_level, now_level, true,
        format('Session %s has spent %s %% of its budget: %s of %s%s, %s of %s articles done', NEW.number, share,
          spent_usd, budget_usd, money, NEW.analyzed + NEW.failed + NEW.skipped, NEW.total),
        jsonb_build_object('number', NEW.number, 'spent', NEW.spent, 'held', NEW.held, 'budget', NEW.budget,
          'percent', share, 'analyzed', NEW.analyzed, 'failed', NEW.failed, 'total', NEW.total,
          'simulated', NEW.simulated))
      ON CONFLICT (dedupe_key) WHERE resolved_at IS NULL DO NOTHING;
    END IF;
  END IF;
  IF NEW.overrun > OLD.overrun THEN
    INSERT INTO alerts (session_id, dedupe_key, rule, level, text, detail)
    VALUES (NEW.session_id, 'overrun:' || NEW.session_id, 'overrun', 'warning',
      format('Session %s was billed %s above its holds%s; the next holds are larger', NEW.number, over_usd, money),
      jsonb_build_object('number', NEW.number, 'overrun', NEW.overrun, 'hold_permille', NEW.hold_permille,
        'simulated', NEW.simulated))
    ON CONFLICT (dedupe_key) WHERE resolved_at IS NULL DO NOTHING;
  END IF;
  IF NEW.unknown > 0 AND OLD.unknown = 0 THEN
    INSERT INTO alerts (session_id, dedupe_key, rule, level, lasting, text, detail)
    VALUES (NEW.session_id, 'unknown_outcomes:' || NEW.session_id, 'unknown_outcomes', 'warning', true,
      format('Session %s has calls whose outcome nobody knows; they are charged in full%s', NEW.number, money),
      jsonb_build_object('number', NEW.number, 'unknown', NEW.unknown, 'simulated', NEW.simulated))
    ON CONFLICT (dedupe_key) WHERE resolved_at IS NULL DO NOTHING;
  ELSIF NEW.unknown = 0 AND OLD.unknown > 0 THEN
    UPDATE alerts SET resolved_at = now(), resolution = 'every outcome is known'
    WHERE dedupe_key = 'unknown_outcomes:' || NEW.session_id AND resolved_at IS NULL;
  END IF;
  RETURN NULL;
END $$;

CREATE TRIGGER money_alerts AFTER UPDATE OF budget, spent, overrun, unknown, status ON batch_processing_sessions
  FOR EACH ROW
  WHEN (NEW.overrun > OLD.overrun OR (NEW.unknown = 0) <> (OLD.unknown = 0)
    OR (NEW.status IN ('INITIATED', 'PROCESSING', 'PAUSED')) <> (OLD.status IN ('INITIATED', 'PROCESSING', 'PAUSED'))
    OR (NEW.spent * 100 >= NEW.budget * NEW.warn_percent) <> (OLD.spent * 100 >= OLD.budget * OLD.warn_percent)
    OR (NEW.spent * 100 >= NEW.budget * NEW.critical_percent) <> (OLD.spent * 100 >= OLD.budget * OLD.critical_percent))
  EXECUTE FUNCTION raise_money_alerts();

/*
 * A session that comes back by itself keeps the alert of its pause until something succeeds: while a provider is away
 * it pauses and comes back many times, and that is one trouble.
 */
CREATE FUNCTION resolve_provider_alerts() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  UPDATE alerts SET resolved_at = now(), resolution = 'an article was analysed again'
  WHERE session_id = NEW.session_id AND rule IN ('provider_refusing', 'failing', 'cannot_work')
    AND resolved_at IS NULL;
  RETURN NULL;
END $$;

CREATE TRIGGER provider_alerts AFTER UPDATE OF resume_tries ON batch_processing_sessions
  FOR EACH ROW
  WHEN (OLD.resume_tries > 0 AND NEW.resume_tries = 0 AND OLD.status = 'PROCESSING' AND NEW.status = 'PROCESSING')
  EXECUTE FUNCTION resolve_provider_alerts();
