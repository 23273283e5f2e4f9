CREATE INDEX IF NOT EXISTS "filesystemlayout$name" ON "filesystemlayout" (scope, "name", id);
