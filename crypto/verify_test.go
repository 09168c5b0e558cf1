package crypto_test

import (
	"sync"
	"testing"

	"tagma/crypto"
	"tagma/internal/alone"
)

func TestVerify_NoClaimsHoldVacuously(t *testing.T) {
	v := crypto.NewVerifier(16, nil)
	if !v.Verify(nil) || len(v.VerifyEach(nil)) != 0 {
		t.Error("a message without claims was refused")
	}
	wantStats(t, v, crypto.Stats{})
}

func TestVerify_BatchesFromFourOn(t *testing.T) {
	for n := range 10 {
		v := crypto.NewVerifier(0, nil)
		if !v.Verify(distinct(0, n, "m")) {
			t.Fatalf("%d true claims were refused", n)
		}
		if n < 4 {
			wantStats(t, v, crypto.Stats{Single: uint64(n)})
		} else {
			wantStats(t, v, crypto.Stats{Batched: uint64(n)})
		}
	}
}

func TestVerify_OneFalseClaimAnywhereIsFound(t *testing.T) {
	alone.Test(t)
	for _, n := range []int{1, 3, 4, 64, 65, 130} {
		for _, at := range []int{0, n / 2, n - 1} {
			for part, spoil := range map[string]func(*crypto.Claim){
				"key":     func(c *crypto.Claim) { c.Key = key(9999).Public() },
				"message": func(c *crypto.Claim) { c.Message = []byte("other") },
				"R":       func(c *crypto.Claim) { c.Sig[0] ^= 1 },
				"S":       func(c *crypto.Claim) { c.Sig[32] ^= 1 },
			} {
				claims := distinct(0, n, "m")
				spoil(&claims[at])
				v := crypto.NewVerifier(512, nil)
				if v.Verify(claims) {
					t.Errorf("%s of claim %d of %d is false and was believed", part, at, n)
				}
				for i, holds := range v.VerifyEach(claims) {
					if holds != (i != at) {
						t.Errorf("%s of claim %d of %d is false: claim %d holds %t", part, at, n, i, holds)
					}
				}
			}
		}
	}
}

func TestVerifyEach_CostsNoMoreThanVerifyWhenAllHold(t *testing.T) {
	v := crypto.NewVerifier(0, nil)
	for i, holds := range v.VerifyEach(distinct(0, 70, "m")) {
		if !holds {
			t.Errorf("true claim %d was refused", i)
		}
	}
	wantStats(t, v, crypto.Stats{Batched: 70})
}

func TestS3_AVerifiedClaimIsNotVerifiedAgain(t *testing.T) {
	for _, members := range [][][32]byte{nil, {key(0).Public()}} {
		v := crypto.NewVerifier(16, members)
		claims := []crypto.Claim{signed(key(0), "m")}
		for range 3 {
			if !v.Verify(claims) {
				t.Fatal("a true claim was refused")
			}
		}
		wantStats(t, v, crypto.Stats{Single: 1, CacheHits: 2})
	}
}

func TestS3_AClaimRepeatedWithinAMessageIsVerifiedOnce(t *testing.T) {
	v := crypto.NewVerifier(0, nil)
	one, two := signed(key(0), "m"), signed(key(1), "m")
	if !v.Verify([]crypto.Claim{one, two, one, one, two}) {
		t.Fatal("true claims were refused")
	}
	wantStats(t, v, crypto.Stats{Single: 2, CacheHits: 3})
}

