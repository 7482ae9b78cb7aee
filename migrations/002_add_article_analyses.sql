-- What an analyst found in an article. What people filter by has a column, what they read is jsonb.

-- Up Migration

CREATE TABLE article_analyses (
  analysis_id       bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  article_id        bigint      NOT NULL REFERENCES articles (id),
  -- 1 for the first analysis of an article, then 2, 3, …
  version           integer     NOT NULL CHECK (version > 0),
  session_id        uuid        NOT NULL,
  provider          text        NOT NULL,
  -- The model that answered, which is not always the one that was asked.
  model             text        NOT NULL,
  prompt_version    text        NOT NULL,
  -- Charges were computed but nobody was paid.
  simulated         boolean     NOT NULL,

  sentiment         text        NOT NULL CHECK (sentiment IN ('POSITIVE', 'NEGATIVE', 'NEUTRAL', 'MIXED')),
  impact_score      real        NOT NULL CHECK (impact_score BETWEEN 0 AND 1),
  signal_strength   real        NOT NULL CHECK (signal_strength BETWEEN 0 AND 1),
  uniqueness_score  real        NOT NULL CHECK (uniqueness_score BETWEEN 0 AND 1),
  confidence        real        NOT NULL CHECK (confidence BETWEEN 0 AND 1),
  summary           text        NOT NULL,
  context           text        NOT NULL,
  topics            text[]      NOT NULL,
  entities          jsonb       NOT NULL,
  weak_signals      jsonb       NOT NULL,
  pattern_anomalies    jsonb    NOT NULL,
  adjacent_connections jsonb    NOT NULL,
  narrative_gaps       jsonb    NOT NULL,
  edge_indicators      jsonb    NOT NULL,
  -- Evidence quotes that did not stand in the article and were dropped.
  ungrounded        integer     NOT NULL CHECK (ungrounded >= 0),

  research_status   text        NOT NULL CHECK
    (research_status IN ('VALIDATED', 'CONTRADICTED', 'INCONCLUSIVE', 'INSUFFICIENT_DATA', 'NOT_RUN')),
  research          jsonb       NOT NULL,

  input_tokens      integer,
  output_tokens     integer,
  -- Micro-dollars of every call that made this analysis, searches included.
  cost              bigint      NOT NULL CHECK (cost >= 0),
  created_at        timestamptz NOT NULL DEFAULT now(),

  UNIQUE (article_id, version)
);

CREATE INDEX article_analyses_session ON article_analyses (session_id);
CREATE INDEX article_analyses_created ON article_analyses (created_at);
