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

CREATE INDEX envelope_expires ON envelope (expires);

CREATE TABLE bundle (
  version bigint PRIMARY KEY,
  digest text NOT NULL,
  jws text NOT NULL,
  approval text NOT NULL,
  applied_at bigint NOT NULL
);
