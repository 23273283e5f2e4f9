CREATE TABLE IF NOT EXISTS "image" (
    scope TEXT NOT NULL,
    id TEXT NOT NULL,
    version INT8 NOT NULL,
    bytes INT8 NOT NULL,
    "os" TEXT,
    "name" TEXT,
    doc JSONB NOT NULL,
    PRIMARY KEY (scope, id)
);
