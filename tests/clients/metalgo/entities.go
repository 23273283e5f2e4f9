package main

import (
	"errors"

	"github.com/go-openapi/runtime"
	metalgo "github.com/metal-stack/metal-go"
	"github.com/metal-stack/metal-go/api/client/filesystemlayout"
	"github.com/metal-stack/metal-go/api/client/image"
	"github.com/metal-stack/metal-go/api/client/ip"
	"github.com/metal-stack/metal-go/api/client/network"
	"github.com/metal-stack/metal-go/api/client/partition"
	"github.com/metal-stack/metal-go/api/client/project"
	"github.com/metal-stack/metal-go/api/client/size"
	"github.com/metal-stack/metal-go/api/client/sizeimageconstraint"
	"github.com/metal-stack/metal-go/api/client/tenant"
	"github.com/metal-stack/metal-go/api/models"
)

// Authentication is the client's own.
var none runtime.ClientAuthInfoWriter

func is[E error](err error) bool {
	var typed E
	return errors.As(err, &typed)
}

func deref(id *string) string {
	if id == nil {
		return ""
	}
	return *id
}

func metaID(meta *models.V1Meta) string {
	if meta == nil {
		return ""
	}
	return meta.ID
}

func entities(c metalgo.Client) map[string]command {
	return map[string]command{
		"filesystemlayout": entity[*models.V1FilesystemLayoutCreateRequest, *models.V1FilesystemLayoutUpdateRequest, *models.V1FilesystemLayoutResponse]{
			get: func(id string) (*models.V1FilesystemLayoutResponse, error) {
				answer, err := c.Filesystemlayout().GetFilesystemLayout(filesystemlayout.NewGetFilesystemLayoutParams().WithID(id), none)
				if err != nil {
					return nil, err
				}
				return answer.Payload, nil
			},
			list: func() ([]*models.V1FilesystemLayoutResponse, error) {
				answer, err := c.Filesystemlayout().ListFilesystemLayouts(filesystemlayout.NewListFilesystemLayoutsParams(), none)
				if err != nil {
					return nil, err
				}
				return answer.Payload, nil
			},
			create: func(rq *models.V1FilesystemLayoutCreateRequest) (*models.V1FilesystemLayoutResponse, error) {
				answer, err := c.Filesystemlayout().CreateFilesystemLayout(filesystemlayout.NewCreateFilesystemLayoutParams().WithBody(rq), none)
				if err != nil {
					return nil, err
				}
				return answer.Payload, nil
			},
			update: func(rq *models.V1FilesystemLayoutUpdateRequest) (*models.V1FilesystemLayoutResponse, error) {
				answer, err := c.Filesystemlayout().UpdateFilesystemLayout(filesystemlayout.NewUpdateFilesystemLayoutParams().WithBody(rq), none)
				if err != nil {
					return nil, err
				}
				return answer.Payload, nil
			},
			remove: func(id string) (*models.V1FilesystemLayoutResponse, error) {
				answer, err := c.Filesystemlayout().DeleteFilesystemLayout(filesystemlayout.NewDeleteFilesystemLayoutParams().WithID(id), none)
				if err != nil {
					return nil, err
				}
				return answer.Payload, nil
			},
			conflict: is[*filesystemlayout.CreateFilesystemLayoutConflict],
			id:       func(r *models.V1FilesystemLayoutResponse) string { return deref(r.ID) },
		},
		"image": entity[*models.V1ImageCreateRequest, *models.V1ImageUpdateRequest, *models.V1ImageResponse]{
			get: func(id string) (*models.V1ImageResponse, error) {
				answer, err := c.Image().FindImage(image.NewFindImageParams().WithID(id), none)
				if err != nil {
					return nil, err
				}
				return answer.Payload, nil
			},
			list: func() ([]*models.V1ImageResponse, error) {
				answer, err := c.Image().ListImages(image.NewListImagesParams(), none)
				if err != nil {
					return nil, err
				}
				return answer.Payload, nil
			},
			create: func(rq *models.V1ImageCreateRequest) (*models.V1ImageResponse, error) {
				answer, err := c.Image().CreateImage(image.NewCreateImageParams().WithBody(rq), none)
				if err != nil {
					return nil, err
				}
				return answer.Payload, nil
			},
			update: func(rq *models.V1ImageUpdateRequest) (*models.V1ImageResponse, error) {
				answer, err := c.Image().UpdateImage(image.NewUpdateImageParams().WithBody(rq), none)
				if err != nil {
					return nil, err
				}
				return answer.Payload, nil
			},
			remove: func(id string) (*models.V1ImageResponse, error) {
				answer, err := c.Image().DeleteImage(image.NewDeleteImageParams().WithID(id), none)
				if err != nil {
					return nil, err
				}
				return answer.Payload, nil
			},
			conflict: is[*image.CreateImageConflict],
			id:       func(r *models.V1ImageResponse) string { return deref(r.ID) },
		},
		"network": entity[*networkCreate, *models.V1NetworkUpdateRequest, *networkRead]{
			get: func(id string) (*networkRead, error) {
				answer, err := c.Network().FindNetwork(network.NewFindNetworkParams().WithID(id), none)
				if err != nil {
					return nil, err
				}
				return &networkRead{V1NetworkResponse: *answer.Payload}, nil
			},
			list: func() ([]*networkRead, error) {
				// As metalctl does.
				answer, err := c.Network().FindNetworks(network.NewFindNetworksParams().WithBody(&models.V1NetworkFindRequest{}), none)
				if err != nil {
					return nil, err
				}
				networks := []*networkRead{}
				for _, network := range answer.Payload {
					networks = append(networks, &networkRead{V1NetworkResponse: *network})
				}
				return networks, nil
			},
			create: func(rq *networkCreate) (*networkRead, error) {
				answer, err := c.Network().CreateNetwork(network.NewCreateNetworkParams(), none, rq.instead)
				if err != nil {
					return nil, err
				}
				return &networkRead{V1NetworkResponse: *answer.Payload}, nil
			},
			update: func(rq *models.V1NetworkUpdateRequest) (*networkRead, error) {
				answer, err := c.Network().UpdateNetwork(network.NewUpdateNetworkParams().WithBody(rq), none)
				if err != nil {
					return nil, err
				}
				return &networkRead{V1NetworkResponse: *answer.Payload}, nil
			},
			remove: func(id string) (*networkRead, error) {
				answer, err := c.Network().DeleteNetwork(network.NewDeleteNetworkParams().WithID(id), none)
				if err != nil {
					return nil, err
				}
				return &networkRead{V1NetworkResponse: *answer.Payload}, nil
			},
			conflict: is[*network.CreateNetworkConflict],
			id:       func(r *networkRead) string { return deref(r.ID) },
		},
		"network ip": entity[*address, *models.V1IPUpdateRequest, *models.V1IPResponse]{
			get: func(id string) (*models.V1IPResponse, error) {
				answer, err := c.IP().FindIP(ip.NewFindIPParams().WithID(id), none)
				if err != nil {
					return nil, err
				}
				return answer.Payload, nil
			},
			list: func() ([]*models.V1IPResponse, error) {
				answer, err := c.IP().FindIPs(ip.NewFindIPsParams().WithBody(&models.V1IPFindRequest{}), none)
				if err != nil {
					return nil, err
				}
				return answer.Payload, nil
			},
			create: func(rq *address) (*models.V1IPResponse, error) { return allocateIP(c, rq) },
			update: func(rq *models.V1IPUpdateRequest) (*models.V1IPResponse, error) {
				answer, err := c.IP().UpdateIP(ip.NewUpdateIPParams().WithBody(rq), none)
				if err != nil {
					return nil, err
				}
				return answer.Payload, nil
			},
			remove: func(id string) (*models.V1IPResponse, error) {
				answer, err := c.IP().FreeIP(ip.NewFreeIPParams().WithID(id), none)
				if err != nil {
					return nil, err
				}
				return answer.Payload, nil
			},
			conflict: is[*ip.AllocateSpecificIPConflict],
			id:       func(r *models.V1IPResponse) string { return deref(r.Ipaddress) },
		},
		"partition": entity[*models.V1PartitionCreateRequest, *models.V1PartitionUpdateRequest, *models.V1PartitionResponse]{
			get: func(id string) (*models.V1PartitionResponse, error) {
				answer, err := c.Partition().FindPartition(partition.NewFindPartitionParams().WithID(id), none)
				if err != nil {
					return nil, err
				}
				return answer.Payload, nil
			},
			list: func() ([]*models.V1PartitionResponse, error) {
				answer, err := c.Partition().ListPartitions(partition.NewListPartitionsParams(), none)
				if err != nil {
					return nil, err
				}
				return answer.Payload, nil
			},
			create: func(rq *models.V1PartitionCreateRequest) (*models.V1PartitionResponse, error) {
				answer, err := c.Partition().CreatePartition(partition.NewCreatePartitionParams().WithBody(rq), none)
				if err != nil {
					return nil, err
				}
				return answer.Payload, nil
			},
			update: func(rq *models.V1PartitionUpdateRequest) (*models.V1PartitionResponse, error) {
				answer, err := c.Partition().UpdatePartition(partition.NewUpdatePartitionParams().WithBody(rq), none)
				if err != nil {
					return nil, err
				}
				return answer.Payload, nil
			},
			remove: func(id string) (*models.V1PartitionResponse, error) {
				answer, err := c.Partition().DeletePartition(partition.NewDeletePartitionParams().WithID(id), none)
				if err != nil {
					return nil, err
				}
				return answer.Payload, nil
			},
			conflict: is[*partition.CreatePartitionConflict],
			id:       func(r *models.V1PartitionResponse) string { return deref(r.ID) },
		},
		"project": entity[*models.V1ProjectCreateRequest, *models.V1ProjectUpdateRequest, *models.V1ProjectResponse]{
			get: func(id string) (*models.V1ProjectResponse, error) {
				answer, err := c.Project().FindProject(project.NewFindProjectParams().WithID(id), none)
				if err != nil {
					return nil, err
				}
				return answer.Payload, nil
			},
			list: func() ([]*models.V1ProjectResponse, error) {
				answer, err := c.Project().FindProjects(project.NewFindProjectsParams().WithBody(&models.V1ProjectFindRequest{}), none)
				if err != nil {
					return nil, err
				}
				return answer.Payload, nil
			},
			create: func(rq *models.V1ProjectCreateRequest) (*models.V1ProjectResponse, error) {
				answer, err := c.Project().CreateProject(project.NewCreateProjectParams().WithBody(rq), none)
				if err != nil {
					return nil, err
				}
				return answer.Payload, nil
			},
			update: func(rq *models.V1ProjectUpdateRequest) (*models.V1ProjectResponse, error) {
				// As metalctl does: the version comes from what is stored.
				stored, err := c.Project().FindProject(project.NewFindProjectParams().WithID(metaID(rq.Meta)), none)
				if err != nil {
					return nil, err
				}
				rq.Meta.Version = stored.Payload.Meta.Version
				answer, err := c.Project().UpdateProject(project.NewUpdateProjectParams().WithBody(rq), none)
				if err != nil {
					return nil, err
				}
				return answer.Payload, nil
			},
			remove: func(id string) (*models.V1ProjectResponse, error) {
				answer, err := c.Project().DeleteProject(project.NewDeleteProjectParams().WithID(id), none)
				if err != nil {
					return nil, err
				}
				return answer.Payload, nil
			},
			conflict: is[*project.CreateProjectConflict],
			id:       func(r *models.V1ProjectResponse) string { return metaID(r.Meta) },
		},
		"size": entity[*models.V1SizeCreateRequest, *models.V1SizeUpdateRequest, *models.V1SizeResponse]{
			get: func(id string) (*models.V1SizeResponse, error) {
				answer, err := c.Size().FindSize(size.NewFindSizeParams().WithID(id), none)
				if err != nil {
					return nil, err
				}
				return answer.Payload, nil
			},
			list: func() ([]*models.V1SizeResponse, error) {
				answer, err := c.Size().ListSizes(size.NewListSizesParams(), none)
				if err != nil {
					return nil, err
				}
				return answer.Payload, nil
			},
			create: func(rq *models.V1SizeCreateRequest) (*models.V1SizeResponse, error) {
				answer, err := c.Size().CreateSize(size.NewCreateSizeParams().WithBody(rq), none)
				if err != nil {
					return nil, err
				}
				return answer.Payload, nil
			},
			update: func(rq *models.V1SizeUpdateRequest) (*models.V1SizeResponse, error) {
				answer, err := c.Size().UpdateSize(size.NewUpdateSizeParams().WithBody(rq), none)
				if err != nil {
					return nil, err
				}
				return answer.Payload, nil
			},
			remove: func(id string) (*models.V1SizeResponse, error) {
				answer, err := c.Size().DeleteSize(size.NewDeleteSizeParams().WithID(id), none)
				if err != nil {
					return nil, err
				}
				return answer.Payload, nil
			},
			conflict: is[*size.CreateSizeConflict],
			id:       func(r *models.V1SizeResponse) string { return deref(r.ID) },
		},
		"size imageconstraint": entity[*models.V1SizeImageConstraintCreateRequest, *models.V1SizeImageConstraintUpdateRequest, *models.V1SizeImageConstraintResponse]{
			get: func(id string) (*models.V1SizeImageConstraintResponse, error) {
				answer, err := c.Sizeimageconstraint().FindSizeImageConstraint(sizeimageconstraint.NewFindSizeImageConstraintParams().WithID(id), none)
				if err != nil {
					return nil, err
				}
				return answer.Payload, nil
			},
			list: func() ([]*models.V1SizeImageConstraintResponse, error) {
				answer, err := c.Sizeimageconstraint().ListSizeImageConstraints(sizeimageconstraint.NewListSizeImageConstraintsParams(), none)
				if err != nil {
					return nil, err
				}
				return answer.Payload, nil
			},
			create: func(rq *models.V1SizeImageConstraintCreateRequest) (*models.V1SizeImageConstraintResponse, error) {
				answer, err := c.Sizeimageconstraint().CreateSizeImageConstraint(sizeimageconstraint.NewCreateSizeImageConstraintParams().WithBody(rq), none)
				if err != nil {
					return nil, err
				}
				return answer.Payload, nil
			},
			update: func(rq *models.V1SizeImageConstraintUpdateRequest) (*models.V1SizeImageConstraintResponse, error) {
				answer, err := c.Sizeimageconstraint().UpdateSizeImageConstraint(sizeimageconstraint.NewUpdateSizeImageConstraintParams().WithBody(rq), none)
				if err != nil {
					return nil, err
				}
				return answer.Payload, nil
			},
			remove: func(id string) (*models.V1SizeImageConstraintResponse, error) {
				answer, err := c.Sizeimageconstraint().DeleteSizeImageConstraint(sizeimageconstraint.NewDeleteSizeImageConstraintParams().WithID(id), none)
				if err != nil {
					return nil, err
				}
				return answer.Payload, nil
			},
			conflict: is[*sizeimageconstraint.CreateSizeImageConstraintConflict],
			id:       func(r *models.V1SizeImageConstraintResponse) string { return deref(r.ID) },
		},
		"size reservation": entity[*models.V1SizeReservationCreateRequest, *models.V1SizeReservationUpdateRequest, *models.V1SizeReservationResponse]{
			get: func(id string) (*models.V1SizeReservationResponse, error) {
				answer, err := c.Size().GetSizeReservation(size.NewGetSizeReservationParams().WithID(id), none)
				if err != nil {
					return nil, err
				}
				return answer.Payload, nil
			},
			list: func() ([]*models.V1SizeReservationResponse, error) {
				answer, err := c.Size().ListSizeReservations(size.NewListSizeReservationsParams(), none)
				if err != nil {
					return nil, err
				}
				return answer.Payload, nil
			},
			create: func(rq *models.V1SizeReservationCreateRequest) (*models.V1SizeReservationResponse, error) {
				answer, err := c.Size().CreateSizeReservation(size.NewCreateSizeReservationParams().WithBody(rq), none)
				if err != nil {
					return nil, err
				}
				return answer.Payload, nil
			},
			update: func(rq *models.V1SizeReservationUpdateRequest) (*models.V1SizeReservationResponse, error) {
				answer, err := c.Size().UpdateSizeReservation(size.NewUpdateSizeReservationParams().WithBody(rq), none)
				if err != nil {
					return nil, err
				}
				return answer.Payload, nil
			},
			remove: func(id string) (*models.V1SizeReservationResponse, error) {
				answer, err := c.Size().DeleteSizeReservation(size.NewDeleteSizeReservationParams().WithID(id), none)
				if err != nil {
					return nil, err
				}
				return answer.Payload, nil
			},
			conflict: is[*size.CreateSizeReservationConflict],
			id:       func(r *models.V1SizeReservationResponse) string { return deref(r.ID) },
		},
		"tenant": entity[*models.V1TenantCreateRequest, *models.V1TenantUpdateRequest, *models.V1TenantResponse]{
			get: func(id string) (*models.V1TenantResponse, error) {
				answer, err := c.Tenant().GetTenant(tenant.NewGetTenantParams().WithID(id), none)
				if err != nil {
					return nil, err
				}
				return answer.Payload, nil
			},
			list: func() ([]*models.V1TenantResponse, error) {
				answer, err := c.Tenant().FindTenants(tenant.NewFindTenantsParams().WithBody(&models.V1TenantFindRequest{}), none)
				if err != nil {
					return nil, err
				}
				return answer.Payload, nil
			},
			create: func(rq *models.V1TenantCreateRequest) (*models.V1TenantResponse, error) {
				answer, err := c.Tenant().CreateTenant(tenant.NewCreateTenantParams().WithBody(rq), none)
				if err != nil {
					return nil, err
				}
				return answer.Payload, nil
			},
			update: func(rq *models.V1TenantUpdateRequest) (*models.V1TenantResponse, error) {
				// As metalctl does: the version comes from what is stored.
				stored, err := c.Tenant().GetTenant(tenant.NewGetTenantParams().WithID(metaID(rq.Meta)), none)
				if err != nil {
					return nil, err
				}
				rq.Meta.Version = stored.Payload.Meta.Version
				answer, err := c.Tenant().UpdateTenant(tenant.NewUpdateTenantParams().WithBody(rq), none)
				if err != nil {
					return nil, err
				}
				return answer.Payload, nil
			},
			remove: func(id string) (*models.V1TenantResponse, error) {
				answer, err := c.Tenant().DeleteTenant(tenant.NewDeleteTenantParams().WithID(id), none)
				if err != nil {
					return nil, err
				}
				return answer.Payload, nil
			},
			conflict: is[*tenant.CreateTenantConflict],
			id:       func(r *models.V1TenantResponse) string { return metaID(r.Meta) },
		},
	}
}
