-- Who is alive, for the list of processes: beside those that work off sessions also those that only serve pages (role
-- 'web'), each with the machine it runs on and its version, so that a rolling restart can be watched.
ALTER TABLE workers ADD COLUMN host text, ADD COLUMN version text;
