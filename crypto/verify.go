package crypto

import (
	"crypto/sha256"
	"sync"
	"sync/atomic"

	"github.com/oasisprotocol/curve25519-voi/primitives/ed25519"
)

// Claim says that Key signed Message. It must not be believed before a Verifier has verified it.
type Claim struct {
	Key     [32]byte
	Message []byte // the exact bytes under the signature
	Sig     [64]byte
}

// rule is the one verification rule (S1): ZIP-215's cofactored equation. Like ZIP-215, it accepts any encoding of R;
// unlike ZIP-215, it refuses weak keys. No signature verifies under a key that CheckPublic refuses, so a missing call
// of CheckPublic does no harm.
var rule = &ed25519.Options{Verify: &ed25519.VerifyOptions{AllowSmallOrderR: true, AllowNonCanonicalR: true}}

const (
	// batchFrom is the number of claims from which on a batch is cheaper than verifying them one by one.
	batchFrom = 4
	// batchLimit is the largest batch for which the library uses the keys' expanded form.
	batchLimit = 64
	// clientKeys is how many clients' expanded keys are cached, at about 1.5 KiB each.
	clientKeys = 4096
)

// Verifier verifies claims by the one rule and remembers those that hold. It is safe for concurrent use.
type Verifier struct {
	members map[[32]byte]*ed25519.ExpandedPublicKey // fixed, because members' keys are used all the time
	clients *recent[[32]byte, *ed25519.ExpandedPublicKey]

	// Claims of members and of clients are remembered separately, so that a flood of clients' requests does not
	// displace the votes that certificates repeat, and the replica need not verify these again (S3).
	memberClaims, clientClaims *recent[claimID, struct{}]

	batches sync.Pool // of *ed25519.BatchVerifier

	single, batched, hits, failures atomic.Uint64
}

// NewVerifier returns a Verifier that remembers up to cacheEntries verified claims, half of them of members and half of
// clients; 0 remembers none. An entry takes about 100 bytes. The members' keys should have passed CheckPublic: a claim
// under a key that would not pass never holds.
func NewVerifier(cacheEntries int, members [][32]byte) *Verifier {
	v := &Verifier{
		members:      make(map[[32]byte]*ed25519.ExpandedPublicKey, len(members)),
		clients:      newRecent[[32]byte, *ed25519.ExpandedPublicKey](clientKeys),
		memberClaims: newRecent[claimID, struct{}](cacheEntries / 2),
		clientClaims: newRecent[claimID, struct{}](cacheEntries / 2),
		batches:      sync.Pool{New: func() any { return ed25519.NewBatchVerifierWithCapacity(batchLimit) }},
	}
	for _, key := range members {
		if expanded, err := ed25519.NewExpandedPublicKey(key[:]); err == nil {
			v.members[key] = expanded
		}
	}
	return v
}

// Verify reports whether every claim holds; it is true without claims. It stops when it finds that one does not hold,
// and remembers none of the claims that were verified together with a false one; VerifyEach tells which one is false.
func (v *Verifier) Verify(claims []Claim) bool {
	open := v.unknown(claims)
	for len(open) > 0 {
		n := min(len(open), batchLimit)
		if !v.holdAll(open[:n]) {
			return false
		}
		open = open[n:]
	}
	return true
}

// VerifyEach reports for each claim whether it holds. If all hold, it costs as much as Verify. It is for a caller that
// gathers the claims of several sources and must know which source's claim was false (S2).
func (v *Verifier) VerifyEach(claims []Claim) []bool {
	holds := make([]bool, len(claims))
	for start := 0; start < len(claims); start += batchLimit {
		part := claims[start:min(start+batchLimit, len(claims))]
		together := v.Verify(part)
		for i := range part {
			holds[start+i] = together || v.Verify(part[i:i+1])
		}
	}
	return holds
}

// claimID is a hash of a whole claim: two claims share one only if key, message and signature are all equal.
type claimID [sha256.Size]byte

func (c *Claim) id() (id claimID) {
	h := sha256.New()
	// Writing to a hash never returns an error. Key and signature have fixed lengths, so different claims never give
	// the same bytes.
	_, _ = h.Write(c.Key[:])
	_, _ = h.Write(c.Sig[:])
	_, _ = h.Write(c.Message)
	h.Sum(id[:0])
	return id
}

// openClaim is a claim that was not verified before.
type openClaim struct {
	*Claim
	id       claimID
	verified *recent[claimID, struct{}] // where to remember the claim if it holds
}

// unknown returns the claims that are not remembered, each once: the view changes inside a new view repeat each other's
// certificates.
func (v *Verifier) unknown(claims []Claim) []openClaim {
	var open []openClaim
	var listed map[claimID]struct{}
	if len(claims) > 1 {
		listed = make(map[claimID]struct{})
	}
	for i := range claims {
		c := openClaim{Claim: &claims[i], id: claims[i].id(), verified: v.clientClaims}
		if v.members[c.Key] != nil {
			c.verified = v.memberClaims
		}
		_, again := listed[c.id]
		if _, known := c.verified.get(c.id); known || again {
			v.hits.Add(1)
			continue
		}
		if listed != nil {
			listed[c.id] = struct{}{}
		}
		open = append(open, c)
	}
	return open
}

// holdAll verifies up to batchLimit claims and remembers them if all hold.
func (v *Verifier) holdAll(open []openClaim) bool {
	keys := make([]*ed25519.ExpandedPublicKey, len(open))
	for i, c := range open {
		if keys[i] = v.expand(c.Key); keys[i] == nil {
			v.failures.Add(1)
			return false
		}
	}
	if !v.judge(open, keys) {
		v.failures.Add(1)
		return false
	}
	for i, c := range open {
		c.verified.put(c.id, struct{}{})
		if v.members[c.Key] == nil {
			// The key is cached only now, so that invented keys do not displace those of clients that really sign.
			v.clients.put(c.Key, keys[i])
		}
	}
	return true
}

// judge applies the rule to the claims, all together if that is cheaper.
func (v *Verifier) judge(open []openClaim, keys []*ed25519.ExpandedPublicKey) bool {
	if len(open) < batchFrom {
		for i, c := range open {
			v.single.Add(1)
			if !ed25519.VerifyExpandedWithOptions(keys[i], c.Message, c.Sig[:], rule) {
				return false
			}
		}
		return true
	}
	batch := v.batches.Get().(*ed25519.BatchVerifier)
	defer func() { v.batches.Put(batch.Reset()) }()
	for i, c := range open {
		batch.AddExpandedWithOptions(keys[i], c.Message, c.Sig[:], rule)
	}
	v.batched.Add(uint64(len(open)))
	return batch.VerifyBatchOnly(nil)
}

// expand returns the key in the form that verifies fastest, or nil if the key is not a point of the curve.
func (v *Verifier) expand(key [32]byte) *ed25519.ExpandedPublicKey {
	if expanded := v.members[key]; expanded != nil {
		return expanded
	}
	if expanded, ok := v.clients.get(key); ok {
		return expanded
	}
	expanded, err := ed25519.NewExpandedPublicKey(key[:])
	if err != nil {
		return nil
	}
	return expanded
}
