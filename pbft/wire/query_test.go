package wire

import "testing"

func TestCheck_Queries(t *testing.T) {
	c := newWireCluster(4)
	good := &Query{Nonce: 1, At: MaxSeq, Op: make([]byte, c.cfg.MaxOpBytes)}
	wireRefuses(t, &c.cfg, good, []wireRefusal[*Query]{
		{"at no sequence number that is ever reached", ErrInvalid, func(m *Query) { m.At++ }},
		{"S4: an operation too long", ErrInvalid, func(m *Query) { m.Op = append(m.Op, 0) }},
	})
	if err := Check(&c.cfg, &Query{}); err != nil {
		t.Errorf("C9: a query of the initial state: %v", err)
	}
}

func TestCheck_QueryReplies(t *testing.T) {
	c := newWireCluster(4)
	good := &QueryReply{At: MaxSeq, Outcome: QueryAnswered, Result: make([]byte, c.cfg.MaxResultBytes)}
	wireRefuses(t, &c.cfg, good, []wireRefusal[*QueryReply]{
		{"at no sequence number that is ever reached", ErrInvalid, func(m *QueryReply) { m.At++ }},
		{"no outcome", ErrInvalid, func(m *QueryReply) { m.Outcome = 0 }},
		{"an unknown outcome", ErrInvalid, func(m *QueryReply) { m.Outcome, m.Result = QueryNotExecuted+1, nil }},
		{"C9: the result of a state that is not retained", ErrInvalid, func(m *QueryReply) { m.Outcome = QueryNotRetained }},
		{"S4: a result too long", ErrInvalid, func(m *QueryReply) { m.Result = append(m.Result, 0) }},
	})
}

func TestCheck_Attests(t *testing.T) {
	c := newWireCluster(4)
	good := &Attest{What: VouchedReply, Session: 7, T: 3, Results: true}
	wireRefuses(t, &c.cfg, good, []wireRefusal[*Attest]{
		{"of no kind", ErrInvalid, func(m *Attest) { m.What = 0 }},
		{"of a reserved kind", ErrInvalid, func(m *Attest) { m.What = 3 }},
		{"of no request", ErrInvalid, func(m *Attest) { m.T = 0 }},
		{"a reply and an operation", ErrInvalid, func(m *Attest) { m.Op = []byte("fact") }},
		{"a request's number beside an operation", ErrInvalid, func(m *Attest) { m.What, m.Op = VouchedMachine, []byte("fact") }},
	})
	wireRefuses(t, &c.cfg, &Attest{What: VouchedMachine, Op: make([]byte, c.cfg.MaxOpBytes)}, []wireRefusal[*Attest]{
		{"S4: an operation too long", ErrInvalid, func(m *Attest) { m.Op = append(m.Op, 0) }},
		{"that wants results", ErrInvalid, func(m *Attest) { m.Results = true }},
	})
}

func TestCheck_Attestations(t *testing.T) {
	c := newWireCluster(4)
	good := &Attestation{Outcome: Attested, Statement: make([]byte, MaxStatement), Results: [][]byte{make([]byte, c.cfg.MaxResultBytes)}}
	wireRefuses(t, &c.cfg, good, []wireRefusal[*Attestation]{
		{"no outcome", ErrInvalid, func(m *Attestation) { m.Outcome = 0 }},
		{"an unknown outcome", ErrInvalid, func(m *Attestation) { *m = Attestation{Outcome: NoLongerHeld + 1} }},
		{"no statement", ErrInvalid, func(m *Attestation) { m.Statement = nil }},
		{"the statement of a reply that is gone", ErrInvalid, func(m *Attestation) { m.Outcome, m.Results = NoLongerHeld, nil }},
		{"S4: a statement too long", ErrInvalid, func(m *Attestation) { m.Statement = append(m.Statement, 0) }},
		{"S4: too many results", ErrInvalid, func(m *Attestation) { m.Results = make([][]byte, c.cfg.MaxOps+1) }},
		{"S4: results too long", ErrInvalid, func(m *Attestation) { m.Results = [][]byte{make([]byte, 9<<20)} }},
	})
	if err := Check(&c.cfg, &Attestation{Outcome: NothingAttested}); err != nil {
		t.Error(err)
	}
}

func TestCheck_Proofs(t *testing.T) {
	c := newWireCluster(4)
	wireRefuses(t, &c.cfg, &Prove{From: MaxSeq, Key: make([]byte, c.cfg.MaxOpBytes)}, []wireRefusal[*Prove]{
		{"at no sequence number that is ever reached", ErrInvalid, func(m *Prove) { m.From++ }},
		{"S4: a key too long", ErrInvalid, func(m *Prove) { m.Key = append(m.Key, 0) }},
	})
	wireRefuses(t, &c.cfg, &Proof{Stable: MaxSeq, Document: make([]byte, MaxAnswer)}, []wireRefusal[*Proof]{
		{"at no sequence number that is ever reached", ErrInvalid, func(m *Proof) { m.Stable++ }},
		{"S4: a document too long", ErrInvalid, func(m *Proof) { m.Document = append(m.Document, 0) }},
	})
}
