"""A partition, a tenant and projects, for networks and addresses."""

from metal_python.api import IpApi, NetworkApi, PartitionApi, ProjectApi, TenantApi
from metal_python.models import (
    V1Meta,
    V1NetworkCreateRequest,
    V1PartitionBootConfiguration,
    V1PartitionCreateRequest,
    V1ProjectCreateRequest,
    V1TenantCreateRequest,
)

from base import FILES, Case


def meta(kind, id):
    return V1Meta(id=id, kind=kind, apiversion="v1")


def network(id, prefixes, type="external", nat="none", **fields):
    """What it takes to make a network; its type follows from the other fields, or is in them."""
    values = dict(
        id=id,
        prefixes=prefixes,
        destinationprefixes=[],
        nat=nat != "none",
        nattype=nat,
        networktype=type,
        privatesuper=type == "super",
        underlay=type == "underlay",
    )
    values.update(fields)
    return V1NetworkCreateRequest(**values)


class Land(Case):
    """Each class has a partition and two projects of its own."""

    partition = "land"
    # Of the ids of the projects.
    block = 0

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.projects = [f"7b1f3c52-0000-4000-9000-{cls.block + n:012}" for n in range(2)]
        tenant = "of-" + cls.partition
        partitions, tenants = PartitionApi(cls.admin), TenantApi(cls.admin)
        boot = V1PartitionBootConfiguration(
            imageurl=FILES + "/boot/initrd.img.lz4",
            kernelurl=FILES + "/boot/kernel",
            commandline="console=ttyS1",
        )
        partitions.create_partition(V1PartitionCreateRequest(id=cls.partition, bootconfig=boot))
        cls.addClassCleanup(partitions.delete_partition, cls.partition)
        tenants.create_tenant(V1TenantCreateRequest(meta=meta("Tenant", tenant), name=tenant))
        cls.addClassCleanup(tenants.delete_tenant, tenant)
        projects = ProjectApi(cls.admin)
        for id in cls.projects:
            request = V1ProjectCreateRequest(
                meta=meta("Project", id), name="Project " + id[-4:], tenant_id=tenant
            )
            projects.create_project(request)
            cls.addClassCleanup(projects.delete_project, id)

    def setUp(self):
        self.networks, self.ips = NetworkApi(self.admin), IpApi(self.admin)

    def make(self, *args, **fields):
        """A network for the time of a test."""
        made = self.networks.create_network(network(*args, **fields))
        self.addCleanup(self.networks.delete_network, made.id)
        return made
