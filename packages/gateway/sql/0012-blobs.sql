-- Sealed blobs that are durable in the blob store. The row is written after the bytes and names nothing that is not there.

CREATE TABLE blob (
  blob text PRIMARY KEY,
  size bigint NOT NULL,
  stored_at bigint NOT NULL
);
