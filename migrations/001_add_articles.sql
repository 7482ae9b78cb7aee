-- Articles as they were taken in. Text columns hold plain text only: HTML is turned into text on the way in.

-- Up Migration

CREATE TABLE articles (
  id            bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  source        text        NOT NULL,
  external_id   text,
  url           text,
  title         text        NOT NULL,
  body          text        NOT NULL,
  -- Counted once on the way in: the identifier filters on it without reading the body.
  body_chars    integer     NOT NULL,
  -- UTF-8 bytes bound the number of tokens from above (a token covers at least one byte).
  body_bytes    integer     NOT NULL,
  body_hash     text        NOT NULL,
  language      text,
  published_at  timestamptz,
  status        text        NOT NULL DEFAULT 'ACTIVE' CHECK (status IN ('ACTIVE', 'ARCHIVED', 'DELETED')),
  -- Set in the transaction that stores an analysis, so that "not analysed yet" is an index range, not an anti-join.
  analyzed_at   timestamptz,
  -- Why no analyst can read it (a refusal that trying again cannot change); such an article is not picked again.
  given_up      text,
  created_at    timestamptz NOT NULL DEFAULT now(),
  updated_at    timestamptz NOT NULL DEFAULT now()
);

-- The three ways in which a second delivery of the same article is recognised.
CREATE UNIQUE INDEX articles_source_external_id ON articles (source, external_id) WHERE external_id IS NOT NULL;
CREATE UNIQUE INDEX articles_url ON articles (url) WHERE url IS NOT NULL;
-- An empty body is not an identity: two articles without text are two articles.
CREATE UNIQUE INDEX articles_body_hash ON articles (body_hash) WHERE body_chars > 0;

-- Serves the identifier: newest first among what nobody has read, without touching analysed articles.
CREATE INDEX articles_unanalyzed ON articles (published_at DESC NULLS LAST, id DESC)
  INCLUDE (body_chars, body_bytes, language)
  WHERE status = 'ACTIVE' AND analyzed_at IS NULL AND given_up IS NULL;
