CREATE INDEX IF NOT EXISTS "block$partition" ON "block" (scope, "partition", id);
