CREATE TABLE IF NOT EXISTS metal_change (
    scope TEXT NOT NULL,
    revision INT8 NOT NULL,
    op UUID NOT NULL,
    bytes INT8 NOT NULL,
    body BYTEA NOT NULL,
    PRIMARY KEY (scope, revision),
    CONSTRAINT "metal_change$op" UNIQUE (scope, op)
);
