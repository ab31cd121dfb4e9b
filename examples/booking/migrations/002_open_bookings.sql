-- What the worker looks for when the queue has nothing to say.
CREATE INDEX bookings_requested ON bookings (id) WHERE status = 'requested';
