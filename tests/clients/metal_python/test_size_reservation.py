from metal_python.api import PartitionApi, ProjectApi, SizeApi, TenantApi
from metal_python.models import (
    V1Meta,
    V1PartitionBootConfiguration,
    V1PartitionCapacityRequest,
    V1PartitionCreateRequest,
    V1ProjectCreateRequest,
    V1SizeCreateRequest,
    V1SizeReservationCreateRequest,
    V1SizeReservationListRequest,
    V1SizeReservationUpdateRequest,
    V1SizeSuggestRequest,
    V1TenantCreateRequest,
)

from base import FILES, Case

PROJECT = "7d1f1d0e-9f5e-4a57-9a57-0d6f6e2b1c77"


class SizeReservationTest(Case):
    def setUp(self):
        self.api = SizeApi(self.admin)
        tenants, projects = TenantApi(self.admin), ProjectApi(self.admin)
        partitions = PartitionApi(self.admin)
        meta = lambda kind, id: V1Meta(id=id, kind=kind, apiversion="v1")
        tenants.create_tenant(V1TenantCreateRequest(meta=meta("Tenant", "rv"), name="rv"))
        self.addCleanup(tenants.delete_tenant, "rv")
        project = V1ProjectCreateRequest(meta=meta("Project", PROJECT), name="rv", tenant_id="rv")
        projects.create_project(project)
        self.addCleanup(projects.delete_project, PROJECT)
        self.api.create_size(V1SizeCreateRequest(id="rv1-large", constraints=[]))
        self.addCleanup(self.api.delete_size, "rv1-large")
        boot = V1PartitionBootConfiguration(
            imageurl=FILES + "/boot/initrd.img.lz4", kernelurl=FILES + "/boot/kernel"
        )
        for id in "rv-a", "rv-b":
            partitions.create_partition(V1PartitionCreateRequest(id=id, bootconfig=boot))
            self.addCleanup(partitions.delete_partition, id)

    def request(self, id, **fields):
        values = dict(
            id=id,
            name="Reservation " + id,
            description="for a test",
            sizeid="rv1-large",
            projectid=PROJECT,
            partitionids=["rv-a", "rv-b"],
            amount=3,
            labels={"team": "blue"},
        )
        values.update(fields)
        return V1SizeReservationCreateRequest(**values)

    def create(self, id, **fields):
        created = self.api.create_size_reservation(self.request(id, **fields))
        self.addCleanup(self.api.delete_size_reservation, id)
        return created

    def test_a_reservation_lives_from_create_to_delete(self):
        created = self.api.create_size_reservation(self.request("rv-life"))
        self.assertEqual(created.amount, 3)
        self.assertEqual(created.partitionids, ["rv-a", "rv-b"])
        self.assertEqual(created.labels, {"team": "blue"})
        self.assertEqual((created.sizeid, created.projectid), ("rv1-large", PROJECT))
        self.assertEqual(self.api.get_size_reservation("rv-life"), created)
        self.assertIn(created, self.api.list_size_reservations())
        self.refused(409, self.api.create_size_reservation, self.request("rv-life"))

        updated = self.api.update_size_reservation(
            V1SizeReservationUpdateRequest(id="rv-life", amount=5, partitionids=["rv-a"])
        )
        self.assertEqual((updated.amount, updated.partitionids), (5, ["rv-a"]))
        self.assertEqual(updated.labels, {"team": "blue"}, "what an update leaves out stays")
        self.assert_touched(created, updated)

        self.assertEqual(self.api.delete_size_reservation("rv-life"), updated)
        self.refused(404, self.api.get_size_reservation, "rv-life")

    def test_what_a_reservation_refers_to_exists_as_long_as_it_does(self):
        for field, value in (
            ("sizeid", "none"),
            ("projectid", "none"),
            ("partitionids", ["rv-a", "none"]),
        ):
            message = self.refused(
                404, self.api.create_size_reservation, self.request("rv-bad", **{field: value})
            )
            self.assertIn("none", message)
        self.refused(404, self.api.get_size_reservation, "rv-bad")

        self.create("rv-holds")
        for status, call, id in (
            (422, self.api.delete_size, "rv1-large"),
            (422, PartitionApi(self.admin).delete_partition, "rv-b"),
            (400, ProjectApi(self.admin).delete_project, PROJECT),
        ):
            self.assertIn("rv-holds", self.refused(status, call, id))

    def test_reservations_are_found_and_their_usage_is_counted(self):
        created = self.create("rv-find")
        find = lambda **fields: self.listed(
            self.api.find_size_reservations(V1SizeReservationListRequest(**fields))
        )
        self.assertEqual(find(id="rv-find"), ["rv-find"])
        self.assertEqual(find(partitionid="rv-b", sizeid="rv1-large"), ["rv-find"])
        self.assertEqual(find(projectid="none"), [])
        usage = self.api.size_reservations_usage(V1SizeReservationListRequest(id="rv-find"))
        self.assertEqual(
            [(u.partitionid, u.amount, u.usedamount, u.projectallocations) for u in usage],
            [("rv-a", created.amount, 0, 0), ("rv-b", created.amount, 0, 0)],
        )

    def test_capacity_shows_what_is_reserved(self):
        self.create("rv-capacity")
        capacity = PartitionApi(self.view).partition_capacity(
            V1PartitionCapacityRequest(id="rv-a", projectid=PROJECT)
        )
        self.assertEqual([partition.id for partition in capacity], ["rv-a"])
        (server,) = capacity[0].servers
        self.assertEqual((server.size, server.total, server.free), ("rv1-large", 0, 0))
        self.assertEqual((server.reservations, server.remainingreservations), (3, 3))
        request = V1PartitionCapacityRequest(projectid="")
        every = PartitionApi(self.view).partition_capacity(request)
        self.assertLessEqual({"rv-a", "rv-b"}, {partition.id for partition in every})
        request = V1PartitionCapacityRequest(id="none", projectid="")
        self.refused(404, PartitionApi(self.view).partition_capacity, request)

    def test_view_reads_and_changes_nothing(self):
        created = self.create("rv-view")
        api = SizeApi(self.view)
        self.assertEqual(api.get_size_reservation("rv-view"), created)
        self.refused(403, api.create_size_reservation, self.request("rv-view-2"))
        self.refused(403, api.delete_size_reservation, "rv-view")

    def test_no_size_is_suggested_for_a_machine_that_nobody_knows(self):
        request = V1SizeSuggestRequest(machine_id="none")
        self.refused(404, SizeApi(self.view).suggest, request)
