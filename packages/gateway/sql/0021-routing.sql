-- Routing over provider accounts ("vendors"): who a try goes through, what is known of a person's reachability and of a
-- vendor's health, how much was sent, which vendors are closed; what people send back.

-- A channel of before there were vendors has one, named as itself. `task`: send it, ask what became of it, take it back.
ALTER TABLE attempt
  ADD COLUMN vendor text,
  ADD COLUMN sender text NOT NULL DEFAULT '',
  ADD COLUMN recipient text NOT NULL DEFAULT '',
  ADD COLUMN task text NOT NULL DEFAULT 'send' CHECK (task IN ('send', 'query', 'revoke')),
  -- Canonical JSON [{key, count, per}]: what the dispatcher must keep to across nodes before it sends.
  ADD COLUMN limits text NOT NULL DEFAULT '[]',
  -- The vendor's own name of the message, for tasks about what it accepted.
  ADD COLUMN provider_id text;
UPDATE attempt SET vendor = channel;
ALTER TABLE attempt ALTER COLUMN vendor SET NOT NULL;

-- In these two `channel` is the name of the vendor; a channel of before there were vendors is one.
ALTER TABLE provider_receipt RENAME COLUMN channel TO vendor;
ALTER TABLE provider_message RENAME COLUMN channel TO vendor;

-- Whether a vendor reaches a person, as it last said; believed until `until`.
CREATE TABLE capability (
  recipient text NOT NULL,
  vendor text NOT NULL,
  reachable boolean NOT NULL,
  features text[] NOT NULL DEFAULT '{}',
  reason text NOT NULL,
  until bigint NOT NULL,
  PRIMARY KEY (recipient, vendor)
);
CREATE INDEX capability_until ON capability (until);

-- A vendor's circuit: no row or `failures` below the bound is closed. Open until `until`; then one probe at a time, which
-- holds the circuit by moving `until`.
CREATE TABLE vendor_health (
  vendor text PRIMARY KEY,
  failures int NOT NULL DEFAULT 0,
  opened bigint,
  until bigint NOT NULL DEFAULT 0
) WITH (fillfactor = 20);

-- Generic cell rate algorithm: the theoretical arrival time of the next send under this key.
CREATE TABLE rate (
  key text PRIMARY KEY,
  arrival bigint NOT NULL
) WITH (fillfactor = 50);
CREATE INDEX rate_arrival ON rate (arrival);

-- The kill switch: a vendor named here is used for nothing.
CREATE TABLE vendor_closed (
  vendor text PRIMARY KEY,
  by text NOT NULL,
  at bigint NOT NULL
);

-- What people sent back, sealed to control by the dispatcher; the body goes once control has it, the name stays a while so
-- that a vendor's repeat is known.
CREATE TABLE inbound (
  position bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  vendor text NOT NULL,
  name bytea NOT NULL,
  received bigint NOT NULL,
  key text NOT NULL,
  encapsulated text,
  ciphertext text,
  UNIQUE (vendor, name)
);
CREATE INDEX inbound_received ON inbound (received);

DO $$
BEGIN
  IF EXISTS (SELECT FROM pg_roles WHERE rolname = 'sealpost_dispatcher') THEN
    GRANT SELECT, INSERT, UPDATE, DELETE ON capability, vendor_health, rate TO sealpost_dispatcher;
    GRANT SELECT ON vendor_closed TO sealpost_dispatcher;
    GRANT INSERT ON inbound TO sealpost_dispatcher;
  END IF;
END
$$;
