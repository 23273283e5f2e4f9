CREATE TABLE IF NOT EXISTS metal_scope (
    scope TEXT NOT NULL PRIMARY KEY,
    revision INT8 NOT NULL,
    forgotten INT8 NOT NULL
);
