//! Typed tables and batches, as the rest of the product uses them.
use std::sync::Arc;

use futures::StreamExt;
use metal_storage::{
    Batch, Column, Entity, EntityChange, Error, Filter, Key, Memory, Name, Read, Record, Redb,
    RedbOptions, Reindexed, Revision, Schema, Scope, Store, Table, Value, Write,
};
use serde::{Deserialize, Serialize};

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct User {
    id: String,
    email: Option<String>,
    tenant: String,
}

impl Entity for User {
    const SCHEMA: Schema = Schema::new(
        "user",
        &[Column::text("email").unique(), Column::text("tenant")],
    );

    fn id(&self) -> &str {
        &self.id
    }

    fn columns(&self) -> Vec<Value> {
        vec![
            Value::from(self.email.as_ref()),
            Value::from(self.tenant.as_str()),
        ]
    }
}

fn user(id: &str, tenant: &str) -> User {
    User {
        id: id.into(),
        email: Some(format!("{id}@example.org")),
        tenant: tenant.into(),
    }
}

fn users() -> Table<User> {
    Table::new(Arc::new(Memory::new()), Scope::Global)
}

#[tokio::test]
async fn an_entity_reads_back_as_it_was_written() {
    let users = users();
    let ann = users.insert(&user("ann", "acme")).await.unwrap();
    assert_eq!(
        users.get("ann", Read::Latest).await.unwrap(),
        Some(ann.clone())
    );
    assert_eq!(ann.version.revision(), Revision::new(1));
    assert_eq!(users.get("bob", Read::Latest).await.unwrap(), None);
    let never = "x".repeat(10_000);
    assert_eq!(users.get(&never, Read::Latest).await.unwrap(), None);
}

#[tokio::test]
async fn a_second_insert_of_an_id_conflicts() {
    let users = users();
    users.insert(&user("ann", "acme")).await.unwrap();
    let error = users.insert(&user("ann", "other")).await.unwrap_err();
    assert_eq!(error, Error::Conflict(users.key("ann").unwrap()));
}

#[tokio::test]
async fn of_two_who_read_the_same_version_one_replaces_it() {
    let users = users();
    let seen = users.insert(&user("ann", "acme")).await.unwrap();
    users.replace(&seen, &user("ann", "one")).await.unwrap();
    let late = users.replace(&seen, &user("ann", "two")).await;
    assert!(matches!(late, Err(Error::Conflict(_))), "{late:?}");
    let late = users.delete(&seen).await;
    assert!(matches!(late, Err(Error::Conflict(_))), "{late:?}");
    let now = users.get("ann", Read::Latest).await.unwrap().unwrap();
    assert_eq!(now.value.tenant, "one");
}

#[tokio::test]
async fn a_taken_value_is_named() {
    let users = users();
    users.insert(&user("ann", "acme")).await.unwrap();
    let mut bob = user("bob", "acme");
    bob.email = Some("ann@example.org".into());
    let error = users.insert(&bob).await.unwrap_err();
    assert_eq!(
        error.to_string(),
        "email \"ann@example.org\" of table user is already taken"
    );
}

#[tokio::test]
async fn a_list_is_filtered_ordered_and_complete_over_many_pages() {
    let users = users();
    for i in (0..2_500).rev() {
        let tenant = if i % 2 == 0 { "even" } else { "odd" };
        let mut user = user(&format!("u{i:04}"), tenant);
        user.email = None;
        users.insert(&user).await.unwrap();
    }
    let odd = users
        .list(Filter::eq("tenant", "odd"), Read::Latest)
        .await
        .unwrap();
    let ids: Vec<_> = odd.iter().map(|user| user.value.id.clone()).collect();
    let expected: Vec<_> = (0..2_500)
        .filter(|i| i % 2 == 1)
        .map(|i| format!("u{i:04}"))
        .collect();
    assert_eq!(ids, expected);
    let some = users
        .list(Filter::all().prefix("u001"), Read::Latest)
        .await
        .unwrap();
    assert_eq!(some.len(), 10);
}

