package main

import (
	"github.com/go-openapi/runtime"
	"github.com/go-openapi/strfmt"
	"github.com/metal-stack/metal-go/api/models"
)

// This version of metal-go does not know the lengths of networks that are made of a super network,
// and there is no super network without them.

type networkRead struct {
	models.V1NetworkResponse `yaml:",inline"`
	Defaultchildprefixlength map[string]int64 `json:"defaultchildprefixlength,omitempty" yaml:"defaultchildprefixlength,omitempty"`
}

type networkCreate struct {
	models.V1NetworkCreateRequest
	Defaultchildprefixlength map[string]int64 `json:"defaultchildprefixlength,omitempty"`
}

// instead makes an operation of metal-go send this body.
func (rq *networkCreate) instead(operation *runtime.ClientOperation) {
	operation.Params = rq
}

func (rq *networkCreate) WriteToRequest(r runtime.ClientRequest, _ strfmt.Registry) error {
	return r.SetBodyParam(rq)
}
