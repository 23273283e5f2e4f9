package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"

	"github.com/metal-stack/metal-lib/pkg/genericcli"
	"github.com/metal-stack/metal-lib/pkg/genericcli/printers"
)

// entity is what the command line does with one kind of record. C, U and R are
// the create request, the update request and the response of metal-go; every
// verb goes through metal-lib's generic command line, as metalctl's do.
type entity[C, U, R any] struct {
	get      func(id string) (R, error)
	list     func() ([]R, error)
	create   func(C) (R, error)
	update   func(U) (R, error)
	remove   func(id string) (R, error)
	conflict func(error) bool
	id       func(R) string
}

type command interface {
	run(verb string, args []string) error
}

func (e entity[C, U, R]) Get(id string) (R, error)    { return e.get(id) }
func (e entity[C, U, R]) List() ([]R, error)          { return e.list() }
func (e entity[C, U, R]) Update(rq U) (R, error)      { return e.update(rq) }
func (e entity[C, U, R]) Delete(id string) (R, error) { return e.remove(id) }

// Create reports the typed 409 as metal-lib wants it: `apply` updates then.
func (e entity[C, U, R]) Create(rq C) (R, error) {
	r, err := e.create(rq)
	if err != nil && e.conflict(err) {
		return r, genericcli.AlreadyExistsError()
	}
	return r, err
}

// Convert makes both requests from what a file says.
func (e entity[C, U, R]) Convert(r R) (string, C, U, error) {
	var create C
	var update U
	raw, err := json.Marshal(r)
	if err == nil {
		err = errors.Join(json.Unmarshal(raw, &create), json.Unmarshal(raw, &update))
	}
	return e.id(r), create, update, err
}

func (e entity[C, U, R]) run(verb string, args []string) error {
	cli := genericcli.NewGenericCLI[C, U, R](e)
	printer := printers.NewJSONPrinter().WithOut(os.Stdout)
	if verb == "list" && len(args) == 0 {
		return cli.ListAndPrint(printer)
	}
	if len(args) != 1 {
		return fmt.Errorf("%s wants exactly one argument", verb)
	}
	switch verb {
	case "describe":
		return cli.DescribeAndPrint(args[0], printer)
	case "delete":
		r, err := cli.Delete(args[0])
		if err != nil {
			return err
		}
		return printer.Print(r)
	}
	var results genericcli.BulkResults[R]
	var err error
	switch verb {
	case "create":
		results, err = cli.CreateFromFile(args[0])
	case "update":
		results, err = cli.UpdateFromFile(args[0])
	case "apply":
		results, err = cli.ApplyFromFile(args[0])
	default:
		return fmt.Errorf("unknown verb %q", verb)
	}
	for _, result := range results {
		fmt.Fprintln(os.Stderr, result.Action)
	}
	if err != nil {
		return err
	}
	return printer.Print(results.ToList())
}
