from metal_python.api import ImageApi, SizeApi, SizeimageconstraintApi
from metal_python.models import (
    V1ImageCreateRequest,
    V1SizeCreateRequest,
    V1SizeImageConstraintBase,
    V1SizeImageConstraintCreateRequest,
    V1SizeImageConstraintTryRequest,
    V1SizeImageConstraintUpdateRequest,
)

from base import FILES, Case


def images(**versions):
    return V1SizeImageConstraintBase(images=versions)


def request(id, **versions):
    return V1SizeImageConstraintCreateRequest(
        id=id, name="Constraint " + id, description="for a test", constraints=images(**versions)
    )


class SizeImageConstraintTest(Case):
    def setUp(self):
        self.api = SizeimageconstraintApi(self.admin)

    def test_a_constraint_lives_from_create_to_delete(self):
        created = self.api.create_size_image_constraint(request("f1-life", ubuntu=">= 24.4"))
        self.assertEqual(created.id, "f1-life")
        self.assertEqual(created.name, "Constraint f1-life")
        self.assertEqual(created.constraints, images(ubuntu=">= 24.4"))
        self.assertEqual(self.api.find_size_image_constraint("f1-life"), created)
        self.assertIn(created, self.api.list_size_image_constraints())
        self.refused(409, self.api.create_size_image_constraint, request("f1-life", debian="*"))

        updated = self.api.update_size_image_constraint(
            V1SizeImageConstraintUpdateRequest(id="f1-life", constraints=images(debian="~12"))
        )
        self.assertEqual(updated.constraints, images(debian="~12"))
        self.assertEqual(updated.description, "for a test", "what an update leaves out stays")

        self.assertEqual(self.api.delete_size_image_constraint("f1-life"), updated)
        self.refused(404, self.api.find_size_image_constraint, "f1-life")
        self.refused(404, self.api.delete_size_image_constraint, "f1-life")

    def test_an_image_is_tried_for_a_size(self):
        size, image = SizeApi(self.admin), ImageApi(self.admin)
        size.create_size(V1SizeCreateRequest(id="f1-try", constraints=[]))
        self.addCleanup(size.delete_size, "f1-try")
        for id in "gardenlinux-1.0.1", "gardenlinux-2.0.1":
            url = FILES + "/images/" + id
            image.create_image(V1ImageCreateRequest(id=id, url=url, features=["machine"]))
            self.addCleanup(image.delete_image, id)
        self.api.create_size_image_constraint(request("f1-try", gardenlinux="^1"))
        self.addCleanup(self.api.delete_size_image_constraint, "f1-try")

        attempt = lambda image: V1SizeImageConstraintTryRequest(size="f1-try", image=image)
        self.api.try_size_image_constraint(attempt("gardenlinux-1.0"))
        message = self.refused(
            422, self.api.try_size_image_constraint, attempt("gardenlinux-2.0")
        )
        self.assertEqual(
            message,
            "given size:f1-try with image:gardenlinux-2.0.1"
            " does violate image constraint:gardenlinux ^1",
        )
        self.refused(404, self.api.try_size_image_constraint, attempt("gardenlinux-3.0"))
        message = self.refused(422, size.delete_size, "f1-try")
        self.assertIn("size image constraint", message)

    def test_a_constraint_that_is_none_is_refused(self):
        self.refused(400, self.api.create_size_image_constraint, request("f1-bad", ubuntu="new"))
        self.refused(404, self.api.find_size_image_constraint, "f1-bad")

    def test_view_reads_and_changes_nothing(self):
        created = self.api.create_size_image_constraint(request("f1-view", ubuntu="*"))
        self.addCleanup(self.api.delete_size_image_constraint, "f1-view")
        api = SizeimageconstraintApi(self.view)
        self.assertEqual(api.find_size_image_constraint("f1-view"), created)
        self.assertIn(created, api.list_size_image_constraints())
        self.refused(403, api.create_size_image_constraint, request("f2-view", ubuntu="*"))
        self.refused(403, api.delete_size_image_constraint, "f1-view")
