package crypto_test

import (
	"fmt"
	"testing"

	"tagma/crypto"
)

func BenchmarkSign(b *testing.B) {
	k, message := key(0), make([]byte, 133)
	for b.Loop() {
		k.Sign(message)
	}
}

// BenchmarkVerify measures claims under members' keys that the verifier does not remember. The cost of one vote is
// ns/claim.
func BenchmarkVerify(b *testing.B) {
	for _, n := range []int{1, 3, 4, 16, 64, 128} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			claims := distinct(0, n, string(make([]byte, 133)))
			var members [][32]byte
			for _, c := range claims {
				members = append(members, c.Key)
			}
			v := crypto.NewVerifier(0, members)
			for b.Loop() {
				if !v.Verify(claims) {
					b.Fatal("a true claim was refused")
				}
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*n), "ns/claim")
		})
	}
}

// BenchmarkVerifyStranger measures a claim under a key that the verifier has not seen before. The key must be
// expanded, too.
func BenchmarkVerifyStranger(b *testing.B) {
	claims := distinct(0, 1, "m")
	for b.Loop() {
		b.StopTimer()
		v := crypto.NewVerifier(0, nil)
		b.StartTimer()
		if !v.Verify(claims) {
			b.Fatal("a true claim was refused")
		}
	}
}

// BenchmarkVerifyKnown measures a claim that the verifier remembers.
func BenchmarkVerifyKnown(b *testing.B) {
	claims := distinct(0, 1, string(make([]byte, 133)))
	v := crypto.NewVerifier(16, nil)
	for b.Loop() {
		v.Verify(claims)
	}
}
