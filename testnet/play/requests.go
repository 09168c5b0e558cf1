package play

import (
	"fmt"
	"slices"
	"strings"

	"tagma/pbft/wire"
	rogues "tagma/testnet/byzantine/client"
	"tagma/testnet/byzantine/tamper"
	"tagma/testnet/history"
	"tagma/testnet/report"
	"tagma/testnet/scenario"
)

// Ask is a scenario's request as a client is asked for it. KeyOf signs with the key of a client.
func Ask(r *scenario.Request, keyOf func(client int) tamper.Sign) *rogues.Ask {
	q := &rogues.Ask{
		Session: r.Session, Number: uint64(r.Number), AckedBelow: uint64(r.AckedBelow), To: r.To, Signature: r.Signature.Signature,
	}
	for i := range r.Operations {
		q.Ops = append(q.Ops, history.Encode(&r.Operations[i]))
	}
	if by := r.Signature.By; by != nil {
		q.By = keyOf(*by)
	}
	return q
}

// answered reports whether an answer that is wanted has come to every request. Of none that is not known before the end.
func (r *course) answered() bool {
	for i := range r.s.Requests {
		q := &r.s.Requests[i]
		if len(q.Answer) > 0 && q.Answer[0] != scenario.NoAnswer && !r.came(q) {
			return false
		}
	}
	return true
}

// came reports whether one of the answers that are wanted has come.
func (r *course) came(q *scenario.Request) bool {
	if q.Answer[0] == scenario.NoAnswer {
		return len(r.c.Answers(q)) == 0
	}
	return r.told(q, true)
}

// told reports whether an answer that is wanted, or one that is not, came from f+1 replicas, as many as a client believes,
// or from all that were asked if that is fewer.
func (r *course) told(q *scenario.Request, wanted bool) bool {
	for o, n := range r.c.Answers(q) {
		if o == wire.OutcomeBusy && !wanted { // it contradicts nothing: another word may follow
			continue
		}
		if n >= min((r.s.Replicas-1)/3+1, len(q.To)) && slices.Contains(q.Answer, scenario.Answer(o.String())) == wanted {
			return true
		}
	}
	return false
}

// expectAnswers holds what came back to requests against what had to.
func (r *course) expectAnswers(d *report.Document) {
	for i := range r.s.Requests {
		q := &r.s.Requests[i]
		if len(q.Answer) == 0 {
			continue
		}
		var want, got []string
		for _, a := range q.Answer {
			want = append(want, string(a))
		}
		counts := r.c.Answers(q)
		for o := wire.OutcomeExecuted; o <= wire.OutcomeRefused; o++ {
			if n := counts[o]; n > 0 {
				got = append(got, fmt.Sprintf("%v by %d", o, n))
			}
		}
		if got == nil {
			got = []string{string(scenario.NoAnswer)}
		}
		d.Expected(q.Key(), strings.Join(want, " or "), strings.Join(got, ", "), r.came(q))
	}
}

// contradicted reports whether what is expected under a key is an answer, and another one came, or one at all that must not.
func (r *course) contradicted(key string) bool {
	i := slices.IndexFunc(r.s.Requests, func(q scenario.Request) bool { return q.Key() == key })
	if i < 0 {
		return false
	}
	q := &r.s.Requests[i]
	return q.Answer[0] == scenario.NoAnswer && !r.came(q) || r.told(q, false)
}
