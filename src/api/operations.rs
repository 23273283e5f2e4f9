//! The operations that are served: who may call them and whether they write.

use std::collections::BTreeSet;
use std::sync::LazyLock;

use axum::http::Method;

use crate::auth::Role;

/// One operation of metal-api v1.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Operation {
    /// The `operationId` of the OpenAPI document.
    pub id: &'static str,
    /// HTTP method.
    pub method: Method,
    /// Path as the router matches it, e.g. `/v1/size/{id}`.
    pub path: &'static str,
    /// Who may call it.
    pub access: Access,
    /// Whether it changes anything.
    pub effect: Effect,
}

/// Who may call an operation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    /// Anyone, unauthenticated.
    Public,
    /// Every authenticated user of the provider tenant.
    AnyUser,
    /// Users that hold this role or one that includes it.
    Role(Role),
}

/// Whether an operation changes anything.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Effect {
    /// Repeating it changes nothing.
    Read,
    /// It changes records.
    Write,
}

const PUBLIC: Access = Access::Public;
const ANY_USER: Access = Access::AnyUser;
const VIEW: Access = Access::Role(Role::View);
const EDIT: Access = Access::Role(Role::Edit);
const ADMIN: Access = Access::Role(Role::Admin);

macro_rules! operations {
    ($($method:ident $path:literal $id:literal $access:ident $effect:ident;)+) => {
        /// Every operation that [`super::routes`] serves, and no other.
        pub static OPERATIONS: &[Operation] = &[$(Operation {
            id: $id,
            method: Method::$method,
            path: $path,
            access: $access,
            effect: Effect::$effect,
        }),+];
    };
}

