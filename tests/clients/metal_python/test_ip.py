from metal_python.api import IpApi
from metal_python.models import (
    V1IPAllocateRequest,
    V1IPFindRequest,
    V1IPUpdateRequest,
    V1NetworkAllocateRequest,
)

from land import Land

MACHINE = "00000000-0000-4000-8000-00259014b3a0"


class IpTest(Land):
    partition, block = "ip-land", 200

    def setUp(self):
        super().setUp()
        self.make("land-net", ["198.51.100.0/28", "2001:db8:40::/64"])
        self.make("land-own", ["10.40.0.0/24"], partitionid=self.partition,
                  projectid=self.projects[0])

    def request(self, **fields):
        fields.setdefault("networkid", "land-net")
        fields.setdefault("projectid", self.projects[0])
        fields.setdefault("type", "ephemeral")
        return V1IPAllocateRequest(**fields)

    def allocate(self, **fields):
        made = self.ips.allocate_ip(self.request(**fields))
        self.addCleanup(self.ips.free_ip, made.ipaddress)
        return made

    def test_an_address_lives_from_allocate_to_free(self):
        request = self.request(
            name="gateway", description="for a test", tags=["cluster=blue", "plain"],
            type="ephemeral", addressfamily="IPv4",
        )
        made = self.ips.allocate_ip(request)
        for field in "name", "description", "networkid", "projectid", "tags", "type":
            self.assertEqual(getattr(made, field), getattr(request, field), field)
        self.assertEqual(made.ipaddress, "198.51.100.1")
        self.assertEqual(len(made.allocationuuid), 36)
        self.assertEqual(made.changed, made.created)
        self.assertEqual(self.ips.find_ip(made.ipaddress), made)
        self.assertIn(made, self.ips.list_i_ps())

        change = V1IPUpdateRequest(
            ipaddress=made.ipaddress, name="door", description="changed", tags=["cluster=red"],
            type="static",
        )
        updated = self.ips.update_ip(change)
        for field in change.swagger_types:
            self.assertEqual(getattr(updated, field), getattr(change, field), field)
        self.assertEqual(updated.allocationuuid, made.allocationuuid)
        self.assert_touched(made, updated)
        self.assertEqual(self.ips.find_ip(made.ipaddress), updated)
        # What was made to stay stays.
        back = V1IPUpdateRequest(ipaddress=made.ipaddress, type="ephemeral")
        self.assertTrue(self.refused(400, self.ips.update_ip, back))

        self.assertEqual(self.ips.free_ip(made.ipaddress), updated)
        self.refused(404, self.ips.find_ip, made.ipaddress)
        self.refused(404, self.ips.free_ip, made.ipaddress)

    def test_an_address_that_is_named_is_given_once(self):
        for wanted in "198.51.100.9", "2001:db8:40::9":
            made = self.ips.allocate_specific_ip(wanted, self.request(type="static"))
            self.addCleanup(self.ips.free_ip, wanted)
            self.assertEqual((made.ipaddress, made.type), (wanted, "static"))
            again = self.request(projectid=self.projects[1])
            self.refused(409, self.ips.allocate_specific_ip, wanted, again)
        # However it is written.
        long = "2001:0db8:0040:0000:0000:0000:0000:0009"
        self.assertEqual(self.ips.find_ip(long).ipaddress, "2001:db8:40::9")

    def test_an_address_that_cannot_be_is_refused(self):
        self.make("land-super", ["10.41.0.0/16"], type="super", partitionid=self.partition,
                  defaultchildprefixlength={"IPv4": 24})
        ask = V1NetworkAllocateRequest(partitionid=self.partition, projectid=self.projects[0])
        child = self.networks.allocate_network(ask).id
        self.addCleanup(self.networks.free_network, child)
        specific = self.ips.allocate_specific_ip
        for status, wanted, fields in [
            (422, "198.51.100.0", {}),
            (422, "198.51.100.15", {}),
            (422, "2001:db8:40::", {}),
            (422, "192.0.2.1", {}),
            (400, "nonsense", {}),
            (400, "198.51.100.300", {}),
            (400, "198.51.100.9", dict(addressfamily="IPv4")),
            (404, "198.51.100.9", dict(networkid="none")),
            (404, "198.51.100.9", dict(projectid="nobody")),
            (400, "10.41.0.9", dict(networkid=child, projectid=self.projects[1])),
            (422, "10.41.0.9", dict(networkid="land-super")),
        ]:
            self.assertTrue(self.refused(status, specific, wanted, self.request(**fields)), wanted)
        for fields in [dict(addressfamily="IPv6", networkid="land-own"), dict(networkid=""),
                       dict(projectid="")]:
            self.refused(400, self.ips.allocate_ip, self.request(**fields))
        found = self.ips.find_i_ps(V1IPFindRequest(networkid="land-net"))
        self.assertFalse(found)

        self.assertFalse(self.ips.find_i_ps(V1IPFindRequest(networkid=child)))

    def test_a_network_gives_every_address_once_and_then_says_so(self):
        given = [self.allocate(addressfamily="IPv4").ipaddress for _ in range(14)]
        self.assertEqual(given, [f"198.51.100.{n}" for n in range(1, 15)])
        self.assertEqual(self.networks.find_network("land-net").usage.used_ips, 16)
        message = self.refused(500, self.ips.allocate_ip, self.request(addressfamily="IPv4"))
        self.assertIn("land-net", message)
        # Of the other family there are some left.
        self.assertEqual(self.allocate(addressfamily="IPv6").ipaddress, "2001:db8:40::1")

    def test_an_address_of_a_machine_is_not_freed(self):
        made = self.ips.allocate_ip(self.request(machineid=MACHINE))
        self.assertEqual(made.tags, ["machine.metal-stack.io/id=" + MACHINE])
        self.assertIn(MACHINE, self.refused(400, self.ips.free_ip, made.ipaddress))
        found = self.ips.find_i_ps(V1IPFindRequest(machineid=MACHINE))
        self.assertEqual(found, [made])
        change = V1IPUpdateRequest(ipaddress=made.ipaddress, type=made.type, tags=[])
        self.ips.update_ip(change)
        self.ips.free_ip(made.ipaddress)

    def test_find_filters_by_each_field(self):
        first = self.allocate(name="first", tags=["a=b", "c"], type="static")
        second = self.allocate(addressfamily="IPv6", projectid=self.projects[1])
        own = self.allocate(networkid="land-own")
        all = [first, second, own]

        def found(**query):
            found = self.ips.find_i_ps(V1IPFindRequest(**query)) or []
            return [ip for ip in all if ip in found]

        for query, wanted in [
            (dict(), all),
            (dict(ipaddress=first.ipaddress), [first]),
            (dict(allocationuuid=second.allocationuuid), [second]),
            (dict(name="first"), [first]),
            (dict(networkid="land-net"), [first, second]),
            (dict(networkprefix="2001:db8:40::/64"), [second]),
            (dict(projectid=self.projects[1]), [second]),
            (dict(tags=["a=b"]), [first]),
            (dict(tags=["a=b", "c"]), [first]),
            (dict(tags=["a=b", "d"]), []),
            (dict(type="static"), [first]),
            (dict(addressfamily="IPv6"), [second]),
            (dict(machineid=MACHINE), []),
            (dict(networkid="land-own", projectid=self.projects[0]), [own]),
        ]:
            self.assertEqual(found(**query), wanted, query)

    def test_an_unknown_address_is_not_found(self):
        self.refused(404, self.ips.find_ip, "198.51.100.3")
        self.refused(404, self.ips.free_ip, "198.51.100.3")
        change = V1IPUpdateRequest(ipaddress="198.51.100.3", type="static")
        self.refused(404, self.ips.update_ip, change)

    def test_view_reads_and_changes_nothing(self):
        made = self.allocate()
        api = IpApi(self.view)
        self.assertEqual(api.find_ip(made.ipaddress), made)
        self.assertIn(made, api.list_i_ps())
        self.assertEqual(api.find_i_ps(V1IPFindRequest(ipaddress=made.ipaddress)), [made])
        self.refused(403, api.allocate_ip, self.request())
        self.refused(403, api.allocate_specific_ip, "198.51.100.9", self.request())
        change = V1IPUpdateRequest(ipaddress=made.ipaddress, type="static")
        self.refused(403, api.update_ip, change)
        self.refused(403, api.free_ip, made.ipaddress)
        self.assertEqual(self.ips.find_ip(made.ipaddress), made)
