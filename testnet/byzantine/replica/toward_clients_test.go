package replica

import (
	"testing"
	"time"

	"tagma/pbft/wire"
)

func TestT1_TheCensoredClientIsServedWithin3T(t *testing.T) {
	resolve := Options{Client: func(name string) (wire.PublicKey, bool) { return keyOf("client", 1), name == "c1" }}
	tr := begin(t, 0, "censor,client=c1", resolve)
	var others []wire.RequestID
	censored := tr.submitAs(1, 1)
	for range 9 { // progress on requests of other clients does not reset the timer of this one
		others = append(others, tr.load(1, 100*time.Millisecond)...)
	}
	tr.mustMask(others...)
	if tr.nodes[1].done[censored] {
		t.Fatal("it was not censored")
	}
	tr.pass(2 * time.Second)
	tr.mustMask(censored)
	tr.mustEnter(1)
	if tr.nodes[0].replies[censored] != nil {
		t.Error("the censor answered")
	}
}

func TestCensor_TheFirstOneOrAKeyIsMeant(t *testing.T) {
	for _, choice := range []string{"censor", "censor,client=" + keyOf("client", 0).String()} {
		tr := begin(t, 0, choice)
		hidden := tr.submitAs(0, 1)
		other := tr.submitAs(1, 1)
		tr.pass(100 * time.Millisecond)
		if tr.mustMask(other); tr.nodes[1].done[hidden] {
			t.Errorf("%s: client 0 was not censored", choice)
		}
	}
	c, err := parse("censor,client=c7")
	if err != nil {
		t.Fatal(err)
	}
	tr := begin(t, 0, "censor")
	if _, err := New(c, tr.nodes[0].cfg, tr.nodes[0].replica, nil); err == nil {
		t.Error("a client that nobody knows was accepted")
	}
}

func TestC4_LyingRepliesStandAlone(t *testing.T) {
	for how, lied := range map[string]func(lie, truth *wire.Reply) bool{
		"result": func(lie, truth *wire.Reply) bool {
			return lie != nil && string(lie.Results[0]) != string(truth.Results[0])
		},
		"t":    func(lie, _ *wire.Reply) bool { return lie == nil },
		"view": func(lie, truth *wire.Reply) bool { return lie != nil && lie.View != truth.View },
	} {
		tr := begin(t, 1, "lying-reply,how="+how)
		ids := tr.load(1, 100*time.Millisecond)
		if !lied(tr.nodes[1].replies[ids[0]], tr.nodes[0].replies[ids[0]]) {
			t.Errorf("%s: it said %+v", how, tr.nodes[1].replies[ids[0]])
		}
		wrong := ids[0]
		wrong.T++
		if (tr.nodes[1].replies[wrong] != nil) != (how == "t") {
			t.Errorf("%s: it answered request %d", how, wrong.T)
		}
		tr.mustMask(ids...)
		tr.mustAnswer(ids...)
		tr.mustEnter()
	}
}
