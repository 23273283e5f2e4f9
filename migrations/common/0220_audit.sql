CREATE TABLE IF NOT EXISTS "audit" (
    scope TEXT NOT NULL,
    id TEXT NOT NULL,
    version INT8 NOT NULL,
    bytes INT8 NOT NULL,
    "rqid" TEXT,
    "user" TEXT,
    "project" TEXT,
    doc JSONB NOT NULL,
    PRIMARY KEY (scope, id)
);
