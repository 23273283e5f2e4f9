//! An entity that has got a column more.

use std::sync::Arc;

use metal_storage::sql::{Migration, migrations};
use metal_storage::{
    Column, Entity, Filter, Name, Read, Reindexed, Schema, Scope, Sql, Table, Value,
};
use serde::{Deserialize, Serialize};

use crate::kit::{database, options};

const NOTES: Schema = Schema::new("notes", &[]);

#[derive(Clone, Debug, Serialize, Deserialize)]
struct Fruit {
    id: String,
    color: String,
}

impl Entity for Fruit {
    const SCHEMA: Schema = Schema::new("fruit", &[]);

    fn id(&self) -> &str {
        &self.id
    }

    fn columns(&self) -> Vec<Value> {
        Vec::new()
    }
}

/// A fruit that can be asked for by its color.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(transparent)]
struct Colored(Fruit);

impl Entity for Colored {
    const SCHEMA: Schema = Schema::new("fruit", &[Column::text("color").unique()]);

    fn id(&self) -> &str {
        &self.0.id
    }

    fn columns(&self) -> Vec<Value> {
        vec![Value::from(&self.0.color)]
    }
}

async fn colored(database: &str) -> Table<Colored> {
    let mut steps = migrations(&[Fruit::SCHEMA, NOTES]).unwrap();
    steps.push(Migration::common(
        "fruit_color",
        r#"ALTER TABLE "fruit" ADD COLUMN IF NOT EXISTS "color" TEXT"#,
    ));
    steps.push(Migration::common(
        "fruit_color_unique",
        r#"CREATE UNIQUE INDEX IF NOT EXISTS "fruit$color" ON "fruit" (scope, "color")"#,
    ));
    let mut options = options(database);
    options.migrations = Some(Vec::leak(steps));
    let store = Sql::connect(options, &[Colored::SCHEMA, NOTES])
        .await
        .unwrap();
    Table::new(Arc::new(store), Scope::Global)
}

#[tokio::test]
async fn records_of_an_older_version_are_found_by_a_new_column_once_they_are_reindexed() {
    let name = database();
    let store = Sql::connect(options(&name), &[Fruit::SCHEMA, NOTES])
        .await
        .unwrap();
    let old = Table::<Fruit>::new(Arc::new(store), Scope::Global);
    for (id, color) in [("apple", "red"), ("lemon", "yellow"), ("tomato", "red")] {
        let (id, color) = (id.to_owned(), color.to_owned());
        old.insert(&Fruit { id, color }).await.unwrap();
    }
    let new = colored(&name).await;
    let yellow = || new.list(Filter::eq("color", "yellow"), Read::Latest);
    assert_eq!(yellow().await.unwrap().len(), 0);
    let notes = Name::from_static(NOTES.table());
    let done = new.reindex_once(&notes).await.unwrap();
    assert_eq!((done.checked, done.written), (3, 2));
    let refused = done.refused[0].to_string();
    assert!(
        refused.contains("fruit/apple") && refused.contains("fruit/tomato"),
        "{refused}"
    );
    assert_eq!(yellow().await.unwrap()[0].value.id(), "lemon");

    let tomato = new.get("tomato", Read::Latest).await.unwrap().unwrap();
    new.delete(&tomato).await.unwrap();
    assert_eq!(new.reindex_once(&notes).await.unwrap().refused, []);
    let nothing = Reindexed::default();
    assert_eq!(
        new.reindex_once(&notes).await.unwrap(),
        nothing,
        "it is noted"
    );
}
