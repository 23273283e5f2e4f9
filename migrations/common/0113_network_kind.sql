CREATE INDEX IF NOT EXISTS "network$kind" ON "network" (scope, "kind", id);
