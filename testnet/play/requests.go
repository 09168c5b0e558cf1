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

// Ask converts a scenario's request to the form that a client needs. KeyOf returns the signing function of a client's
// key.
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

// answered reports whether every request that needs an answer has one. That a request has no answer is certain only at
// the end of the run.
func (r *course) answered() bool {
	for i := range r.s.Requests {
		q := &r.s.Requests[i]
		if len(q.Answer) > 0 && q.Answer[0] != scenario.NoAnswer && !r.came(q) {
			return false
		}
	}
	return true
}

// came reports whether a request has one of the answers that the scenario wants. If it wants none, came reports whether
// there is none.
func (r *course) came(q *scenario.Request) bool {
	if q.Answer[0] == scenario.NoAnswer {
		return len(r.c.Answers(q)) == 0
	}
	return r.told(q, true)
}

// told reports whether a wanted answer, or an unwanted one if wanted is false, came from f+1 replicas, as many as a client
// believes, or from all that were asked if these are fewer.
func (r *course) told(q *scenario.Request, wanted bool) bool {
	for o, n := range r.c.Answers(q) {
		if o == wire.OutcomeBusy && !wanted { // Busy contradicts nothing, because another answer may follow
			continue
		}
		if n >= min((r.s.Replicas-1)/3+1, len(q.To)) && slices.Contains(q.Answer, scenario.Answer(o.String())) == wanted {
			return true
		}
	}
	return false
}

// expectAnswers compares the answers to requests with those that the scenario wants.
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

// contradicted reports whether key names a request that got a wrong answer: an unwanted one, or any if it wants none.
func (r *course) contradicted(key string) bool {
	i := slices.IndexFunc(r.s.Requests, func(q scenario.Request) bool { return q.Key() == key })
	if i < 0 {
		return false
	}
	q := &r.s.Requests[i]
	return q.Answer[0] == scenario.NoAnswer && !r.came(q) || r.told(q, false)
}
