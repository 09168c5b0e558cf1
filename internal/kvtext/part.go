package kvtext

import (
	"errors"
	"fmt"
	"strings"

	"tagma/statemachine/kv"
)

// Named is one cluster's part of a transaction over several clusters in text form.
type Named struct {
	Name string
	Op   []byte // kv.Part
}

// ParseParts parses a transaction over several clusters: a line @NAME begins the part of a cluster, and what follows is a
// transaction as ParseTxn reads it, with puts and deletes of single keys and no third part. An error names its line, from 1.
func ParseParts(text string) (all []Named, err error) {
	var name string
	var body []string
	begin := 0 // the line of the @NAME
	add := func() error {
		if name == "" {
			return nil
		}
		t, err := parseFrom(begin+1, strings.Join(body, "\n"))
		if err == nil {
			err = t.checkPart(begin)
		}
		if err == nil {
			all = append(all, Named{name, kv.Part(t.compares, t.then.encoded()...)})
		}
		return err
	}
	for i, line := range strings.Split(text, "\n") {
		trimmed := strings.TrimSpace(line)
		next, begins := strings.CutPrefix(trimmed, "@")
		switch {
		case begins:
			if err := add(); err != nil {
				return nil, err
			}
			for _, other := range all {
				if other.Name == next {
					return nil, fmt.Errorf("line %d: there is a part for @%s already", i+1, next)
				}
			}
			if next == "" || strings.ContainsAny(next, " \t") {
				return nil, fmt.Errorf("line %d: a part begins with @ and the name of a cluster, such as @east", i+1)
			}
			name, body, begin = next, nil, i+1
		case name != "":
			body = append(body, line)
		case trimmed != "" && !strings.HasPrefix(trimmed, "#"):
			return nil, fmt.Errorf("line %d: it belongs to no cluster; begin each part with a line @NAME", i+1)
		}
	}
	if err := add(); err != nil {
		return nil, err
	}
	if len(all) < 2 {
		return nil, errors.New("a transaction over several clusters has two parts or more, each beginning with a line @NAME")
	}
	return all, nil
}

// checkPart refuses what a transaction of a single cluster may contain but a part may not.
func (t *Txn) checkPart(line int) error {
	if len(t.orElse) > 0 {
		return fmt.Errorf("line %d: this part has operations for when a compare does not hold; over several clusters all is aborted then", line)
	}
	for _, op := range t.then {
		if op.verb != "put" && op.verb != "delete" {
			return fmt.Errorf("line %d: this part has the operation %s; over several clusters there are put and delete alone", line, op.verb)
		}
	}
	return nil
}
