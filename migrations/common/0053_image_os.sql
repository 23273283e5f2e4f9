CREATE INDEX IF NOT EXISTS "image$os" ON "image" (scope, "os", id);
