package wire

// These are samples: one message, record and proof of every type.

type wireSample struct {
	name string
	m    Message
}

func (c *wireCluster) samples() []wireSample {
	d, b := Digest{0xd1, 0xd2}, c.body()
	suspect := &Suspect{View: 3, Replica: 2}
	c.sign(suspect)
	heartbeat := &Heartbeat{View: 6}
	c.sign(heartbeat)
	statement := c.prePrepare(2, 11, b)
	statement.Body = nil
	return []wireSample{
		{"request", c.request(3, "put k v")},
		{"pre-prepare", c.prePrepare(2, 11, b)},
		{"pre-prepare of the null request", c.prePrepare(2, 12, &Body{})},
		{"pre-prepare without body", statement},
		{"prepare", c.prepare(2, 11, d, 1)},
		{"commit", c.commit(2, 11, d, 3)},
		{"checkpoint", c.checkpoint(20, d, 1)},
		{"suspect", suspect},
		{"view-change", c.viewChange(5, 2, c.stableCert(10), c.preparedCert(1, 11, b), c.preparedCert(4, 30, NullBody))},
		{"view-change of a fresh replica", c.viewChange(1, 3, StableCert{})},
		{"new-view", c.newView()},
		{"heartbeat", heartbeat},
		{"reply", &Reply{ID: b.Requests[0].ID, Request: d, Outcome: OutcomeExecuted, Seq: 11, Results: [][]byte{{1, 2}, {}}, View: 2}},
		{"reply with the digest of its results", &Reply{
			ID: b.Requests[0].ID, Request: d, Outcome: OutcomeExecuted, Seq: 11, View: 2,
			ResultDigest: new(DigestResults([][]byte{{1, 2}, {}})),
		}},
		{"reply busy", &Reply{ID: b.Requests[0].ID, Request: d, Outcome: OutcomeBusy, View: 2, RetryAfterMillis: 250}},
		{"status", &Status{
			View: 4, Active: true, Executed: 12, Stable: 10, Wall: -1, Helper: 2, ViewChanges: []ReplicaID{0, 3},
			Slots: []SlotStatus{{13, LacksProposal}, {15, LacksPrepares | LacksCommits}},
		}},
		{"fetch", &Fetch{Seq: 11, Digest: d}},
		{"certified-body", &CertifiedBody{Seq: 11, Body: b, Cert: c.commitCert(2, 11, b.Digest())}},
		{"certified-body without certificate", &CertifiedBody{Seq: 11, Body: b}},
		{"stable-notice", &StableNotice{Cert: c.stableCert(20)}},
		{"inquire", &Inquire{}},
		{"query", &Query{Nonce: 5, At: 11, Op: []byte("get k")}},
		{"query-reply", &QueryReply{Nonce: 5, At: 11, Outcome: QueryAnswered, Result: []byte("v")}},
		{"query-reply of a state not retained", &QueryReply{Nonce: 6, At: 1, Outcome: QueryNotRetained, Result: []byte{}}},
		{"attest a reply", &Attest{Nonce: 5, What: VouchedReply, Session: 7, T: 3, Results: true, Op: []byte{}}},
		{"attest by the machine", &Attest{Nonce: 6, What: VouchedMachine, Op: []byte("fact")}},
		{"attestation", &Attestation{Nonce: 5, Outcome: Attested, Statement: []byte{1, 2}, Sig: Signature{3}, Results: [][]byte{{4}, {}}}},
		{"attestation of nothing", &Attestation{Nonce: 6, Outcome: NothingAttested, Statement: []byte{}}},
		{"prove", &Prove{Nonce: 7, From: 20, Key: []byte("k")}},
		{"proof", &Proof{Nonce: 7, Stable: 20, Document: []byte{5, 6}}},
		{"proof of nothing", &Proof{Nonce: 7, Stable: 10, Document: []byte{}}},
		{"attach", &Attach{Session: 7}},
		{"attached", &Attached{Session: 7, Highest: 9, Floor: 8}},
		{"watch", &Watch{ID: 3, After: 12, Start: []byte("a"), End: []byte("b"), Whole: true}},
		{"watch without an end", &Watch{ID: 3, After: 12, Start: []byte{}, End: []byte{}}},
		{"watch-taken", &WatchTaken{[]Taken{{3, 4096}, {4, WatchEnd}}}},
		{"changes", &Changes{ID: 3, Outcome: ChangesTold, Upto: 20, Items: []ChangeItem{
			{Revision: 13, More: true, Events: [][]byte{{1}, {2, 3}}}, {Revision: 13, Part: 1, Digest: d}, {Revision: 20, Digest: d},
		}}},
		{"changes that are compacted", &Changes{ID: 3, Outcome: ChangesCompacted, Upto: 40}},
		{"progress", &Progress{Upto: 21, IDs: []uint64{3, 5}}},
		{"report", &Report{Document: []byte(`{"view":2}`)}},
		{"held", &Held{Nonce: 9, Above: 10}},
		{"held-by", c.heldBy(1)},
		{"held-by that knows nothing", &HeldBy{Nonce: 9, Of: 1}},
		{"recover", &Recover{Until: 30}},
		{"fetch-slots", &FetchSlots{From: 11, Most: 256}},
		{"slots", &Slots{From: 11, Next: 14}},
		{"fetch-state", &FetchState{Seq: 20, Query: []byte{1, 2}}},
		{"fetch-state for the newest", &FetchState{Query: []byte{}}},
		{"data", &Data{Seq: 20, Answer: []byte{3, 4}}},
		{"data with an offer", &Data{Offer: new(c.stableCert(20)), Answer: []byte{}}},
	}
}

