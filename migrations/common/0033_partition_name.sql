CREATE INDEX IF NOT EXISTS "partition$name" ON "partition" (scope, "name", id);
