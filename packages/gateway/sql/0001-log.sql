-- The log: 64 lanes of events, gapless each, and the one Merkle tree the sequencer makes of them (DESIGN sections 7 and 8).
-- Rows of lane_event are never updated; erasing a record sets record and salt to null and leaves the leaf.

CREATE TABLE lane (
  lane smallint PRIMARY KEY CHECK (lane BETWEEN 0 AND 63),
  head bigint NOT NULL DEFAULT 0
) WITH (fillfactor = 20);

INSERT INTO lane (lane) SELECT generate_series(0, 63);

CREATE TABLE lane_event (
  lane smallint NOT NULL,
  seq bigint NOT NULL,
  kind text NOT NULL,
  message uuid,
  at bigint NOT NULL,
  record text,
  salt bytea,
  leaf bytea NOT NULL,
  leaf_hash bytea NOT NULL,
  PRIMARY KEY (lane, seq)
);

ALTER TABLE lane_event ALTER COLUMN record SET STORAGE EXTERNAL;
ALTER TABLE lane_event SET (toast_tuple_target = 8160);

CREATE INDEX lane_event_message ON lane_event (message, seq) WHERE message IS NOT NULL;

-- Where the tree stands in each lane.
CREATE TABLE log_lane (
  lane smallint PRIMARY KEY,
  sequenced bigint NOT NULL DEFAULT 0
) WITH (fillfactor = 20);

INSERT INTO log_lane (lane) SELECT generate_series(0, 63);

-- Tree positions, a row a run: events first_seq … first_seq + count - 1 of the lane stand at position … in that order. The
-- roots of full subtrees of 256, 65536 … leaves are what tiles and proofs above the leaf level are read from.
CREATE TABLE log_run (
  position bigint PRIMARY KEY,
  lane smallint NOT NULL,
  first_seq bigint NOT NULL,
  count int NOT NULL
);

CREATE UNIQUE INDEX log_run_place ON log_run (lane, first_seq);

CREATE TABLE log_node (
  level smallint NOT NULL,
  idx bigint NOT NULL,
  hash bytea NOT NULL,
  PRIMARY KEY (level, idx)
);

-- One row: the append state and who may append. A writer whose epoch is not this one writes nothing.
CREATE TABLE log_state (
  one boolean PRIMARY KEY DEFAULT true CHECK (one),
  size bigint NOT NULL,
  frontier bytea NOT NULL,
  owner text NOT NULL,
  epoch bigint NOT NULL,
  lease_until bigint NOT NULL
) WITH (fillfactor = 20);

INSERT INTO log_state (size, frontier, owner, epoch, lease_until) VALUES (0, '\x0000000000000000', '', 0, 0);

-- Signed heads. `at`: everything committed before that moment is in the tree of this size.
CREATE TABLE log_checkpoint (
  size bigint PRIMARY KEY,
  root bytea NOT NULL,
  note text NOT NULL,
  at bigint NOT NULL,
  witnessed boolean NOT NULL DEFAULT false
);
