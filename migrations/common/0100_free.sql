CREATE TABLE IF NOT EXISTS "free" (
    scope TEXT NOT NULL,
    id TEXT NOT NULL,
    version INT8 NOT NULL,
    bytes INT8 NOT NULL,
    "fits" TEXT,
    doc JSONB NOT NULL,
    PRIMARY KEY (scope, id)
);