operations! {
    POST   "/v1/audit/find"            "findAuditTraces"         VIEW     Read;
    GET    "/v1/filesystemlayout"      "listFilesystemLayouts"   VIEW     Read;
    POST   "/v1/filesystemlayout"      "updateFilesystemLayout"  ADMIN    Write;
    PUT    "/v1/filesystemlayout"      "createFilesystemLayout"  ADMIN    Write;
    POST   "/v1/filesystemlayout/matches" "matchFilesystemLayout" ADMIN Read;
    POST   "/v1/filesystemlayout/try"     "tryFilesystemLayout"   ADMIN Read;
    DELETE "/v1/filesystemlayout/{id}" "deleteFilesystemLayout"  ADMIN    Write;
    GET    "/v1/filesystemlayout/{id}" "getFilesystemLayout"     VIEW     Read;
    GET    "/v1/health"                "health"                  PUBLIC   Read;
    GET    "/v1/image"                 "listImages"              ANY_USER Read;
    POST   "/v1/image"                 "updateImage"             ADMIN    Write;
    PUT    "/v1/image"                 "createImage"             ADMIN    Write;
    POST   "/v1/image/find"            "findImages"              VIEW     Read;
    DELETE "/v1/image/{id}"            "deleteImage"             ADMIN    Write;
    GET    "/v1/image/{id}"            "findImage"               ANY_USER Read;
    GET    "/v1/image/{id}/latest"     "findLatestImage"         ANY_USER Read;
    GET    "/v1/image/{id}/query"      "queryImages by id"       ANY_USER Read;
    GET    "/v1/ip"                    "listIPs"                 VIEW     Read;
    POST   "/v1/ip"                    "updateIP"                EDIT     Write;
    POST   "/v1/ip/allocate"           "allocateIP"              EDIT     Write;
    POST   "/v1/ip/allocate/{ip}"      "allocateSpecificIP"      EDIT     Write;
    POST   "/v1/ip/find"               "findIPs"                 VIEW     Read;
    DELETE "/v1/ip/free/{id}"          "freeIP"                  EDIT     Write;
    GET    "/v1/ip/{id}"               "findIP"                  VIEW     Read;
    GET    "/v1/network"               "listNetworks"            VIEW     Read;
    POST   "/v1/network"               "updateNetwork"           ADMIN    Write;
    PUT    "/v1/network"               "createNetwork"           ADMIN    Write;
    POST   "/v1/network/allocate"      "allocateNetwork"         EDIT     Write;
    POST   "/v1/network/find"          "findNetworks"            VIEW     Read;
    DELETE "/v1/network/free/{id}"     "freeNetwork"             EDIT     Write;
    POST   "/v1/network/free/{id}"     "freeNetworkDeprecated"   EDIT     Write;
    DELETE "/v1/network/{id}"          "deleteNetwork"           ADMIN    Write;
    GET    "/v1/network/{id}"          "findNetwork"             VIEW     Read;
    GET    "/v1/partition"             "listPartitions"          ANY_USER Read;
    POST   "/v1/partition"             "updatePartition"         ADMIN    Write;
    PUT    "/v1/partition"             "createPartition"         ADMIN    Write;
    POST   "/v1/partition/capacity"    "partitionCapacity"       ANY_USER Read;
    DELETE "/v1/partition/{id}"        "deletePartition"         ADMIN    Write;
    GET    "/v1/partition/{id}"        "findPartition"           ANY_USER Read;
    GET    "/v1/project"               "listProjects"            VIEW     Read;
    POST   "/v1/project"               "updateProject"           ADMIN    Write;
    PUT    "/v1/project"               "createProject"           ADMIN    Write;
    POST   "/v1/project/find"          "findProjects"            VIEW     Read;
    DELETE "/v1/project/{id}"          "deleteProject"           ADMIN    Write;
    GET    "/v1/project/{id}"          "findProject"             VIEW     Read;
    GET    "/v1/size"                  "listSizes"               ANY_USER Read;
    POST   "/v1/size"                  "updateSize"              ADMIN    Write;
    PUT    "/v1/size"                  "createSize"              ADMIN    Write;
    DELETE "/v1/size/{id}"             "deleteSize"              ADMIN    Write;
    GET    "/v1/size/reservations"       "listSizeReservations"   ANY_USER Read;
    POST   "/v1/size/reservations"       "updateSizeReservation"  EDIT     Write;
    PUT    "/v1/size/reservations"       "createSizeReservation"  EDIT     Write;
    POST   "/v1/size/reservations/find"  "findSizeReservations"   ANY_USER Read;
    POST   "/v1/size/reservations/usage" "sizeReservationsUsage"  ANY_USER Read;
    DELETE "/v1/size/reservations/{id}"  "deleteSizeReservation"  EDIT     Write;
    GET    "/v1/size/reservations/{id}"  "getSizeReservation"     ANY_USER Read;
    POST   "/v1/size/suggest"          "suggest"                 ANY_USER Read;
    GET    "/v1/size/{id}"             "findSize"                ANY_USER Read;
    GET    "/v1/size-image-constraint"      "listSizeImageConstraints"  ANY_USER Read;
    POST   "/v1/size-image-constraint"      "updateSizeImageConstraint" ADMIN    Write;
    PUT    "/v1/size-image-constraint"      "createSizeImageConstraint" ADMIN    Write;
    POST   "/v1/size-image-constraint/try"  "trySizeImageConstraint"    ADMIN    Read;
    DELETE "/v1/size-image-constraint/{id}" "deleteSizeImageConstraint" ADMIN    Write;
    GET    "/v1/size-image-constraint/{id}" "findSizeImageConstraint"   ANY_USER Read;
    GET    "/v1/tenant"                "listTenants"             VIEW     Read;
    POST   "/v1/tenant"                "updateTenant"            ADMIN    Write;
    PUT    "/v1/tenant"                "createTenant"            ADMIN    Write;
    POST   "/v1/tenant/find"           "findTenants"             VIEW     Read;
    DELETE "/v1/tenant/{id}"           "deleteTenant"            ADMIN    Write;
    GET    "/v1/tenant/{id}"           "getTenant"               VIEW     Read;
    GET    "/v1/user/me"               "getMe"                   VIEW     Read;
    GET    "/v1/version"               "info"                    PUBLIC   Read;
}

/// The operation that serves `method` on the matched route `path`, `None` if none does.
///
/// `HEAD` is served by the `GET` of the same path. Linear in the number of operations.
pub fn find(method: &Method, matched_path: &str) -> Option<&'static Operation> {
    let method = if method == Method::HEAD {
        &Method::GET
    } else {
        method
    };
    OPERATIONS
        .iter()
        .find(|operation| operation.path == matched_path && operation.method == *method)
}

