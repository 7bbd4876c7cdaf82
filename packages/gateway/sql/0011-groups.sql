-- The MLS delivery service: key packages, conversations with their epoch, commits and welcomes stored once, and one queue
-- a device. Writers of a conversation hold its lane lock, so queue ids of one conversation grow in commit order; the
-- cursor a device sees is given when its queue is read, so that writers never wait for each other on a device.

CREATE TABLE key_package (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  device text NOT NULL,
  -- KeyPackageRef; kept after the claim until expiry, so that a package uploaded again is not given again.
  reference bytea NOT NULL UNIQUE,
  package bytea,
  last_resort boolean NOT NULL,
  not_before bigint NOT NULL,
  not_after bigint NOT NULL,
  spent_at bigint
);

CREATE INDEX key_package_pool ON key_package (device, last_resort, id) WHERE spent_at IS NULL;
CREATE INDEX key_package_expiry ON key_package (device, not_after);

CREATE TABLE conversation (
  conversation text PRIMARY KEY,
  creator text NOT NULL,
  epoch bigint NOT NULL DEFAULT 0
);

CREATE TABLE conversation_device (
  conversation text NOT NULL REFERENCES conversation,
  device text NOT NULL,
  -- Set when the device was revoked; it stays in the MLS group until a commit removes it.
  revoked boolean NOT NULL DEFAULT false,
  PRIMARY KEY (conversation, device)
);

CREATE INDEX conversation_device_device ON conversation_device (device);

-- One row an epoch left: the digest answers a repeat, the payloads go once no queue holds them.
CREATE TABLE conversation_commit (
  conversation text NOT NULL REFERENCES conversation,
  epoch bigint NOT NULL,
  digest bytea NOT NULL,
  message bytea,
  welcome bytea,
  ratchet_tree bytea,
  PRIMARY KEY (conversation, epoch)
);

CREATE INDEX conversation_commit_payload ON conversation_commit (conversation, epoch)
  WHERE message IS NOT NULL OR welcome IS NOT NULL;

-- Sealed attachments that envelopes of a conversation name: who may fetch them.
CREATE TABLE conversation_blob (
  conversation text NOT NULL,
  blob text NOT NULL,
  PRIMARY KEY (blob, conversation)
);

CREATE TABLE device_queue (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  device text NOT NULL,
  cursor bigint,
  kind text NOT NULL CHECK (kind IN ('welcome', 'commit', 'envelope')),
  conversation text NOT NULL,
  epoch bigint,
  message uuid,
  CHECK ((kind = 'envelope') = (message IS NOT NULL) AND (kind = 'envelope') = (epoch IS NULL))
);

CREATE INDEX device_queue_fresh ON device_queue (device, id) WHERE cursor IS NULL;
CREATE UNIQUE INDEX device_queue_cursor ON device_queue (device, cursor) WHERE cursor IS NOT NULL;
CREATE UNIQUE INDEX device_queue_message ON device_queue (device, message) WHERE message IS NOT NULL;
CREATE INDEX device_queue_payload ON device_queue (conversation, epoch) WHERE epoch IS NOT NULL;

CREATE TABLE device_cursor (
  device text PRIMARY KEY,
  given bigint NOT NULL DEFAULT 0,
  acknowledged bigint NOT NULL DEFAULT 0
);
