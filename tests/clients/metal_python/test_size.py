from metal_python.api import SizeApi
from metal_python.models import V1SizeConstraint, V1SizeCreateRequest, V1SizeUpdateRequest

from base import Case


def constraints(cores):
    return [
        V1SizeConstraint(type="cores", min=cores, max=2 * cores),
        V1SizeConstraint(type="memory", min=64 << 30, max=128 << 30),
        V1SizeConstraint(type="gpu", min=1, max=1, identifier="AD102GL*"),
    ]


def request(id, cores):
    return V1SizeCreateRequest(
        id=id,
        name="Size " + id,
        description="for a test",
        constraints=constraints(cores),
        labels={"rack": "r1"},
    )


class SizeTest(Case):
    def setUp(self):
        self.api = SizeApi(self.admin)

    def test_a_size_lives_from_create_to_delete(self):
        created = self.api.create_size(request("c1-large", 16))
        self.assertEqual(created.id, "c1-large")
        self.assertEqual(created.name, "Size c1-large")
        self.assertEqual(created.description, "for a test")
        self.assertEqual(created.labels, {"rack": "r1"})
        self.assertEqual(created.constraints, constraints(16))
        self.assertIsNotNone(created.created)
        self.assertIsNotNone(created.changed)

        self.assertEqual(self.api.find_size("c1-large"), created)
        self.assertIn(created, self.api.list_sizes())

        updated = self.api.update_size(
            V1SizeUpdateRequest(
                id="c1-large", name="Renamed", constraints=constraints(24), labels={"rack": "r2"}
            )
        )
        self.assertEqual(updated.name, "Renamed")
        self.assertEqual(updated.constraints, constraints(24))
        self.assertEqual(updated.labels, {"rack": "r2"})
        self.assertEqual(updated.description, "for a test", "what an update leaves out stays")
        self.assert_touched(created, updated)

        deleted = self.api.delete_size("c1-large")
        self.assertEqual(deleted.id, "c1-large")
        self.refused(404, self.api.find_size, "c1-large")
        self.assertNotIn("c1-large", self.listed(self.api.list_sizes()))

    def test_a_second_create_is_a_conflict_and_changes_nothing(self):
        first = self.api.create_size(request("c1-twice", 200))
        self.addCleanup(self.api.delete_size, "c1-twice")
        other = request("c1-twice", 300)
        other.name = "Other"
        self.refused(409, self.api.create_size, other)
        self.assertEqual(self.api.find_size("c1-twice"), first)

    def test_overlapping_constraints_are_refused(self):
        self.api.create_size(request("c1-overlap", 1000))
        self.addCleanup(self.api.delete_size, "c1-overlap")
        self.refused(400, self.api.create_size, request("c2-overlap", 1001))
        self.refused(404, self.api.find_size, "c2-overlap")

    def test_an_unknown_size_is_not_found(self):
        self.refused(404, self.api.find_size, "none")
        self.refused(404, self.api.update_size, V1SizeUpdateRequest(id="none"))
        self.refused(404, self.api.delete_size, "none")

    def test_view_reads_and_changes_nothing(self):
        size = self.api.create_size(request("c1-view", 5000))
        self.addCleanup(self.api.delete_size, "c1-view")
        api = SizeApi(self.view)
        self.assertEqual(api.find_size("c1-view"), size)
        self.assertIn(size, api.list_sizes())
        self.refused(403, api.create_size, request("c2-view", 9000))
        self.refused(403, api.update_size, V1SizeUpdateRequest(id="c1-view", name="x"))
        self.refused(403, api.delete_size, "c1-view")
        self.assertEqual(self.api.find_size("c1-view"), size)
