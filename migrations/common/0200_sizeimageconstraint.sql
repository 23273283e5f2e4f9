CREATE TABLE IF NOT EXISTS "sizeimageconstraint" (
    scope TEXT NOT NULL,
    id TEXT NOT NULL,
    version INT8 NOT NULL,
    bytes INT8 NOT NULL,
    "name" TEXT,
    doc JSONB NOT NULL,
    PRIMARY KEY (scope, id)
);
