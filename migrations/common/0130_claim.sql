CREATE TABLE IF NOT EXISTS "claim" (
    scope TEXT NOT NULL,
    id TEXT NOT NULL,
    version INT8 NOT NULL,
    bytes INT8 NOT NULL,
    "state" TEXT,
    "role" TEXT,
    doc JSONB NOT NULL,
    PRIMARY KEY (scope, id),
    CONSTRAINT "claim$role" UNIQUE (scope, "role")
);
