package check

import (
	"testing"

	"tagma/pbft/wire"
)

// These are controls of what the monitor reads from journals: about several lives of a replica (I2, I19) and about
// fetched states (I13).

// book is the content of a journal at one reading.
type book []wire.Record

func TestJournals_NoticeEveryBreakAcrossLives(t *testing.T) {
	s := newStory(t, nil)
	d := wire.Digest{7}
	head := func(of byte, v wire.View) wire.Record { return &wire.Head{Life: life(of), View: v} }
	recovering := func(of byte, until wire.Seq, v wire.View) wire.Record {
		return &wire.Recovering{Life: life(of), Until: until, View: v}
	}
	stable := func(n wire.Seq) wire.Record { return &wire.Stable{Cert: s.stable(n, wire.Digest{byte(n)}, 0, 2, 3)} }
	installed := func(n wire.Seq, of byte) wire.Record {
		return &wire.Installed{Cert: s.stable(n, wire.Digest{of}, 0, 2, 3)}
	}
	prepare := func(v wire.View, n wire.Seq, of byte) wire.Record {
		return &wire.Sent{Msg: &wire.Prepare{View: v, Seq: n, Digest: wire.Digest{of}, Replica: 1}}
	}
	asks := func(v wire.View, n wire.Seq) wire.Record {
		cert := wire.StableCert{}
		if n > 0 {
			cert = s.stable(n, wire.Digest{byte(n)}, 0, 2, 3)
		}
		return &wire.Sent{Msg: s.viewChange(v, 1, cert)}
	}
	commits := func(n wire.Seq) wire.Record { return &wire.Committed{Cert: s.committed(2, n, d, 0, 1, 2)} }
	announces := func(n wire.Seq) wire.Record { return &wire.Sent{Msg: &wire.Checkpoint{Seq: n, Replica: 1}} }

	ours, theirs := s.prePrepare(1, 1, wire.NullBody), s.prePrepare(1, 1, body(request(1)))
	shows := s.viewChange(1, 0, wire.StableCert{}, s.prepared(0, 1, ours.Digest, 1, 2))
	led := s.newView(1, []wire.Digest{ours.Digest}, shows, s.viewChange(1, 2, wire.StableCert{}), s.viewChange(1, 3, wire.StableCert{}))

	first := book{head(1, 0), prepare(0, 1, 7), asks(2, 0), head(1, 2), asks(2, 0), prepare(0, 1, 7)}
	second := book{head(2, 1), recovering(2, 9, 2), stable(8), stable(12), asks(2, 12), prepare(3, 13, 7)}
	with := func(b book, more ...wire.Record) book { return append(append(book{}, b...), more...) }
	for _, c := range []struct {
		rule, what string
		books      []book
	}{
		{"", "a life of its own after a loss", []book{first, second}},
		{"", "its anchors repeat how it began", []book{first, with(second, head(2, 3), recovering(2, 9, 2), stable(12), prepare(3, 13, 7))}},
		{"", "the last segment alone is left", []book{first, second, {head(2, 3), recovering(2, 9, 2), stable(12), prepare(3, 13, 7)}}},
		{"", "a home of the first format that is given a name", []book{
			{head(0, 0), prepare(0, 1, 7)}, {head(0, 0), prepare(0, 1, 7), head(1, 0), prepare(0, 1, 7), prepare(0, 2, 7)},
		}},
		{"", "a home of the first format that is lost", []book{{head(0, 0), prepare(0, 1, 7), asks(3, 0)}, with(
			book{head(2, 2), recovering(2, 9, 3), stable(12)}, prepare(3, 13, 7))}},
		{"", "an earlier life that was never read", []book{second}},
		{"", "an anchor of a recovered one with votes of two views", []book{
			{head(2, 4), recovering(2, 9, 2), stable(12), &wire.Sent{Msg: s.viewChange(4, 1, wire.StableCert{})}, prepare(3, 13, 7)},
		}},
		{"", "a name given before anything was said", []book{{head(1, 0)}, {head(2, 0), prepare(0, 1, 7)}}},
		{"", "its own pre-prepare comes back, and an anchor repeats it", []book{
			{head(2, 1), recovering(2, 9, 2), &wire.Accepted{PrePrepare: ours}, head(2, 1), recovering(2, 9, 2), &wire.Sent{Msg: ours}},
		}},
		{"", "so does one inside its new view", []book{
			{head(2, 1), recovering(2, 9, 2), &wire.Activated{NewView: led}, &wire.Sent{Msg: ours}},
		}},
		{"I19", "another pre-prepare than the one that comes back", []book{
			{head(2, 1), recovering(2, 9, 2), &wire.Accepted{PrePrepare: theirs}, &wire.Sent{Msg: ours}},
		}},
		{"I19", "a pre-prepare in silence", []book{{head(2, 1), recovering(2, 9, 2), &wire.Sent{Msg: ours}}}},
		{"", "two losses", []book{first, second, {head(3, 3), recovering(3, 21, 4), stable(24), prepare(4, 25, 7)}}},
		{"I19", "a vote before the end of silence", []book{first, {head(2, 1), recovering(2, 9, 2), stable(8), prepare(2, 9, 7), stable(12)}}},
		{"I19", "a view change before the end of silence", []book{first, {head(2, 1), recovering(2, 9, 2), asks(3, 0)}}},
		{"I19", "a vote in a view that may hold one", []book{first, {head(2, 1), recovering(2, 9, 2), stable(12), prepare(1, 13, 7)}}},
		{"I19", "a vote without a recovery", []book{first, {head(2, 2), stable(12), prepare(2, 13, 7)}}},
		{"I19", "a recovery below what it said", []book{with(first, stable(8), prepare(2, 10, 7)), {head(2, 2), recovering(2, 9, 3)}}},
		{"I19", "a recovery in a view in which it voted", []book{with(first, prepare(2, 2, 7)), {head(2, 1), recovering(2, 9, 2)}}},
		{"I19", "a recovery below the view that it asked for", []book{first, {head(2, 0), recovering(2, 9, 1)}}},
		{"I19", "a recovery that changes", []book{first, with(second, head(2, 3), recovering(2, 8, 2), stable(12))}},
		{"I19", "a recovery no higher than one in whose life it voted", []book{first, second, {head(3, 2), recovering(3, 12, 3)}}},
		{"", "a second recovery that is lower, after one that signed nothing", []book{
			{head(1, 0)}, {head(2, 1), recovering(2, 9, 2)}, {head(3, 1), recovering(3, 8, 2)},
		}},
		{"I2", "another vote than in an earlier life", []book{{head(1, 0), prepare(0, 1, 7)}, {head(0, 0), prepare(0, 1, 8)}}},
		{"I2", "another view change that shows too little more", []book{
			{head(1, 0), stable(8), asks(2, 8)}, {head(2, 1), recovering(2, 9, 2), stable(12), asks(2, 12)},
		}},
		{"I6", "a watermark that falls behind a recovery", []book{
			{head(2, 1), recovering(2, 9, 2), stable(12), head(2, 1), recovering(2, 9, 2), stable(8)},
		}},
		{"I6", "an anchor with a recovery and without a watermark", []book{
			{head(2, 1), recovering(2, 9, 2), stable(12), head(2, 1), recovering(2, 9, 2), commits(13)},
		}},
		{"", "an anchor that repeats an older view change behind a recovery", []book{{
			head(2, 1), recovering(2, 9, 2), stable(12), asks(3, 12), asks(4, 12), head(2, 4), recovering(2, 9, 2), stable(12), asks(3, 12),
		}}},
		{"I7", "views begin anew only in another life", []book{first, {head(1, 1)}}},
		{"", "a state that was given", []book{{
			head(1, 0), commits(1), commits(3), installed(8, 8), commits(9), announces(12), head(1, 0), stable(8),
		}}},
		{"", "a state that an anchor was ahead of", []book{{
			head(1, 0), commits(1), head(1, 0), stable(8), commits(9), installed(8, 8), commits(9), announces(12), head(1, 0), stable(8),
		}}},
		{"I8", "a batch left out above a state that was given", []book{{
			head(1, 0), commits(1), installed(8, 8), commits(10), announces(12), head(1, 0), stable(8),
		}}},
		{"I11", "a given state one short of a quorum", []book{{head(1, 0), &wire.Installed{Cert: s.stable(8, d, 0, 2)}}}},
	} {
		t.Run(c.rule+" "+c.what, func(t *testing.T) {
			j := NewMonitor(s.cfg, everybody, nil)
			for _, b := range c.books {
				j.Read(1, b)
				j.Read(1, b) // again, without harm
			}
			for _, r := range j.Results() {
				if r.Held == (r.ID == c.rule) {
					t.Errorf("%+v", r)
				}
			}
		})
	}
}

