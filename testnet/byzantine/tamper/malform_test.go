package tamper

import (
	"errors"
	"runtime"
	"slices"
	"testing"
	"time"

	"tagma/pbft/wire"
)

var allKinds = []Malformation{Entries, Nesting, Truncated, Trailing, Flipped, Noise, Extreme}

// judgeOf returns the configuration by which messages are checked.
func judgeOf() *wire.Config {
	cfg := wire.Config{Cluster: wire.Digest{1}, ViewTimeout: time.Second}.WithDefaults()
	for i := range 4 {
		cfg.Members = append(cfg.Members, wire.PublicKey{byte(i)})
	}
	return &cfg
}

// holds accepts no signature, because malformed messages carry no valid one.
func holds(claims []wire.Claim) bool { return len(claims) == 0 }

// S4: whatever bytes arrive, nothing panics. Memory is used in proportion to the bytes that arrive, not to the lengths
// that they announce.
func TestS4_HostileFramesAreRefusedInBoundedMemory(t *testing.T) {
	const (
		frames = 1500
		// An entry of a list without content takes 4 bytes in the frame and 24 bytes of memory, and the structures
		// around it take as much again.
		perByte = 8
		// This is for errors, readers and verification, which any frame needs, however short it is.
		least = 64 << 10
	)
	cfg := judgeOf()
	for _, kind := range allKinds {
		t.Run(string(kind), func(t *testing.T) {
			m := NewMalformer(7, 256<<10, kind)
			undecodable, refused := 0, 0
			var before, after runtime.MemStats
			for n := range frames {
				frame := m.Next()
				runtime.ReadMemStats(&before)
				decoded, err := wire.Decode(frame)
				if err == nil {
					_, err = wire.Verify(cfg, decoded, holds)
				} else if undecodable++; !errors.Is(err, wire.ErrMalformed) {
					t.Errorf("frame %d: %v", n, err)
				}
				runtime.ReadMemStats(&after)
				if err != nil {
					refused++
				}
				if took := after.TotalAlloc - before.TotalAlloc; took > uint64(perByte*len(frame)+least) {
					t.Fatalf("frame %d of %s, seed 7: %d bytes took %d bytes of memory", n, kind, len(frame), took)
				}
			}
			if refused < frames*8/10 {
				t.Errorf("%d of %d were refused: the others were no lies", refused, frames)
			}
			t.Logf("%d of %d are no message, %d more against the rules", undecodable, frames, refused-undecodable)
		})
	}
}

// The malformer makes malformed variants of every type of message.
func TestMalformer_SpoilsEveryKindOfMessage(t *testing.T) {
	m := NewMalformer(1, 1<<16, Extreme)
	seen := map[wire.Type]bool{}
	for range 2000 {
		seen[wire.TypeOf(m.message())] = true
	}
	for _, kind := range []wire.Type{
		wire.TypeRequest, wire.TypePrePrepare, wire.TypePrepare, wire.TypeCommit, wire.TypeCheckpoint, wire.TypeSuspect,
		wire.TypeViewChange, wire.TypeNewView, wire.TypeHeartbeat, wire.TypeCertifiedBody, wire.TypeStableNotice,
		wire.TypeQuery, wire.TypeReply, wire.TypeReport, wire.TypeStatus, wire.TypeAttest, wire.TypeAttestation, wire.TypeProve, wire.TypeProof,
	} {
		if !seen[kind] {
			t.Errorf("no %v", kind)
		}
	}
}

func TestMalformer_TheSeedDecides(t *testing.T) {
	frames := func(seed uint64) (all []string) {
		m := NewMalformer(seed, 4096, allKinds...)
		for range 200 {
			frame := m.Next()
			all = append(all, string(frame))
		}
		return all
	}
	if !slices.Equal(frames(3), frames(3)) || slices.Equal(frames(3), frames(4)) {
		t.Error("the same seed must give the same frames, and another one others")
	}
}
