CREATE INDEX IF NOT EXISTS "sizereservation$project" ON "sizereservation" (scope, "project", id);
