package byzantine

import (
	"testing"

	"tagma/pbft/wire"
)

func TestFrames_OneLieForSoManyTruths(t *testing.T) {
	f, err := NewFrames(Choice{Name: "malformed", Values: map[string]string{"every": "3", "kinds": "truncated"}})
	if err != nil {
		t.Fatal(err)
	}
	truth := wire.Encode(&wire.Heartbeat{View: 1})
	honest, lies := 0, 0
	for range 300 {
		for _, frame := range f.Pass(1, truth) {
			if string(frame) == string(truth) {
				honest++
			} else {
				lies++
			}
		}
	}
	if honest != 300 || lies != 100 || f.Lies() != 100 {
		t.Errorf("%d truths and %d lies, %d by its own account", honest, lies, f.Lies())
	}
	if f, err := NewFrames(Choice{Name: "silent"}); f != nil || err != nil {
		t.Errorf("silent spoils frames: %v, %v", f, err)
	}
}

func TestExhaustion_IsForRealLinksOnly(t *testing.T) {
	c := Choice{Name: "exhaust", Values: map[string]string{"ways": "trickle+streams", "streams": "50"}}
	e, err := NewExhaustion(c)
	if err != nil || e.Streams != 50 || e.Rate != 50 || !e.Ways.Has("trickle") || e.Ways.Has("withhold") || !LinksOnly(c) {
		t.Errorf("%+v, %v", e, err)
	}
	if e, err := NewExhaustion(Choice{Name: "silent"}); e != nil || err != nil || LinksOnly(Choice{Name: "silent"}) {
		t.Errorf("silent exhausts links: %v, %v", e, err)
	}
}
