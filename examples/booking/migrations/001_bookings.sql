-- Two bookings of one room may touch (days are [arrival, departure)) but never overlap: the database itself sees to it.
CREATE EXTENSION btree_gist;

CREATE TABLE bookings (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    room text NOT NULL CHECK (room <> ''),
    guest text NOT NULL CHECK (guest <> ''),
    days daterange NOT NULL CHECK (NOT isempty(days)),
    status text NOT NULL DEFAULT 'requested' CHECK (status IN ('requested', 'confirmed')),
    created timestamptz NOT NULL DEFAULT now(),
    EXCLUDE USING gist (room WITH =, days WITH &&)
);
