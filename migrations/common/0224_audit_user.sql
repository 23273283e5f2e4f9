CREATE INDEX IF NOT EXISTS "audit$user" ON "audit" (scope, "user", id);
