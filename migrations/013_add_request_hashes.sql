-- What a wish with a request key asked for, as a hash of its content: the same key with another wish is refused instead
-- of being answered with a session that nobody asked for. Null where the key alone says everything (a cron's slot).
ALTER TABLE batch_processing_sessions ADD COLUMN request_hash text;