#[tokio::test]
async fn a_condition_on_no_column_or_of_another_kind_is_refused() {
    let users = users();
    for filter in [Filter::eq("colour", "red"), Filter::eq("tenant", 1)] {
        let error = users.list(filter, Read::Latest).await.unwrap_err();
        assert!(matches!(error, Error::Invalid(_)), "{error:?}");
    }
}

#[tokio::test]
async fn an_entity_is_found_by_its_unique_column() {
    let users = users();
    let ann = users.insert(&user("ann", "acme")).await.unwrap();
    let found = users.find("email", "ann@example.org", Read::Latest).await;
    assert_eq!(found.unwrap(), Some(ann));
    let error = users.find("tenant", "acme", Read::Latest).await;
    assert!(matches!(error, Err(Error::Invalid(_))), "{error:?}");
}

#[tokio::test]
async fn a_touched_record_cannot_be_deleted_by_who_read_it_before() {
    let users = users();
    let ann = users.insert(&user("ann", "acme")).await.unwrap();
    let mut batch = Batch::new(Scope::Global);
    batch.touch(&ann).unwrap();
    batch.insert(&user("bob", "acme")).unwrap();
    users.store().commit(batch).await.unwrap();
    let error = users.delete(&ann).await.unwrap_err();
    assert_eq!(error, Error::Conflict(users.key("ann").unwrap()));
}

#[tokio::test]
async fn a_batch_whose_required_record_changed_changes_nothing() {
    let users = users();
    let seen = users.insert(&user("ann", "acme")).await.unwrap();
    users.replace(&seen, &user("ann", "other")).await.unwrap();
    let mut batch = Batch::new(Scope::Global);
    batch.require(&seen).unwrap();
    batch.insert(&user("bob", "acme")).unwrap();
    let error = users.store().commit(batch).await.unwrap_err();
    assert_eq!(error, Error::Conflict(users.key("ann").unwrap()));
    assert_eq!(users.get("bob", Read::Latest).await.unwrap(), None);
}

#[tokio::test]
async fn an_id_is_forever() {
    let users = users();
    let ann = users.insert(&user("ann", "acme")).await.unwrap();
    let error = users.replace(&ann, &user("bob", "acme")).await.unwrap_err();
    assert!(matches!(error, Error::Invalid(_)), "{error:?}");
}

#[derive(Clone, Debug, Serialize, Deserialize)]
struct Impostor {
    id: String,
    must: u32,
}

impl Entity for Impostor {
    const SCHEMA: Schema = Schema::new("user", &[]);

    fn id(&self) -> &str {
        &self.id
    }

    fn columns(&self) -> Vec<Value> {
        Vec::new()
    }
}

#[tokio::test]
async fn a_record_that_does_not_decode_is_named_and_others_are_read() {
    let users = users();
    users.insert(&user("ann", "acme")).await.unwrap();
    let impostors = Table::<Impostor>::new(Arc::clone(users.store()), Scope::Global);
    let good = Impostor {
        id: "bob".into(),
        must: 1,
    };
    impostors.insert(&good).await.unwrap();
    assert!(impostors.get("bob", Read::Latest).await.unwrap().is_some());
    let error = impostors.get("ann", Read::Latest).await.unwrap_err();
    assert!(
        error.to_string().starts_with("global user/ann is corrupt"),
        "{error}"
    );
}

#[tokio::test]
async fn a_list_can_name_what_it_cannot_read_beside_the_others() {
    let users = users();
    let impostors = Table::<Impostor>::new(Arc::clone(users.store()), Scope::Global);
    for id in ["bob", "dan"] {
        let good = Impostor {
            id: id.into(),
            must: 1,
        };
        impostors.insert(&good).await.unwrap();
    }
    for id in ["ann", "carl", "eve"] {
        users.insert(&user(id, "acme")).await.unwrap();
    }
    let strict = impostors.list(Filter::all(), Read::Latest).await;
    assert!(matches!(strict, Err(Error::Corrupt { .. })), "{strict:?}");
    let listed = impostors.list_readable(Filter::all(), Read::Latest).await;
    let listed = listed.unwrap();
    let found: Vec<_> = listed.found.iter().map(|one| one.value.id()).collect();
    assert_eq!(found, ["bob", "dan"]);
    assert_eq!(listed.revision, Revision::new(5));
    for (error, id) in listed.unreadable.iter().zip(["ann", "carl", "eve"]) {
        let expected = format!("global user/{id} is corrupt: missing field `must`");
        assert!(error.to_string().starts_with(&expected), "{error}");
    }
    assert_eq!(listed.unreadable.len(), 3);
}

