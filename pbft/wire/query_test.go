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
