package main

import (
	"flag"
	"fmt"
	"os"
	"strings"

	metalgo "github.com/metal-stack/metal-go"
	"github.com/metal-stack/metal-go/api/client/ip"
	"github.com/metal-stack/metal-go/api/client/network"
	"github.com/metal-stack/metal-go/api/models"
	"github.com/metal-stack/metal-lib/pkg/genericcli/printers"
)

// address is a request for an address: any one of a network, or this one.
type address struct {
	models.V1IPAllocateRequest
	Ipaddress string `json:"ipaddress"`
}

func allocateIP(c metalgo.Client, rq *address) (*models.V1IPResponse, error) {
	if rq.Ipaddress == "" {
		answer, err := c.IP().AllocateIP(ip.NewAllocateIPParams().WithBody(&rq.V1IPAllocateRequest), none)
		if err != nil {
			return nil, err
		}
		return answer.Payload, nil
	}
	answer, err := c.IP().AllocateSpecificIP(ip.NewAllocateSpecificIPParams().WithIP(rq.Ipaddress).WithBody(&rq.V1IPAllocateRequest), none)
	if err != nil {
		return nil, err
	}
	return answer.Payload, nil
}

// hand does what metalctl has beyond the generic verbs: false if that is not asked for.
func hand(c metalgo.Client, args []string) (bool, error) {
	printer := printers.NewJSONPrinter().WithOut(os.Stdout)
	line := strings.Join(args, " ")
	switch {
	case strings.HasPrefix(line, "network allocate "):
		rq := &models.V1NetworkAllocateRequest{}
		flags := flag.NewFlagSet("network allocate", flag.ContinueOnError)
		flags.StringVar(&rq.Name, "name", "", "")
		flags.StringVar(&rq.Partitionid, "partition", "", "")
		flags.StringVar(&rq.Projectid, "project", "", "")
		if err := flags.Parse(args[2:]); err != nil {
			return true, err
		}
		answer, err := c.Network().AllocateNetwork(network.NewAllocateNetworkParams().WithBody(rq), none)
		if err != nil {
			return true, err
		}
		return true, printer.Print(answer.Payload)
	case strings.HasPrefix(line, "network free ") && len(args) == 3:
		answer, err := c.Network().FreeNetwork(network.NewFreeNetworkParams().WithID(args[2]), none)
		if err != nil {
			return true, err
		}
		return true, printer.Print(answer.Payload)
	case strings.HasPrefix(line, "network ip create --"):
		rq := &address{}
		flags := flag.NewFlagSet("network ip create", flag.ContinueOnError)
		rq.Networkid = flags.String("network", "", "")
		rq.Projectid = flags.String("project", "", "")
		rq.Type = flags.String("type", "", "")
		flags.StringVar(&rq.Name, "name", "", "")
		flags.StringVar(&rq.Ipaddress, "ipaddress", "", "")
		if err := flags.Parse(args[3:]); err != nil {
			return true, err
		}
		if flags.NArg() > 0 {
			return true, fmt.Errorf("unknown %q", flags.Args())
		}
		answer, err := allocateIP(c, rq)
		if err != nil {
			return true, err
		}
		return true, printer.Print(answer)
	}
	return false, nil
}
