-- What the Telegram bot must not forget when it is restarted: updates on their way to a handler, questions that wait for
-- a tap, messages that show a session's progress, and which message told of which alert.

-- Up Migration

-- Updates as they came in. A repeated one (webhooks are resent, polls after a crash too) meets the primary key.
CREATE TABLE telegram_updates (
  -- Update ids count for one bot; another token starts anew.
  bot_id      bigint      NOT NULL,
  update_id   bigint      NOT NULL,
  -- Null once it was handled.
  body        jsonb,
  received_at timestamptz NOT NULL DEFAULT now(),
  -- A handler that takes longer than its lease is gone.
  lease_until timestamptz,
  tries       integer     NOT NULL DEFAULT 0,
  handled_at  timestamptz,
  error       text,
  PRIMARY KEY (bot_id, update_id)
);

CREATE INDEX telegram_updates_waiting ON telegram_updates (update_id) WHERE handled_at IS NULL;
CREATE INDEX telegram_updates_handled ON telegram_updates (handled_at) WHERE handled_at IS NOT NULL;

-- "Do you want this?" One row a question. The answer counts once, in its chat, from the person who asked, in time.
CREATE TABLE telegram_confirmations (
  token      text PRIMARY KEY,
  kind       text        NOT NULL CHECK (kind IN ('start', 'recover', 'cancel', 'session_budget', 'day_budget', 'unknown')),
  request    jsonb       NOT NULL,
  chat_id    bigint      NOT NULL,
  -- Null until the message was sent.
  message_id bigint,
  user_id    bigint      NOT NULL,
  created_at timestamptz NOT NULL DEFAULT now(),
  expires_at timestamptz NOT NULL,
  used_at    timestamptz,
  answer     text CHECK (answer IN ('yes', 'no')),
  -- What came of it, for people; null with used_at: it was being carried out, or the process died over it.
  outcome    text,
  CONSTRAINT answered_when_used CHECK ((used_at IS NULL) = (answer IS NULL))
);

CREATE INDEX telegram_confirmations_expired ON telegram_confirmations (expires_at);

-- One row for each chat that watches a run of a session. The row is written before the message is sent:
--
--     new -> sending -> live -> closing -> closed      sending -> lost: nobody knows whether it arrived, so it is not
--                                                      sent again; lost -> closing when the session has ended
CREATE TABLE telegram_progress (
  progress_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  session_id  uuid        NOT NULL REFERENCES batch_processing_sessions,
  -- 0, and one more with each recovery: every run has a message of its own.
  run         integer     NOT NULL CHECK (run >= 0),
  -- Whose message it is. A bot looks after its own only: another one, or a chat in a terminal, cannot edit it.
  bot_id      bigint      NOT NULL,
  chat_id     bigint      NOT NULL,
  -- 0: no topic.
  thread_id   bigint      NOT NULL DEFAULT 0,
  message_id  bigint,
  state       text        NOT NULL DEFAULT 'new' CHECK (state IN ('new', 'sending', 'live', 'lost', 'closing', 'closed')),
  -- What the message shows; an edit that changes nothing is not sent.
  shown       text,
  edited_at   timestamptz,
  -- When somebody looks at it again; pushed on while somebody does.
  next_at     timestamptz NOT NULL DEFAULT now(),
  -- Failed tries in a row.
  tries       integer     NOT NULL DEFAULT 0,
  error       text,
  created_at  timestamptz NOT NULL DEFAULT now(),
  UNIQUE (session_id, run, bot_id, chat_id, thread_id),
  CONSTRAINT known_when_live CHECK (state <> 'live' OR message_id IS NOT NULL)
);

CREATE INDEX telegram_progress_due ON telegram_progress (next_at) WHERE state <> 'closed';

-- Counts the runs of a session: its moves out of an end.
CREATE INDEX session_events_reopened ON session_events (session_id)
  WHERE batch_id IS NULL AND item_id IS NULL AND from_state IN ('COMPLETED', 'PARTIAL', 'FAILED', 'CANCELLED');

-- Which message told of an alert: answers go there, and what follows soon is added to it.
CREATE TABLE telegram_notices (
  alert_id   bigint      NOT NULL REFERENCES alerts ON DELETE CASCADE,
  notice     text        NOT NULL CHECK (notice IN ('raised', 'resolved')),
  sink       text        NOT NULL,
  chat_id    bigint      NOT NULL,
  message_id bigint      NOT NULL,
  -- The session's number, or 'desk': alerts of one group share a message when they come close together.
  alert_group text       NOT NULL,
  -- 0 without sound, 1, 2 critical: nothing is added to a message that was less loud.
  loudness   smallint    NOT NULL CHECK (loudness BETWEEN 0 AND 2),
  sent_at    timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (alert_id, notice, sink)
);

CREATE INDEX telegram_notices_message ON telegram_notices (chat_id, message_id);
CREATE INDEX telegram_notices_group ON telegram_notices (sink, notice, alert_group, sent_at);
