package crypto

// Stats counts what a Verifier did since it was made.
type Stats struct {
	Single    uint64 // claims verified one by one
	Batched   uint64 // claims verified in batches
	CacheHits uint64 // claims that were not verified again, because they had held before
	Failures  uint64 // verifications, single or of a batch, that found a false claim
}

// Stats returns the present counts. Each count is exact, but they are not taken at the same instant.
func (v *Verifier) Stats() Stats {
	return Stats{
		Single:    v.single.Load(),
		Batched:   v.batched.Load(),
		CacheHits: v.hits.Load(),
		Failures:  v.failures.Load(),
	}
}
