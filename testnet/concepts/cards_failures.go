package concepts

var failures = []Card{
	{
		Question: 1, Name: "crash", Title: "Crash",
		Text: "A process that crashes stops, and says nothing more. Nobody can tell it from one that is slow, so the others " +
			"wait for a timeout before they go on without it. Here the primary is killed for good.",
		Scenario: "crash",
		Look:     "the view change: operations stop for about one view timeout and go on in view 1",
		Code:     []string{"pbft/timers.go", "pbft/viewchange.go"},
		Check:    all(fault("kill replica0"), views(1, 1), served, alike(3)),
	},
	{
		Question: 1, Name: "send-omission", Title: "Omission: a process that fails to send",
		Text: "A process fails by omission if it leaves out steps that it should take, and takes the others rightly. Here half " +
			"of what replica 3 should send never leaves it. The other three are a quorum, so nobody waits for it.",
		Scenario: "send-omission",
		Look:     "no view change, and the throughput beside that of a run without the fault",
		Code:     []string{"testnet/byzantine/replica/omission.go", "pbft/normal.go"},
		Check:    all(fault("send-omission"), views(0, 0), served),
	},
	{
		Question: 1, Name: "receive-omission", Title: "Omission: a process that fails to receive",
		Text: "Replica 3 hears nothing, so it suspects the primary and says so. One suspicion moves nobody: f+1 replicas must " +
			"suspect before the view changes, and at least one of f+1 is correct.",
		Scenario: "receive-omission",
		Look:     "no view change, although one replica asks for it all the time",
		Code:     []string{"pbft/suspect.go"},
		Check:    all(fault("receive-omission"), views(0, 0), served),
	},
	{
		Question: 1, Name: "channel-omission", Title: "Omission: a channel that loses messages",
		Text: "A channel fails by omission if messages get lost on it. Here every third message between the replicas is lost " +
			"for a while. Each replica says in its status what it lacks, and is sent that again.",
		Scenario: "loss",
		Look:     "all operations are acknowledged, although a third of all messages was lost",
		Code:     []string{"pbft/retransmit.go"},
		Check:    all(loses, served, alike(4)),
	},
	{
		Question: 1, Name: "timing-late", Title: "Timing: too late",
		Text: "In a synchronous system an answer that comes too late is a fault of its own. Here the primary orders each " +
			"request just before its timeout ends. It is replaced when requests have waited for too long together.",
		Scenario: "slow-primary",
		Look:     "the view change, and the throughput before and after it",
		Code:     []string{"pbft/timers.go"},
		Check:    all(fault("slow-primary"), views(1, 9), served),
	},
	{
		Question: 1, Name: "timing-early", Title: "Timing: too early",
		Text: "An answer that comes before it may come is a timing fault, too. Here replica 3 answers requests before they are " +
			"committed, so that its answers may be of an order that never happens. A client believes only f+1 equal answers, " +
			"and replica 3 is alone with its own.",
		Scenario: "early-reply",
		Look:     "no operation fails, and no history is wrong",
		Code:     []string{"internal/session/votes.go"},
		Check:    all(fault("early,what=reply"), served, invariant("I4")),
	},
	{
		Question: 1, Name: "byzantine", Title: "Byzantine",
		Text: "A Byzantine process does anything: it lies, contradicts itself, and works together with others. Here the primary " +
			"proposes another batch to every replica. No batch gets a quorum of prepares, so none is executed, and the " +
			"contradicting signatures convict the primary.",
		Scenario: "equivocate",
		Look:     "the proof against replica 0, and that no two correct replicas executed different batches (I1)",
		Code:     []string{"pbft/evidence.go", "testnet/byzantine/replica"},
		Check:    all(fault("equivocate"), views(1, 1), convicted(0), invariant("I1")),
	},
	{
		Question: 1, Name: "detection", Title: "Detection by heartbeats and timeouts",
		Text: "A primary that has nothing to order sends heartbeats, and a backup that hears nothing for a view timeout " +
			"suspects it. A timeout cannot tell a slow process from a crashed one. So a suspicion has a cost and no other " +
			"effect: a new view, in which nothing that was committed is lost.",
		Scenario: "crash-recover",
		Look:     "the view change after the kill, and that the old primary follows as a backup after its restart",
		Code:     []string{"pbft/timers.go", "pbft/suspect.go"},
		Check:    all(fault("kill replica0"), views(1, 1), served, alike(4)),
	},
	{
		Question: 1, Name: "isolation", Title: "Isolation",
		Text: "A faulty part is isolated if its fault spreads to no other part. Here replica 3 sends truncated, nested and " +
			"endless frames. Every frame is checked within a bound on bytes and time before the protocol sees it, and a link " +
			"that brought garbage is ended.",
		Scenario: "malformed-replica",
		Look:     "nobody stops, and the throughput stays",
		Code:     []string{"pbft/wire/check.go", "internal/node/intake.go"},
		Check:    all(fault("malformed"), views(0, 0), served),
	},
	{
		Question: 1, Name: "diagnosis", Title: "Diagnosis",
		Text: "A diagnosis says which process is faulty, with proof that others can check. Here replica 3 signs two checkpoints " +
			"that contradict each other. Two signatures of one replica that no correct replica gives are evidence for ever, " +
			"for everybody who has the public keys.",
		Scenario: "lying-checkpoint",
		Look:     "the evidence against replica 3 and nobody else",
		Code:     []string{"pbft/wire/evidence.go", "internal/inspect"},
		Check:    all(fault("lying-checkpoint"), convicted(3), served),
	},
	{
		Question: 2, Name: "data-redundancy", Title: "Redundancy of data",
		Text: "Data that carry more bits than they need show, or mend, an error. Every record of the journal has a checksum, " +
			"every message a signature, and every state a tree of hashes. Here a synced record of the journal rots: the " +
			"replica notices, and does not vote by what it no longer knows.",
		Scenario: "bit-rot",
		Look:     "replica 2 recovers from the others and takes part again",
		Code:     []string{"checkpoint/journal", "checkpoint/merkle"},
		Check:    all(fault("bit-flip"), served, alike(4)),
	},
	{
		Question: 2, Name: "software-redundancy", Title: "Redundancy of processes",
		Text: "The same service runs in 3f+1 processes, and a result counts if f+1 of them give it. Here replica 0 gives wrong " +
			"results to every client. No client ever finds a second replica that agrees with it.",
		Scenario: "lying-reply",
		Look:     "every read is right (I4), although one of four answers is wrong",
		Code:     []string{"internal/session/votes.go", "internal/session/settle.go"},
		Check:    all(fault("lying-reply"), served, invariant("I4")),
	},
	{
		Question: 2, Name: "time-redundancy", Title: "Redundancy of time",
		Text: "To do something again masks a fault that passes. Whatever a replica or a client did not get an answer to is sent " +
			"again, byte for byte, at growing intervals. Here messages are also delayed for so long that clients ask again " +
			"before the answer is there.",
		Scenario: "delay",
		Look:     "all operations are acknowledged once, though they were sent more than once",
		Code:     []string{"internal/session/retransmit.go"},
		Check:    all(delays, served, invariant("I3")),
	},
	{
		Question: 2, Name: "masking-liar", Title: "Masking f liars among the helpers",
		Text: "Who needs help must not need to trust the helper. Here replica 2 has lost everything, and replica 1 gives it " +
			"false parts of the state. Each part is checked against the hash that a quorum signed, so a false one is thrown " +
			"away and asked for elsewhere.",
		Scenario: "poison-transfer",
		Look:     "replica 2 ends with the state of the others",
		Code:     []string{"checkpoint/transfer"},
		Check:    all(fault("poison-transfer"), fault("wipe replica2"), served, alike(3)),
	},
}

