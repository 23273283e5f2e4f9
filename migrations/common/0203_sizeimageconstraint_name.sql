CREATE INDEX IF NOT EXISTS "sizeimageconstraint$name" ON "sizeimageconstraint" (scope, "name", id);
