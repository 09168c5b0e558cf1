package scenario

import (
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"tagma/internal/cluster"
	"tagma/internal/machines"
	"tagma/internal/strict"
	"tagma/pbft/wire"
	"tagma/testnet/check"
	"tagma/testnet/fact"
	"tagma/testnet/links"
)

// longest bounds every time: far above what a run takes, and far below what overflows.
const longest = 24 * time.Hour

// Types of values that are used by a single key.
type (
	jump time.Duration // may go back
	seqs struct{ from, to wire.Seq }
)

// types says how the values of a scenario are written. A value's limits, such as Replicas, are looked up when it is read.
func (s *Scenario) types(d *strict.Document, settings *cluster.Protocol) {
	const aTime = `a time in quotes such as "200ms", or a multiple of the view timeout such as "3T"`
	strict.As(d, aTime, func(v any) (jump, error) {
		d, err := parseTime(v, settings.WithDefaults().ViewTimeout.Duration)
		return jump(d), err
	})
	strict.As(d, aTime, func(v any) (time.Duration, error) {
		d, err := parseTime(v, settings.WithDefaults().ViewTimeout.Duration)
		if err == nil && d < 0 {
			err = fmt.Errorf("%v is negative; times count from the beginning of the workload", d)
		}
		return d, err
	})
	strict.As(d, `a whole number from 0, in quotes if it is above 9223372036854775807`, parseNumber[wire.Seq])
	strict.As(d, `a whole number from 0, in quotes if it is above 9223372036854775807`, parseNumber[wire.View])
	strict.As(d, "the number of a replica", s.parseReplica)
	strict.As(d, "a list of replica numbers, such as [0, 1]", s.parseReplicas)
	strict.As(d, `a view and a sequence number in quotes, such as "0:1"`, func(v any) (Slot, error) {
		text, _ := v.(string)
		slot, ok := ParseSlot(text)
		return slot, unless(ok)
	})
	strict.As(d, `a list of a view and sequence number, such as ["0:1"]`, func(v any) (*Slot, error) {
		list, ok := v.([]any)
		if !ok || len(list) == 0 {
			return nil, unless(ok)
		}
		text, _ := list[0].(string)
		slot, ok := ParseSlot(text)
		return &slot, unless(ok)
	})
	strict.As(d, `a sequence number from 1, or a range in quotes such as "1..20"`, parseSeqs)
	strict.As(d, "the name of a type of message", func(v any) (wire.Type, error) {
		word, err := strict.Words(words(false)...)(v)
		t, _ := wire.ParseType(word)
		return t, err
	})
	strict.As(d, `the name of a type of message, or a list of them such as ["prepare", "commit"]`, func(v any) (all links.Types, err error) {
		list, many := v.([]any)
		if !many {
			list = []any{v}
		}
		for _, one := range list {
			word, err := strict.Words(words(false)...)(one)
			t, _ := wire.ParseType(word)
			if slices.Contains(all, t) {
				err = fmt.Errorf("%s is there twice; name it once", word)
			}
			if err != nil {
				return nil, err
			}
			all = append(all, t)
		}
		return all, unless(len(all) > 0)
	})
	strict.As(d, `a fact in quotes, such as "replica 2 executed 1"`, func(v any) (*fact.Fact, error) {
		text, ok := v.(string)
		if !ok {
			return nil, strict.ErrKind
		}
		f, err := fact.Parse(text, s.Replicas)
		return &f, err
	})
	strict.As(d, "the name of an action", strict.Words(links.Actions()...))
	strict.As(d, `"in" or "out"`, strict.Words(links.In, links.Out))
	strict.As(d, `an operation in quotes, such as "c0: put k a"`, s.parseOperation)
	s.requestTypes(d)
	strict.As(d, `"all", or a number from 0`, func(v any) (Count, error) {
		n, number := v.(int64)
		if number && n >= 0 && n <= 1<<31 {
			return Count(n), nil
		}
		return All, unless(v == "all")
	})
}

