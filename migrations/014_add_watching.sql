-- A failed slot of a cron is taken again, and schedules belong to the processes that have them.

-- Up Migration

ALTER TABLE crons
  -- The newest slot failed and may be taken again from then on; null: it went well, or was tried often enough.
  ADD COLUMN retry_at   timestamptz,
  -- The schedule before this one and since when it held: one that comes back soon has lost no slot.
  ADD COLUMN was        text,
  ADD COLUMN was_since  timestamptz,
  -- False: a timeline of Deno Deploy other than production made the row. Such a process changes no other rows.
  ADD COLUMN production boolean NOT NULL DEFAULT true;

-- What each living process has as the schedule of each cron. The row of `crons` follows the one that started last among
-- those that have one, and is `off` only when none has.
CREATE TABLE cron_schedules (
  process    text        NOT NULL,
  job        text        NOT NULL,
  -- Five cron fields in UTC, or `off`.
  schedule   text        NOT NULL,
  production boolean     NOT NULL,
  began_at   timestamptz NOT NULL DEFAULT now(),
  seen_at    timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (process, job)
);

-- What a batch is after its counters changed, for every statement that changes them: settled, taken back, skipped, put
-- right. Simple enough to be inlined by the planner.
CREATE FUNCTION batch_status(was text, total bigint, processed bigint, failed bigint, skipped bigint) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN CASE
  WHEN processed + failed + skipped < total THEN was
  WHEN total = 0 THEN 'CANCELLED'
  WHEN processed = total THEN 'COMPLETED'
  WHEN processed > 0 THEN 'PARTIAL'
  WHEN failed > 0 THEN 'FAILED'
  ELSE 'CANCELLED' END;