#[tokio::test]
async fn a_table_is_followed_from_its_list_and_sees_its_own_changes_only() {
    let users = users();
    let other = Table::<Size>::new(Arc::clone(users.store()), Scope::Global);
    users.insert(&user("ann", "acme")).await.unwrap();
    let listed = users.list_readable(Filter::all(), Read::Latest).await;
    let mut changes = users.watch(listed.unwrap().revision);
    let mut batch = Batch::new(Scope::Global);
    batch.insert(&user("bob", "acme")).unwrap();
    batch.insert(&Size("small".into())).unwrap();
    let op = batch.op;
    users.store().commit(batch).await.unwrap();
    other.insert(&Size("large".into())).await.unwrap();
    let bob = users.get("bob", Read::Latest).await.unwrap().unwrap();
    users.delete(&bob).await.unwrap();
    let expected = [
        (2, vec![EntityChange::Put(bob)]),
        (3, vec![]),
        (4, vec![EntityChange::Deleted("bob".into())]),
    ];
    for (revision, entities) in expected {
        let change = changes.next().await.unwrap().unwrap();
        assert_eq!(change.revision, Revision::new(revision));
        assert_eq!(change.op == op, revision == 2);
        assert_eq!(change.entities, entities);
    }
    let mut impostors =
        Table::<Impostor>::new(Arc::clone(users.store()), Scope::Global).watch(Revision::new(1));
    let change = impostors.next().await.unwrap().unwrap();
    match &change.entities[..] {
        [EntityChange::Unreadable { id, error }] => {
            assert_eq!(id, "bob");
            assert!(error.to_string().contains("user/bob is corrupt"), "{error}");
        }
        other => panic!("{other:?}"),
    }
    assert!(impostors.next().await.unwrap().is_ok(), "it goes on");
}

#[derive(Clone, Debug, Serialize, Deserialize)]
struct Size(String);

impl Entity for Size {
    const SCHEMA: Schema = Schema::new("size", &[]);

    fn id(&self) -> &str {
        &self.0
    }

    fn columns(&self) -> Vec<Value> {
        Vec::new()
    }
}

/// What [`User`] became: a column more, and one that has become unique.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct NewUser {
    id: String,
    email: Option<String>,
    tenant: String,
    #[serde(default)]
    admin: bool,
}

impl Entity for NewUser {
    const SCHEMA: Schema = Schema::new(
        "user",
        &[
            Column::text("email").unique(),
            Column::text("tenant").unique(),
            Column::bool("admin"),
        ],
    );

    fn id(&self) -> &str {
        &self.id
    }

    fn columns(&self) -> Vec<Value> {
        vec![
            Value::from(self.email.as_ref()),
            Value::from(self.tenant.as_str()),
            Value::from(self.admin),
        ]
    }
}