func unless(ok bool) error {
	if ok {
		return nil
	}
	return strict.ErrKind
}

// parseTime reads a duration such as "200ms", or a multiple of the view timeout such as "3T".
func parseTime(v any, timeout time.Duration) (time.Duration, error) {
	text, _ := v.(string)
	factor, relative := strings.CutSuffix(text, "T")
	if !relative {
		d, err := time.ParseDuration(text)
		return d, unless(err == nil && d >= -longest && d <= longest)
	}
	f, err := strconv.ParseFloat(factor, 64)
	x := f * float64(timeout)
	return time.Duration(x), unless(err == nil && x >= -float64(longest) && x <= float64(longest))
}

func (s *Scenario) parseReplica(v any) (wire.ReplicaID, error) {
	id, ok := v.(int64)
	switch {
	case !ok:
		return 0, strict.ErrKind
	case id < 0 || id >= int64(s.Replicas):
		return 0, fmt.Errorf("there is no replica %d; there are 0 to %d", id, s.Replicas-1)
	}
	return wire.ReplicaID(id), nil
}

// parseReplicas reads a list of replica numbers without duplicates. An empty list is not nil.
func (s *Scenario) parseReplicas(v any) (list []wire.ReplicaID, err error) {
	elements, ok := v.([]any)
	if !ok {
		return nil, strict.ErrKind
	}
	list = []wire.ReplicaID{}
	for _, e := range elements {
		id, err := s.parseReplica(e)
		if err == nil && slices.Contains(list, id) {
			err = fmt.Errorf("replica %d is there twice; name it once", id)
		}
		if err != nil {
			return nil, err
		}
		list = append(list, id)
	}
	return list, nil
}

// parseNumber reads a number of 64 bits. TOML has none above 2⁶³-1, so such a one is in quotes.
func parseNumber[T ~uint64](v any) (T, error) {
	switch v := v.(type) {
	case int64:
		return T(v), unless(v >= 0)
	case string:
		n, err := strconv.ParseUint(v, 10, 64)
		return T(n), unless(err == nil)
	}
	return 0, strict.ErrKind
}

// parseSeqs reads a sequence number, or a range of them.
func parseSeqs(v any) (seqs, error) {
	switch v := v.(type) {
	case int64:
		return seqs{wire.Seq(v), wire.Seq(v)}, unless(v >= 1)
	case string: // TOML has no numbers above 2⁶³-1
		first, last, ok := strings.Cut(v, "..")
		if !ok {
			last, ok = first, true
		}
		a, errA := strconv.ParseUint(first, 10, 64)
		b, errB := strconv.ParseUint(last, 10, 64)
		return seqs{wire.Seq(a), wire.Seq(b)}, unless(ok && errors.Join(errA, errB) == nil && a >= 1 && a <= b)
	}
	return seqs{}, strict.ErrKind
}

// ParseSlot reads a view and a sequence number, such as "0:1".
func ParseSlot(text string) (Slot, bool) {
	view, seq, ok := strings.Cut(text, ":")
	v, errV := strconv.ParseUint(view, 10, 64)
	n, errN := strconv.ParseUint(seq, 10, 64)
	return Slot{View: wire.View(v), Seq: wire.Seq(n)}, ok && errV == nil && errN == nil && n > 0
}

// ParseDigest reads 64 hex digits.
func ParseDigest(text string) (d wire.Digest, ok bool) {
	if hex.DecodedLen(len(text)) != len(d) {
		return d, false
	}
	_, err := hex.Decode(d[:], []byte(text))
	return d, err == nil
}

// Operation is an operation of a client, written like "c0:1 put k a": client c0, its request 1.
type Operation struct {
	Client int
	T      uint64 // number of the request; 0: the client's next one
	Op     check.Op
	words  string
}

