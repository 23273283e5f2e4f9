from datetime import datetime, timedelta, timezone

from metal_python.api import ImageApi
from metal_python.models import V1ImageCreateRequest, V1ImageFindRequest, V1ImageUpdateRequest

from base import FILES, Case


def request(id, **fields):
    fields.setdefault("url", FILES + "/images/" + id + ".tar.lz4")
    return V1ImageCreateRequest(id=id, name="Image " + id, description="for a test", **fields)


class ImageTest(Case):
    def setUp(self):
        self.api = ImageApi(self.admin)

    def create(self, id, **fields):
        image = self.api.create_image(request(id, **fields))
        self.addCleanup(self.api.delete_image, id)
        return image

    def test_an_image_lives_from_create_to_delete(self):
        expires = datetime(2042, 5, 6, 7, 8, 9, tzinfo=timezone.utc)
        created = self.api.create_image(
            request(
                "ubuntu-24.4.20260101",
                features=["machine"],
                classification="supported",
                expiration_date=expires,
            )
        )
        self.assertEqual(created.id, "ubuntu-24.4.20260101")
        self.assertEqual(created.name, "Image ubuntu-24.4.20260101")
        self.assertEqual(created.description, "for a test")
        self.assertEqual(created.url, FILES + "/images/ubuntu-24.4.20260101.tar.lz4")
        self.assertEqual(created.features, ["machine"])
        self.assertEqual(created.classification, "supported")
        self.assertEqual(created.expiration_date, expires)
        self.assertFalse(created.usedby)

        self.assertEqual(self.api.find_image(created.id), created)
        self.assertIn(created, self.api.list_images())

        later = expires + timedelta(days=1)
        updated = self.api.update_image(
            V1ImageUpdateRequest(
                id=created.id,
                name="Renamed",
                classification="deprecated",
                expiration_date=later,
                usedby=[],
            )
        )
        self.assertEqual(updated.name, "Renamed")
        self.assertEqual(updated.classification, "deprecated")
        self.assertEqual(updated.expiration_date, later)
        self.assertEqual(updated.url, created.url)
        self.assertEqual(updated.features, ["machine"])
        self.assert_touched(created, updated)

        self.assertEqual(self.api.delete_image(created.id).id, created.id)
        self.refused(404, self.api.find_image, created.id)

    def test_without_more_an_image_is_a_preview_for_ninety_days(self):
        image = self.create("alma-9.4")
        self.assertEqual(image.classification, "preview")
        left = image.expiration_date - datetime.now(timezone.utc)
        self.assertAlmostEqual(left / timedelta(days=1), 90, delta=0.1)

    def test_find_filters_by_each_field(self):
        machine = self.create("debian-12.1", features=["machine"], classification="supported")
        firewall = self.create("wall-3.0.1", features=["firewall"])

        def found(**query):
            ids = self.listed(self.api.find_images(V1ImageFindRequest(**query)))
            return machine.id in ids, firewall.id in ids

        self.assertEqual(found(id="debian-12.1"), (True, False))
        self.assertEqual(found(name="Image wall-3.0.1"), (False, True))
        self.assertEqual(found(classification="supported"), (True, False))
        self.assertEqual(found(features=["firewall"]), (False, True))
        self.assertEqual(found(os="debian"), (True, False))
        self.assertEqual(found(version="3.0.1"), (False, True))
        self.assertEqual(found(os="debian", version="3.0.1"), (False, False))
        self.assertEqual(found(), (True, True))

    def test_latest_and_query_go_by_version(self):
        ids = ["nixos-25.5.2", "nixos-25.5.10", "nixos-25.11.1"]
        for id in ids:
            self.create(id)
        self.assertEqual(self.api.find_latest_image("nixos-25.5").id, "nixos-25.5.10")
        self.assertEqual(
            sorted(self.listed(self.api.query_images_by_id("nixos-25.5"))), sorted(ids[:2])
        )
        self.refused(404, self.api.find_latest_image, "nixos-26")

    def test_a_second_create_is_a_conflict(self):
        self.create("gentoo-1.0")
        self.refused(409, self.api.create_image, request("gentoo-1.0"))

    def test_a_url_that_does_not_answer_is_refused(self):
        self.refused(400, self.api.create_image, request("arch-1.0", url=FILES + "/missing"))
        self.refused(404, self.api.find_image, "arch-1.0")
        image = self.create("arch-2.0")
        change = V1ImageUpdateRequest(
            id=image.id, expiration_date=image.expiration_date, url=FILES + "/missing"
        )
        self.refused(400, self.api.update_image, change)
        self.assertEqual(self.api.find_image(image.id), image)

    def test_an_unknown_image_is_not_found(self):
        self.refused(404, self.api.find_image, "none-1.0")
        self.refused(404, self.api.delete_image, "none-1.0")
        now = datetime.now(timezone.utc)
        self.refused(
            404, self.api.update_image, V1ImageUpdateRequest(id="none-1.0", expiration_date=now)
        )

    def test_view_reads_and_changes_nothing(self):
        image = self.create("freebsd-14.1")
        api = ImageApi(self.view)
        self.assertEqual(api.find_image(image.id), image)
        self.assertIn(image, api.list_images())
        self.assertEqual(api.find_images(V1ImageFindRequest(id=image.id)), [image])
        self.refused(403, api.create_image, request("freebsd-15.0"))
        change = V1ImageUpdateRequest(id=image.id, expiration_date=image.expiration_date, name="x")
        self.refused(403, api.update_image, change)
        self.refused(403, api.delete_image, image.id)
        self.assertEqual(self.api.find_image(image.id), image)
