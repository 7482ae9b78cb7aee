-- What is known of searches: whether they work, and what a session that ended lacks.

-- Up Migration

-- Articles that earned a search and were not researched, counted when the session ends.
ALTER TABLE batch_processing_sessions ADD COLUMN research_missing integer NOT NULL DEFAULT 0;

-- The newest search that succeeded and those after it, at every look. Without it all calls of the session would be read;
-- most of them are analyses, which never enter.
CREATE INDEX paid_calls_searches ON paid_calls (session_id, call_id) WHERE kind = 'search';
