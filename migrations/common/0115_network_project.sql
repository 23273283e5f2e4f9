CREATE INDEX IF NOT EXISTS "network$project" ON "network" (scope, "project", id);
