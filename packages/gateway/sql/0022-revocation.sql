-- Revocation: what is kept of a message that was taken back, for as long as a provider may still have to be told so.

-- The sealed part of a try that is under way when its message is revoked. `part` is empty from then on, so that nobody makes
-- the try again; this one comes back as the part of a task that takes the message back, and goes with it. Empty where the try had been withdrawn before: the row waits for its report all the same.
ALTER TABLE attempt ADD COLUMN kept text;

ALTER TABLE timer DROP CONSTRAINT timer_kind_check;
ALTER TABLE timer ADD CONSTRAINT timer_kind_check CHECK (kind IN ('step', 'expiry', 'revocation'));
