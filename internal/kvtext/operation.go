package kvtext

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"tagma/statemachine/kv"
)

// opVerbs are the first words of operations, in the order in which messages list them.
var opVerbs = []string{"put", "get", "prefix", "range", "delete", "delete-prefix", "delete-range"}

// opForms says what must follow each verb.
var opForms = map[string][]string{
	"put": {"KEY", "VALUE"}, "get": {"KEY"}, "prefix": {"PREFIX", "[LIMIT]"}, "range": {"START", "END", "[LIMIT]"},
	"delete": {"KEY"}, "delete-prefix": {"PREFIX"}, "delete-range": {"START", "END"},
}

// operation is one line of a transaction; its verb decides how its result is decoded.
type operation struct {
	verb string
	op   []byte
}

type operations []operation

func (ops operations) encoded() [][]byte {
	out := make([][]byte, len(ops))
	for i := range ops {
		out[i] = ops[i].op
	}
	return out
}

func parseOperation(words []string) (operation, error) {
	verb, given := words[0], words[1:]
	form, known := opForms[verb]
	if !known {
		if slices.Contains(compareTargets, verb) {
			return operation{}, fmt.Errorf("%q is a compare, but this is a part of operations; compares come first, up to the first empty line", verb)
		}
		return operation{}, unknownWord("operation", verb, opVerbs)
	}
	limit, given, err := takeLimit(form, given)
	if err != nil {
		return operation{}, err
	}
	if len(given) != len(required(form)) {
		return operation{}, fmt.Errorf("an operation is %s %s; this has %d words", verb, strings.Join(form, " "), len(words))
	}
	if form[0] == "KEY" {
		if err := checkKey([]byte(given[0])); err != nil {
			return operation{}, err
		}
	}
	return operation{verb: verb, op: encode(verb, given, limit)}, nil
}

// required are the words of a form that cannot be omitted.
func required(form []string) []string {
	if strings.HasPrefix(form[len(form)-1], "[") {
		return form[:len(form)-1]
	}
	return form
}

// takeLimit removes the limit from the end of the words, if the form has one and it is present. 0 stands for none.
func takeLimit(form, given []string) (limit uint32, rest []string, err error) {
	if len(given) != len(form) || len(required(form)) == len(form) {
		return 0, given, nil
	}
	word := given[len(given)-1]
	n, err := strconv.ParseUint(word, 10, 32)
	if err != nil || n == 0 {
		return 0, nil, fmt.Errorf("%q is no limit; give a whole number of at least 1", word)
	}
	return uint32(n), given[:len(given)-1], nil
}

func encode(verb string, words []string, limit uint32) []byte {
	first := []byte(words[0])
	switch verb {
	case "put":
		return kv.Put(first, []byte(words[1]))
	case "get":
		return kv.Get(first)
	case "prefix":
		return kv.Prefix(first, limit)
	case "range":
		return kv.Range(first, endOf(words[1]), limit)
	case "delete":
		return kv.Delete(first)
	case "delete-prefix":
		return kv.DeleteRange(first, kv.PrefixEnd(first))
	}
	return kv.DeleteRange(first, endOf(words[1]))
}

// endOf returns the end of a range in the form in which people write it.
func endOf(word string) []byte {
	if word == "" {
		return nil
	}
	return []byte(word)
}

// splitWords splits a line at its spaces. A text in double quotes is one word, in Go's notation.
func splitWords(line string) (words []string, err error) {
	for rest := strings.TrimLeft(line, " \t"); rest != ""; rest = strings.TrimLeft(rest, " \t") {
		word := ""
		if rest[0] == '"' {
			quoted, err := strconv.QuotedPrefix(rest)
			if err != nil {
				return nil, fmt.Errorf("a quote is not closed, or holds a \\ that means nothing: %s", rest)
			}
			if word, err = strconv.Unquote(quoted); err != nil {
				return nil, fmt.Errorf("%s is no quoted word: %w", quoted, err)
			}
			rest = rest[len(quoted):]
			if rest != "" && rest[0] != ' ' && rest[0] != '\t' {
				return nil, fmt.Errorf("%s needs a space behind it", quoted)
			}
		} else {
			end := strings.IndexAny(rest, " \t")
			if end < 0 {
				end = len(rest)
			}
			word, rest = rest[:end], rest[end:]
			if strings.Contains(word, `"`) {
				return nil, fmt.Errorf("%s has a quote in it; put the whole word in quotes and write \\\" inside", word)
			}
		}
		words = append(words, word)
	}
	return words, nil
}
