use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::time::Instant;

use sqlx::Row;
use sqlx::postgres::PgRow;
use uuid::Uuid;

use super::client::{Boxed, Client, Transaction, fixed, query};
use super::engine::Engine;
use super::fault::Fault;
use super::options::SqlOptions;
use super::pause::pause;
use super::plan::{Plan, TableWrites};
use super::statements::{ADVANCE, ADVANCE_AND_NOTIFY, FORGET, HEAD, NEW_SCOPE};
use super::tables::{Table, Tables, keys};
use super::{bind, rows};
use crate::batch::{Batch, Write};
use crate::codec;
use crate::error::{Error, Result};
use crate::heads::Heads;
use crate::key::Key;
use crate::name::Name;
use crate::op::OpId;
use crate::revision::Revision;
use crate::scope::Scope;
use crate::stats::Counters;
use crate::value::Value;

/// Commits groups of batches, each in one transaction.
#[derive(Debug)]
pub(super) struct Groups {
    pub(super) client: Client,
    pub(super) tables: Arc<Tables>,
    pub(super) heads: Arc<Heads>,
    pub(super) counters: Arc<Counters>,
    pub(super) options: SqlOptions,
}

/// How far a transaction came, for whoever must know what its failure means.
#[derive(Debug, Default)]
struct Progress {
    /// The first revision of a COMMIT that was sent and whose answer is not there.
    committing: Option<Revision>,
}

// === impl Groups ===

impl Groups {
    /// Commits these batches of one scope, one after another, and answers each.
    ///
    /// A COMMIT whose answer is lost is resolved by doing it all again: the operations that it
    /// made are found by their ids, and a scope's row is locked until the lost one has ended.
    pub(super) async fn commit(&self, scope: &Scope, batches: &[Batch]) -> Vec<Result<Revision>> {
        let deadline = Instant::now() + self.options.retry_wait;
        self.until(deadline, scope, batches, None).await
    }

    /// Tries until then. `unsure` is the first revision that an earlier attempt may have made.
    async fn until(
        &self,
        deadline: Instant,
        scope: &Scope,
        batches: &[Batch],
        mut unsure: Option<Revision>,
    ) -> Vec<Result<Revision>> {
        let mut attempt = 0_u32;
        loop {
            attempt += 1;
            let mut progress = Progress::default();
            let fault = match self.attempt(scope, batches, unsure, &mut progress).await {
                Ok(answers) => {
                    self.counters.group(batches.len());
                    return answers;
                }
                Err(fault) => fault,
            };
            if let Some(first) = progress.committing
                && !fault.is_rollback()
            {
                unsure = Some(unsure.map_or(first, |known| known.min(first)));
            }
            if !matches!(fault, Fault::Again(_)) {
                self.counters.fault();
            }
            match fault {
                Fault::Refused(_) if batches.len() > 1 => {
                    return self.one_by_one(deadline, scope, batches, unsure).await;
                }
                // What is refused or down now is no less so in a moment, but what became of a
                // lost COMMIT must be found out.
                Fault::Refused(_) | Fault::Answer(_) => return refuse(batches, unsure, fault),
                Fault::Down(_) | Fault::Missing(_) if unsure.is_none() => {
                    return refuse(batches, unsure, fault);
                }
                _ => {}
            }
            let pause = pause(attempt);
            if Instant::now() + pause >= deadline {
                tracing::warn!(%scope, attempt, reason = fault.reason(), unsure = unsure.is_some(), "gave up a group of commits");
                return refuse(batches, unsure, fault);
            }
            self.counters.retry();
            tracing::info!(%scope, attempt, batches = batches.len(), kind = fault.kind(), reason = fault.reason(), unsure = unsure.is_some(), "committing a group again");
            tokio::time::sleep(pause).await;
        }
    }

