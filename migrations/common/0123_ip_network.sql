CREATE INDEX IF NOT EXISTS "ip$network" ON "ip" (scope, "network", id);
