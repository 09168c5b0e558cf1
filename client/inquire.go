package client

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"tagma/client/status"
	"tagma/network"
	"tagma/pbft/wire"
)

// patience is how long Inquire waits for replicas if the context has no deadline.
const patience = 3 * time.Second

// Inquire asks every replica of the cluster for a report on itself, and judges the reports: see package status. It
// does not wait for a replica that cannot be reached. For the others it waits until ctx ends, or for three seconds if
// ctx has no deadline. It needs no session, so it also works on a cluster that executes nothing. An error means that
// the cluster or the key cannot be used.
func Inquire(ctx context.Context, cluster *Cluster, key *Key) (*status.Status, error) {
	if ctx == nil {
		return nil, errNoContext
	}
	if err := errors.Join(cluster.check(), key.check()); err != nil {
		return nil, fmt.Errorf("inquire of the replicas: %w", err)
	}
	file := cluster.file
	of, err := file.Config(0)
	if err != nil {
		return nil, err
	}
	if _, ends := ctx.Deadline(); !ends {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, patience)
		defer cancel()
	}
	q := &inquiry{answers: make([]status.Answer, len(file.Replicas)), heard: make(chan struct{}, 1)}
	for i := range q.answers {
		q.answers[i].Replica = i
	}
	dial := network.ClientConfig{Members: file.Members(), Greeting: file.Greeting(), AskOnly: true}
	key.prove(&dial)
	host, err := network.Dial(dial, q)
	if err != nil {
		return nil, fmt.Errorf("dial the cluster: %w", err)
	}
	q.run(ctx, host)
	if err := host.Close(); err != nil {
		return nil, err
	}
	judged := status.Judge(status.Cluster{ID: file.ID.String(), Durability: file.Protocol.Durability.String(), Quorum: of.Quorum()}, q.answers)
	return judged, nil
}

// inquiry is one request for reports from all replicas.
type inquiry struct {
	heard chan struct{} // a token after each answer

	mu      sync.Mutex
	answers []status.Answer
}

// lookEvery is how often an inquiry checks for links that came up or failed.
const lookEvery = 2 * time.Millisecond

var (
	errNoAnswer = errors.New("connected, but no answer in time")
	errNoLink   = errors.New("not connected in time")
)

// run asks each replica as soon as it is connected, until every replica has answered or failed.
func (q *inquiry) run(ctx context.Context, host *network.ClientHost) {
	question := wire.Encode(&wire.Inquire{})
	asked := make([]bool, len(q.answers))
	look := time.NewTicker(lookEvery)
	defer look.Stop()
	for {
		for i := range asked {
			asked[i] = asked[i] || host.Send(i, question)
		}
		if q.settled(host.Peers(), ctx.Err() != nil) {
			return
		}
		select {
		case <-look.C:
		case <-q.heard:
		case <-ctx.Done():
		}
	}
}

// settled reports whether there is nothing left to wait for, and notes why replicas did not answer.
func (q *inquiry) settled(peers []network.PeerState, timeIsUp bool) bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	all := true
	for i := range q.answers {
		a, peer := &q.answers[i], &peers[i]
		switch {
		case a.Document != nil:
			a.Err = nil
		case !peer.Connected && peer.LastError != "":
			a.Err = errors.New(peer.LastError)
		case timeIsUp && peer.Connected:
			a.Err = errNoAnswer
		case timeIsUp:
			a.Err = errNoLink
		default:
			all = false
		}
	}
	return all
}

// FromReplica takes a replica's first report.
func (q *inquiry) FromReplica(from int, frame []byte) {
	message, err := wire.Decode(frame)
	if err != nil {
		return
	}
	report, ok := message.(*wire.Report)
	if !ok {
		return
	}
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.answers[from].Document == nil {
		q.answers[from].Document = append([]byte{}, report.Document...)
	}
	select {
	case q.heard <- struct{}{}:
	default: // run is about to look anyway
	}
}