    /// Finds the batch that the database refuses, and commits the others.
    fn one_by_one<'a>(
        &'a self,
        deadline: Instant,
        scope: &'a Scope,
        batches: &'a [Batch],
        unsure: Option<Revision>,
    ) -> Boxed<'a, Vec<Result<Revision>>> {
        Box::pin(async move {
            let mut answers = Vec::with_capacity(batches.len());
            for batch in batches {
                let batch = std::slice::from_ref(batch);
                answers.extend(self.until(deadline, scope, batch, unsure).await);
            }
            answers
        })
    }

    /// One transaction. `unsure` is the first revision that an earlier attempt may have made.
    async fn attempt(
        &self,
        scope: &Scope,
        batches: &[Batch],
        unsure: Option<Revision>,
        progress: &mut Progress,
    ) -> Result<Vec<Result<Revision>>, Fault> {
        let mut txn = self.client.begin().await?;
        let name = scope.to_string();
        let done = self.fill(&mut txn, scope, &name, batches, unsure).await;
        let (answers, first, head) = match done {
            Ok(done) => done,
            Err(fault) => {
                // Not after what broke the connection.
                if !matches!(fault, Fault::Lost(_)) {
                    txn.rollback().await;
                }
                return Err(fault);
            }
        };
        progress.committing = Some(first);
        txn.commit().await?;
        progress.committing = None;
        self.heads.advance(scope, head);
        Ok(answers)
    }

    /// Does in a transaction what the batches ask for; gives the answers if it is committed, the
    /// first revision that it makes and the last.
    async fn fill(
        &self,
        txn: &mut Transaction,
        scope: &Scope,
        name: &str,
        batches: &[Batch],
        unsure: Option<Revision>,
    ) -> Result<(Vec<Result<Revision>>, Revision, Revision), Fault> {
        let (head, forgotten, ops) = self.head(txn, name, batches).await?;
        let mut plan = Plan::new(head, ops);
        self.touched(txn, scope, name, batches, &mut plan).await?;
        let mut answers = Vec::with_capacity(batches.len());
        for batch in batches {
            let lost = unsure.is_some_and(|first| first <= forgotten);
            answers.push(if lost && plan.remembers(batch.op).is_none() {
                // It may have been made and forgotten since.
                Err(Error::Unknown(batch.op))
            } else {
                plan.apply(batch)
            });
        }
        if !plan.changes().is_empty() {
            for (table, writes) in plan.writes() {
                let table = self.tables.get(&Name::new(table.to_owned())?)?;
                write(txn, name, table, &writes).await?;
            }
            self.remember(txn, name, &plan, forgotten).await?;
        }
        Ok((answers, head.next(), plan.head()))
    }

    /// Locks the scope and says where it is, what it has forgotten, and which of the operations
    /// it remembers.
    async fn head(
        &self,
        txn: &mut Transaction,
        scope: &str,
        batches: &[Batch],
    ) -> Result<(Revision, Revision, HashMap<OpId, Revision>), Fault> {
        let asked: Vec<Uuid> = batches.iter().map(|batch| batch.op.as_uuid()).collect();
        let ask = || fixed(HEAD).bind(scope.to_owned()).bind(asked.clone());
        let mut found = txn.fetch(ask()).await?;
        if found.is_empty() {
            txn.fetch(fixed(NEW_SCOPE).bind(scope.to_owned())).await?;
            found = txn.fetch(ask()).await?;
        }
        let mut ops = HashMap::new();
        let first = found
            .first()
            .ok_or_else(|| Fault::Again("the scope's row is not there".into()))?;
        let at = (rows::revision(first, 0)?, rows::revision(first, 1)?);
        for row in &found {
            if let Some(op) = row.try_get::<Option<Uuid>, _>(2)? {
                ops.insert(OpId::from(op), rows::revision(row, 3)?);
            }
        }
        Ok((at.0, at.1, ops))
    }

    /// Tells the plan of every row that the batches are about.
    async fn touched<'a>(
        &self,
        txn: &mut Transaction,
        scope: &Scope,
        name: &str,
        batches: &'a [Batch],
        plan: &mut Plan<'a>,
    ) -> Result<(), Fault> {
        let mut ids: HashMap<&Name, HashSet<&str>> = HashMap::new();
        for key in batches.iter().flat_map(keys) {
            ids.entry(key.table()).or_default().insert(key.id());
        }
        let writes = || batches.iter().flat_map(|batch| &batch.writes);
        for (table_name, ids) in ids {
            let table = self.tables.get(table_name)?;
            let ids: Vec<String> = ids.into_iter().map(str::to_owned).collect();
            let mut ask = query(&table.sql.touched).bind(name.to_owned()).bind(ids);
            for i in table.unique() {
                let wanted = writes().filter_map(|write| match write {
                    Write::Put(record) if record.key.table() == table_name => {
                        Some(&record.fields[i].value).filter(|value| **value != Value::Null)
                    }
                    _ => None,
                });
                ask = bind::wanted(ask, table.schema.columns()[i].kind(), wanted);
            }
            for row in txn.fetch(ask).await? {
                let id: String = row.try_get(0)?;
                let key = Key::new(scope.clone(), table_name.clone(), &id)?;
                let unique = unique(&row, table)?;
                plan.found(key, rows::revision(&row, 1)?.into(), unique);
            }
        }
        Ok(())
    }

    /// Writes down what the group did, forgets what is too old, and moves the scope on.
    async fn remember(
        &self,
        txn: &mut Transaction,
        scope: &str,
        plan: &Plan<'_>,
        mut forgotten: Revision,
    ) -> Result<(), Fault> {
        let history = self.options.history_revisions.max(1);
        let head = plan.head().get();
        if head - forgotten.get() > history + history / 8 {
            forgotten = Revision::new(head - history);
            let forget = fixed(FORGET).bind(scope.to_owned());
            txn.fetch(forget.bind(bind::revision(forgotten))).await?;
        }
        let (mut revisions, mut ops, mut sizes, mut bodies) = (vec![], vec![], vec![], vec![]);
        // A group may be longer than the history.
        let remembered = plan.changes().iter().filter(|(r, _)| *r > forgotten);
        for (revision, batch) in remembered {
            let body = codec::encode_change(batch.op, &batch.writes);
            revisions.push(bind::revision(*revision));
            ops.push(batch.op.as_uuid());
            sizes.push(bind::size(body.len()));
            bodies.push(body);
        }
        let advance = match self.client.engine {
            Engine::Postgres => ADVANCE_AND_NOTIFY,
            Engine::Cockroach => ADVANCE,
        };
        let mut advance = fixed(advance)
            .bind(scope.to_owned())
            .bind(revisions)
            .bind(ops)
            .bind(sizes)
            .bind(bodies)
            .bind(bind::revision(plan.head()))
            .bind(bind::revision(forgotten));
        if self.client.engine == Engine::Postgres {
            advance = advance.bind(format!("{scope} {head}"));
        }
        txn.fetch(advance).await?;
        Ok(())
    }
}

