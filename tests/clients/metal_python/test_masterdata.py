from concurrent.futures import ThreadPoolExecutor

from metal_python.api import ProjectApi, TenantApi
from metal_python.models import (
    V1IAMConfig,
    V1IDMConfig,
    V1IssuerConfig,
    V1Meta,
    V1ProjectCreateRequest,
    V1ProjectFindRequest,
    V1ProjectUpdateRequest,
    V1Quota,
    V1QuotaSet,
    V1TenantCreateRequest,
    V1TenantFindRequest,
    V1TenantUpdateRequest,
)
from metal_python.rest import ApiException

from base import Case, admin


def id_of(entity):
    return entity.meta.id


def meta(kind, id, **fields):
    return V1Meta(id=id, kind=kind, apiversion="v1", **fields)


def tenant(id, **fields):
    return V1TenantCreateRequest(
        meta=meta("Tenant", id, annotations={"cost/centre": "42"}, labels=["blue", id]),
        name="Tenant " + id,
        description="for a test",
        **fields,
    )


def project(id, tenant_id, **fields):
    return V1ProjectCreateRequest(
        meta=meta("Project", id, annotations={"owner": tenant_id}, labels=["green"]),
        name="Project " + id[-4:],
        description="for a test",
        tenant_id=tenant_id,
        **fields,
    )


def project_id(n):
    return f"7b1f3c52-0000-4000-8000-{n:012}"


class TenantTest(Case):
    def setUp(self):
        self.api = TenantApi(self.admin)

    def create(self, id):
        created = self.api.create_tenant(tenant(id))
        self.addCleanup(self.api.delete_tenant, id)
        return created

    def test_a_tenant_lives_from_create_to_delete(self):
        iam = V1IAMConfig(
            issuer_config=V1IssuerConfig(client_id="metal", url="https://id.example"),
            idm_config=V1IDMConfig(idm_type="AD"),
        )
        quotas = V1QuotaSet(project=V1Quota(quota=7), machine=V1Quota(quota=50))
        created = self.api.create_tenant(tenant("acme", iam_config=iam, quotas=quotas))
        self.assertEqual(created.meta.id, "acme")
        self.assertEqual(created.meta.kind, "Tenant")
        self.assertEqual(created.meta.apiversion, "v1")
        self.assertEqual(created.meta.annotations, {"cost/centre": "42"})
        self.assertEqual(created.meta.labels, ["blue", "acme"])
        self.assertIsNotNone(created.meta.created_time)
        self.assertEqual(created.meta.version or 0, 0)
        self.assertEqual(created.name, "Tenant acme")
        self.assertEqual(created.description, "for a test")
        self.assertEqual(created.iam_config, iam)
        self.assertEqual(created.quotas.project.quota, 7)
        self.assertEqual(created.quotas.machine.quota, 50)

        self.assertEqual(self.api.get_tenant("acme"), created)
        self.assertIn(created, self.api.list_tenants())

        change = V1TenantUpdateRequest(
            meta=meta("Tenant", "acme", version=created.meta.version, labels=["red"]),
            name="Renamed",
            description="changed",
        )
        updated = self.api.update_tenant(change)
        self.assertEqual(updated.name, "Renamed")
        self.assertEqual(updated.description, "changed")
        self.assertEqual(updated.meta.labels, ["red"])
        self.assertEqual(updated.meta.version, 1)
        self.assertEqual(updated.meta.created_time, created.meta.created_time)
        self.assertIsNotNone(updated.meta.updated_time)
        self.assertEqual(self.api.get_tenant("acme"), updated)

        self.assertEqual(self.api.delete_tenant("acme").meta.id, "acme")
        self.refused(404, self.api.get_tenant, "acme")

    def test_find_filters_by_id_name_and_annotations(self):
        self.create("find-a")
        other = tenant("find-b")
        other.meta.annotations = {"cost/centre": "43"}
        self.api.create_tenant(other)
        self.addCleanup(self.api.delete_tenant, "find-b")

        def found(**query):
            ids = self.listed(self.api.find_tenants(V1TenantFindRequest(**query)), id_of)
            return "find-a" in ids, "find-b" in ids

        self.assertEqual(found(), (True, True))
        self.assertEqual(found(id="find-a"), (True, False))
        self.assertEqual(found(name="Tenant find-b"), (False, True))
        self.assertEqual(found(annotations={"cost/centre": "43"}), (False, True))
        self.assertEqual(found(id="find-a", name="Tenant find-b"), (False, False))

    def test_a_second_create_is_a_conflict(self):
        first = self.create("twice")
        self.refused(409, self.api.create_tenant, tenant("twice"))
        self.assertEqual(self.api.get_tenant("twice"), first)

    def test_a_tenant_with_projects_is_not_deleted(self):
        self.create("busy")
        projects = ProjectApi(self.admin)
        projects.create_project(project(project_id(1), "busy"))
        self.addCleanup(projects.delete_project, project_id(1))
        self.refused(422, self.api.delete_tenant, "busy")
        self.assertEqual(self.api.get_tenant("busy").name, "Tenant busy")

    def test_an_unknown_tenant_is_not_found(self):
        self.refused(404, self.api.get_tenant, "none")
        self.refused(404, self.api.delete_tenant, "none")
        change = V1TenantUpdateRequest(meta=meta("Tenant", "none", version=0), name="x")
        self.refused(404, self.api.update_tenant, change)

    def test_of_writers_with_one_version_exactly_one_wins(self):
        self.create("raced")
        change = lambda n: V1TenantUpdateRequest(
            meta=meta("Tenant", "raced", version=0), name=f"Writer {n}"
        )
        winner = race(lambda client, n: TenantApi(client).update_tenant(change(n)))
        stored = self.api.get_tenant("raced")
        self.assertEqual(stored.meta.version, 1)
        self.assertEqual(stored.name, f"Writer {winner}")
        self.refused(412, self.api.update_tenant, change(99))

    def test_view_reads_and_changes_nothing(self):
        created = self.create("seen")
        api = TenantApi(self.view)
        self.assertEqual(api.get_tenant("seen"), created)
        self.assertIn(created, api.list_tenants())
        self.assertEqual(api.find_tenants(V1TenantFindRequest(id="seen")), [created])
        self.refused(403, api.create_tenant, tenant("unseen"))
        change = V1TenantUpdateRequest(meta=meta("Tenant", "seen", version=0), name="x")
        self.refused(403, api.update_tenant, change)
        self.refused(403, api.delete_tenant, "seen")
        self.assertEqual(self.api.get_tenant("seen"), created)


