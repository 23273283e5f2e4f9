CREATE INDEX IF NOT EXISTS "network$parent" ON "network" (scope, "parent", id);