#[tokio::test]
async fn a_column_added_later_is_found_once_the_table_is_reindexed() {
    let folder = tempfile::TempDir::new().unwrap();
    let path = folder.path().join("store.redb");
    let open = || Arc::new(Redb::open(&path, RedbOptions::default()).unwrap());
    let store = open();
    let users = Table::<User>::new(store.clone(), Scope::Global);
    for (id, tenant) in [("ann", "acme"), ("bob", "zeta"), ("carl", "acme")] {
        users.insert(&user(id, tenant)).await.unwrap();
    }
    store.close().await;

    let users = Table::<NewUser>::new(open(), Scope::Global);
    let admins = || users.list(Filter::eq("admin", false), Read::Latest);
    assert_eq!(admins().await.unwrap(), []);
    let done = users.reindex().await.unwrap();
    assert_eq!((done.checked, done.written), (3, 2));
    let refused: Vec<_> = done.refused.iter().map(Error::to_string).collect();
    let both = "both have tenant \"acme\", which is to be unique: change one of them";
    let (ann, carl) = ("global user/ann", "global user/carl");
    let either = [
        format!("{ann} and {carl} {both}"),
        format!("{carl} and {ann} {both}"),
    ];
    assert!(
        refused.len() == 1 && either.contains(&refused[0]),
        "{refused:?}"
    );
    assert_eq!(admins().await.unwrap().len(), 2);
    assert!(
        users
            .find("tenant", "acme", Read::Latest)
            .await
            .unwrap()
            .is_some()
    );

    let loser = if refused[0] == either[0] {
        "ann"
    } else {
        "carl"
    };
    let mut loser = users.get(loser, Read::Latest).await.unwrap().unwrap();
    loser.value.tenant = "alpha".into();
    users.replace(&loser, &loser.value).await.unwrap();
    let done = users.reindex().await.unwrap();
    assert_eq!(
        (done.checked, done.written),
        (3, 0),
        "nothing is left to do"
    );
    assert_eq!(done.refused, []);
    assert_eq!(admins().await.unwrap().len(), 3);
}

#[tokio::test]
async fn a_table_is_reindexed_once_and_goes_on_where_it_was_interrupted() {
    let folder = tempfile::TempDir::new().unwrap();
    let store: Arc<dyn Store> =
        Arc::new(Redb::open(folder.path().join("store.redb"), RedbOptions::default()).unwrap());
    let old = Table::<User>::new(Arc::clone(&store), Scope::Global);
    let new = Table::<NewUser>::new(Arc::clone(&store), Scope::Global);
    let notes = Name::from_static("notes");
    let nothing = Reindexed::default();
    assert_eq!(new.reindex_once(&notes).await.unwrap(), nothing);
    for id in ["a", "b", "c", "d", "e"] {
        old.insert(&user(id, id)).await.unwrap();
    }
    // As a process leaves it that is killed after a page.
    let note = format!(
        r#"{{"columns":"{}","until":"b"}}"#,
        NewUser::SCHEMA.describe()
    );
    let mut batch = Batch::new(Scope::Global);
    batch.writes.push(Write::Put(Record {
        key: Key::new(Scope::Global, notes.clone(), "columns of user").unwrap(),
        fields: Vec::new(),
        doc: note.into(),
    }));
    store.commit(batch).await.unwrap();
    let done = new.reindex_once(&notes).await.unwrap();
    assert_eq!((done.checked, done.written), (3, 3), "only what was left");
    assert_eq!(
        new.reindex_once(&notes).await.unwrap(),
        nothing,
        "it is noted"
    );
    // Another version: all of it, once.
    let done = old.reindex_once(&notes).await.unwrap();
    assert_eq!((done.checked, done.written), (5, 3));
    assert_eq!(old.reindex_once(&notes).await.unwrap(), nothing);
    let done = new.reindex_once(&notes).await.unwrap();
    assert_eq!((done.checked, done.written), (5, 5));
    let found = new.list(Filter::eq("admin", false), Read::Latest).await;
    assert_eq!(found.unwrap().len(), 5);
}

#[tokio::test]
async fn a_record_that_cannot_be_indexed_is_named_until_it_can() {
    let store: Arc<dyn Store> = Arc::new(Memory::new());
    let old = Table::<User>::new(Arc::clone(&store), Scope::Global);
    let new = Table::<NewUser>::new(Arc::clone(&store), Scope::Global);
    let notes = Name::from_static("notes");
    for (id, tenant) in [("ann", "acme"), ("bob", "acme")] {
        old.insert(&user(id, tenant)).await.unwrap();
    }
    for _ in 0..2 {
        let refused = new.reindex_once(&notes).await.unwrap().refused;
        let text = refused[0].to_string();
        assert!(
            text.contains("user/ann") && text.contains("user/bob"),
            "{text}"
        );
    }
    let ann = old.get("ann", Read::Latest).await.unwrap().unwrap();
    old.delete(&ann).await.unwrap();
    assert_eq!(new.reindex_once(&notes).await.unwrap().refused, []);
    assert_eq!(new.reindex_once(&notes).await.unwrap().checked, 0);
}
