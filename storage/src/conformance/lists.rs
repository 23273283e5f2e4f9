//! Pages, conditions and cursors.

use super::Backend;
use super::kit::*;
use super::schemas::fields;
use crate::limits::PAGE_BYTES;
use crate::{Name, Query, Read, Value};

fn equal(column: &'static str, value: impl Into<Value>) -> Query {
    let mut query = query();
    query.equal.push((Name::from_static(column), value.into()));
    query
}

pub async fn a_list_is_ordered_by_the_bytes_of_ids(backend: &dyn Backend) {
    let store = backend.fresh(HISTORY).await;
    let mut expected = [
        "b", "a", "B", "ä", "a-", "a.b", "a b", "10", "9", "aa", "z", "_", "~",
    ];
    for (i, id) in expected.iter().enumerate() {
        store
            .commit(put(thing(id, i.to_string(), 7)))
            .await
            .unwrap();
    }
    expected.sort_unstable();
    assert_eq!(ids(&store, &query()).await, expected);
    assert_eq!(ids(&store, &equal("group", 7)).await, expected);
}

pub async fn pages_follow_one_another_without_gap_or_overlap(backend: &dyn Backend) {
    let store = backend.fresh(HISTORY).await;
    let all: Vec<String> = (0..25).map(|i| format!("{i:02}")).collect();
    let things = all
        .iter()
        .enumerate()
        .map(|(i, id)| thing(id, i.to_string(), 7));
    store.commit(puts(things)).await.unwrap();
    for limit in [1, 2, 5, 24, 25, 26] {
        for mut query in [query(), equal("group", 7)] {
            query.limit = limit;
            let mut seen = Vec::new();
            loop {
                let page = store.list(&query, Read::Latest).await.unwrap();
                assert!(page.records.len() <= limit);
                seen.extend(page.records.iter().map(|r| r.value.key.id().to_owned()));
                match page.next {
                    Some(next) => query.after = Some(next),
                    None => break,
                }
            }
            assert_eq!(seen, all, "limit {limit}");
        }
    }
}

pub async fn a_page_of_large_records_ends_early(backend: &dyn Backend) {
    let store = backend.fresh(HISTORY).await;
    let large = "x".repeat(1024 * 1024);
    let count = PAGE_BYTES / large.len() + 3;
    for i in 0..count {
        store
            .commit(put(plain(key(&i.to_string()), &large)))
            .await
            .unwrap();
    }
    let mut query = query();
    let mut seen = 0;
    loop {
        let page = store.list(&query, Read::Latest).await.unwrap();
        let bytes: usize = page.records.iter().map(|r| r.value.doc.len()).sum();
        assert!(bytes <= PAGE_BYTES + 2 * large.len(), "{bytes}");
        seen += page.records.len();
        match page.next {
            Some(next) => query.after = Some(next),
            None => break,
        }
    }
    assert_eq!(seen, count);
}

pub async fn conditions_select_by_equality(backend: &dyn Backend) {
    let store = backend.fresh(HISTORY).await;
    let mut flagged = thing("f", "six", 3);
    let values = [
        ("name", "six".into()),
        ("group", 3.into()),
        ("order", "1".into()),
        ("default", true.into()),
    ];
    flagged.fields = fields(&flagged.key, values);
    let records = [
        thing("a", "one", 1),
        thing("b", "two", 1),
        thing("c", "three", 2),
        thing("d", Value::Null, Value::Null),
        thing("e", "1", i64::MIN),
        flagged,
        plain(key("g"), "x"),
    ];
    store.commit(puts(records)).await.unwrap();
    let expected: [(Query, &[&str]); 15] = [
        (equal("group", 1), &["a", "b"]),
        (equal("group", 2), &["c"]),
        (equal("group", 4), &[]),
        (equal("group", i64::MIN), &["e"]),
        (equal("group", Value::Null), &["d", "g"]),
        (equal("name", "two"), &["b"]),
        (equal("name", "tw"), &[]),
        (equal("name", "1"), &["e"]),
        (equal("name", Value::Null), &["d", "g"]),
        (equal("order", "1"), &["f"]),
        (equal("default", true), &["f"]),
        (equal("default", false), &[]),
        // A value of another kind, and a column that is not declared.
        (equal("group", "1"), &[]),
        (equal("default", 1), &[]),
        (equal("colour", "red"), &[]),
    ];
    for (query, expected) in expected {
        assert_eq!(ids(&store, &query).await, expected, "{query:?}");
    }
    let mut both = equal("group", 1);
    both.equal.push((Name::from_static("name"), "two".into()));
    assert_eq!(ids(&store, &both).await, ["b"]);
    both.equal[1].1 = "three".into();
    assert!(ids(&store, &both).await.is_empty());
}

