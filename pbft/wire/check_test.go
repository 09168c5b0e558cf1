package wire

import (
	"errors"
	"math"
	"strings"
	"testing"
)

// wireRefusal changes a good message in one way. It has the error that Check must then return.
type wireRefusal[M Message] struct {
	name  string
	want  error
	spoil func(M)
}

// wireRefuses runs each case on a new copy of good, which must itself be valid.
func wireRefuses[M Message](t *testing.T, cfg *Config, good M, cases []wireRefusal[M]) {
	t.Helper()
	if err := Check(cfg, good); err != nil {
		t.Fatalf("the good %v: %v", TypeOf(good), err)
	}
	for _, c := range cases {
		m := wireClone(good)
		c.spoil(m)
		err := Check(cfg, m)
		if !errors.Is(err, c.want) {
			t.Errorf("%v, %s: %v, want %v", TypeOf(m), c.name, err, c.want)
		}
		if err != nil && (strings.Contains(err.Error(), "\n") || !strings.HasPrefix(err.Error(), TypeOf(m).String()+": ")) {
			t.Errorf("%v, %s: %q is not one line that names the type", TypeOf(m), c.name, err)
		}
	}
}

func TestCheck_Votes(t *testing.T) {
	c := newWireCluster(4)
	d := Digest{1}
	wireRefuses(t, &c.cfg, c.prepare(2, 11, d, 1), []wireRefusal[*Prepare]{
		{"at the initial state", ErrInvalid, func(m *Prepare) { m.Seq = 0 }},
		{"of a stranger", ErrUnknownMember, func(m *Prepare) { m.Replica = 4 }},
		{"N2: of the primary", ErrInvalid, func(m *Prepare) { m.Replica = 2 }},
	})
	wireRefuses(t, &c.cfg, c.commit(2, 11, d, 2), []wireRefusal[*Commit]{
		{"at the initial state", ErrInvalid, func(m *Commit) { m.Seq = 0 }},
		{"of a stranger", ErrUnknownMember, func(m *Commit) { m.Replica = math.MaxUint16 }},
	})
	wireRefuses(t, &c.cfg, c.checkpoint(20, d, 2), []wireRefusal[*Checkpoint]{
		{"of the initial state", ErrInvalid, func(m *Checkpoint) { m.Seq = 0 }},
		{"K1: between two checkpoints", ErrInvalid, func(m *Checkpoint) { m.Seq = 21 }},
		{"of a stranger", ErrUnknownMember, func(m *Checkpoint) { m.Replica = 4 }},
	})
	wireRefuses(t, &c.cfg, &Suspect{Replica: 3}, []wireRefusal[*Suspect]{
		{"of a stranger", ErrUnknownMember, func(m *Suspect) { m.Replica = 4 }},
	})
	wireRefuses(t, &c.cfg, &Fetch{Seq: 1}, []wireRefusal[*Fetch]{
		{"of the initial state", ErrInvalid, func(m *Fetch) { m.Seq = 0 }},
	})
	if err := Check(&c.cfg, nil); !errors.Is(err, ErrInvalid) {
		t.Errorf("no message: %v", err)
	}
}

func TestCheck_Requests(t *testing.T) {
	c := newWireCluster(4)
	long := strings.Repeat("x", c.cfg.MaxOpBytes)
	wireRefuses(t, &c.cfg, c.request(5, long, long, long), []wireRefusal[*Request]{
		{"number 0", ErrInvalid, func(r *Request) { r.ID.T, r.AckedBelow = 0, 0 }},
		{"C2: acknowledges what is to come", ErrInvalid, func(r *Request) { r.AckedBelow = 6 }},
		{"no operation", ErrInvalid, func(r *Request) { r.Ops = nil }},
		{"S4: an operation too many", ErrInvalid, func(r *Request) { r.Ops = [][]byte{{}, {}, {}, {}} }},
		{"S4: an operation too long", ErrInvalid, func(r *Request) { r.Ops = [][]byte{[]byte(long + "x")} }},
		{"a client nobody knows", ErrUnknownClient, func(r *Request) { r.ID.Client[0] = 0xdd }},
	})
	tight := c.cfg
	tight.MaxBatchBytes = c.request(5, long).Size()
	wireRefuses(t, &tight, c.request(5, long), []wireRefusal[*Request]{
		{"S4: larger than a batch", ErrInvalid, func(r *Request) { r.Ops = append(r.Ops, nil) }},
	})
	open := c.cfg
	open.Client = nil
	stranger := c.request(5, "op")
	stranger.ID.Client = PublicKey{1}
	if err := Check(&open, stranger); err != nil {
		t.Errorf("a cluster that is open to every client: %v", err)
	}
}

func TestCheck_PrePrepares(t *testing.T) {
	c := newWireCluster(4)
	cases := []wireRefusal[*PrePrepare]{
		{"at the initial state", ErrInvalid, func(m *PrePrepare) { m.Seq = 0 }},
		{"N1: another digest than the body's", ErrInvalid, func(m *PrePrepare) { m.Digest[0]++ }},
		{"a client nobody knows", ErrUnknownClient, func(m *PrePrepare) {
			m.Body.Requests[1].ID.Client[0] = 0xdd
			m.Digest = m.Body.Digest()
		}},
	}
	for _, b := range wireBodyRefusals(c) {
		cases = append(cases, wireRefusal[*PrePrepare]{b.name, ErrInvalid, func(m *PrePrepare) {
			b.spoil(m.Body)
			if m.Body.Requests == nil || m.Body.Requests[0] != nil {
				m.Digest = m.Body.Digest()
			}
		}})
	}
	wireRefuses(t, &c.cfg, c.prePrepare(2, 11, c.body()), cases)
}

