// The command metalgo talks to a metal-api through metal-stack's own Go
// libraries: the client metal-go and the generic command line of metal-lib,
// which are what metalctl is made of. It reads metalctl's environment.
package main

import (
	"fmt"
	"os"
	"strings"

	metalgo "github.com/metal-stack/metal-go"
	"github.com/metal-stack/metal-go/api/client/audit"
	"github.com/metal-stack/metal-go/api/client/health"
	"github.com/metal-stack/metal-go/api/client/user"
	"github.com/metal-stack/metal-go/api/client/version"
	"github.com/metal-stack/metal-go/api/models"
	"github.com/metal-stack/metal-lib/pkg/genericcli/printers"
)

const usage = `usage: metalgo whoami | health | version | audit list
       metalgo ENTITY list
       metalgo ENTITY describe|delete ID
       metalgo ENTITY create|update|apply -f FILE
       metalgo network allocate --partition ID --project ID [--name NAME]
       metalgo network free ID
       metalgo network ip create --network ID --project ID [--type TYPE] [--ipaddress IP]
Everything is printed as JSON; -o json may stand at the end, as for metalctl.`

func main() {
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run(args []string) error {
	if n := len(args); n >= 2 && args[n-2] == "-o" && args[n-1] == "json" {
		args = args[:n-2]
	}
	if n := len(args); n >= 4 && args[n-2] == "-f" {
		args = append(args[:n-2:n-2], args[n-1])
	}
	client, err := connect()
	if err != nil {
		return err
	}
	if len(args) == 1 {
		return plain(client, args[0])
	}
	if strings.Join(args, " ") == "audit list" {
		return trail(client)
	}
	if done, err := hand(client, args); done {
		return err
	}
	known := entities(client)
	// An entity may be two words, as for metalctl.
	for words := 2; words > 0; words-- {
		if len(args) <= words {
			continue
		}
		if entity, ok := known[strings.Join(args[:words], " ")]; ok {
			return entity.run(args[words], args[words+1:])
		}
	}
	return fmt.Errorf("unknown %q\n%s", strings.Join(args, " "), usage)
}

func connect() (metalgo.Client, error) {
	url, key := os.Getenv("METALCTL_API_URL"), os.Getenv("METALCTL_HMAC")
	kind := os.Getenv("METALCTL_HMAC_AUTH_TYPE")
	if kind == "" {
		return metalgo.NewDriver(url, "", key)
	}
	return metalgo.NewDriver(url, "", key, metalgo.AuthType(kind))
}

func plain(client metalgo.Client, what string) error {
	printer := printers.NewJSONPrinter().WithOut(os.Stdout)
	switch what {
	case "whoami":
		answer, err := client.User().GetMe(user.NewGetMeParams(), nil)
		if err != nil {
			return err
		}
		return printer.Print(answer.Payload)
	case "health":
		answer, err := client.Health().Health(health.NewHealthParams(), nil)
		if err != nil {
			return err
		}
		return printer.Print(answer.Payload)
	case "version":
		answer, err := client.Version().Info(version.NewInfoParams(), nil)
		if err != nil {
			return err
		}
		return printer.Print(answer.Payload)
	}
	return fmt.Errorf("%s", usage)
}

func trail(client metalgo.Client) error {
	search := audit.NewFindAuditTracesParams().WithBody(&models.V1AuditFindRequest{})
	answer, err := client.Audit().FindAuditTraces(search, nil)
	if err != nil {
		return err
	}
	return printers.NewJSONPrinter().WithOut(os.Stdout).Print(answer.Payload)
}
