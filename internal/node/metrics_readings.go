package node

import (
	"slices"
	"strconv"

	"github.com/prometheus/client_golang/prometheus"

	"tagma/internal/replica"
	"tagma/pbft/wire"
)

const (
	gauge   = prometheus.GaugeValue
	counter = prometheus.CounterValue
)

// byPeer is the label of metrics about another replica; it has as many values as there are members.
var byPeer = []string{"peer"}

// readings are the metrics that are read at a scrape.
var readings = slices.Concat(protocolReadings, recoveryReadings, workReadings, linkReadings)

var protocolReadings = []reading{
	{
		"tagma_replica_info", "1; the labels say which replica of which cluster this is.", gauge,
		[]string{"replica", "cluster", "machine"},
		func(s *snapshot, out emit) {
			h := s.node.home
			out(1, strconv.Itoa(s.report.Replica), h.Cluster.ID.String(), h.Cluster.Machine)
		},
	},
	{"tagma_ready", "1 if the replica's health is ok.", gauge, nil, truth(func(s *snapshot) bool { return s.report.Health == Healthy })},
	{"tagma_view", "View.", gauge, nil, value(func(s *snapshot) wire.View { return s.inside.View })},
	{"tagma_active", "1 if the view is active here.", gauge, nil, truth(func(s *snapshot) bool { return s.inside.Active })},
	{
		"tagma_primary", "1 if this replica is the primary of its view.", gauge, nil,
		truth(func(s *snapshot) bool { return s.report.Primary == s.report.Replica }),
	},
	{
		"tagma_view_changes_total", "Views that became active since the start.", counter, nil,
		value(func(s *snapshot) uint64 { return s.report.ViewChanges }),
	},
	{
		"tagma_low_watermark", "Low watermark h: the last stable checkpoint.", gauge, nil,
		value(func(s *snapshot) wire.Seq { return s.inside.Stable }),
	},
	{
		"tagma_high_watermark", "High watermark H: the last sequence number that may be ordered.", gauge, nil,
		value(func(s *snapshot) wire.Seq { return s.inside.Stable + s.node.home.Config.LogWindow }),
	},
	{
		"tagma_handed", "Last sequence number handed to execution.", gauge, nil,
		value(func(s *snapshot) wire.Seq { return s.inside.Handed }),
	},
	{
		"tagma_executed", "Last sequence number that was executed.", gauge, nil,
		value(func(s *snapshot) wire.Seq { return s.inside.Executed }),
	},
	{
		"tagma_executing_seconds", "How long the batch that is executed has taken so far.", gauge, nil,
		func(s *snapshot, out emit) { _, took := s.node.executing(); out(took.Seconds()) },
	},
	{"tagma_in_flight", "Sequence numbers known and not executed.", gauge, nil, value(func(s *snapshot) uint64 { return s.report.InFlight })},
	{"tagma_pending_requests", "Requests that wait for order.", gauge, nil, value(func(s *snapshot) int { return s.inside.Pending })},
	{
		"tagma_diverged", "1 if the state contradicts a stable checkpoint.", gauge, nil,
		truth(func(s *snapshot) bool { return s.inside.Diverged }),
	},
	{
		"tagma_split_checkpoint", "The checkpoint that can never be stable, since the replicas' states differ; 0: none is known.", gauge, nil,
		value(func(s *snapshot) wire.Seq { return s.inside.Split }),
	},
	{
		"tagma_convicted", "1 if there is proof against the peer in the directory of evidence.", gauge, byPeer,
		perPeer(func(s *snapshot, peer int) float64 {
			return oneIf(slices.ContainsFunc(s.report.Convicted, func(c ConvictedEntry) bool { return c.Replica == peer }))
		}),
	},
}

