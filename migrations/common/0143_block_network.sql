CREATE INDEX IF NOT EXISTS "block$network" ON "block" (scope, "network", id);
