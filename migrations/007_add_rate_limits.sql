-- How many requests a minute a provider gets from all processes of this database together, and when it wants none.

-- Up Migration

-- One row a provider, and one short update for many requests: see lib/batches/worker/shared_rate.ts.
CREATE TABLE rate_limits (
  provider     text PRIMARY KEY,
  -- The first place that nobody has reserved yet. In the past: some may leave at once.
  next_at      timestamptz NOT NULL,
  -- The provider asked to be left alone until then; null: it never did.
  closed_until timestamptz
);