var recovery = []Card{
	{
		Question: 3, Name: "rollback-recovery", Title: "Checkpoint and rollback",
		Text: "A process that crashed goes back to its last checkpoint, and executes again what came after it. The checkpoint " +
			"is the state in the store, and what came after it is in the journal. Here all four processes are killed at one " +
			"moment and start again.",
		Scenario: "cluster-crash",
		Look:     "nothing that was acknowledged is lost (I9)",
		Code:     []string{"internal/replica/verify.go", "checkpoint/journal"},
		Check:    all(fault("kill replica0 replica1 replica2 replica3"), served, invariant("I9"), alike(4)),
	},
	{
		Question: 3, Name: "replication", Title: "Recovery by replication",
		Text: "A replica that can no longer execute its way up takes the state from the others. It fetches the state of a " +
			"checkpoint that a quorum signed, and compares each part. Here replica 3 was cut off for so long that nobody has " +
			"the batches which it lacks.",
		Scenario: "left-behind",
		Look:     "replica 3 catches up so far that another replica may die",
		Code:     []string{"checkpoint/transfer", "pbft/transfer.go"},
		Check:    all(fault("isolate replica3"), fault("kill replica2"), served, alike(3)),
	},
	{
		Question: 3, Name: "data-versioning", Title: "Data versioning",
		Text: "Every value keeps the sequence number at which it was written, so older states can be read. A client undoes a " +
			"mistake by an ordered operation that puts a prefix back as it was. Here that happens while one replica has just " +
			"lost everything and another one dies.",
		Scenario: "revert",
		Look:     "all replicas have one state after it, the one that was filled by others too",
		Code:     []string{"statemachine/kv/revert.go", "statemachine/kv/history.go"},
		Check:    all(fault("submit"), fault("wipe replica3"), served),
	},
	{
		Question: 3, Name: "message-logging-pessimistic", Title: "Message logging: pessimistic",
		Text: "A vote leaves a replica only after it is durable. So a replica that loses power remembers all that it signed, " +
			"and votes on at once. Here one machine loses everything that was not synced.",
		Scenario: "power-cut",
		Look:     "replica 1 votes at once after its restart, and contradicts nothing that it signed",
		Code:     []string{"pbft/driver", "checkpoint/journal"},
		Check:    all(fault("lose-unsynced"), served, alike(4)),
	},
	{
		Question: 3, Name: "message-logging-optimistic", Title: "Message logging: optimistic",
		Text: "A vote leaves before it is durable, which saves the wait for the disk. A replica that loses power may have " +
			"forgotten votes, so it is silent until a checkpoint above everything that it may have signed. Up to f such " +
			"losses at once are masked.",
		Scenario: "optimistic-power-cut",
		Look:     "replica 1 is silent for a window, and nothing that was acknowledged is lost",
		Code:     []string{"pbft/driver/behind.go", "pbft/silence.go"},
		Check:    all(fault("lose-unsynced"), served, invariant("I9")),
	},
	{
		Question: 3, Name: "process-failure", Title: "Failure of a process",
		Text: "A process fails alone: its machine and its disk are sound. It starts again on the same disk and knows every vote " +
			"that it gave. Here the primary dies and comes back.",
		Scenario: "crash-recover",
		Look:     "the old primary comes back as a backup",
		Code:     []string{"pbft/restart.go"},
		Check:    all(fault("kill replica0"), alike(4), served),
	},
	{
		Question: 3, Name: "system-failure", Title: "Failure of a system",
		Text: "A system that fails takes with it what its processes had not made durable. What was synced stays. Here two of " +
			"seven machines lose power at once, of a cluster that does not wait for its disks.",
		Scenario: "optimistic-power-cut-f",
		Look:     "the five that are left serve on, and the two come back",
		Code:     []string{"pbft/driver/behind.go"},
		Check:    all(fault("lose-unsynced"), served, alike(5)),
	},
	{
		Question: 3, Name: "storage-failure", Title: "Failure of secondary storage",
		Text: "A disk that reports an error may have lost what it said was safe. A replica whose disk fails stops at once, " +
			"since it cannot know which of its votes are durable. Here every sync of replica 2 fails from one moment on.",
		Scenario: "io-error",
		Look:     "replica 2 stopped by itself, and the others serve",
		Code:     []string{"internal/node/disk.go", "checkpoint/journal"},
		Check:    all(fault("io-error"), served, alike(3)),
	},
	{
		Question: 3, Name: "medium-failure", Title: "Failure of the communication medium",
		Text: "A network that breaks in two leaves processes that work and cannot reach each other. Neither half of four is a " +
			"quorum, so nothing is ordered, and nothing can fork. Here it heals after six timeouts.",
		Scenario: "partition",
		Look:     "operations stop while the halves are apart, and go on after the heal",
		Code:     []string{"pbft/viewchange.go", "network"},
		Check:    all(fault("partition"), served, invariant("I1"), alike(4)),
	},
	{
		Question: 3, Name: "lost-disk", Title: "A disk that is empty",
		Text: "A replica that lost its disk may have signed what it forgot. It asks the others, and signs nothing before a " +
			"checkpoint above all that it may have signed. Here replica 2 is wiped and started under its old key.",
		Scenario: "amnesia",
		Look:     "replica 2 takes part again, and never votes twice",
		Code:     []string{"pbft/amnesia", "pbft/silence.go"},
		Check:    all(fault("wipe replica2"), served, alike(4)),
	},
}
