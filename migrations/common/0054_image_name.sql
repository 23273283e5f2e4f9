CREATE INDEX IF NOT EXISTS "image$name" ON "image" (scope, "name", id);