// S3: the verifier remembers whole claims. If signature, key or message differs from a remembered claim, it verifies
// again. It never remembers a false claim as true, however often it sees that claim.
func TestS3_TheCacheCannotBePoisoned(t *testing.T) {
	v := crypto.NewVerifier(64, nil)
	good := signed(key(0), "m")
	bad := []crypto.Claim{good, good, good}
	bad[0].Sig[40] ^= 1
	bad[1].Message = []byte("M")
	bad[2].Key = key(1).Public()
	for range 2 { // once before the verifier remembers the true claim, and once after
		for i, c := range bad {
			for range 2 {
				if v.Verify([]crypto.Claim{c}) {
					t.Errorf("false claim %d was believed", i)
				}
			}
		}
		if !v.Verify([]crypto.Claim{good}) {
			t.Error("a true claim was refused")
		}
	}
	wantStats(t, v, crypto.Stats{Single: 13, CacheHits: 1, Failures: 12})
}

// S3: if a client signs one message twice with two valid signatures, both are verified.
func TestS3_ASecondValidSignatureIsVerifiedAnew(t *testing.T) {
	v := crypto.NewVerifier(64, nil)
	f := newForger()
	one := f.claim("m")
	f.torsionR = 1
	two := f.claim("m")
	if one.Key != two.Key || one.Sig == two.Sig {
		t.Fatal("these are not two signatures of one message by one key")
	}
	if !v.Verify([]crypto.Claim{one}) || !v.Verify([]crypto.Claim{two}) {
		t.Error("a true claim was refused")
	}
	wantStats(t, v, crypto.Stats{Single: 2})
}

func TestS3_ClaimsVerifiedBesideAFalseOneAreNotRemembered(t *testing.T) {
	v := crypto.NewVerifier(64, nil)
	claims := distinct(0, 4, "m")
	claims[3].Sig[0] ^= 1
	if v.Verify(claims) {
		t.Fatal("a false claim was believed")
	}
	if !v.Verify(claims[:1]) {
		t.Fatal("a true claim was refused")
	}
	wantStats(t, v, crypto.Stats{Single: 1, Batched: 4, Failures: 1})
}

// S3: claims of clients cannot make a replica forget the votes that it has verified.
func TestS3_AFloodOfClientsEvictsNoMembersClaim(t *testing.T) {
	member := key(0)
	v := crypto.NewVerifier(8, [][32]byte{member.Public()})
	vote := []crypto.Claim{signed(member, "vote")}
	if !v.Verify(vote) || !v.Verify(distinct(1, 100, "request")) {
		t.Fatal("a true claim was refused")
	}
	before := v.Stats().CacheHits
	if !v.Verify(vote) || v.Stats().CacheHits != before+1 {
		t.Error("the vote was verified again")
	}
	if !v.Verify(distinct(1, 1, "request")) || v.Stats().CacheHits != before+1 {
		t.Error("the first of 100 requests is still remembered: the cache has no bound")
	}
}

func TestVerify_AnUnusableMemberKeyNeverVerifies(t *testing.T) {
	weak := [32]byte{0: 1} // the neutral element
	v := crypto.NewVerifier(8, [][32]byte{weak, {0: 2}})
	for _, k := range [][32]byte{weak, {0: 2}} {
		if v.Verify([]crypto.Claim{{Key: k, Message: []byte("m")}}) {
			t.Errorf("a claim under %x was believed", k)
		}
	}
}

// This test is for -race. Every goroutine verifies the same true and false claims, in all sizes, through one cache.
func TestVerify_ConcurrentUseGivesTheSameVerdicts(t *testing.T) {
	good := distinct(0, 20, "m")
	bad := append([]crypto.Claim(nil), good[:6]...)
	bad[5].Sig[63] ^= 1
	v := crypto.NewVerifier(16, [][32]byte{good[0].Key, good[1].Key})
	var all sync.WaitGroup
	for worker := range 8 {
		all.Go(func() {
			for round := range 10 {
				from := (worker + round) % 14
				if !v.Verify(good[from : from+6]) {
					t.Error("true claims were refused")
				}
				if v.Verify(bad) {
					t.Error("a false claim was believed")
				}
			}
		})
	}
	all.Wait()
	if v.Stats().Failures != 80 {
		t.Errorf("%d failures counted, want 80", v.Stats().Failures)
	}
}
