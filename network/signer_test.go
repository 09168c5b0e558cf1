package network

import (
	"crypto/ed25519"
	"errors"
	"strings"
	"sync/atomic"
	"testing"
)

// Replicas accept a client whose key is held elsewhere, if its signer proves the key.
func TestSigner_ProvesAKeyThatIsNotInMemory(t *testing.T) {
	overEach(t, func(t *testing.T) {
		seed := seedOf(90)
		c := startCluster(t, 4, admit(keyOf(seed)))
		var signed atomic.Int32
		host, heard := c.dial(t, [32]byte{}, func(cfg *ClientConfig) {
			cfg.Signer = &Signer{Public: keyOf(seed), Sign: func(message []byte) ([64]byte, error) {
				signed.Add(1)
				return [64]byte(ed25519.Sign(ed25519.NewKeyFromSeed(seed[:]), message)), nil
			}}
		})
		if err := host.WaitConnected(within(t), 4); err != nil {
			t.Fatal(err)
		}
		host.Send(2, []byte("question"))
		got := next(t, c.heard[2].clients)
		if got.link.Key() != keyOf(seed) || string(got.frame) != "question" {
			t.Errorf("%q from %x", got.frame, got.link.Key())
		}
		got.link.Send([]byte("answer"))
		if answer := next(t, heard.replicas); string(answer.frame) != "answer" || answer.from != 2 {
			t.Errorf("%q from %d", answer.frame, answer.from)
		}
		if signed.Load() == 0 {
			t.Error("nothing was signed")
		}
	})
}

func TestSigner_ThatFailsIsWhyThereIsNoLink(t *testing.T) {
	seed := seedOf(90)
	c := startCluster(t, 1, admit(keyOf(seed)))
	var signed atomic.Int32
	failsAfter := func(n int32) *Signer {
		return &Signer{Public: keyOf(seed), Sign: func(message []byte) ([64]byte, error) {
			if signed.Add(1) > n {
				return [64]byte{}, errors.New("the module is locked")
			}
			return [64]byte(ed25519.Sign(ed25519.NewKeyFromSeed(seed[:]), message)), nil
		}}
	}
	_, err := Dial(ClientConfig{Signer: failsAfter(0), Members: c.members, Greeting: []byte("cluster")}, newRecorder())
	if err == nil || !strings.Contains(err.Error(), "the module is locked") {
		t.Errorf("at once: %v", err)
	}
	signed.Store(0)
	host, _ := c.dial(t, [32]byte{}, func(cfg *ClientConfig) { cfg.Signer = failsAfter(1) })
	eventually(t, "the reason is told", func() bool { return strings.Contains(host.Peers()[0].LastError, "the module is locked") })
}
