package check

import (
	"testing"

	"tagma/pbft/wire"
)

// These are controls of what the monitor reads from the order of the records in a journal.
func TestJournals_NoticeEveryBreak(t *testing.T) {
	s := newStory(t, nil)
	b := body(request(1))
	d := b.Digest()
	forged := request(1)
	forged = &wire.Request{ID: forged.ID, Ops: forged.Ops, Sig: forged.Sig}
	forged.Sig[0] ^= 1
	bad := body(forged)
	spoilt := s.committed(0, 1, d, 0, 1, 2)
	spoilt.Commits[0].Sig[0] ^= 1

	head := func(v wire.View) wire.Record { return &wire.Head{View: v, Active: true} }
	stable := func(n wire.Seq) wire.Record { return &wire.Stable{Cert: s.stable(n, d, 0, 1, 2)} }
	accepts := func(n wire.Seq) wire.Record { return &wire.Accepted{PrePrepare: s.prePrepare(0, n, b)} }
	commits := func(n wire.Seq, by ...wire.ReplicaID) wire.Record {
		return &wire.Committed{Cert: s.committed(0, n, d, by...)}
	}
	change := func(v wire.View) wire.Record { return &wire.Sent{Msg: s.viewChange(v, 1, wire.StableCert{})} }
	activates := func(v wire.View, digests ...wire.Digest) wire.Record {
		none := wire.StableCert{}
		if len(digests) > 0 {
			return &wire.Activated{NewView: s.newView(v, digests,
				s.viewChange(v, 0, none, s.prepared(0, 1, digests[0], 1, 2)), s.viewChange(v, 2, none), s.viewChange(v, 3, none))}
		}
		return &wire.Activated{NewView: s.newView(v, nil, s.viewChange(v, 0, none), s.viewChange(v, 2, none), s.viewChange(v, 3, none))}
	}
	announces := &wire.Sent{Msg: &wire.Checkpoint{Seq: 4, Replica: 1}}
	for _, c := range []struct {
		rule, what string
		records    []wire.Record
	}{
		{"", "nothing", []wire.Record{
			head(0), accepts(1), commits(1, 0, 1, 2), change(1), activates(1, d),
			&wire.Committed{Cert: s.committed(1, 2, d, 0, 1, 3)}, stable(4), head(1), stable(4), activates(1, d), accepts(12), stable(8),
		}},
		{"", "records of the turn behind the anchor of the next segment", []wire.Record{
			head(0), change(1), head(1), stable(8), change(1), accepts(8), stable(4), change(1),
		}},
		{"I6", "a watermark that falls", []wire.Record{head(0), stable(8), head(0), stable(4)}},
		{"I6", "a segment without a watermark", []wire.Record{head(0), stable(8), head(0), commits(9, 0, 1, 2)}},
		{"", "a watermark that is written late", []wire.Record{head(0), stable(8), head(0), stable(8), stable(4)}},
		{"I6", "a watermark that is no checkpoint", []wire.Record{head(0), stable(5)}},
		{"I6", "a pre-prepare above H", []wire.Record{head(0), stable(4), accepts(13)}},
		{"I6", "a pre-prepare below h", []wire.Record{head(0), stable(4), head(0), stable(4), accepts(4)}},
		{"I7", "a segment in a view that was left", []wire.Record{head(0), change(2), head(1)}},
		{"I7", "a view that was left is activated", []wire.Record{head(0), change(2), head(2), activates(1)}},
		{"I7", "a view change to a view that was left", []wire.Record{head(0), change(2), head(2), commits(1, 0, 1, 2), change(1)}},
		{"", "an anchor repeats an older view change", []wire.Record{head(0), change(2), head(2), change(1)}},
		{"", "and behind a watermark too", []wire.Record{head(0), change(2), head(2), stable(4), change(1)}},
		{"I8", "a batch is left out", []wire.Record{head(0), commits(1, 0, 1, 2), commits(3, 0, 1, 2), announces}},
		{"", "a batch is executed and not written yet", []wire.Record{head(0), commits(1, 0, 1, 2), commits(3, 0, 1, 2)}},
		{"", "the anchor is ahead of its turn", []wire.Record{
			head(0), commits(1, 0, 1, 2), head(0), announces, commits(3, 0, 1, 2), commits(2, 0, 1, 2), commits(3, 0, 1, 2),
		}},
		{"I10", "a signature that does not hold", []wire.Record{head(0), &wire.Committed{Cert: spoilt}}},
		{"I11", "a commit certificate one short", []wire.Record{head(0), commits(1, 0, 1)}},
		{"I16", "a request that its client did not sign", []wire.Record{
			head(0), &wire.Certified{Cert: s.committed(0, 1, bad.Digest(), 0, 1, 2), Body: bad},
		}},
		{"I17", "a new view drops what committed", []wire.Record{head(0), commits(1, 0, 1, 2), activates(1)}},
	} {
		t.Run(c.rule+" "+c.what, func(t *testing.T) {
			j := NewMonitor(s.cfg, everybody, holds)
			j.VerifyEvery(1)
			j.Read(1, c.records)
			j.Read(1, c.records) // again, without harm
			for _, r := range j.Results() {
				if r.Held == (r.ID == c.rule) {
					t.Errorf("%+v", r)
				}
			}
		})
	}
}

func TestI7_AJournalThatWentBackIsNoticed(t *testing.T) {
	s := newStory(t, nil)
	j := NewMonitor(s.cfg, everybody, nil)
	early := []wire.Record{&wire.Head{}}
	j.Read(1, append(early, &wire.Sent{Msg: s.viewChange(3, 1, wire.StableCert{})}))
	mustHold(t, results(j)["I7"], 2)
	j.Read(1, early)
	mustFail(t, results(j)["I7"])
}