type wireRecord struct {
	name string
	r    Record
	seq  Seq
}

func (c *wireCluster) records() []wireRecord {
	d, b := Digest{0xd1}, c.body()
	return []wireRecord{
		{"head", &Head{Cluster: c.cfg.Cluster, Epoch: 3, Self: 2, View: 4, Active: true}, 0},
		{"sent pre-prepare", &Sent{c.prePrepare(2, 11, b)}, 11},
		{"sent prepare", &Sent{c.prepare(2, 12, d, 1)}, 12},
		{"sent commit", &Sent{c.commit(2, 13, d, 1)}, 13},
		{"sent checkpoint", &Sent{c.checkpoint(20, d, 1)}, 20},
		{"sent view-change", &Sent{c.viewChange(5, 2, c.stableCert(10))}, 0},
		{"sent new-view", &Sent{c.newView()}, 0},
		{"accepted", &Accepted{c.prePrepare(2, 11, b)}, 11},
		{"fetched", &Fetched{Seq: 14, Body: b}, 14},
		{"prepared", &Prepared{c.preparedCert(2, 15, b)}, 15},
		{"certified", &Certified{Cert: *c.commitCert(2, 16, b.Digest()), Body: b}, 16},
		{"committed", &Committed{*c.commitCert(2, 17, d)}, 17},
		{"stable", &Stable{c.stableCert(20)}, 20},
		{"activated", &Activated{c.newView()}, 0},
		{"head with a life", &Head{Cluster: c.cfg.Cluster, Epoch: 3, Self: 2, View: 4, Life: Life{0x1f}}, 0},
		{"recovering", &Recovering{
			Life: Life{0x1f}, Until: 40, View: 6, Suspects: c.viewChange(5, 2, StableCert{}).Suspects,
		}, 0},
		{"recovering in view 1", &Recovering{Life: Life{0x1f}, Until: 20, View: 1}, 0},
		{"installed", &Installed{c.stableCert(20)}, 20},
		{"void", &Void{Until: 24, Wrong: true}, 0},
		{"witness", &Witness{Replica: 3, Said: Statement{TypeCheckpoint, 0, 20, d, c.checkpoint(20, d, 3).Sig}}, 0},
		{"early", &Early{}, 0},
		{"clean", &Clean{}, 0},
	}
}

// evidence returns one valid proof of every kind.
func (c *wireCluster) evidence() []Evidence {
	d, e := Digest{0xd1}, Digest{0xd2}
	proof := func(by ReplicaID, first, second Message) Evidence {
		return Evidence{Replica: by, Kind: Equivocation, First: statementOf(first), Second: statementOf(second)}
	}
	one, other := c.newView(), c.newView()
	other.ViewChanges[0].Suspects[0].View++
	c.sign(other)
	return []Evidence{
		proof(2, c.prePrepare(2, 11, NullBody), c.prePrepare(2, 11, c.body())),
		proof(1, c.prepare(2, 11, d, 1), c.prepare(2, 11, e, 1)),
		proof(3, c.commit(2, 11, d, 3), c.commit(2, 11, e, 3)),
		proof(3, c.checkpoint(20, d, 3), c.checkpoint(20, e, 3)),
		proof(2, c.viewChange(5, 2, c.stableCert(10)), c.viewChange(5, 2, StableCert{})),
		proof(c.cfg.Primary(one.View), one, other),
	}
}
