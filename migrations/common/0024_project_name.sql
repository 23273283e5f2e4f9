CREATE INDEX IF NOT EXISTS "project$name" ON "project" (scope, "name", id);