class ProjectTest(Case):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        TenantApi(cls.admin).create_tenant(tenant("owner"))
        cls.addClassCleanup(TenantApi(cls.admin).delete_tenant, "owner")

    def setUp(self):
        self.api = ProjectApi(self.admin)

    def create(self, n, **fields):
        created = self.api.create_project(project(project_id(n), "owner", **fields))
        self.addCleanup(self.api.delete_project, project_id(n))
        return created

    def test_a_project_lives_from_create_to_delete(self):
        id = project_id(10)
        quotas = V1QuotaSet(machine=V1Quota(quota=5), ip=V1Quota(quota=3))
        created = self.api.create_project(project(id, "owner", quotas=quotas))
        self.assertEqual(created.meta.id, id)
        self.assertEqual(created.meta.kind, "Project")
        self.assertEqual(created.meta.annotations, {"owner": "owner"})
        self.assertEqual(created.meta.labels, ["green"])
        self.assertEqual(created.meta.version or 0, 0)
        self.assertEqual(created.tenant_id, "owner")
        self.assertEqual(created.name, "Project 0010")
        self.assertEqual(created.description, "for a test")
        self.assertEqual(created.quotas.machine.quota, 5)
        self.assertEqual(created.quotas.ip.quota, 3)

        found = self.api.find_project(id)
        self.assertEqual(found.meta, created.meta)
        self.assertEqual(found.quotas.machine.quota, 5)
        self.assertEqual(found.quotas.machine.used or 0, 0)
        self.assertIn(id, self.listed(self.api.list_projects(), id_of))

        change = V1ProjectUpdateRequest(
            meta=meta("Project", id, version=created.meta.version, labels=["red"]),
            name="Renamed",
            description="changed",
            tenant_id="owner",
        )
        updated = self.api.update_project(change)
        self.assertEqual(updated.name, "Renamed")
        self.assertEqual(updated.description, "changed")
        self.assertEqual(updated.meta.labels, ["red"])
        self.assertEqual(updated.meta.version, 1)
        self.assertEqual(updated.tenant_id, "owner")

        self.assertEqual(self.api.delete_project(id).meta.id, id)
        self.refused(404, self.api.find_project, id)

    def test_a_project_without_an_id_gets_one(self):
        request = project("", "owner")
        request.meta.id = None
        created = self.api.create_project(request)
        self.addCleanup(self.api.delete_project, created.meta.id)
        self.assertRegex(created.meta.id, r"^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$")

    def test_a_project_needs_a_tenant_that_exists(self):
        request = project(project_id(20), "owner")
        request.tenant_id = None
        self.refused(400, self.api.create_project, request)
        self.refused(404, self.api.create_project, project(project_id(20), "nobody"))
        self.refused(404, self.api.find_project, project_id(20))

    def test_find_filters_by_each_field(self):
        self.create(30)
        self.create(31)

        def found(**query):
            ids = self.listed(self.api.find_projects(V1ProjectFindRequest(**query)), id_of)
            return project_id(30) in ids, project_id(31) in ids

        self.assertEqual(found(), (True, True))
        self.assertEqual(found(id=project_id(30)), (True, False))
        self.assertEqual(found(name="Project 0031"), (False, True))
        self.assertEqual(found(tenant_id="owner"), (True, True))
        self.assertEqual(found(tenant_id="somebody"), (False, False))

    def test_a_second_create_is_a_conflict(self):
        self.create(40)
        self.refused(409, self.api.create_project, project(project_id(40), "owner"))

    def test_of_writers_with_one_version_exactly_one_wins(self):
        self.create(50)
        change = lambda n: V1ProjectUpdateRequest(
            meta=meta("Project", project_id(50), version=0), name=f"Writer {n}", tenant_id="owner"
        )
        winner = race(lambda client, n: ProjectApi(client).update_project(change(n)))
        stored = self.api.find_project(project_id(50))
        self.assertEqual(stored.meta.version, 1)
        self.assertEqual(stored.name, f"Writer {winner}")
        self.refused(412, self.api.update_project, change(99))

    def test_an_unknown_project_is_not_found(self):
        self.refused(404, self.api.find_project, project_id(60))
        self.refused(404, self.api.delete_project, project_id(60))

    def test_view_reads_and_changes_nothing(self):
        self.create(70)
        id = project_id(70)
        api = ProjectApi(self.view)
        before = self.api.find_project(id)
        self.assertEqual(api.find_project(id), before)
        self.assertIn(id, self.listed(api.list_projects(), id_of))
        self.assertEqual(
            self.listed(api.find_projects(V1ProjectFindRequest(id=id)), id_of), [id]
        )
        self.refused(403, api.create_project, project(project_id(71), "owner"))
        change = V1ProjectUpdateRequest(meta=meta("Project", id, version=0), name="x")
        self.refused(403, api.update_project, change)
        self.refused(403, api.delete_project, id)
        self.assertEqual(self.api.find_project(id), before)


def race(update, writers=8):
    """Runs update(client, n) from several threads; the number of the winner.

    Every other writer must be refused with 412.
    """

    def attempt(n):
        try:
            update(admin(), n)
            return None
        except ApiException as error:
            return error.status

    with ThreadPoolExecutor(writers) as pool:
        outcomes = list(pool.map(attempt, range(writers)))
    assert outcomes.count(None) == 1, outcomes
    assert outcomes.count(412) == writers - 1, outcomes
    return outcomes.index(None)
