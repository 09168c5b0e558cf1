package concepts

import "tagma/internal/session"

var communication = []Card{
	{
		Question: 4, Name: "total-order", Title: "One order for all",
		Text: "All correct replicas execute the same requests in the same order, whatever order the messages come in. The " +
			"primary gives each batch a number, and a quorum confirms it twice. Here a third of all messages is overtaken by " +
			"later ones.",
		Scenario: "reorder",
		Look:     "no two replicas executed different batches under one number (I1), and all end alike",
		Code:     []string{"pbft/normal.go", "pbft/execute.go"},
		Check:    all(reorders, served, invariant("I1"), alike(4)),
	},
	{
		Question: 4, Name: "all-or-none", Title: "All of a group or none",
		Text: "A request that one correct replica executes is executed by all correct replicas in the end. A replica that was " +
			"away gets what it missed, by votes, certificates or the state. Here the group is cut in halves and healed.",
		Scenario: "schedules/partition-heals",
		Look:     "all four executed the same at the end",
		Code:     []string{"pbft/follow", "pbft/execute.go"},
		Check:    all(fault("partition"), served, alike(4)),
	},
	{
		Question: 5, Name: "acknowledgement", Title: "Acknowledgement and timeout",
		Text: "A client knows that its request was executed when f+1 replicas acknowledge it with equal results. Without that " +
			"it waits for a timeout that follows the times it has measured. Here client c8 sends nothing to the primary, and " +
			"its requests get there all the same.",
		Scenario: "partial-client",
		Look:     "every request is acknowledged, and no correct primary is blamed",
		Code:     []string{"internal/session/pace.go", "internal/session/settle.go"},
		Check:    all(fault("partial-client"), views(0, 0), served),
	},
	{
		Question: 5, Name: "retransmission", Title: "Retransmission",
		Text: "What was not acknowledged in time is sent again: by clients to all replicas, and between replicas by what each " +
			"lacks. The second copy is byte for byte the first one, so it is recognised. Here a third of the messages is " +
			"lost.",
		Scenario: "loss",
		Look:     "no operation fails",
		Code:     []string{"internal/session/retransmit.go", "pbft/retransmit.go"},
		Check:    all(loses, served),
	},
	{
		Question: 5, Name: "sequence-numbers", Title: "Sequence numbers",
		Text: "Requests and batches have numbers, so that what comes twice counts once. A second vote of one replica is no " +
			"second vote. Here half of all messages come twice.",
		Scenario: "duplicate",
		Look:     "nothing is executed twice (I3)",
		Code:     []string{"pbft/msglog", "statemachine/session.go"},
		Check:    all(duplicates, served, invariant("I3")),
	},
	{
		Question: 5, Name: "error-detection", Title: "Error detection and correction",
		Text: "Every message is signed, so a bit that turns on its way is noticed by whoever gets it. A message that is not " +
			"believed convicts nobody: its bits may have turned anywhere. It counts as lost, and what lacks it is sent it again, " +
			"which corrects the error. Here a bit turns in prepares, in commits and in checkpoints.",
		Scenario: "bit-flip-link",
		Look:     "no evidence, and all operations acknowledged",
		Code:     []string{"pbft/wire/signing.go", "crypto"},
		Check:    all(fault("corrupt"), convicted(), served),
	},
	{
		Question: 5, Name: "flow-control", Title: "Flow control",
		Text: "A receiver says how much it takes, and a sender keeps to it. A client has a window of open requests, and a " +
			"replica answers *busy* to what it has no room for. Here client c8 sends 600 requests at once to two backups that " +
			"cannot order them.",
		Scenario: "burst-client",
		Look:     "nobody blames the primary, and others are served",
		Code:     []string{"pbft/pool", "internal/session/window.go"},
		Check:    all(fault("burst-client"), views(0, 0), served),
	},
	{
		Question: 5, Name: "congestion-control", Title: "Congestion control",
		Text: "When more comes than the cluster can do, everybody must get less, and nobody nothing. Clients take turns by what " +
			"their requests cost. Here one client sends thousands of requests a second, most of them badly signed.",
		Scenario: "client-flood",
		Look:     "the other clients keep four fifths of their throughput",
		Code:     []string{"pbft/pool/share.go", "internal/session/pace.go"},
		Check:    all(fault("client-flood"), served, views(0, 0)),
	},
	{
		Question: 5, Name: "persistent-connections", Title: "Persistent connections",
		Text: "Each pair of replicas keeps its links open, and opens them again when they break. A session outlives its links: " +
			"it goes on where it was. Here the network breaks and heals again and again.",
		Scenario: "partition-flapping",
		Look:     "views do not run away, and no request is lost",
		Code:     []string{"network", "client"},
		Check:    all(fault("partition"), served, views(0, 4)),
	},
	{
		Question: 6, Name: "rpc-network-failure", Title: "A call beside a failing network",
		Text: "A call may be lost on its way there, or its answer on its way back, and the client cannot tell which. It sends the " +
			"call again under the same number. Replicas keep the answer of each number, so the call is executed once. Here a " +
			"faulty primary takes both copies of one request for two, and orders each of them.",
		Scenario: "schedules/same-request-twice",
		Look:     "the same request is executed once (I3)",
		Code:     []string{"statemachine/session.go", "docs/semantics.md"},
		Check:    all(fault("pre-prepare by script"), invariant("I3")),
	},
	{
		Question: 6, Name: "rpc-server-failure", Title: "A call beside a failing server",
		Text: "A server may die before, while or after it executes a call. The others have ordered the call, so its number has " +
			"one outcome whichever replica answers. Here the primary dies under load.",
		Scenario: "crash",
		Look:     "each operation is executed exactly once (I3), through the death of the server that ordered it",
		Code:     []string{"statemachine/apply.go"},
		Check:    all(fault("kill replica0"), invariant("I3"), served),
	},
	{
		Question: 6, Name: "rpc-client-failure", Title: "A call beside a failing client",
		Text: "A client that lies may give two operations one number. One of them is executed, and the other one conflicts with " +
			"it: the number has one outcome at all replicas. Here client c6 does that all the time.",
		Scenario: "client-equivocation",
		Look:     "the other clients notice nothing, and all replicas end alike",
		Code:     []string{"statemachine/session.go", "statemachine/course.go"},
		Check:    all(fault("client-equivocation"), invariant("I3"), served, alike(4)),
	},
	{
		Question: 6, Name: "rpc-stubs", Title: "Remote calls and their stubs",
		Text: "A stub makes a remote call look like a function. It writes the name of the operation and its arguments into bytes, " +
			"has the cluster execute them, and reads the result, or the error with which the machine refused. Here a program " +
			"transfers money through the stubs of the bank, and the primary dies while it orders the transfer. The caller " +
			"sees two balances.",
		Look: "the balances that the transfer returned, and the error of the transfer that was too large",
		Code: []string{"statemachine/bank/client.go", "statemachine/caller.go", "internal/stubs", "docs/build-an-application.md"},
		Run:  stubs,
	},
	{
		Question: 6, Name: "exactly-once", Title: "Exactly once, counted",
		Text: "The client sends a call again until it is answered, always under one number, and replicas execute a number once. " +
			"Here two clients call beside a network that loses 40 of 100 messages for three seconds, beside a primary that " +
			"dies, and beside a client that dies. The call of the client that died is the only one without an answer.",
		Look: "no call was executed twice, and none that a living client waits for is missing",
		Code: []string{"internal/session/call.go", "internal/session/retransmit.go", "statemachine/session.go", "docs/semantics.md"},
		Run:  counted(session.ExactlyOnce, onceEach),
	},
	{
		Question: 6, Name: "at-most-once", Title: "At most once, counted",
		Text: "The client sends a call once. Without an answer it knows only that the call was executed once or not at all. Here " +
			"the same network, server and client fail, and of the calls that met the failing network many are lost for good.",
		Look: "no call was executed twice, and some were never executed",
		Code: []string{"internal/session/call.go", "docs/semantics.md"},
		Run:  counted(session.AtMostOnce, onceOrLost),
	},
	{
		Question: 6, Name: "at-least-once", Title: "At least once, counted",
		Text: "The client sends a call again as a new request, under a number of its own, until one of these is answered. So every " +
			"call is executed, and some are executed twice: it is for calls that may be, such as a read. Here the same " +
			"network, server and client fail.",
		Look: "every call was answered, and some were executed more than once",
		Code: []string{"internal/session/call.go", "docs/semantics.md"},
		Run:  counted(session.AtLeastOnce, onceOrMore),
	},
	{
		Question: 6, Name: "best-effort", Title: "Best effort, counted",
		Text: "The client sends a call once and goes on: it waits for nothing and is told nothing. It is the cheapest call, and " +
			"nobody notices what is lost. Here the same network, server and client fail. The answers that are counted came " +
			"to a client that did not wait for them.",
		Look: "no call was executed twice, and those that were lost were noticed by nobody",
		Code: []string{"internal/session/call.go", "docs/semantics.md"},
		Run:  counted(session.BestEffort, onceOrLost),
	},
}

