from metal_python.api import FilesystemlayoutApi, ImageApi, SizeApi
from metal_python.models import (
    V1Disk,
    V1DiskPartition,
    V1Filesystem,
    V1FilesystemLayoutConstraints,
    V1FilesystemLayoutCreateRequest,
    V1FilesystemLayoutMatchRequest,
    V1FilesystemLayoutTryRequest,
    V1FilesystemLayoutUpdateRequest,
    V1ImageCreateRequest,
    V1LogicalVolume,
    V1Raid,
    V1SizeCreateRequest,
    V1VolumeGroup,
)

from base import FILES, Case


def constraints(size, os="debian"):
    return V1FilesystemLayoutConstraints(sizes=[size], images={os: ">= 12"})


def layout(kind, id, **fields):
    """Two disks, a mirror over them, a volume group on it."""
    disk = lambda name: V1Disk(
        device=name,
        wipeonreinstall=True,
        partitions=[
            V1DiskPartition(number=1, label="efi", size=512, gpttype="ef00"),
            V1DiskPartition(number=2, label="raid", size=0, gpttype="fd00"),
        ],
    )
    values = dict(
        id=id,
        name="Layout " + id,
        description="for a test",
        disks=[disk("/dev/nvme0n1"), disk("/dev/nvme1n1")],
        raid=[
            V1Raid(
                arrayname="/dev/md0",
                level="1",
                devices=["/dev/nvme0n1p2", "/dev/nvme1n1p2"],
                createoptions=["--metadata", "1.2"],
                spares=0,
            )
        ],
        volumegroups=[V1VolumeGroup(name="vg00", devices=["/dev/md0"], tags=["os"])],
        logicalvolumes=[
            V1LogicalVolume(name="root", volumegroup="vg00", size=10000, lvmtype="linear"),
        ],
        filesystems=[
            V1Filesystem(
                path="/boot/efi",
                device="/dev/nvme0n1p1",
                format="vfat",
                label="efi",
                createoptions=["-F", "32"],
            ),
            V1Filesystem(path="/", device="/dev/vg00/root", format="ext4", label="root"),
            V1Filesystem(
                path="/tmp", device="tmpfs", format="tmpfs", mountoptions=["noexec", "size=1G"]
            ),
        ],
    )
    values.update(fields)
    return kind(**values)


def create_request(id, **fields):
    return layout(V1FilesystemLayoutCreateRequest, id, **fields)


class FilesystemLayoutTest(Case):
    def setUp(self):
        self.api = FilesystemlayoutApi(self.admin)

    def create(self, id, **fields):
        created = self.api.create_filesystem_layout(create_request(id, **fields))
        self.addCleanup(self.api.delete_filesystem_layout, id)
        return created

    def refused_as_invalid(self, call, body):
        self.refused(400, call, body)

    def assert_like(self, answer, request):
        for field in request.swagger_types:
            self.assertEqual(getattr(answer, field), getattr(request, field), field)

    def test_a_layout_lives_from_create_to_delete(self):
        request = create_request("mirror", constraints=constraints("s1"))
        created = self.api.create_filesystem_layout(request)
        self.assert_like(created, request)
        self.assertEqual(self.api.get_filesystem_layout("mirror"), created)
        self.assertIn(created, self.api.list_filesystem_layouts())

        change = layout(
            V1FilesystemLayoutUpdateRequest,
            "mirror",
            name="Renamed",
            constraints=constraints("s2", "ubuntu"),
        )
        change.filesystems[2].mountoptions = ["noexec", "size=2G"]
        updated = self.api.update_filesystem_layout(change)
        self.assert_like(updated, change)
        self.assertEqual(self.api.get_filesystem_layout("mirror"), updated)

        self.assertEqual(self.api.delete_filesystem_layout("mirror").id, "mirror")
        self.refused(404, self.api.get_filesystem_layout, "mirror")

    def test_a_second_create_is_a_conflict(self):
        self.create("twice", constraints=constraints("twice"))
        again = create_request("twice", constraints=constraints("twice-other"))
        self.refused(409, self.api.create_filesystem_layout, again)

    def test_two_layouts_for_one_size_and_image_are_refused(self):
        self.create("first", constraints=constraints("shared"))
        second = create_request("second", constraints=constraints("shared"))
        self.refused_as_invalid(self.api.create_filesystem_layout, second)
        self.refused(404, self.api.get_filesystem_layout, "second")

    def test_a_filesystem_on_no_disk_is_refused(self):
        request = create_request("nowhere", constraints=constraints("nowhere"))
        request.filesystems[0].device = "/dev/sdz9"
        self.refused_as_invalid(self.api.create_filesystem_layout, request)
        self.refused(404, self.api.get_filesystem_layout, "nowhere")

    def test_the_layout_of_a_size_and_an_image_is_tried(self):
        sizes, images = SizeApi(self.admin), ImageApi(self.admin)
        sizes.create_size(V1SizeCreateRequest(id="tried", constraints=[]))
        self.addCleanup(sizes.delete_size, "tried")
        for id in "talos-11.0", "talos-12.1.1":
            images.create_image(V1ImageCreateRequest(id=id, url=FILES + "/images/" + id))
            self.addCleanup(images.delete_image, id)
        created = self.create("tried", constraints=constraints("tried", os="talos"))
        attempt = lambda image: V1FilesystemLayoutTryRequest(size="tried", image=image)
        self.assertEqual(self.api.try_filesystem_layout(attempt("talos-12.1")), created)
        message = self.refused(422, self.api.try_filesystem_layout, attempt("talos-11.0"))
        self.assertIn("could not find a matching filesystemLayout for size:tried", message)
        self.refused(404, self.api.try_filesystem_layout, attempt("talos-13.0"))

    def test_a_machine_that_nobody_knows_is_not_matched(self):
        self.create("matched", constraints=constraints("matched"))
        request = V1FilesystemLayoutMatchRequest(machine="none", filesystemlayout="matched")
        self.assertIn("machine", self.refused(404, self.api.match_filesystem_layout, request))

    def test_an_unknown_layout_is_not_found(self):
        self.refused(404, self.api.get_filesystem_layout, "none")
        self.refused(404, self.api.delete_filesystem_layout, "none")

    def test_view_reads_and_changes_nothing(self):
        created = self.create("seen", constraints=constraints("seen"))
        api = FilesystemlayoutApi(self.view)
        self.assertEqual(api.get_filesystem_layout("seen"), created)
        self.assertIn(created, api.list_filesystem_layouts())
        other = create_request("unseen", constraints=constraints("unseen"))
        self.refused(403, api.create_filesystem_layout, other)
        change = layout(V1FilesystemLayoutUpdateRequest, "seen", constraints=constraints("seen"))
        self.refused(403, api.update_filesystem_layout, change)
        self.refused(403, api.delete_filesystem_layout, "seen")
        self.assertEqual(self.api.get_filesystem_layout("seen"), created)