type wireBodyRefusal struct {
	name  string
	spoil func(*Body)
}

func wireBodyRefusals(c *wireCluster) []wireBodyRefusal {
	long := strings.Repeat("x", c.cfg.MaxOpBytes)
	return []wireBodyRefusal{
		{"requests at no time", func(b *Body) { b.Time = 0 }},
		{"requests before all time", func(b *Body) { b.Time = -1 }},
		{"a request that is missing", func(b *Body) { b.Requests[0] = nil }},
		{"a request without operations", func(b *Body) { b.Requests[1].Ops = nil }},
		{"S4: too many requests", func(b *Body) {
			for t := range uint64(3) {
				b.Requests = append(b.Requests, c.request(9+t, "op"))
			}
		}},
		{"S4: too many bytes", func(b *Body) {
			b.Requests = []*Request{c.request(1, long, long), c.request(2, long, long)}
		}},
	}
}

func TestCheck_CertifiedBodies(t *testing.T) {
	c := newWireCluster(4)
	b := c.body()
	cases := []wireRefusal[*CertifiedBody]{
		{"at the initial state", ErrInvalid, func(m *CertifiedBody) { m.Seq, m.Cert.Seq = 0, 0 }},
		{"no body", ErrInvalid, func(m *CertifiedBody) { m.Body = nil }},
		{"a certificate for another slot", ErrInvalid, func(m *CertifiedBody) { m.Cert.Seq++ }},
		{"N7: a certificate for another digest", ErrInvalid, func(m *CertifiedBody) { m.Cert.Digest[0]++ }},
		{"N7: a commit short", ErrInvalid, func(m *CertifiedBody) { m.Cert.Commits = m.Cert.Commits[1:] }},
		{"a commit too many", ErrInvalid, func(m *CertifiedBody) { m.Cert.Commits = wireSigners(4) }},
		{"S3: a commit twice", ErrInvalid, func(m *CertifiedBody) { m.Cert.Commits[1] = m.Cert.Commits[0] }},
		{"S3: a stranger's commit", ErrUnknownMember, func(m *CertifiedBody) { m.Cert.Commits[2].Replica = 4 }},
	}
	for _, b := range wireBodyRefusals(c) {
		cases = append(cases, wireRefusal[*CertifiedBody]{b.name, ErrInvalid, func(m *CertifiedBody) { b.spoil(m.Body) }})
	}
	wireRefuses(t, &c.cfg, &CertifiedBody{Seq: 11, Body: b, Cert: c.commitCert(2, 11, b.Digest())}, cases)

	foreign := wireClone(b)
	foreign.Requests[0].ID.Client[0] = 0xdd
	if err := Check(&c.cfg, &CertifiedBody{Seq: 11, Body: foreign}); err != nil {
		t.Errorf("a body that is vouched for, of a client who is not allowed any more: %v", err)
	}
}

func TestCheck_Replies(t *testing.T) {
	c := newWireCluster(4)
	good := &Reply{ID: RequestID{T: 1}, Outcome: OutcomeExecuted, Seq: 3, Results: [][]byte{make([]byte, 64), {}, {}}}
	wireRefuses(t, &c.cfg, good, []wireRefusal[*Reply]{
		{"number 0", ErrInvalid, func(m *Reply) { m.ID.T = 0 }},
		{"no outcome", ErrInvalid, func(m *Reply) { m.Outcome = 0 }},
		{"an unknown outcome", ErrInvalid, func(m *Reply) { m.Outcome = OutcomeRefused + 1 }},
		{"executed nowhere", ErrInvalid, func(m *Reply) { m.Seq = 0 }},
		{"executed without result", ErrInvalid, func(m *Reply) { m.Results = nil }},
		{"executed, and to be tried again", ErrInvalid, func(m *Reply) { m.RetryAfterMillis = 1 }},
		{"C6: busy, yet executed", ErrInvalid, func(m *Reply) { m.Outcome, m.Results = OutcomeBusy, nil }},
		{"C5: results beside their digest", ErrInvalid, func(m *Reply) { m.ResultDigest = &Digest{1} }},
		{"C5: a digest of what was not executed", ErrInvalid, func(m *Reply) {
			m.Outcome, m.Results, m.ResultDigest = OutcomeConflict, nil, &Digest{1}
		}},
		{"C2: results of a conflict", ErrInvalid, func(m *Reply) { m.Outcome = OutcomeConflict }},
		{"S4: a result too many", ErrInvalid, func(m *Reply) { m.Results = make([][]byte, 4) }},
		{"S4: a result too long", ErrInvalid, func(m *Reply) { m.Results[1] = make([]byte, 65) }},
	})
}

func TestCheck_Statuses(t *testing.T) {
	c := newWireCluster(4)
	slots := make([]SlotStatus, 2*c.cfg.LogWindow)
	for i := range slots {
		slots[i].Seq = Seq(i)
	}
	good := &Status{Helper: 3, ViewChanges: []ReplicaID{0, 1, 2, 3}, Slots: slots}
	wireRefuses(t, &c.cfg, good, []wireRefusal[*Status]{
		{"a stranger for a helper", ErrUnknownMember, func(m *Status) { m.Helper = 4 }},
		{"a stranger's view change", ErrUnknownMember, func(m *Status) { m.ViewChanges[3] = 4 }},
		{"view changes out of order", ErrInvalid, func(m *Status) { m.ViewChanges[1] = 3 }},
		{"slots out of order", ErrInvalid, func(m *Status) { m.Slots[1].Seq = 0 }},
		{"S4: a slot too many", ErrInvalid, func(m *Status) {
			m.Slots = append(m.Slots, SlotStatus{Seq: math.MaxUint64})
		}},
	})
}