var service = []Card{
	{
		Question: 7, Name: "failover", Title: "Failover",
		Text: "When the primary fails, the next replica takes over, and nothing that was committed is lost. The new primary " +
			"proves by 2f+1 signed messages what may have been committed. Here the first primary runs twice under one key, so " +
			"that its two halves contradict each other.",
		Scenario: "twins",
		Look:     "view 1 goes on with all that view 0 committed (I17)",
		Code:     []string{"pbft/newview.go", "pbft/wire/newview.go"},
		Check:    all(fault("twins"), views(1, 1), invariant("I17")),
	},
	{
		Question: 7, Name: "chaos-testing", Title: "Chaos testing",
		Text: "To know that a system survives faults one has to cause them, at random, and check. A seed decides what happens, " +
			"so that a run which fails can be repeated. Here replicas crash, pause, are cut off and have their clocks set, in " +
			"a random order.",
		Scenario: "random-order",
		Look:     "the cluster goes on, whatever the order is",
		Code:     []string{"testnet/swarm", "testnet/sim"},
		Check:    all(fault("kill"), fault("clock-jump"), fault("pause"), fault("isolate"), served),
	},
	{
		Question: 7, Name: "monitoring", Title: "Monitoring",
		Text: "A monitor watches each replica from outside: whether its process works, whether it serves, and figures that say why " +
			"not. Replicas watch each other, too, so a dead one is told by those that miss it. Here first the primary of a real " +
			"cluster dies, which is masked, and then a second replica, which is not. A program that knows only the addresses of " +
			"their metrics and health tells one from the other.",
		Look: "one death leaves all others ready; two leave nobody ready, and a restart of those that are left would not help",
		Code: []string{"internal/node/admin_routes.go", "internal/node/metrics_readings.go", "docs/metrics.md"},
		Live: monitored(kill),
	},
	{
		Question: 7, Name: "disaster-recovery", Title: "Backup and disaster recovery",
		Text: "Replicas are each other's backup for up to f of them. For a lost site with more than f there must be a backup " +
			"elsewhere, which is verified before it is believed. Here three of four replicas lose their disks, and the one that is " +
			"left must not go on alone. A new cluster, under new keys, begins with the state of the backup. What was acknowledged " +
			"after the backup is lost, and the new cluster says from which sequence number on.",
		Look: "all values from before the backup, none of those after it, and the sequence number between them",
		Code: []string{"internal/rescue", "checkpoint/backup", "internal/operate/backups.go", "docs/backup.md"},
		Live: restored(lose),
	},
	{
		Question: 7, Name: "disk-restored", Title: "A backup that is too old",
		Text: "A disk that is put back from an old image has forgotten votes, although it looks sound. The others remember what " +
			"the replica signed, and tell it. Here replica 2 starts from a copy of its own disk.",
		Scenario: "rollback",
		Look:     "replica 2 is silent until it may vote again, and contradicts nothing",
		Code:     []string{"pbft/amnesia", "internal/replica"},
		Check:    all(fault("rollback replica2"), served, alike(4)),
	},
	{
		Question: 8, Name: "agreement", Title: "Agreement",
		Text: "No two correct processes decide differently. Two quorums of 2f+1 have f+1 processes in common, so at least one " +
			"correct process, and a correct process votes once. Here the primary tries to make four replicas decide four " +
			"ways.",
		Scenario: "equivocate",
		Look:     "I1 held at every step",
		Code:     []string{"pbft/normal.go"},
		Check:    all(fault("equivocate"), invariant("I1"), convicted(0)),
	},
	{
		Question: 8, Name: "validity", Title: "Validity",
		Text: "Only what a client asked for is decided. Requests are signed by their clients, so a faulty primary can order " +
			"them late, and cannot invent one. Here the primary mixes requests of the past into its batches.",
		Scenario: "replayed-requests",
		Look:     "no request is executed twice, and none that nobody sent (I3, I4)",
		Code:     []string{"pbft/wire/check.go", "pbft/normal.go"},
		Check:    all(fault("replayed-requests"), served, invariant("I3"), invariant("I4")),
	},
	{
		Question: 8, Name: "termination", Title: "Termination",
		Text: "Every request of a correct client is decided in the end. No protocol can promise that while messages take any " +
			"time; this one promises it as soon as messages come in time again. Here nothing can be decided while two and two " +
			"are cut off.",
		Scenario: "partition",
		Look:     "operations go on within four timeouts after the heal",
		Code:     []string{"pbft/viewchange.go", "pbft/timers.go"},
		Check:    all(fault("partition"), served, alike(4)),
	},
	{
		Question: 8, Name: "byzantine-bound", Title: "Why 3f+1",
		Text: "With f liars a decision needs 2f+1 of 3f+1: fewer than that and two decisions could meet in liars alone. With " +
			"more than f liars nothing is promised. Here two of four replicas lie together, and what they do is found out.",
		Scenario: "schedules/too-many-colluders",
		Look:     "the verdict: it is a pass because the scenario expects agreement to be broken",
		Code:     []string{"pbft/wire/config.go"},
		Check:    all(fault("collude")),
	},
	{
		Question: 8, Name: "crash-consensus", Title: "Consensus where replicas only crash",
		Text: "Paxos, viewstamped replication and Raft assume that nobody lies. Then 2f+1 replicas mask f crashes, the primary's " +
			"word is enough to prepare, and two phases decide. Here three replicas go on when the primary dies, and again when " +
			"the next one does.",
		Scenario: "crash-model",
		Look:     "two view changes, each justified by one suspicion, and one state at the end",
		Code:     []string{"pbft/wire/config.go", "pbft/normal.go", "docs/consensus.md"},
		Check:    all(fault("kill replica0"), fault("kill replica1"), served, alike(3)),
	},
	{
		Question: 8, Name: "crash-consensus-liar", Title: "What a liar does to it",
		Text: "A protocol that masks crashes alone has no defence against a lie. Here the primary tells two of three replicas " +
			"different things, and each of them executes what it was told. Messages are signed all the same, so the two " +
			"signatures prove who forked the cluster.",
		Scenario: "crash-model-liar",
		Look:     "two replicas committed different batches at one place (I1), and the proof against replica 0",
		Code:     []string{"pbft/evidence.go", "docs/consensus.md"},
		Check:    all(fault("collude"), broken("I1"), convicted(0)),
	},
}
