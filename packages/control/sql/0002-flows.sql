-- Flows owns: the operator-signed bundles this control has run, newest version last. A row appears only once the gateway
-- has taken the bundle.
CREATE TABLE bundle (
  version bigint PRIMARY KEY,
  jws text NOT NULL,
  approval text NOT NULL,
  applied_at bigint NOT NULL
);