var workReadings = []reading{
	{
		"tagma_commit_open", "Transactions over several clusters that are prepared here and not finished.", gauge, nil,
		value(func(s *snapshot) uint64 { return s.held().Transactions }),
	},
	{
		"tagma_commit_locks", "Keys that these transactions lock.", gauge, nil,
		value(func(s *snapshot) uint64 { return s.held().Locks }),
	},
	{
		"tagma_commit_oldest_seconds", "How long the oldest of them is prepared, by agreed time.", gauge, nil,
		func(s *snapshot, out emit) { out(s.held().OldestSeconds) },
	},
	{
		"tagma_queue_length", "What waits in a queue inside the replica.", gauge,
		[]string{"queue"},
		func(s *snapshot, out emit) {
			queues(s.node, func(name string, length, _ int) { out(float64(length), name) })
		},
	},
	{
		"tagma_queue_capacity", "What a queue inside the replica holds at most.", gauge,
		[]string{"queue"},
		func(s *snapshot, out emit) {
			queues(s.node, func(name string, _, room int) { out(float64(room), name) })
		},
	},
	{
		"tagma_messages_received_total", "Messages of other replicas that were believed.", counter, nil,
		value(func(s *snapshot) uint64 { return s.report.Received }),
	},
	{"tagma_refused_total", "Messages that were not believed.", counter, []string{"link", "why"}, func(s *snapshot, out emit) {
		for i, link := range linkKinds {
			for k, cause := range causes {
				out(float64(s.node.counts.refusals[i][k].Load()), link, cause)
			}
		}
	}},
	{"tagma_signatures_total", "Signatures looked at.", counter, []string{"how"}, func(s *snapshot, out emit) {
		out(float64(s.verified.Single), "single")
		out(float64(s.verified.Batched), "batched")
		out(float64(s.verified.CacheHits), "remembered")
	}},
	{
		"tagma_signature_failures_total", "Verifications, alone or together, that found a false signature.", counter, nil,
		value(func(s *snapshot) uint64 { return s.verified.Failures }),
	},
	{"tagma_hung_reads", "Reads of past states that do not end.", gauge, nil, value(func(s *snapshot) int { return s.report.HungReads })},
	{
		"tagma_application_panics_total", "Operations in which the application panicked.", counter, nil,
		value(func(s *snapshot) uint64 { return s.node.counts.panics.Load() }),
	},
	{"tagma_journal_bytes", "Size of the journal's files.", gauge, nil, value(func(s *snapshot) int64 { return s.report.JournalBytes })},
	{"tagma_store_bytes", "Size of the store's files.", gauge, nil, value(func(s *snapshot) int64 { return s.report.StoreBytes })},
}

var linkReadings = []reading{
	{
		"tagma_peer_connected", "1 if the links from and to the peer are up.", gauge, byPeer,
		perPeer(func(s *snapshot, peer int) float64 { return oneIf(s.peers[peer].Connected && s.peers[peer].Inbound) }),
	},
	{
		"tagma_peer_queue_frames", "Frames that wait to be sent to the peer.", gauge, byPeer,
		perPeer(func(s *snapshot, peer int) float64 { return float64(s.peers[peer].Queued) }),
	},
	{
		"tagma_peer_queue_bytes", "Size of the frames that wait to be sent to the peer.", gauge, byPeer,
		perPeer(func(s *snapshot, peer int) float64 { return float64(s.peers[peer].QueuedBytes) }),
	},
	{
		"tagma_peer_sent_total", "Frames handed to the transport for the peer.", counter, byPeer,
		perPeer(func(s *snapshot, peer int) float64 { return float64(s.peers[peer].Sent) }),
	},
	{
		"tagma_peer_received_total", "Frames received from the peer.", counter, byPeer,
		perPeer(func(s *snapshot, peer int) float64 { return float64(s.peers[peer].Received) }),
	},
	{
		"tagma_peer_lost_total", "Frames for the peer that were not sent: no link, no room, or lost with their link.", counter, byPeer,
		perPeer(func(s *snapshot, peer int) float64 { return float64(s.peers[peer].Dropped) }),
	},
	{"tagma_watches", "Watches of clients.", gauge, nil, value(func(s *snapshot) int { return s.watches.watches })},
	{
		"tagma_watches_behind", "Watches that were not told everything yet, since their clients are slow or were away.", gauge, nil,
		value(func(s *snapshot) int { return s.watches.behind }),
	},
	{"tagma_watches_refused_total", "Watches for which there was no room.", counter, nil, value(func(s *snapshot) uint64 { return s.watches.refused })},
	{
		"tagma_watch_changes_total", "Changes told, each counted for each watch that it was told to.", counter, nil,
		value(func(s *snapshot) uint64 { return s.watches.told }),
	},
	{"tagma_clients", "Client links.", gauge, nil, value(func(s *snapshot) int { return s.clients.Links })},
	{"tagma_clients_refused_total", "Client links for which there was no room.", counter, nil, value(func(s *snapshot) uint64 { return s.clients.Refused })},
	{
		"tagma_key_in_use_twice", "1 while two processes run under the key of a replica, this one included.", gauge,
		[]string{"replica"},
		func(s *snapshot, out emit) {
			for id, p := range s.peers {
				out(oneIf(p.Twice || id == s.report.Replica && s.node.host.Twice()), strconv.Itoa(id))
			}
		},
	},
	{"tagma_client_frames_total", "Frames of client links.", counter, []string{"what"}, func(s *snapshot, out emit) {
		out(float64(s.clients.Sent), "sent")
		out(float64(s.clients.Received), "received")
		out(float64(s.clients.Dropped), "lost")
	}},
}

