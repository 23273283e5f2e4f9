from metal_python.api import NetworkApi
from metal_python.models import (
    V1IPAllocateRequest,
    V1NetworkAllocateRequest,
    V1NetworkFindRequest,
    V1NetworkUpdateRequest,
)

from land import Land, network

LENGTHS = {"IPv4": 22, "IPv6": 96}


class NetworkTest(Land):
    partition, block = "net-land", 100

    def make_super(self):
        return self.make(
            "land-super",
            ["10.32.0.0/16", "2001:db8:32::/64"],
            type="super",
            partitionid=self.partition,
            defaultchildprefixlength=LENGTHS,
            additional_announcable_cid_rs=["10.240.0.0/12"],
        )

    def allocate(self, **fields):
        fields.setdefault("projectid", self.projects[0])
        request = V1NetworkAllocateRequest(partitionid=self.partition, **fields)
        made = self.networks.allocate_network(request)
        self.addCleanup(self.networks.free_network, made.id)
        return made

    def assert_like(self, answer, request):
        for field in request.swagger_types:
            given = getattr(request, field)
            if given is not None:
                self.assertEqual(getattr(answer, field), given, field)

    def test_a_network_lives_from_create_to_delete(self):
        request = network(
            "land-wide",
            ["198.51.100.0/25", "2001:db8:33::/64"],
            nat="ipv4-masquerade",
            name="Wide",
            description="for a test",
            labels={"network.metal-stack.io/default": "", "site": "river"},
            destinationprefixes=["0.0.0.0/0", "::/0"],
            partitionid=self.partition,
            projectid=self.projects[0],
            vrf=4711,
            vrfshared=True,
            shared=False,
        )
        created = self.networks.create_network(request)
        self.assert_like(created, request)
        self.assertFalse(created.parentnetworkid)
        self.assertIsNotNone(created.created)
        self.assertEqual(created.changed, created.created)
        # The network's own address and its broadcast address are nobody's.
        self.assertEqual(created.usage.available_ips, 128)
        self.assertEqual(created.usage.used_ips, 2)
        self.assertEqual(created.usage.used_prefixes, 0)
        self.assertEqual(created.consumption.ipv4, created.usage)
        self.assertGreater(created.consumption.ipv6.available_ips, 1 << 30)
        self.assertEqual(created.consumption.ipv6.used_ips, 1)
        self.assertEqual(self.networks.find_network("land-wide"), created)
        self.assertIn(created, self.networks.list_networks())

        change = V1NetworkUpdateRequest(
            id="land-wide",
            name="Wider",
            description="changed",
            labels={"site": "hill"},
            prefixes=["198.51.100.0/25", "198.51.100.128/25", "2001:db8:33::/64"],
            destinationprefixes=["0.0.0.0/0"],
            shared=True,
        )
        updated = self.networks.update_network(change)
        self.assert_like(updated, change)
        self.assert_touched(created, updated)
        self.assertEqual(updated.usage.available_ips, 256)
        self.assertEqual(updated.vrf, 4711)
        self.assertEqual(self.networks.find_network("land-wide"), updated)

        self.assertEqual(self.networks.delete_network("land-wide").id, "land-wide")
        self.refused(404, self.networks.find_network, "land-wide")

    def test_a_project_gets_networks_of_the_super_network(self):
        parent = self.make_super()
        self.assertEqual(parent.defaultchildprefixlength, LENGTHS)
        self.assertEqual(parent.additional_announcable_cid_rs, ["10.240.0.0/12"])
        self.assertTrue(parent.privatesuper)
        more = V1NetworkUpdateRequest(
            id=parent.id,
            additional_announcable_cid_rs=["10.240.0.0/12", "10.96.0.0/12"],
            defaultchildprefixlength=LENGTHS,
        )
        updated = self.networks.update_network(more)
        self.assertEqual(
            updated.additional_announcable_cid_rs, more.additional_announcable_cid_rs
        )
        less = V1NetworkUpdateRequest(id=parent.id, additional_announcable_cid_rs=[])
        self.assertIn("force", self.refused(400, self.networks.update_network, less))
        first = self.allocate(
            name="first", description="of both", labels={"a": "b"}, destinationprefixes=["::/0"]
        )
        self.assertEqual(first.prefixes, ["10.32.0.0/22", "2001:db8:32::/96"])
        self.assertEqual(first.parentnetworkid, parent.id)
        self.assertEqual((first.partitionid, first.projectid), (self.partition, self.projects[0]))
        self.assertEqual((first.name, first.description), ("first", "of both"))
        self.assertEqual(first.labels, {"a": "b"})
        self.assertEqual(first.destinationprefixes, ["::/0"])
        self.assertEqual((first.networktype, first.nattype), ("child", "none"))
        self.assertFalse(first.shared or first.nat or first.privatesuper or first.underlay)
        self.assertGreater(first.vrf, 0)

        second = self.allocate(
            addressfamily="IPv4", length={"IPv4": 26}, nat=True, shared=True,
            projectid=self.projects[1],
        )
        self.assertEqual(second.prefixes, ["10.32.4.0/26"])
        self.assertEqual((second.networktype, second.nattype), ("child-shared", "ipv4-masquerade"))
        self.assertNotEqual(second.vrf, first.vrf)
        self.assertIsNone(second.consumption.ipv6)
        self.assertEqual(self.networks.find_network(parent.id).usage.used_prefixes, 2)

        self.assertIn("child", self.refused(422, self.networks.delete_network, parent.id))

    def test_a_network_is_freed_by_both_methods(self):
        self.make_super()
        ask = lambda: self.networks.allocate_network(
            V1NetworkAllocateRequest(partitionid=self.partition, projectid=self.projects[0])
        )
        for free in self.networks.free_network, self.networks.free_network_deprecated:
            made = ask()
            self.assertEqual(made.prefixes[0], "10.32.0.0/22")
            self.assertEqual(free(made.id).id, made.id)
            self.refused(404, self.networks.find_network, made.id)
            self.refused(404, free, made.id)
        self.refused(422, self.networks.free_network, "land-super")

    def test_find_filters_by_each_field(self):
        parent = self.make_super()
        child = self.allocate(name="needle", labels={"a": "b"})
        wide = self.make(
            "land-all", ["198.51.100.0/24"], nat="ipv4-masquerade", vrf=4712,
            destinationprefixes=["0.0.0.0/0"],
        )
        under = self.make("land-under", ["10.33.0.0/24"], type="underlay",
                          partitionid=self.partition)
        all = [parent, child, wide, under]

        def found(**query):
            networks = self.networks.find_networks(V1NetworkFindRequest(**query))
            ids = self.listed(networks)
            return [network for network in all if network.id in ids]

        for query, wanted in [
            (dict(), all),
            (dict(id=wide.id), [wide]),
            (dict(name="needle"), [child]),
            (dict(labels={"a": "b"}), [child]),
            (dict(partitionid=self.partition), [parent, child, under]),
            (dict(projectid=self.projects[0]), [child]),
            (dict(parentnetworkid=parent.id), [child]),
            (dict(prefixes=child.prefixes), [child]),
            (dict(destinationprefixes=["0.0.0.0/0"]), [wide]),
            (dict(addressfamily="IPv6"), [parent, child]),
            (dict(nat=True), [wide]),
            (dict(privatesuper=True), [parent]),
            (dict(underlay=True), [under]),
            (dict(vrf=4712), [wide]),
            (dict(vrf=4712, nat=False), []),
        ]:
            self.assertEqual(found(**query), wanted, query)

    def test_what_another_network_has_is_refused(self):
        self.make_super()
        self.make("land-one", ["198.51.100.0/25"], vrf=4713)
        create = self.networks.create_network
        for status, request, part in [
            (409, network("land-one", ["192.0.2.0/24"]), "exists"),
            (409, network("land-two", ["198.51.100.64/26"]), "198.51.100.0/25"),
            (409, network("land-two", ["192.0.2.0/24"], vrf=4713), "4713"),
            (409, network("land-two", ["192.0.2.0/24"], type="super", partitionid=self.partition,
                          defaultchildprefixlength={"IPv4": 26}), "super"),
            (400, network("land-two", ["192.0.2.1/24"]), "192.0.2.1/24"),
            (400, network("land-two", ["192.0.2.0/33"]), "192.0.2.0/33"),
            (400, network("land-two", []), "prefixes"),
            (400, network("land-two", ["192.0.2.0/24"], vrf=-1), "vrf"),
            (400, network("land-two", ["192.0.2.0/24"], type="underlay", underlay=False),
             "networktype"),
            (404, network("land-two", ["192.0.2.0/24"], partitionid="nowhere"), "nowhere"),
            (404, network("land-two", ["192.0.2.0/24"], projectid="nobody"), "nobody"),
        ]:
            self.assertIn(part, self.refused(status, create, request))
            self.refused(404, self.networks.find_network, "land-two")

    def test_a_request_for_a_network_that_cannot_be_is_refused(self):
        self.make_super()
        ask = self.networks.allocate_network
        whole = dict(partitionid=self.partition, projectid=self.projects[0])
        for status, change, part in [
            (400, dict(projectid=None), "projectid"),
            (400, dict(partitionid=None), "partitionid"),
            (404, dict(partitionid="nowhere"), "nowhere"),
            (404, dict(projectid="nobody"), "nobody"),
            (400, dict(length={"IPv4": 16}), "length"),
            (400, dict(length={"IPv4": 33}), "length"),
            (400, dict(addressfamily="IPv4", length={"IPv6": 100}), "length"),
        ]:
            request = V1NetworkAllocateRequest(**{**whole, **change})
            self.assertIn(part, self.refused(status, ask, request))
        self.assertEqual(self.networks.find_network("land-super").usage.used_prefixes, 0)

    def test_a_full_super_network_says_so(self):
        self.make("land-super", ["10.34.0.0/23"], type="super", partitionid=self.partition,
                  defaultchildprefixlength={"IPv4": 24})
        self.allocate(), self.allocate()
        request = V1NetworkAllocateRequest(partitionid=self.partition, projectid=self.projects[0])
        message = self.refused(500, self.networks.allocate_network, request)
        self.assertIn("land-super", message)
        self.assertIn("0 of the 512", message)

    def test_an_update_that_would_break_something_is_refused(self):
        made = self.make("land-one", ["198.51.100.0/25", "198.51.100.128/25"], shared=True,
                         destinationprefixes=["0.0.0.0/0"])
        ip = self.ips.allocate_specific_ip(
            "198.51.100.200",
            V1IPAllocateRequest(networkid=made.id, projectid=self.projects[0], type="static"),
        )
        change = lambda **fields: V1NetworkUpdateRequest(id=made.id, **fields)
        update = self.networks.update_network
        self.refused(400, update, change(shared=False))
        self.refused(400, update, change(prefixes=["nonsense"]))
        self.refused(400, update, change(additional_announcable_cid_rs=["10.96.0.0/12"]))
        with self.subTest("a prefix that is used"):
            less = change(prefixes=["198.51.100.0/25"])
            self.assertTrue(self.refused(422, update, less))
        self.assertEqual(self.networks.find_network(made.id).prefixes, made.prefixes)
        message = self.refused(422, self.networks.delete_network, made.id)
        self.assertIn(ip.ipaddress, message)
        self.ips.free_ip(ip.ipaddress)
        self.assertEqual(update(less).prefixes, ["198.51.100.0/25"])
        self.refused(404, update, V1NetworkUpdateRequest(id="none", name="x"))

    def test_an_unknown_network_is_not_found(self):
        self.refused(404, self.networks.find_network, "none")
        self.refused(404, self.networks.delete_network, "none")

    def test_view_reads_and_changes_nothing(self):
        parent = self.make_super()
        child = self.allocate()
        parent = self.networks.find_network(parent.id)
        api = NetworkApi(self.view)
        self.assertEqual(api.find_network(child.id), child)
        self.assertIn(parent, api.list_networks())
        self.assertEqual(api.find_networks(V1NetworkFindRequest(id=parent.id)), [parent])
        self.refused(403, api.create_network, network("land-other", ["192.0.2.0/24"]))
        ask = V1NetworkAllocateRequest(partitionid=self.partition, projectid=self.projects[0])
        self.refused(403, api.allocate_network, ask)
        self.refused(403, api.update_network, V1NetworkUpdateRequest(id=child.id, name="x"))
        self.refused(403, api.free_network, child.id)
        self.refused(403, api.free_network_deprecated, child.id)
        self.refused(403, api.delete_network, parent.id)
        self.assertEqual(self.networks.find_network(child.id), child)
