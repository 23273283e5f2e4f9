CREATE INDEX IF NOT EXISTS "free$fits" ON "free" (scope, "fits", id);
