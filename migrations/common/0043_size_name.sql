CREATE INDEX IF NOT EXISTS "size$name" ON "size" (scope, "name", id);
