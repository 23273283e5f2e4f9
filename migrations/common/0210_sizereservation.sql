CREATE TABLE IF NOT EXISTS "sizereservation" (
    scope TEXT NOT NULL,
    id TEXT NOT NULL,
    version INT8 NOT NULL,
    bytes INT8 NOT NULL,
    "size" TEXT,
    "project" TEXT,
    doc JSONB NOT NULL,
    PRIMARY KEY (scope, id)
);
