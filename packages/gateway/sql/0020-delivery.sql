-- Delivery: the attempts the dispatcher makes, what it reports back, the timers of ladders, and how far each lane has been
-- decided. The timeline itself is in the log; these tables hold only what is still to be done.

CREATE TABLE lane_cursor (
  lane smallint PRIMARY KEY,
  decided bigint NOT NULL DEFAULT 0,
  owner text NOT NULL DEFAULT '',
  epoch bigint NOT NULL DEFAULT 0,
  lease_until bigint NOT NULL DEFAULT 0
) WITH (fillfactor = 20);

INSERT INTO lane_cursor (lane) SELECT generate_series(0, 63);

CREATE TABLE timer (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  lane smallint NOT NULL,
  message uuid NOT NULL,
  kind text NOT NULL CHECK (kind IN ('step', 'expiry')),
  step smallint,
  due bigint NOT NULL
);

CREATE INDEX timer_due ON timer (due);
CREATE INDEX timer_message ON timer (message);

-- One row a (step of a message): leased by a dispatcher for one try at a time, deleted when the message has ended.
CREATE TABLE attempt (
  id uuid PRIMARY KEY,
  lane smallint NOT NULL,
  message uuid NOT NULL,
  step smallint NOT NULL,
  organisation text NOT NULL,
  flow text NOT NULL,
  floor text NOT NULL,
  channel text NOT NULL,
  adapter text NOT NULL,
  use text NOT NULL,
  try int NOT NULL,
  -- The sealed carrier part as canonical JSON; null once the try is not to be made any more.
  part text,
  expires bigint NOT NULL,
  available_at bigint NOT NULL,
  done boolean NOT NULL DEFAULT false,
  lease_owner text,
  lease_epoch bigint NOT NULL DEFAULT 0,
  lease_until bigint NOT NULL DEFAULT 0,
  UNIQUE (message, step)
);

CREATE INDEX attempt_available ON attempt (available_at) WHERE NOT done;

-- What the dispatcher reports of a try; deleted once it is an event.
CREATE TABLE attempt_outcome (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  attempt uuid NOT NULL,
  lane smallint NOT NULL,
  message uuid NOT NULL,
  outcome text NOT NULL,
  at bigint NOT NULL
);

-- Verified receipts of providers, parked here until the message they belong to is known, a day at most.
CREATE TABLE provider_receipt (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  channel text NOT NULL,
  ids text[] NOT NULL,
  status text NOT NULL CHECK (status IN ('delivered', 'read', 'expired', 'failed')),
  code text NOT NULL,
  received bigint NOT NULL
);

-- By which names a provider may speak of an attempt: its own message id, and our attempt id.
CREATE TABLE provider_message (
  channel text NOT NULL,
  provider_id text NOT NULL,
  attempt uuid NOT NULL,
  lane smallint NOT NULL,
  message uuid NOT NULL,
  expires bigint NOT NULL,
  PRIMARY KEY (channel, provider_id)
);

CREATE INDEX provider_message_expires ON provider_message (expires);

-- Inputs whose decision failed, by the code of the failure: their lane went on, they are decided again when due.
CREATE TABLE set_aside (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  lane smallint NOT NULL,
  message uuid NOT NULL,
  input text NOT NULL,
  code text NOT NULL,
  failures int NOT NULL,
  at bigint NOT NULL,
  due bigint NOT NULL
);

-- The dispatcher's own role sees attempts and writes what it did; nothing else of the gateway's.
DO $$
BEGIN
  IF EXISTS (SELECT FROM pg_roles WHERE rolname = 'sealpost_dispatcher') THEN
    GRANT USAGE ON SCHEMA public TO sealpost_dispatcher;
    GRANT SELECT, UPDATE (done, lease_owner, lease_epoch, lease_until) ON attempt TO sealpost_dispatcher;
    GRANT INSERT ON attempt_outcome, provider_receipt TO sealpost_dispatcher;
  END IF;
END
$$;