/// What a request asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Resolved {
    /// This operation.
    Operation(&'static Operation),
    /// The path exists, but not with this method.
    WrongMethod,
    /// There is no such path.
    NoSuchPath,
}

/// What `method` on the path of a request asks for. Linear in the length of the path.
pub fn resolve(method: &Method, path: &str) -> Resolved {
    let Ok(matched) = PATHS.at(path) else {
        return Resolved::NoSuchPath;
    };
    match find(method, matched.value) {
        Some(operation) => Resolved::Operation(operation),
        None => Resolved::WrongMethod,
    }
}

/// The paths of [`OPERATIONS`], matched as the router matches them.
static PATHS: LazyLock<matchit::Router<&'static str>> = LazyLock::new(|| {
    let mut paths = matchit::Router::new();
    let mut known = BTreeSet::new();
    for operation in OPERATIONS {
        if known.insert(operation.path) {
            paths
                .insert(operation.path, operation.path)
                .expect("the paths of the table do not clash");
        }
    }
    paths
});

#[cfg(test)]
mod tests {
    use super::*;

    /// method, path, operationId, least role: as metal-api v1 has them.
    const EXPECTED: &str = "\
POST,/v1/audit/find,findAuditTraces,viewer
GET,/v1/filesystemlayout,listFilesystemLayouts,viewer
POST,/v1/filesystemlayout,updateFilesystemLayout,admin
PUT,/v1/filesystemlayout,createFilesystemLayout,admin
POST,/v1/filesystemlayout/matches,matchFilesystemLayout,admin
POST,/v1/filesystemlayout/try,tryFilesystemLayout,admin
DELETE,/v1/filesystemlayout/{id},deleteFilesystemLayout,admin
GET,/v1/filesystemlayout/{id},getFilesystemLayout,viewer
GET,/v1/health,health,none (no auth)
GET,/v1/image,listImages,any provider-tenant user
POST,/v1/image,updateImage,admin
PUT,/v1/image,createImage,admin
POST,/v1/image/find,findImages,viewer
DELETE,/v1/image/{id},deleteImage,admin
GET,/v1/image/{id},findImage,any provider-tenant user
GET,/v1/image/{id}/latest,findLatestImage,any provider-tenant user
GET,/v1/image/{id}/query,queryImages by id,any provider-tenant user
GET,/v1/ip,listIPs,viewer
POST,/v1/ip,updateIP,editor
POST,/v1/ip/allocate,allocateIP,editor
POST,/v1/ip/allocate/{ip},allocateSpecificIP,editor
POST,/v1/ip/find,findIPs,viewer
DELETE,/v1/ip/free/{id},freeIP,editor
GET,/v1/ip/{id},findIP,viewer
GET,/v1/network,listNetworks,viewer
POST,/v1/network,updateNetwork,admin
PUT,/v1/network,createNetwork,admin
POST,/v1/network/allocate,allocateNetwork,editor
POST,/v1/network/find,findNetworks,viewer
DELETE,/v1/network/free/{id},freeNetwork,editor
POST,/v1/network/free/{id},freeNetworkDeprecated,editor
DELETE,/v1/network/{id},deleteNetwork,admin
GET,/v1/network/{id},findNetwork,viewer
GET,/v1/partition,listPartitions,any provider-tenant user
POST,/v1/partition,updatePartition,admin
PUT,/v1/partition,createPartition,admin
POST,/v1/partition/capacity,partitionCapacity,any provider-tenant user
DELETE,/v1/partition/{id},deletePartition,admin
GET,/v1/partition/{id},findPartition,any provider-tenant user
GET,/v1/project,listProjects,viewer
POST,/v1/project,updateProject,admin
PUT,/v1/project,createProject,admin
POST,/v1/project/find,findProjects,viewer
DELETE,/v1/project/{id},deleteProject,admin
GET,/v1/project/{id},findProject,viewer
GET,/v1/size,listSizes,any provider-tenant user
POST,/v1/size,updateSize,admin
PUT,/v1/size,createSize,admin
DELETE,/v1/size/{id},deleteSize,admin
GET,/v1/size/reservations,listSizeReservations,any provider-tenant user
POST,/v1/size/reservations,updateSizeReservation,editor
PUT,/v1/size/reservations,createSizeReservation,editor
POST,/v1/size/reservations/find,findSizeReservations,any provider-tenant user
POST,/v1/size/reservations/usage,sizeReservationsUsage,any provider-tenant user
DELETE,/v1/size/reservations/{id},deleteSizeReservation,editor
GET,/v1/size/reservations/{id},getSizeReservation,any provider-tenant user
POST,/v1/size/suggest,suggest,any provider-tenant user
GET,/v1/size/{id},findSize,any provider-tenant user
GET,/v1/size-image-constraint,listSizeImageConstraints,any provider-tenant user
POST,/v1/size-image-constraint,updateSizeImageConstraint,admin
PUT,/v1/size-image-constraint,createSizeImageConstraint,admin
POST,/v1/size-image-constraint/try,trySizeImageConstraint,admin
DELETE,/v1/size-image-constraint/{id},deleteSizeImageConstraint,admin
GET,/v1/size-image-constraint/{id},findSizeImageConstraint,any provider-tenant user
GET,/v1/tenant,listTenants,viewer
POST,/v1/tenant,updateTenant,admin
PUT,/v1/tenant,createTenant,admin
POST,/v1/tenant/find,findTenants,viewer
DELETE,/v1/tenant/{id},deleteTenant,admin
GET,/v1/tenant/{id},getTenant,viewer
GET,/v1/user/me,getMe,viewer
GET,/v1/version,info,none (no auth)";

