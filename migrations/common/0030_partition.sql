CREATE TABLE IF NOT EXISTS "partition" (
    scope TEXT NOT NULL,
    id TEXT NOT NULL,
    version INT8 NOT NULL,
    bytes INT8 NOT NULL,
    "name" TEXT,
    doc JSONB NOT NULL,
    PRIMARY KEY (scope, id)
);