func (o Operation) String() string {
	number := ""
	if o.T > 0 {
		number = strconv.FormatUint(o.T, 10)
	}
	return fmt.Sprintf("c%d:%s %s", o.Client, number, o.words)
}

// parseOperation reads "c0:1 put k a" or "c0: put k a", of a client of the workload.
func (s *Scenario) parseOperation(v any) (o Operation, err error) {
	text, ok := v.(string)
	if !ok {
		return o, strict.ErrKind
	}
	who, what, ok := strings.Cut(text, " ")
	client, number, colon := strings.Cut(who, ":")
	digits, c := strings.CutPrefix(client, "c")
	if o.Client, err = strconv.Atoi(digits); !ok || !colon || !c || err != nil || o.Client < 0 {
		return o, fmt.Errorf("%q begins with no client; write it like \"c0:1 put k a\"", text)
	}
	if number != "" {
		if o.T, err = strconv.ParseUint(number, 10, 63); err != nil || o.T == 0 {
			return o, fmt.Errorf("%q: requests of a client are numbered from 1", text)
		}
	}
	if o.Op, o.words, err = s.parseOp(what, text); err != nil {
		return o, err
	}
	if o.Client >= s.Workload.Clients {
		return o, fmt.Errorf("there is no client c%d; there are c0 to c%d", o.Client, s.Workload.Clients-1)
	}
	return o, nil
}

// parseOp reads an operation such as "put k a" within text. The result plain is the same operation with single spaces.
func (s *Scenario) parseOp(what, text string) (op check.Op, plain string, err error) {
	words := strings.Fields(what)
	if !slices.ContainsFunc(forms[s.Machine], func(form string) bool { return fits(&op, words, strings.Fields(form)) }) {
		return op, "", fmt.Errorf("%q is no operation of the %s machine; there is %s", text, s.Machine, strings.Join(forms[s.Machine], ", "))
	}
	return op, strings.Join(words, " "), nil
}

// forms lists how the operations of each machine are written.
var forms = map[string][]string{
	machines.KV:   {"put KEY VALUE", "put KEY VALUE as MARK", "get KEY", "delete KEY", "revert PREFIX", "revert PREFIX MARK"},
	machines.Bank: {"open ACCOUNT AMOUNT", "transfer FROM TO AMOUNT", "balance ACCOUNT"},
}

// fits reports whether the words are an operation of this form, and if so, puts it into op.
func fits(op *check.Op, words, form []string) bool {
	if len(words) != len(form) || words[0] != form[0] {
		return false
	}
	op.Kind = check.Kind(words[0])
	for i, word := range words[1:] {
		switch form[i+1] {
		case "KEY", "PREFIX", "ACCOUNT", "FROM":
			op.Key = word
		case "VALUE":
			op.Value = word
		case "TO", "MARK":
			op.To = word
		case "as":
			if word != "as" {
				return false
			}
		case "AMOUNT":
			var err error
			if op.Amount, err = strconv.ParseUint(word, 10, 63); err != nil {
				return false
			}
		}
	}
	return true
}

// NoMark says that an event reverts to a mark that is not set.
func NoMark(name string) error {
	return fmt.Errorf("no put as %s was acknowledged yet; let the revert come later", name)
}

// checkMarks refuses a revert to a mark that no event before it sets.
func (s *Scenario) checkMarks(t *strict.Table, e *Event) {
	needs("operations", `operations = ["c0: put k a"]`)(s, t, e)
	for _, o := range e.Submit {
		sets := func(p Operation) bool { return p.Op.Kind == check.Put && p.Op.To == o.Op.To }
		if o.Op.Kind == check.Revert && o.Op.To != "" &&
			!slices.ContainsFunc(s.single, func(before Event) bool { return slices.ContainsFunc(before.Submit, sets) }) {
			t.Refuse("operations", "no event before it puts anything as %s; write \"c0: put k a as %s\" there", o.Op.To, o.Op.To)
		}
	}
}