func TestI13_AGivenStateIsTheOneThatOthersHave(t *testing.T) {
	s := newStory(t, nil)
	for rule, of := range map[string]byte{"": 8, "I13": 9} {
		j := NewMonitor(s.cfg, everybody, nil)
		j.Read(2, book{&wire.Sent{Msg: &wire.Checkpoint{Seq: 8, Digest: wire.Digest{8}, Replica: 2}}})
		j.Read(1, book{&wire.Installed{Cert: s.stable(8, wire.Digest{of}, 0, 2, 3)}})
		if r := results(j)["I13"]; r.Held != (rule == "") || r.Checked != 1 {
			t.Errorf("%+v", r)
		}
	}
}

// I7: if an old copy of a journal is put back, it ends earlier than the journal that was read before. The replica must
// still not contradict the votes in the journal that was read.
func TestI7_AJournalThatWasPutBackMayGoBack(t *testing.T) {
	s := newStory(t, nil)
	early := book{&wire.Head{Life: life(1)}, sentPrepare(0, 1, 7)}
	for rule, more := range map[string]book{"": {sentPrepare(0, 2, 7)}, "I2": {sentPrepare(0, 2, 8)}} {
		j := NewMonitor(s.cfg, everybody, nil)
		j.Read(1, append(append(book{}, early...), sentPrepare(0, 2, 7), sentViewChange(3)))
		j.Restored(1)
		j.Restored(2) // no journal of replica 2 was read before
		j.Read(1, append(append(book{}, early...), more...))
		for _, r := range j.Results() {
			// I11 is not checked, because the view change holds no certificate.
			if r.ID != "I11" && r.Held == (r.ID == rule) {
				t.Errorf("%+v", r)
			}
		}
	}
}