async fn write(
    txn: &mut Transaction,
    scope: &str,
    table: &Table,
    writes: &TableWrites<'_>,
) -> Result<(), Fault> {
    if !writes.delete.is_empty() {
        let ids: Vec<String> = writes.delete.iter().map(|id| (*id).to_owned()).collect();
        let delete = query(&table.sql.delete).bind(scope.to_owned());
        txn.fetch(delete.bind(ids)).await?;
    }
    if !writes.put.is_empty() {
        let put = match writes.replaces {
            true => &table.sql.upsert,
            // The engine need not look for what is known not to be there.
            false => &table.sql.insert,
        };
        let put = query(put).bind(scope.to_owned());
        txn.fetch(bind::records(put, table, &writes.put)).await?;
    }
    Ok(())
}

/// The unique values of a row that [`touched`](super::statements::TableStatements::touched) gave.
fn unique(row: &PgRow, table: &Table) -> Result<Vec<(usize, Value)>, Fault> {
    let mut held = Vec::new();
    for (at, i) in table.unique().enumerate() {
        let value = rows::value(row, at + 2, table.schema.columns()[i].kind())?;
        if value != Value::Null {
            held.push((i, value));
        }
    }
    Ok(held)
}

/// What every batch of a group is told that will not be tried again.
fn refuse(batches: &[Batch], unsure: Option<Revision>, fault: Fault) -> Vec<Result<Revision>> {
    let error = fault.into_error();
    batches
        .iter()
        .map(|batch| match unsure {
            Some(_) => Err(Error::Unknown(batch.op)),
            None => Err(error.clone()),
        })
        .collect()
}
