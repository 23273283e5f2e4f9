CREATE TABLE IF NOT EXISTS "block" (
    scope TEXT NOT NULL,
    id TEXT NOT NULL,
    version INT8 NOT NULL,
    bytes INT8 NOT NULL,
    "network" TEXT,
    "partition" TEXT,
    doc JSONB NOT NULL,
    PRIMARY KEY (scope, id)
);
