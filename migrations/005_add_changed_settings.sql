-- Settings that an operator changed while the desk runs: they win over the environment in every process.

-- Up Migration

-- One row a change, never altered: the newest row of a name holds, the others are its history.
CREATE TABLE changed_settings (
  change_id  bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  -- As in the environment: DAY_BUDGET_USD.
  name       text        NOT NULL,
  -- As it would stand in the environment, where empty means "not set" (for a cap: none at all).
  -- Null: as configured again.
  was        text,
  value      text,
  changed_by text        NOT NULL,
  changed_at timestamptz NOT NULL DEFAULT now()
);

CREATE INDEX changed_settings_newest ON changed_settings (name, change_id);

CREATE OR REPLACE FUNCTION refuse_change_of_history() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  RAISE EXCEPTION '% is append-only', TG_TABLE_NAME;
END $$;

CREATE TRIGGER changed_settings_append_only BEFORE UPDATE OR DELETE ON changed_settings
  FOR EACH STATEMENT EXECUTE FUNCTION refuse_change_of_history();

/*
 * The cap of a day in micro-dollars: as changed, else as configured; null: none. VOLATILE on purpose: called after a
 * wait for the day's row it then sees the change that it waited for, which the statement around it does not.
 */
CREATE FUNCTION day_cap(configured bigint) RETURNS bigint LANGUAGE plpgsql VOLATILE AS $$
DECLARE
  changed text;
BEGIN
  SELECT value INTO changed FROM changed_settings WHERE name = 'DAY_BUDGET_USD' ORDER BY change_id DESC LIMIT 1;
  RETURN CASE WHEN changed IS NULL THEN configured WHEN changed <> '' THEN (changed::numeric * 1000000)::bigint END;
END $$;

-- A repair of a day's sums belongs to no session.
ALTER TABLE session_events ALTER COLUMN session_id DROP NOT NULL;
