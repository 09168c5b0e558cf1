package scenario

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"tagma/internal/strict"
	"tagma/pbft/wire"
	"tagma/testnet/byzantine/client"
	"tagma/testnet/check"
	"tagma/testnet/fact"
)

// Request is a request that a client sends exactly as it is written here. It is sent once, and only to the replicas that
// are named.
type Request struct {
	Line       int
	At         time.Duration    `toml:"at"`
	When       *fact.Fact       `toml:"when"` // instead of At; nil: it goes by At
	Client     int              `toml:"client" range:"0..2000"`
	Session    wire.Session     `toml:"session"`
	Number     number           `toml:"number"`
	AckedBelow number           `toml:"acked_below"`
	Operations []check.Op       `toml:"operations"`
	To         []wire.ReplicaID `toml:"to"`
	Signature  Signature        `toml:"signature"`
	Answer     []Answer         `toml:"answer"` // one of these must come back; nil: anything may
}

type number uint64

// Signature says which signature a request carries, and who made it if that is another client.
type Signature struct {
	client.Signature
	By *int
}

// Answer is the answer to a request: the name of an outcome, or NoAnswer.
type Answer string

// NoAnswer says that no replica ever answers.
const NoAnswer Answer = "nothing"

// Answers lists all possible answers.
func Answers() (all []Answer) {
	for o := wire.OutcomeExecuted; o <= wire.OutcomeRefused; o++ {
		all = append(all, Answer(o.String()))
	}
	return append(all, NoAnswer)
}

// What describes the request in a few words.
func (r *Request) What() string {
	sig := ""
	if r.Signature.By != nil {
		sig = fmt.Sprintf(", signed by c%d", *r.Signature.By)
	} else if r.Signature.Signature != client.Good {
		sig = fmt.Sprintf(", with a signature that is %q", r.Signature.Signature)
	}
	return fmt.Sprintf("c%d asks %v for request %d of session %d%s", r.Client, r.To, r.Number, r.Session, sig)
}

// Key is the key of the expectation about the answer.
func (r *Request) Key() string { return fmt.Sprintf("answer to line %d", r.Line) }

// Askers lists the clients that have requests, ascending.
func (s *Scenario) Askers() (clients []int) {
	for _, r := range s.Requests {
		clients = append(clients, r.Client)
	}
	slices.Sort(clients)
	return slices.Compact(clients)
}

// requestTypes says how the values of requests are written.
func (s *Scenario) requestTypes(d *strict.Document) {
	const whole = `a whole number from 0, in quotes if it is above 9223372036854775807`
	strict.As(d, whole, parseNumber[wire.Session])
	strict.As(d, whole, parseNumber[number])
	strict.As(d, `an operation without its client in quotes, such as "put k a"`, func(v any) (op check.Op, err error) {
		text, ok := v.(string)
		if !ok {
			return op, strict.ErrKind
		}
		op, _, err = s.parseOp(text, text)
		return op, err
	})
	strict.As(d, `what stands under the request, such as "bad", or "of c0"`, func(v any) (sig Signature, err error) {
		text, ok := v.(string)
		if !ok {
			return sig, strict.ErrKind
		}
		if name, other := strings.CutPrefix(text, "of c"); other && !slices.Contains(client.Signatures(), client.Signature(text)) {
			var by int
			_, err = fmt.Sscanf(name+"\n", "%d\n", &by)
			if err != nil || by < 0 || by > 2*maxClients {
				return sig, fmt.Errorf("there is no client c%s; write for instance \"of c0\"", name)
			}
			return Signature{client.Good, &by}, nil
		}
		if sig.Signature, err = strict.Words(client.Signatures()...)(v); err != nil {
			err = fmt.Errorf(`%w, and that of another client, such as "of c0"`, err)
		}
		return sig, err
	})
	strict.As(d, `what comes back, such as "executed", or a list of what may`, func(v any) (all []Answer, err error) {
		list, several := v.([]any)
		if !several {
			list = []any{v}
		}
		for _, one := range list {
			answer, err := strict.Words(Answers()...)(one)
			if err != nil {
				return nil, err
			}
			all = append(all, answer)
		}
		return all, unless(len(all) > 0)
	})
}

// takeRequest takes one request.
func (s *Scenario) takeRequest(t *strict.Table) {
	r := Request{Line: t.Line(""), Signature: Signature{Signature: client.Good}}
	if !t.Into(&r) {
		return
	}
	beside := fmt.Sprintf("client = %d", s.Workload.Clients)
	for _, need := range [][2]string{
		{"client", beside + ", one beside those of the workload"},
		{"session", "session = 1"},
		{"number", "number = 1"},
		{"operations", `operations = ["put k a"]`},
	} {
		t.Needs(need[0], need[1])
	}
	switch by := r.Signature.By; {
	case !t.Has("client"):
	case r.Client < s.Workload.Clients:
		t.Refuse("client", "c%d is a client of the workload, which numbers its requests itself; write %s", r.Client, beside)
	case slices.ContainsFunc(s.Malicious, func(m Malicious) bool { return m.Client != nil && *m.Client == r.Client }):
		t.Refuse("client", "c%d has a behaviour, and sends what that says; write another client", r.Client)
	case by != nil && *by == r.Client:
		t.Refuse("signature", "c%d is the client itself; write \"good\", or another client", *by)
	}
	if !oneOf(t, "at", "when") {
		t.Refuse("", "it needs one moment; write either at = \"1s\", or when = \"replica 2 executed 1\"")
	}
	if t.Has("to") && len(r.To) == 0 {
		t.Refuse("to", "it goes to nobody; write to = [0], or leave it out for all replicas")
	}
	for id := range wire.ReplicaID(s.Replicas) {
		if !t.Has("to") {
			r.To = append(r.To, id)
		}
	}
	if len(r.Answer) > 1 && slices.Contains(r.Answer, NoAnswer) {
		t.Refuse("answer", "%q is waited for to the end of the run; write it alone, or leave it out", NoAnswer)
	}
	s.Requests = append(s.Requests, r)
}
