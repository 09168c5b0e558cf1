package check

import (
	"maps"
	"slices"
	"strings"
)

// world is the state of a machine in a model: the value of each key or account. A world is never changed; an operation
// makes a new one.
type world map[string]held

type held struct {
	value  string
	number uint64 // a key's version, an account's balance
	past   *world // for a mark: the world when it was set
}

// markPrefix begins the names of marks in a world. No key of a history begins with it.
const markPrefix = "\x00mark "

// with returns a world in which one key was changed.
func (w world) with(key string, h held) world {
	next := maps.Clone(w)
	if next == nil {
		next = world{}
	}
	next[key] = h
	return next
}

// do is the sequential specification of both machines: it returns the world after an operation, and the operation's
// result. Operations of different machines share no key, so one world serves both.
func (w world) do(op *Op) (world, Out) {
	switch op.Kind {
	case Put:
		next := w.with(op.Key, held{value: op.Value, number: w[op.Key].number + 1})
		if op.To != "" {
			past := next
			next = next.with(markPrefix+op.To, held{past: &past})
		}
		return next, Out{}
	case Get:
		h, found := w[op.Key]
		return w, Out{Found: found, Value: h.value, Version: h.number}
	case Delete:
		if _, found := w[op.Key]; !found {
			return w, Out{}
		}
		next := maps.Clone(w)
		delete(next, op.Key)
		return next, Out{Found: true}
	case Txn:
		return w.transact(op)
	case Revert:
		return w.revert(op)
	case Open:
		if h, found := w[op.Key]; found {
			return w, Out{Refused: AccountExists, Balance: h.number}
		}
		return w.with(op.Key, held{number: op.Amount}), Out{Balance: op.Amount}
	case Transfer:
		return w.transfer(op)
	case Balance:
		h, found := w[op.Key]
		if !found {
			return w, Out{Refused: NoAccount}
		}
		return w, Out{Balance: h.number}
	case Audit:
		out := Out{Other: uint64(len(w))}
		for _, h := range w {
			out.Balance += h.number
		}
		return w, out
	default:
		panic("check: no such operation: " + string(op.Kind))
	}
}

// revert gives keys their former values; keys that already have them do not change.
func (w world) revert(op *Op) (world, Out) {
	var past world
	if mark := w[markPrefix+op.To]; mark.past != nil {
		past = *mark.past
	}
	of := func(key string) bool { return strings.HasPrefix(key, op.Key) && !strings.HasPrefix(key, markPrefix) }
	next, out := maps.Clone(w), Out{}
	for key := range w {
		if _, was := past[key]; of(key) && !was {
			delete(next, key)
			out.Found = true
		}
	}
	for key, was := range past {
		if now, is := w[key]; of(key) && (!is || now.value != was.value) {
			next = next.with(key, held{value: was.value, number: now.number + 1})
		}
	}
	return next, out
}

func (w world) transact(op *Op) (world, Out) {
	out, branch := Out{Held: true}, op.Then
	for _, c := range op.If {
		if h, found := w[c.Key]; found == c.Absent || found && h.value != c.Value {
			out.Held, branch = false, op.Else
		}
	}
	for i := range branch {
		var one Out
		w, one = w.do(&branch[i])
		out.Outs = append(out.Outs, one)
	}
	return w, out
}

func (w world) transfer(op *Op) (world, Out) {
	from, found := w[op.Key]
	if !found {
		return w, Out{Refused: NoAccount}
	}
	to, found := w[op.To]
	switch {
	case !found:
		return w, Out{Refused: NoRecipient}
	case from.number < op.Amount:
		return w, Out{Refused: Insufficient}
	}
	w = w.with(op.Key, held{number: from.number - op.Amount}).with(op.To, held{number: to.number + op.Amount})
	return w, Out{Balance: from.number - op.Amount, Other: to.number + op.Amount}
}

// explains reports whether a client's answer equals the model's. Whatever the client was not told may have any value.
func (o *Out) explains(told *Out) bool {
	switch {
	case o.Refused != "" || told.Refused != "":
		return o.Refused == told.Refused
	case o.Found != told.Found || o.Value != told.Value || o.Held != told.Held:
		return false
	case told.Version != 0 && o.Version != told.Version:
		return false
	case o.Balance != told.Balance || o.Other != told.Other:
		return false
	}
	return slices.EqualFunc(o.Outs, told.Outs, func(a, b Out) bool { return a.explains(&b) })
}

// keys calls do with every key that an operation uses; all says that it uses every existing key.
func (op *Op) keys(do func(string)) (all bool) {
	if op.Kind == Audit || op.Kind == Revert {
		return true
	}
	if op.Kind != Txn {
		do(op.Key)
	}
	if op.Kind == Transfer {
		do(op.To)
	}
	for _, c := range op.If {
		do(c.Key)
	}
	for _, branch := range [][]Op{op.Then, op.Else} {
		for i := range branch {
			all = branch[i].keys(do) || all
		}
	}
	return all
}
