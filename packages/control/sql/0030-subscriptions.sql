-- Consent owns: who asked an agent to stop, by a keyed hash of the address. No address is in it.
CREATE TABLE suppression (
  address bytea NOT NULL,
  agent text NOT NULL,
  since bigint NOT NULL,
  PRIMARY KEY (address, agent)
);
-- Subscriptions owns: where an application wants events, under a sealed secret; what is still to be delivered or has been
-- given up, sealed; up to which entry of the gateway's log events were made.
CREATE TABLE subscription (
  subscription uuid PRIMARY KEY,
  application text NOT NULL,
  url text NOT NULL,
  types text[] NOT NULL,
  flows text[] NOT NULL,
  secret bytea NOT NULL,
  -- Signs beside the new one until `earlier_until`, so that a receiver can change over.
  earlier_secret bytea,
  earlier_until bigint NOT NULL DEFAULT 0,
  created_at bigint NOT NULL,
  failing_since bigint,
  disabled_at bigint
);
CREATE INDEX subscription_application ON subscription (application);
CREATE TABLE event_delivery (
  event uuid NOT NULL,
  subscription uuid NOT NULL REFERENCES subscription ON DELETE CASCADE,
  type text NOT NULL,
  body bytea NOT NULL,
  made_at bigint NOT NULL,
  tries int NOT NULL DEFAULT 0,
  due bigint NOT NULL,
  leased_until bigint NOT NULL DEFAULT 0,
  -- Why the last try failed; `dead` rows wait for a replay.
  code text,
  dead boolean NOT NULL DEFAULT false,
  PRIMARY KEY (event, subscription)
);
CREATE INDEX event_delivery_due ON event_delivery (due) WHERE NOT dead;
CREATE TABLE event_cursor (
  single boolean PRIMARY KEY DEFAULT true CHECK (single),
  position bigint NOT NULL
);
INSERT INTO event_cursor (position) VALUES (-1);
-- Inbound owns: the name of each message that was taken, so that one told twice is taken once. What it says is in the
-- events made of it and nowhere else.
CREATE TABLE inbound_taken (
  name bytea PRIMARY KEY,
  taken_at bigint NOT NULL
);
CREATE INDEX inbound_taken_at ON inbound_taken (taken_at);
