//! How PostgreSQL goes about what the store asks it.

use metal_storage::conformance::SCHEMAS;
use metal_storage::sql::{Engine, Statement, statements};

use crate::kit::{database, open, options, server};

/// Records, and changes, that are more than a page on the disk.
const FILL: &str = "
INSERT INTO metal_scope SELECT 'fill-' || i, 1, 0 FROM generate_series(1, 5000) AS i;
INSERT INTO metal_change SELECT 'global', i, gen_random_uuid(), 100, 'x' FROM generate_series(1, 20000) AS i;
INSERT INTO other (scope, id, version, bytes, name, \"group\", doc)
SELECT 'global', 'id-' || i, i, 2, 'name-' || i, i % 100, '{}' FROM generate_series(1, 20000) AS i;
";

/// The plans of statements that do not look at what is bound, on which the planner may settle
/// once a connection has asked the same a few times.
fn plans(database: &str, statements: &[&Statement]) -> Vec<String> {
    const END: &str = "end of the plan";
    let mut asked = "SET plan_cache_mode = force_generic_plan;".to_owned();
    for (i, Statement { sql, .. }) in statements.iter().enumerate() {
        let bound = (1..).take_while(|i| sql.contains(&format!("${i}")));
        let nulls = bound.map(|_| "NULL").collect::<Vec<_>>().join(", ");
        asked += &format!(
            "PREPARE asked{i} AS {sql}; EXPLAIN EXECUTE asked{i}({nulls}); SELECT '{END}';"
        );
    }
    let plans = server().sql(database, &asked);
    let plans: Vec<_> = plans.split(END).map(str::to_owned).collect();
    assert_eq!(plans.len(), statements.len() + 1);
    plans
}

#[tokio::test]
async fn what_is_asked_often_is_found_by_indexes_with_and_without_statistics() {
    let name = database();
    open(&options(&name)).await;
    server().sql(&name, "ALTER TABLE other SET (autovacuum_enabled = off)");
    server().sql(
        &name,
        "ALTER TABLE metal_change SET (autovacuum_enabled = off)",
    );
    server().sql(
        &name,
        "ALTER TABLE metal_scope SET (autovacuum_enabled = off)",
    );
    server().sql(&name, FILL);
    let hot = |statement: &&Statement| {
        let name = statement.name.as_str();
        let other = name.strip_prefix("other ");
        let read = other.is_some_and(|verb| {
            verb == "get" || verb == "touched" || verb == "delete" || verb.starts_with("list")
        });
        read || ["head", "heads", "changes", "advance", "forget"].contains(&name)
    };
    let all = statements(SCHEMAS).unwrap();
    let hot: Vec<_> = (all.iter())
        .filter(|statement| statement.engine != Some(Engine::Cockroach))
        .filter(hot)
        .collect();
    assert!(hot.len() >= 18, "{hot:?}");
    for statistics in [false, true] {
        if statistics {
            server().sql(&name, "ANALYZE");
        }
        for (statement, plan) in hot.iter().zip(plans(&name, &hot)) {
            assert!(!plan.contains("Seq Scan"), "{}: {plan}", statement.name);
            assert!(plan.contains("Index"), "{}: {plan}", statement.name);
            for column in ["name", "group"] {
                if statement.name.ends_with(&format!("by {column}")) {
                    let index = format!("other${column}");
                    assert!(plan.contains(&index), "{}: {plan}", statement.name);
                }
            }
        }
    }
}
