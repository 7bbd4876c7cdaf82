-- Identity owns: who may be reached (member), who may send (application, alert_sender), which approvals and client
-- assertions have been used. Telephone numbers are sealed; secrets are hashes only.
CREATE TABLE member (
  member text PRIMARY KEY,
  display_name text NOT NULL,
  phone bytea,
  registered_at bigint NOT NULL
);
CREATE TABLE application (
  application text PRIMARY KEY,
  public_key text NOT NULL,
  flows text[] NOT NULL,
  registered_at bigint NOT NULL
);
CREATE TABLE alert_sender (
  sender text PRIMARY KEY,
  flow text NOT NULL,
  recipient text NOT NULL,
  secret_hash bytea NOT NULL,
  registered_at bigint NOT NULL
);
-- One row an approved object, for good: an approval is never spent twice, however often it is signed again.
CREATE TABLE approval_used (
  action text NOT NULL,
  object text NOT NULL,
  approval text NOT NULL,
  approver text NOT NULL,
  used_at bigint NOT NULL,
  PRIMARY KEY (action, object)
);
-- RFC 7523 section 3: a JWT assertion is taken once; rows are worthless after its expiry and are removed then.
CREATE TABLE assertion_used (
  subject text NOT NULL,
  jti text NOT NULL,
  expires_at bigint NOT NULL,
  PRIMARY KEY (subject, jti)
);
CREATE INDEX assertion_used_expires ON assertion_used (expires_at);