// queues calls visit with every queue inside the replica.
func queues(n *Node, visit func(name string, length, room int)) {
	visit("replicas", len(n.lanes.replicas.events), cap(n.lanes.replicas.events))
	visit("clients", len(n.lanes.clients.events), cap(n.lanes.clients.events))
	cfg := &n.home.Config
	results, executor, data, questions := 0, 0, 0, 0
	if i := n.instance.Load(); i != nil {
		results, executor = len(i.loop.executed), i.machine.waiting()
		data, questions = i.machine.data.waiting(), i.giver.questions.waiting()
	}
	visit("results", results, int(cfg.LogWindow))
	visit("executor", executor, int(cfg.LogWindow+cfg.LogWindow/cfg.CheckpointInterval+1))
	visit("data", data, dataLetters*(cfg.N()-1))
	visit("questions", questions, questionLetters*(cfg.N()-1))
}

// recoveryReadings are metrics of a replica that recovers, and of what it gives to other replicas that recover.
var recoveryReadings = []reading{
	{
		"tagma_asking", "1 while the others have not told this replica whether it lacks something that it signed.", gauge, nil,
		truth(func(s *snapshot) bool { return s.inside.Asking }),
	},
	{
		"tagma_amnesia", "1 while this replica may have forgotten what it signed, and does nothing but ask.", gauge, nil,
		truth(func(s *snapshot) bool { return s.node.amnesiac.Load() != nil }),
	},
	{
		"tagma_silent", "1 while this replica does not vote because it had forgotten what it signed.", gauge, nil,
		truth(func(s *snapshot) bool { return s.inside.Silent }),
	},
	{
		"tagma_silent_until", "The checkpoint at which the silence of this life ends; 0 if nothing was forgotten.", gauge, nil,
		value(func(s *snapshot) uint64 { return uint64(s.inside.Until) }),
	},
	{
		"tagma_votes_from_view", "The first view in which this life votes; 0 if nothing was forgotten.", gauge, nil,
		value(func(s *snapshot) uint64 { return uint64(s.inside.Since) }),
	},
	{
		"tagma_transfer", "1 while the state is fetched from others.", gauge, nil,
		truth(func(s *snapshot) bool { return s.moved.Phase != replica.Idle }),
	},
	{
		"tagma_transfer_checkpoint", "The checkpoint whose state is fetched, or was last.", gauge, nil,
		value(func(s *snapshot) uint64 { return uint64(s.moved.Seq) }),
	},
	{
		"tagma_transfer_share", "Share of the state that was compared and is right, 0 to 1.", gauge, nil,
		func(s *snapshot, out emit) { out(s.moved.Share) },
	},
	{
		"tagma_transfer_donors", "Replicas that serve the checkpoint that is fetched.", gauge, nil,
		value(func(s *snapshot) int { return s.moved.Pinned }),
	},
	{"tagma_donor_pins", "Checkpoints that are held for others.", gauge, nil, value(func(s *snapshot) int { return s.given.Pins })},
	{
		"tagma_donor_index_bytes", "Memory that the indexes of those take.", gauge, nil,
		value(func(s *snapshot) int { return s.given.IndexBytes }),
	},
}
