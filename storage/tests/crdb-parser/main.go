// Command crdb-parser parses SQL with the parser of CockroachDB.
//
// It reads a JSON array of texts and prints a JSON array of answers, one each:
// the tags of the statements that the text holds, or the error's SQLSTATE.
package main

import (
	"encoding/json"
	"fmt"
	"os"

	"github.com/cockroachdb/cockroachdb-parser/pkg/sql/parser"
	"github.com/cockroachdb/cockroachdb-parser/pkg/sql/pgwire/pgerror"
)

type answer struct {
	Tags    []string `json:"tags"`
	Code    string   `json:"code"`
	Message string   `json:"message"`
}

func parse(text string) (parsed answer) {
	// Some rules need a hook that only a server sets.
	defer func() {
		if cause := recover(); cause != nil {
			parsed = answer{Code: "XX000", Message: fmt.Sprint(cause)}
		}
	}()
	statements, err := parser.Parse(text)
	if err != nil {
		return answer{Code: pgerror.GetPGCode(err).String(), Message: err.Error()}
	}
	tags := make([]string, 0, len(statements))
	for _, statement := range statements {
		tags = append(tags, statement.AST.StatementTag())
	}
	return answer{Tags: tags}
}

func run() error {
	var texts []string
	if err := json.NewDecoder(os.Stdin).Decode(&texts); err != nil {
		return err
	}
	answers := make([]answer, 0, len(texts))
	for _, text := range texts {
		answers = append(answers, parse(text))
	}
	return json.NewEncoder(os.Stdout).Encode(answers)
}

func main() {
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, "crdb-parser:", err)
		os.Exit(1)
	}
}
