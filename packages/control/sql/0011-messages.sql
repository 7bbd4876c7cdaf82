-- Messages owns: one row a request that was sealed, under the key its caller gave. It holds the signed submission to the
-- byte, so that whatever is sent again is what was sent first. Content is in it only as ciphertext; `body_hash` is keyed.
CREATE TABLE message_request (
  principal text NOT NULL,
  key text NOT NULL,
  body_hash bytea NOT NULL,
  message uuid NOT NULL UNIQUE,
  envelope text NOT NULL,
  flow text NOT NULL,
  recipient text NOT NULL,
  state text NOT NULL CHECK (state IN ('stored', 'accepted')),
  submission bytea NOT NULL,
  receipt text,
  stored_at bigint NOT NULL,
  PRIMARY KEY (principal, key)
);
