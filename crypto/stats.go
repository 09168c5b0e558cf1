package crypto

// Stats counts what a Verifier did since it was made.
type Stats struct {
	Single    uint64 // claims verified one by one
	Batched   uint64 // claims verified in batches
	CacheHits uint64 // claims not verified, because they were before
	Failures  uint64 // verifications, single or of a batch, that told a false claim
}

// Stats returns the present counts. Each is exact; together they are no snapshot of one instant.
func (v *Verifier) Stats() Stats {
	return Stats{
		Single:    v.single.Load(),
		Batched:   v.batched.Load(),
		CacheHits: v.hits.Load(),
		Failures:  v.failures.Load(),
	}
}
