-- Identity owns as well: who may read the console. A code is bound to the first key that comes with it and makes one
-- session, which is that key for some hours; of the key only the public half was ever here.
CREATE TABLE console_invite (
  code_hash text PRIMARY KEY,
  approver text NOT NULL,
  expires_at bigint NOT NULL,
  session text
);
CREATE TABLE console_session (
  session text PRIMARY KEY,
  x text NOT NULL,
  y text NOT NULL,
  approver text NOT NULL,
  expires_at bigint NOT NULL
);
