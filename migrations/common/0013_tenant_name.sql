CREATE INDEX IF NOT EXISTS "tenant$name" ON "tenant" (scope, "name", id);
