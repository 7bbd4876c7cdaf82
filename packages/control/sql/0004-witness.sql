-- Witness owns: the largest checkpoint of each log that control has verified to be consistent with all before it.
CREATE TABLE witness_seen (
  origin text PRIMARY KEY,
  size bigint NOT NULL,
  root bytea NOT NULL,
  seen_at bigint NOT NULL
);
