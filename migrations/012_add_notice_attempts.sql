-- What was on its way to a chat when its answer got lost, or the process died over it: told again, it can say so.

-- Up Migration

ALTER TABLE telegram_notices
  -- False: it was begun, and nobody knows whether it arrived.
  ADD COLUMN told boolean NOT NULL DEFAULT true,
  -- Null: a message of its own was being sent; otherwise the message that it was being added to.
  ALTER COLUMN message_id DROP NOT NULL,
  ADD CONSTRAINT known_when_told CHECK (NOT told OR message_id IS NOT NULL);
