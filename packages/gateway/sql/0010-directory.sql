-- The directory: each member's chain of signed entries as control posted and the gateway verified them, the devices that
-- follow from them, and the nonces of signed device requests. Entries are never updated or deleted.

CREATE TABLE directory_entry (
  member text NOT NULL,
  number int NOT NULL,
  hash text NOT NULL UNIQUE,
  device text NOT NULL,
  change text NOT NULL,
  jws text NOT NULL,
  -- SHA-256 of the approved object: an approval allows one entry.
  approved text NOT NULL UNIQUE,
  lane smallint NOT NULL,
  seq bigint NOT NULL,
  PRIMARY KEY (member, number)
);

CREATE TABLE device (
  device text PRIMARY KEY,
  member text NOT NULL,
  key_id text NOT NULL UNIQUE,
  public_jwk jsonb NOT NULL,
  uri text NOT NULL,
  -- Leaf first, DER in base64url.
  chain text[] NOT NULL,
  not_after bigint NOT NULL,
  revoked_at bigint
);

-- One row a signed request until its nonce could no longer pass the age check; pruned by later requests.
CREATE TABLE request_nonce (
  key_id text NOT NULL,
  nonce text NOT NULL,
  expires bigint NOT NULL,
  PRIMARY KEY (key_id, nonce)
);

CREATE INDEX request_nonce_expires ON request_nonce (expires);
