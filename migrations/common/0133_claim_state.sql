CREATE INDEX IF NOT EXISTS "claim$state" ON "claim" (scope, "state", id);
