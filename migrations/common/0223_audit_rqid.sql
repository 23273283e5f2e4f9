CREATE INDEX IF NOT EXISTS "audit$rqid" ON "audit" (scope, "rqid", id);
