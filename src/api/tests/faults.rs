use std::sync::atomic::{AtomicU32, Ordering};

use metal_storage::{
    Batch, BoxFuture, BoxStream, Change, Error, Key, Memory, Page, Query, Read, Record, Result,
    Revision, Scope, Store, Stored,
};

use super::*;

/// A store that does what it is asked, but forgets to say so, or does nothing at all.
struct Faulty {
    inner: Memory,
    /// So many commits are made without an answer.
    lost_answers: AtomicU32,
    unavailable: bool,
}

impl Faulty {
    fn fail(&self) -> Result<()> {
        if self.unavailable {
            return Err(Error::Unavailable {
                reason: "/var/lib/secret is full".into(),
            });
        }
        Ok(())
    }
}

impl Store for Faulty {
    fn get<'a>(
        &'a self,
        key: &'a Key,
        read: Read,
    ) -> BoxFuture<'a, Result<Option<Stored<Record>>>> {
        Box::pin(async move {
            self.fail()?;
            self.inner.get(key, read).await
        })
    }

    fn list<'a>(&'a self, query: &'a Query, read: Read) -> BoxFuture<'a, Result<Page>> {
        Box::pin(async move {
            self.fail()?;
            self.inner.list(query, read).await
        })
    }

    fn commit(&self, batch: Batch) -> BoxFuture<'_, Result<Revision>> {
        Box::pin(async move {
            self.fail()?;
            let op = batch.op;
            let revision = self.inner.commit(batch).await?;
            let lose = |left: u32| left.checked_sub(1);
            let lost = self
                .lost_answers
                .fetch_update(Ordering::SeqCst, Ordering::SeqCst, lose);
            match lost {
                Ok(_) => Err(Error::Unknown(op)),
                Err(_) => Ok(revision),
            }
        })
    }

    fn watch(&self, scope: Scope, since: Revision) -> BoxStream<'static, Result<Change>> {
        self.inner.watch(scope, since)
    }
}

fn faulty(lost_answers: u32, unavailable: bool) -> Api {
    Api::on(Arc::new(Faulty {
        inner: Memory::new(),
        lost_answers: AtomicU32::new(lost_answers),
        unavailable,
    }))
}

#[tokio::test]
async fn an_unavailable_store_is_503_without_its_inside() {
    let api = faulty(0, true);
    for answer in [
        api.get("/v1/size").await,
        api.get("/v1/size/s").await,
        api.put("/v1/size", json!({"id": "s"})).await,
        api.put("/v1/tenant", json!({"meta": {"id": "s"}})).await,
        api.delete("/v1/project/p").await,
    ] {
        assert!(!answer.body.to_string().contains("secret"));
        answer.refused(503, "the store is unavailable");
    }
}

#[tokio::test]
async fn a_change_whose_answer_was_lost_is_made_once_and_told_as_made() {
    let api = faulty(2, false);
    api.put("/v1/tenant", json!({"meta": {"id": "a"}}))
        .await
        .is(201);
    assert_eq!(api.get("/v1/tenant/a").await.is(200)["meta"]["version"], 0);
    let api = faulty(1, false);
    api.put("/v1/size", json!({"id": "s"})).await.is(201);
}

#[tokio::test]
async fn an_outcome_that_stays_unknown_is_503_and_says_so() {
    let api = faulty(9, false);
    let tenant = json!({"meta": {"id": "a"}});
    api.put("/v1/tenant", tenant)
        .await
        .refused(503, "outcome unknown");
}
