package check

import (
	"testing"

	"tagma/pbft"
)

// Controls of what journals show by the order of their records.
func TestJournals_NoticeEveryBreak(t *testing.T) {
	s := newStory(t, nil)
	b := body(request(1))
	d := b.Digest()
	forged := request(1)
	forged = &pbft.Request{ID: forged.ID, Ops: forged.Ops, Sig: forged.Sig}
	forged.Sig[0] ^= 1
	bad := body(forged)
	spoilt := s.committed(0, 1, d, 0, 1, 2)
	spoilt.Commits[0].Sig[0] ^= 1

	head := func(v pbft.View) pbft.Record { return &pbft.Head{View: v, Active: true} }
	stable := func(n pbft.Seq) pbft.Record { return &pbft.Stable{Cert: s.stable(n, d, 0, 1, 2)} }
	accepts := func(n pbft.Seq) pbft.Record { return &pbft.Accepted{PrePrepare: s.prePrepare(0, n, b)} }
	commits := func(n pbft.Seq, by ...pbft.ReplicaID) pbft.Record {
		return &pbft.Committed{Cert: s.committed(0, n, d, by...)}
	}
	change := func(v pbft.View) pbft.Record { return &pbft.Sent{Msg: s.viewChange(v, 1, pbft.StableCert{})} }
	activates := func(v pbft.View, digests ...pbft.Digest) pbft.Record {
		none := pbft.StableCert{}
		if len(digests) > 0 {
			return &pbft.Activated{NewView: s.newView(v, digests,
				s.viewChange(v, 0, none, s.prepared(0, 1, digests[0], 1, 2)), s.viewChange(v, 2, none), s.viewChange(v, 3, none))}
		}
		return &pbft.Activated{NewView: s.newView(v, nil, s.viewChange(v, 0, none), s.viewChange(v, 2, none), s.viewChange(v, 3, none))}
	}
	announces := &pbft.Sent{Msg: &pbft.Checkpoint{Seq: 4, Replica: 1}}
	for _, c := range []struct {
		rule, what string
		records    []pbft.Record
	}{
		{"", "nothing", []pbft.Record{
			head(0), accepts(1), commits(1, 0, 1, 2), change(1), activates(1, d),
			&pbft.Committed{Cert: s.committed(1, 2, d, 0, 1, 3)}, stable(4), head(1), stable(4), activates(1, d), accepts(12), stable(8),
		}},
		{"", "records of the turn behind the anchor of the next segment", []pbft.Record{
			head(0), change(1), head(1), stable(8), change(1), accepts(8), stable(4), change(1),
		}},
		{"I6", "a watermark that falls", []pbft.Record{head(0), stable(8), head(0), stable(4)}},
		{"I6", "a segment without a watermark", []pbft.Record{head(0), stable(8), head(0), commits(9, 0, 1, 2)}},
		{"", "a watermark that is written late", []pbft.Record{head(0), stable(8), head(0), stable(8), stable(4)}},
		{"I6", "a watermark that is no checkpoint", []pbft.Record{head(0), stable(5)}},
		{"I6", "a pre-prepare above H", []pbft.Record{head(0), stable(4), accepts(13)}},
		{"I6", "a pre-prepare below h", []pbft.Record{head(0), stable(4), head(0), stable(4), accepts(4)}},
		{"I7", "a segment in a view that was left", []pbft.Record{head(0), change(2), head(1)}},
		{"I7", "a view that was left is activated", []pbft.Record{head(0), change(2), head(2), activates(1)}},
		{"I7", "a view change to a view that was left", []pbft.Record{head(0), change(2), head(2), commits(1, 0, 1, 2), change(1)}},
		{"", "an anchor repeats an older view change", []pbft.Record{head(0), change(2), head(2), change(1)}},
		{"", "and behind a watermark too", []pbft.Record{head(0), change(2), head(2), stable(4), change(1)}},
		{"I8", "a batch is left out", []pbft.Record{head(0), commits(1, 0, 1, 2), commits(3, 0, 1, 2), announces}},
		{"", "a batch is executed and not written yet", []pbft.Record{head(0), commits(1, 0, 1, 2), commits(3, 0, 1, 2)}},
		{"", "the anchor is ahead of its turn", []pbft.Record{
			head(0), commits(1, 0, 1, 2), head(0), announces, commits(3, 0, 1, 2), commits(2, 0, 1, 2), commits(3, 0, 1, 2),
		}},
		{"I10", "a signature that does not hold", []pbft.Record{head(0), &pbft.Committed{Cert: spoilt}}},
		{"I11", "a commit certificate one short", []pbft.Record{head(0), commits(1, 0, 1)}},
		{"I16", "a request that its client did not sign", []pbft.Record{
			head(0), &pbft.Certified{Cert: s.committed(0, 1, bad.Digest(), 0, 1, 2), Body: bad},
		}},
		{"I17", "a new view drops what committed", []pbft.Record{head(0), commits(1, 0, 1, 2), activates(1)}},
	} {
		t.Run(c.rule+" "+c.what, func(t *testing.T) {
			j := NewJournals(s.cfg)
			j.VerifyWith(holds, 1)
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
	j := NewJournals(s.cfg)
	early := []pbft.Record{&pbft.Head{}}
	j.Read(1, append(early, &pbft.Sent{Msg: s.viewChange(3, 1, pbft.StableCert{})}))
	mustHold(t, results(j)["I7"], 2)
	j.Read(1, early)
	mustFail(t, results(j)["I7"])
}