    #[test]
    fn every_operation_has_the_path_id_and_role_of_metal_api() {
        let rows: Vec<Vec<&str>> = EXPECTED
            .lines()
            .map(|row| row.split(',').collect())
            .collect();
        assert_eq!(rows.len(), OPERATIONS.len());
        for row in rows {
            let method: Method = row[0].parse().unwrap();
            let operation = find(&method, row[1]).unwrap_or_else(|| panic!("{row:?} is missing"));
            assert_eq!(operation.id, row[2]);
            let access = match row[3] {
                "viewer" => Access::Role(Role::View),
                "editor" => Access::Role(Role::Edit),
                "admin" => Access::Role(Role::Admin),
                "none (no auth)" => Access::Public,
                "any provider-tenant user" => Access::AnyUser,
                other => panic!("unknown role {other:?}"),
            };
            assert_eq!(operation.access, access, "{row:?}");
        }
    }

    #[test]
    fn only_gets_and_questions_are_reads() {
        let questions = [
            "/find",
            "/try",
            "/matches",
            "/usage",
            "/suggest",
            "/capacity",
        ];
        for operation in OPERATIONS {
            let asks = questions.iter().any(|end| operation.path.ends_with(end));
            let read = operation.method == Method::GET || asks;
            assert_eq!(operation.effect == Effect::Read, read, "{operation:?}");
        }
    }

    #[test]
    fn a_head_request_is_governed_by_the_get_of_its_path() {
        assert_eq!(find(&Method::HEAD, "/v1/size").unwrap().id, "listSizes");
        assert_eq!(find(&Method::PATCH, "/v1/size"), None);
    }

    #[test]
    fn a_path_resolves_to_its_operation_and_the_fixed_part_wins_over_an_id() {
        let id = |method, path| match resolve(&method, path) {
            Resolved::Operation(operation) => operation.id,
            other => panic!("{path}: {other:?}"),
        };
        assert_eq!(id(Method::GET, "/v1/size/n1"), "findSize");
        assert_eq!(id(Method::HEAD, "/v1/size/n1"), "findSize");
        assert_eq!(id(Method::GET, "/v1/image/a-1/latest"), "findLatestImage");
        assert_eq!(id(Method::POST, "/v1/project/find"), "findProjects");
        assert_eq!(resolve(&Method::PATCH, "/v1/size"), Resolved::WrongMethod);
        for path in [
            "/v1/size/",
            "/v1/size/a/b",
            "/v1",
            "/",
            "/v2/size",
            "//v1/size",
        ] {
            assert_eq!(resolve(&Method::GET, path), Resolved::NoSuchPath, "{path}");
        }
    }
}
