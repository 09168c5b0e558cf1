package replica

import (
	"testing"

	"tagma/pbft/wire"
	"tagma/testnet/byzantine/tamper"
)

func TestFrames_OneLieForSoManyTruths(t *testing.T) {
	f, err := NewFrames(tamper.Choice{Name: "malformed", Values: map[string]string{"every": "3", "kinds": "truncated"}})
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
	if f, err := NewFrames(tamper.Choice{Name: "silent"}); f != nil || err != nil {
		t.Errorf("silent spoils frames: %v, %v", f, err)
	}
}