pub async fn a_changed_or_deleted_record_leaves_its_index(backend: &dyn Backend) {
    let store = backend.fresh(HISTORY).await;
    store
        .commit(puts([thing("a", "one", 1), thing("b", "two", 1)]))
        .await
        .unwrap();
    store.commit(put(thing("a", "one", 2))).await.unwrap();
    assert_eq!(ids(&store, &equal("group", 1)).await, ["b"]);
    assert_eq!(ids(&store, &equal("group", 2)).await, ["a"]);
    store.commit(delete(key("b"))).await.unwrap();
    assert!(ids(&store, &equal("group", 1)).await.is_empty());
    assert!(ids(&store, &equal("name", "two")).await.is_empty());
    store.commit(put(plain(key("a"), "x"))).await.unwrap();
    assert!(ids(&store, &equal("group", 2)).await.is_empty());
}

pub async fn a_prefix_selects_ids(backend: &dyn Backend) {
    let store = backend.fresh(HISTORY).await;
    let records = ["a", "aa", "ab", "b", "a\u{10ffff}", "a%", "a_b"];
    let records = records.iter().enumerate();
    store
        .commit(puts(records.map(|(i, id)| thing(id, i.to_string(), 1))))
        .await
        .unwrap();
    for mut query in [query(), equal("group", 1)] {
        query.prefix = "a".into();
        let expected = ["a", "a%", "a_b", "aa", "ab", "a\u{10ffff}"];
        assert_eq!(ids(&store, &query).await, expected);
        query.prefix = "a_".into();
        assert_eq!(ids(&store, &query).await, ["a_b"]);
        query.prefix = "c".into();
        assert!(ids(&store, &query).await.is_empty());
    }
}

pub async fn a_cursor_may_point_anywhere(backend: &dyn Backend) {
    let store = backend.fresh(HISTORY).await;
    let records = ["b1", "b3", "c"].iter().enumerate();
    store
        .commit(puts(records.map(|(i, id)| thing(id, i.to_string(), 1))))
        .await
        .unwrap();
    let expected: [(&str, &str, &[&str]); 7] = [
        ("", "b2", &["b3", "c"]),
        ("", "zzz", &[]),
        ("b", "a", &["b1", "b3"]),
        ("b", "b", &["b1", "b3"]),
        ("b", "b1", &["b3"]),
        ("b", "b3", &[]),
        ("b", "c", &[]),
    ];
    for (prefix, after, expected) in expected {
        for mut query in [query(), equal("group", 1)] {
            query.prefix = prefix.into();
            query.after = Some(after.into());
            assert_eq!(
                ids(&store, &query).await,
                expected,
                "{prefix:?} after {after:?}"
            );
        }
    }
}

pub async fn a_page_names_its_revision(backend: &dyn Backend) {
    let store = backend.fresh(HISTORY).await;
    for _ in 0..3 {
        let revision = store.commit(put(plain(key("a"), "x"))).await.unwrap();
        let page = store.list(&query(), Read::Latest).await.unwrap();
        assert_eq!(page.revision, revision);
    }
    let other = plain(key_in(scope("fra"), "thing", "a"), "x");
    store.commit(put(other)).await.unwrap();
    let page = store.list(&query(), Read::Latest).await.unwrap();
    assert_eq!(page.revision.get(), 3);
}
