from metal_python.api import PartitionApi
from metal_python.models import (
    V1DNSServer,
    V1NTPServer,
    V1PartitionBootConfiguration,
    V1PartitionCreateRequest,
    V1PartitionUpdateRequest,
)

from base import FILES, Case

DNS = [V1DNSServer(ip="192.0.2.53"), V1DNSServer(ip="2001:db8::53")]
NTP = [V1NTPServer(address=f"{n}.ntp.example") for n in range(3)]


def boot(**fields):
    fields.setdefault("imageurl", FILES + "/boot/initrd.img.lz4")
    fields.setdefault("kernelurl", FILES + "/boot/kernel")
    return V1PartitionBootConfiguration(commandline="console=ttyS1", **fields)


def request(id, **fields):
    fields.setdefault("bootconfig", boot())
    return V1PartitionCreateRequest(
        id=id,
        name="Plant " + id,
        description="for a test",
        mgmtserviceaddress="192.0.2.7:50051",
        labels={"country": "de"},
        **fields,
    )


class PartitionTest(Case):
    def setUp(self):
        self.api = PartitionApi(self.admin)

    def create(self, id, **fields):
        partition = self.api.create_partition(request(id, **fields))
        self.addCleanup(self.api.delete_partition, id)
        return partition

    def test_a_partition_lives_from_create_to_delete(self):
        created = self.api.create_partition(request("fra", dns_servers=DNS, ntp_servers=NTP))
        self.assertEqual(created.id, "fra")
        self.assertEqual(created.name, "Plant fra")
        self.assertEqual(created.description, "for a test")
        self.assertEqual(created.mgmtserviceaddress, "192.0.2.7:50051")
        self.assertEqual(created.labels, {"country": "de"})
        self.assertEqual(created.bootconfig, boot())
        self.assertEqual(created.dns_servers, DNS)
        self.assertEqual(created.ntp_servers, NTP)

        self.assertEqual(self.api.find_partition("fra"), created)
        self.assertIn(created, self.api.list_partitions())

        updated = self.api.update_partition(
            V1PartitionUpdateRequest(
                id="fra",
                name="Renamed",
                labels={"country": "at"},
                bootconfig=boot(kernelurl=FILES + "/boot/kernel-2"),
                dns_servers=DNS[:1],
                ntp_servers=NTP,
            )
        )
        self.assertEqual(updated.name, "Renamed")
        self.assertEqual(updated.labels, {"country": "at"})
        self.assertEqual(updated.bootconfig, boot(kernelurl=FILES + "/boot/kernel-2"))
        self.assertEqual(updated.dns_servers, DNS[:1])
        self.assertEqual(updated.description, "for a test")
        self.assert_touched(created, updated)

        self.assertEqual(self.api.delete_partition("fra").id, "fra")
        self.refused(404, self.api.find_partition, "fra")

    def test_a_second_create_is_a_conflict(self):
        self.create("muc")
        self.refused(409, self.api.create_partition, request("muc"))

    def test_boot_urls_must_answer(self):
        for field in "imageurl", "kernelurl":
            config = boot(**{field: FILES + "/missing"})
            self.refused(400, self.api.create_partition, request("ber", bootconfig=config))
        self.refused(404, self.api.find_partition, "ber")

    def test_an_unknown_partition_is_not_found(self):
        self.refused(404, self.api.find_partition, "none")
        self.refused(404, self.api.delete_partition, "none")

    def test_view_reads_and_changes_nothing(self):
        partition = self.create("ham")
        api = PartitionApi(self.view)
        self.assertEqual(api.find_partition("ham"), partition)
        self.assertIn(partition, api.list_partitions())
        self.refused(403, api.create_partition, request("bre"))
        change = V1PartitionUpdateRequest(id="ham", name="x", dns_servers=[], ntp_servers=[])
        self.refused(403, api.update_partition, change)
        self.refused(403, api.delete_partition, "ham")
        self.assertEqual(self.api.find_partition("ham"), partition)
