CREATE TABLE IF NOT EXISTS "auditbucket" (
    scope TEXT NOT NULL,
    id TEXT NOT NULL,
    version INT8 NOT NULL,
    bytes INT8 NOT NULL,
    doc JSONB NOT NULL,
    PRIMARY KEY (scope, id)
);
