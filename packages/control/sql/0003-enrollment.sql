-- Enrollment owns: invitations (codes as hashes), the directory entries control has signed, in chain order per member,
-- and how often wrong codes came. An entry is stored before it is posted, so that a crash repeats the same bytes.
CREATE TABLE invite (
  code_hash text PRIMARY KEY,
  member text NOT NULL,
  object text NOT NULL,
  approval text NOT NULL,
  expires_at bigint NOT NULL,
  tries int NOT NULL DEFAULT 0,
  device text,
  key_id text
);
CREATE TABLE directory_head (
  member text PRIMARY KEY,
  number int NOT NULL,
  entry_hash text,
  at bigint NOT NULL
);
CREATE TABLE directory_entry (
  member text NOT NULL,
  number int NOT NULL,
  device text NOT NULL,
  change text NOT NULL,
  entry text NOT NULL,
  entry_hash text NOT NULL,
  chain text[] NOT NULL,
  name text NOT NULL,
  expires_at bigint NOT NULL,
  posted boolean NOT NULL DEFAULT false,
  PRIMARY KEY (member, number)
);
CREATE INDEX directory_entry_device ON directory_entry (device);
CREATE INDEX directory_entry_unposted ON directory_entry (member, number) WHERE NOT posted;
CREATE TABLE enrollment_failure (
  source text NOT NULL,
  window_start bigint NOT NULL,
  failures int NOT NULL,
  PRIMARY KEY (source, window_start)
);
