package byzantine

import (
	"errors"
	"runtime"
	"slices"
	"testing"
	"time"

	"tagma/pbft"
)

// judgeOf is a configuration that messages are held against.
func judgeOf() *pbft.Config {
	cfg := pbft.Config{Cluster: pbft.Digest{1}, ViewTimeout: time.Second}.WithDefaults()
	for i := range 4 {
		cfg.Members = append(cfg.Members, keyOf("replica", i))
	}
	return &cfg
}

// S4: whatever arrives, nobody panics, and memory is reserved in proportion to what arrived and not to what was announced.
func TestS4_HostileFramesAreRefusedInBoundedMemory(t *testing.T) {
	const (
		frames = 1500
		// A list of empty entries takes 24 bytes of memory for each 4 on the wire, and what they hang on as much again.
		perByte = 8
		// Errors, readers, verification.
		least = 64 << 10
	)
	cfg := judgeOf()
	for _, kind := range Malformations() {
		t.Run(string(kind), func(t *testing.T) {
			m := NewMalformer(7, 256<<10, kind)
			undecodable, refused := 0, 0
			var before, after runtime.MemStats
			for n := range frames {
				_, frame := m.Next()
				runtime.ReadMemStats(&before)
				decoded, err := pbft.Decode(frame)
				if err == nil {
					_, err = pbft.Verify(cfg, decoded, holds)
				} else if undecodable++; !errors.Is(err, pbft.ErrMalformed) {
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

// Every kind of message is among those that are spoiled.
func TestMalformer_SpoilsEveryKindOfMessage(t *testing.T) {
	m := NewMalformer(1, 1<<16, Extreme)
	seen := map[pbft.Type]bool{}
	for range 2000 {
		seen[pbft.TypeOf(m.message())] = true
	}
	for _, kind := range []pbft.Type{
		pbft.TypeRequest, pbft.TypePrePrepare, pbft.TypePrepare, pbft.TypeCommit, pbft.TypeCheckpoint, pbft.TypeSuspect,
		pbft.TypeViewChange, pbft.TypeNewView, pbft.TypeHeartbeat, pbft.TypeCertifiedBody, pbft.TypeStableNotice,
		pbft.TypeQuery, pbft.TypeReply, pbft.TypeReport, pbft.TypeStatus,
	} {
		if !seen[kind] {
			t.Errorf("no %v", kind)
		}
	}
}

func TestMalformer_TheSeedDecides(t *testing.T) {
	frames := func(seed uint64) (all []string) {
		m := NewMalformer(seed, 4096, Malformations()...)
		for range 200 {
			_, frame := m.Next()
			all = append(all, string(frame))
		}
		return all
	}
	if !slices.Equal(frames(3), frames(3)) || slices.Equal(frames(3), frames(4)) {
		t.Error("the same seed must give the same frames, and another one others")
	}
}

func TestFrames_OneLieForSoManyTruths(t *testing.T) {
	f, err := NewFrames(Choice{Name: "malformed", Values: map[string]string{"every": "3", "kinds": "truncated"}})
	if err != nil {
		t.Fatal(err)
	}
	truth := pbft.Encode(&pbft.Heartbeat{View: 1})
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
	if err != nil || *e != (Exhaustion{Streams: 50, Rate: 50, Trickle: true}) || !LinksOnly(c) {
		t.Errorf("%+v, %v", e, err)
	}
	if e, err := NewExhaustion(Choice{Name: "silent"}); e != nil || err != nil || LinksOnly(Choice{Name: "silent"}) {
		t.Errorf("silent exhausts links: %v, %v", e, err)
	}
}
