CREATE INDEX IF NOT EXISTS "ip$project" ON "ip" (scope, "project", id);
