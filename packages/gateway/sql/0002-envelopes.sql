-- Envelopes as they were accepted, and the manifest bundles that were applied. An envelope is written in the same
-- statement as its message.accepted event and never updated but to take its carrier parts out at the terminal outcome.

CREATE TABLE envelope (
  message uuid PRIMARY KEY,
  sender text NOT NULL,
  id bytea NOT NULL,
  lane smallint NOT NULL,
  conversation text NOT NULL,
  expires bigint NOT NULL,
  body bytea NOT NULL
);

-- Bodies are sealed, so compressing them is lost work; up to 8 kB they stay in the row, which saves five WAL records each.
ALTER TABLE envelope ALTER COLUMN body SET STORAGE EXTERNAL;
ALTER TABLE envelope SET (toast_tuple_target = 8160);

-- For housekeeping alone: expiry follows the order of arrival closely enough.
CREATE INDEX envelope_expires ON envelope USING brin (expires);

CREATE TABLE bundle (
  version bigint PRIMARY KEY,
  digest text NOT NULL,
  jws text NOT NULL,
  approval text NOT NULL,
  applied_at bigint NOT NULL
);
