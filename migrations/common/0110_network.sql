CREATE TABLE IF NOT EXISTS "network" (
    scope TEXT NOT NULL,
    id TEXT NOT NULL,
    version INT8 NOT NULL,
    bytes INT8 NOT NULL,
    "kind" TEXT,
    "parent" TEXT,
    "project" TEXT,
    "name" TEXT,
    doc JSONB NOT NULL,
    PRIMARY KEY (scope, id)
);
