-- Agents owns: which agents have a key (agent), the MLS state of each conversation of an agent with a member, sealed under
-- storage keys that are not in this database (agent_group), and the heads of the gateway's log control has seen (log_head).
CREATE TABLE agent (
  agent text PRIMARY KEY
);
-- One row a conversation. `version` grows with every change and `lease_epoch` with every change of owner; a write names
-- both, so two processes never send with one generation. `pending` is a commit that was made but not yet taken.
CREATE TABLE agent_group (
  agent text NOT NULL,
  member text NOT NULL,
  conversation text NOT NULL UNIQUE,
  epoch bigint NOT NULL DEFAULT 0,
  version bigint NOT NULL DEFAULT 0,
  lease_owner text NOT NULL DEFAULT '',
  lease_epoch bigint NOT NULL DEFAULT 0,
  lease_until bigint NOT NULL DEFAULT 0,
  storage_key text,
  snapshot bytea,
  ratchet bytea,
  pending_key text,
  pending_snapshot bytea,
  pending_post bytea,
  PRIMARY KEY (agent, member)
);
-- C2SP checkpoints hold no time: how old one is, is told by when control first saw a larger one.
CREATE TABLE log_head (
  size bigint PRIMARY KEY,
  root bytea NOT NULL,
  seen_at bigint NOT NULL
);
