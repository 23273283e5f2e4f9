CREATE INDEX IF NOT EXISTS "project$tenant" ON "project" (scope, "tenant", id);
