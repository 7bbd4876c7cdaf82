-- Which socket of a device is the newest, across nodes: each hello takes the next number and ends the socket before it.

CREATE TABLE sync_session (
  device text PRIMARY KEY,
  number bigint NOT NULL
);
