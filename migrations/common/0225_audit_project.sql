CREATE INDEX IF NOT EXISTS "audit$project" ON "audit" (scope, "project", id);
