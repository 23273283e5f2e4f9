//! The rules of metal-api, pure: no I/O, no HTTP, no JSON, no SQL.
