CREATE INDEX IF NOT EXISTS "sizereservation$size" ON "sizereservation" (scope, "size", id);
