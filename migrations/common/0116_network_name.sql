CREATE INDEX IF NOT EXISTS "network$name" ON "network" (scope, "name", id);
