package kvtext

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"tagma/internal/nearest"
	"tagma/statemachine/kv"
)

// Txn is a transaction in text form: compares, operations for the case that all of them hold, and operations for the
// other case. ParseTxn makes one.
type Txn struct {
	compares     []kv.Compare
	then, orElse operations
}

// ParseTxn parses a transaction in the language that `tagma help txn` describes: three parts with an empty line between
// them, the last of which may be omitted. An error names its line, from 1.
func ParseTxn(text string) (*Txn, error) { return parseFrom(1, text) }

// parseFrom parses a text whose first line has this number in its file.
func parseFrom(first int, text string) (*Txn, error) {
	t := &Txn{}
	lines := strings.Split(strings.TrimRight(text, " \t\r\n"), "\n")
	part := 0
	for i, line := range lines {
		line = strings.TrimSpace(line)
		if strings.HasPrefix(line, "#") {
			continue
		}
		if line == "" {
			part++
			continue
		}
		if err := t.line(part, line); err != nil {
			return nil, fmt.Errorf("line %d: %w", first+i, err)
		}
	}
	if len(t.compares)+len(t.then)+len(t.orElse) == 0 {
		return nil, fmt.Errorf("line %d: there is no compare and no operation", first)
	}
	return t, nil
}

// Operation is the operation for the cluster to execute.
func (t *Txn) Operation() []byte { return kv.Txn(t.compares, t.then.encoded(), t.orElse.encoded()) }

func (t *Txn) line(part int, line string) error {
	words, err := splitWords(line)
	if err != nil {
		return err
	}
	switch part {
	case 0:
		compare, err := parseCompare(words)
		t.compares = append(t.compares, compare)
		return limited(len(t.compares), err)
	case 1:
		op, err := parseOperation(words)
		t.then = append(t.then, op)
		return limited(len(t.then), err)
	case 2:
		op, err := parseOperation(words)
		t.orElse = append(t.orElse, op)
		return limited(len(t.orElse), err)
	}
	return fmt.Errorf("it stands behind the third part; an empty line ends a part, and there are three")
}

func limited(n int, err error) error {
	if err == nil && n > kv.MaxTxnOps {
		return fmt.Errorf("a part has at most %d lines", kv.MaxTxnOps)
	}
	return err
}

var relations = map[string]kv.Relation{"=": kv.Equal, "!=": kv.NotEqual, "<": kv.Less, ">": kv.Greater}

// compareTargets are in the order in which messages list them.
var compareTargets = []string{"version", "create", "mod", "value"}

func parseCompare(words []string) (kv.Compare, error) {
	none := kv.Compare{}
	if !slices.Contains(compareTargets, words[0]) {
		if slices.Contains(opVerbs, words[0]) {
			return none, fmt.Errorf("%q is an operation, but this is the part of compares; put an empty line above it", words[0])
		}
		return none, unknownWord("compare", words[0], compareTargets)
	}
	if len(words) != 4 {
		return none, fmt.Errorf("a compare is %s KEY = %s, four words; this has %d", words[0], operand(words[0]), len(words))
	}
	relation, ok := relations[words[2]]
	if !ok {
		return none, fmt.Errorf("%q is no relation; use = != < or >", words[2])
	}
	key := []byte(words[1])
	if err := checkKey(key); err != nil {
		return none, err
	}
	if words[0] == "value" {
		return kv.Value(key, relation, []byte(words[3])), nil
	}
	n, err := strconv.ParseUint(words[3], 10, 64)
	if err != nil {
		return none, fmt.Errorf("%q is no whole number of at least 0", words[3])
	}
	switch words[0] {
	case "version":
		return kv.Version(key, relation, n), nil
	case "create":
		return kv.CreateRevision(key, relation, n), nil
	}
	return kv.ModRevision(key, relation, n), nil
}

func operand(target string) string {
	if target == "value" {
		return "VALUE"
	}
	return "N"
}

func checkKey(key []byte) error {
	if len(key) == 0 || len(key) > kv.MaxKeyBytes {
		return fmt.Errorf("%w; this one has %d", kv.KeySize, len(key))
	}
	return nil
}

// unknownWord is the error for a line whose first word is unknown.
func unknownWord(kind, given string, known []string) error {
	if near := nearest.To(given, known); near != "" {
		return fmt.Errorf("there is no %s %q; did you mean %s?", kind, given, near)
	}
	return fmt.Errorf("there is no %s %q; use %s", kind, given, strings.Join(known, ", "))
}
