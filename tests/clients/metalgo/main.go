// The command metalgo talks to a metal-api through metal-stack's own Go
// libraries: the client metal-go and the generic command line of metal-lib,
// which are what metalctl is made of. It reads metalctl's environment.
package main

import (
	"fmt"
	"os"

	metalgo "github.com/metal-stack/metal-go"
	"github.com/metal-stack/metal-go/api/client/health"
	"github.com/metal-stack/metal-go/api/client/user"
	"github.com/metal-stack/metal-go/api/client/version"
	"github.com/metal-stack/metal-lib/pkg/genericcli/printers"
)

const usage = `usage: metalgo whoami | health | version
       metalgo ENTITY list
       metalgo ENTITY describe|delete ID
       metalgo ENTITY create|update|apply -f FILE
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
	if len(args) == 4 && args[2] == "-f" {
		args = []string{args[0], args[1], args[3]}
	}
	client, err := connect()
	if err != nil {
		return err
	}
	if len(args) == 1 {
		return plain(client, args[0])
	}
	if len(args) < 2 {
		return fmt.Errorf("%s", usage)
	}
	entity, ok := entities(client)[args[0]]
	if !ok {
		return fmt.Errorf("unknown entity %q\n%s", args[0], usage)
	}
	return entity.run(args[1], args[2:])
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
