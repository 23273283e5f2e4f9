//! `/v1/partition`: the data centres and plants.

mod capacity;
mod wire;

use axum::extract::State;
use axum::http::StatusCode;
use axum::routing::{get, post};
use axum::{Json, Router};
use metal_storage::{Batch, Error, Filter, Scope};

use self::wire::{PartitionRequest, PartitionResponse, dns_servers, ntp_servers};
use super::commit::commit;
use super::extract::{JsonOf, PathId};
use super::records::{Records, unchanged};
use super::retry::Retry;
use super::size_reservation::Unreserved;
use super::wire::{Texts, filled, set, texts};
use super::{ApiError, ApiState};
use crate::clock;
use crate::domain::{BootConfig, Partition, PartitionId, SizeReservation, Timestamps};

pub(super) fn routes() -> Router<ApiState> {
    Router::new()
        .route("/v1/partition", get(list).put(create).post(update))
        .route("/v1/partition/capacity", post(capacity::capacity))
        .route("/v1/partition/{id}", get(read).delete(delete))
}

async fn list(State(state): State<ApiState>) -> Result<Json<Vec<PartitionResponse>>, ApiError> {
    let partitions = partitions(&state).list(Filter::all()).await?;
    Ok(Json(partitions.into_iter().map(Into::into).collect()))
}

async fn read(
    State(state): State<ApiState>,
    PathId(id): PathId,
) -> Result<Json<PartitionResponse>, ApiError> {
    let partition = partitions(&state).get(&id).await?;
    Ok(Json(partition.value.into()))
}

/// Makes a partition whose kernel and initial RAM disk can be fetched.
async fn create(
    State(state): State<ApiState>,
    JsonOf(body): JsonOf<PartitionRequest>,
) -> Result<(StatusCode, Json<PartitionResponse>), ApiError> {
    let id = PartitionId::try_from(body.id.unwrap_or_default())?;
    let boot = body.bootconfig.unwrap_or_default();
    let partition = Partition {
        id,
        times: Timestamps::new(clock::wall()),
        name: body.name.unwrap_or_default(),
        description: body.description.unwrap_or_default(),
        mgmt_service_address: body.mgmtserviceaddress.unwrap_or_default(),
        boot: BootConfig {
            image_url: boot.imageurl.unwrap_or_default(),
            kernel_url: boot.kernelurl.unwrap_or_default(),
            command_line: boot.commandline.unwrap_or_default(),
        },
        labels: texts(body.labels),
        dns_servers: dns_servers(body.dns_servers.unwrap_or_default())?,
        ntp_servers: ntp_servers(body.ntp_servers.unwrap_or_default()),
    };
    partition.check()?;
    for (field, url) in urls(&partition.boot) {
        if url.is_empty() {
            return Err(ApiError::bad_request(format!("{field}: must not be empty")));
        }
    }
    let partitions = partitions(&state);
    partitions.absent(partition.id.as_str()).await?;
    let [image, kernel] = urls(&partition.boot);
    tokio::try_join!(
        state.heads.check(image.0, image.1),
        state.heads.check(kernel.0, kernel.1),
    )?;
    partitions.insert(&partition).await?;
    Ok((StatusCode::CREATED, Json(partition.into())))
}

/// Changes what is given; URLs that are given must answer.
async fn update(
    State(state): State<ApiState>,
    JsonOf(body): JsonOf<PartitionRequest>,
) -> Result<Json<PartitionResponse>, ApiError> {
    let id = PartitionId::try_from(body.id.unwrap_or_default())?;
    let partitions = partitions(&state);
    let old = partitions.get(id.as_str()).await?;
    unchanged::<Partition>(id.as_str(), old.value.times, body.changed)?;
    let mut new = old.value.clone();
    let boot = body.bootconfig.unwrap_or_default();
    let given = [
        ("bootconfig.imageurl", boot.imageurl.clone()),
        ("bootconfig.kernelurl", boot.kernelurl.clone()),
    ];
    set(&mut new.name, body.name);
    set(&mut new.description, body.description);
    set(&mut new.mgmt_service_address, body.mgmtserviceaddress);
    set(&mut new.boot.command_line, boot.commandline);
    set(&mut new.boot.image_url, filled(boot.imageurl));
    set(&mut new.boot.kernel_url, filled(boot.kernelurl));
    set(&mut new.labels, body.labels.map(Texts::into_map));
    set(
        &mut new.dns_servers,
        body.dns_servers.map(dns_servers).transpose()?,
    );
    set(&mut new.ntp_servers, body.ntp_servers.map(ntp_servers));
    new.times = old.value.times.touched(clock::wall());
    new.check()?;
    for (field, url) in given {
        if let Some(url) = filled(url) {
            state.heads.check(field, &url).await?;
        }
    }
    partitions.replace(&old, &new).await?;
    Ok(Json(new.into()))
}

/// Deletes a partition that has no networks, and that no size reservation refers to.
async fn delete(
    State(state): State<ApiState>,
    PathId(id): PathId,
) -> Result<Json<PartitionResponse>, ApiError> {
    let partitions = partitions(&state);
    let in_use = |by| ApiError::refused(format!("partition {id:?} is in use by {by}"));
    let mut retry = Retry::new("deletePartition");
    loop {
        let partition = partitions.get(&id).await?;
        let refers = |reservation: &SizeReservation| reservation.is_in(&id);
        let unreserved = Unreserved::check(&state, Filter::all(), refers, in_use).await?;
        state
            .space
            .refuse_partition_in_use(&partition.value.id)
            .await?;
        let mut batch = Batch::new(Scope::Global);
        batch.delete(&partition)?;
        unreserved.require(&mut batch)?;
        match commit(&state.store, batch).await {
            Ok(_) => return Ok(Json(partition.value.into())),
            Err(Error::Conflict(key)) => retry.after(&key).await?,
            Err(error) => return Err(error.into()),
        }
    }
}

fn partitions(state: &ApiState) -> Records<Partition> {
    Records::new(&state.store)
}

fn urls(boot: &BootConfig) -> [(&'static str, &str); 2] {
    [
        ("bootconfig.imageurl", &boot.image_url),
        ("bootconfig.kernelurl", &boot.kernel_url),
    ]
}
