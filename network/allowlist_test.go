package network

import (
	"context"
	"strings"
	"testing"
)

func TestAllowList_GaterRefusesWhoIsNeitherMemberNorClient(t *testing.T) {
	overEach(t, allowListGaterRefusesWhoIsNeitherMemberNorClient)
}

func allowListGaterRefusesWhoIsNeitherMemberNorClient(t *testing.T) {
	members := freeMembers(t, 2)
	asked := make(chan [32]byte, 64)
	cfg := configOf(members, 0)
	cfg.AllowClient = func(key [32]byte) bool {
		asked <- key
		return false
	}
	startHost(t, cfg, newRecorder())
	stranger := newRawPeer(t, seedOf(200), members)
	if stream, err := stranger.reach(within(t), stranger.members[0], replicaProtocol); err == nil {
		t.Fatalf("a stranger got %v", stream)
	}
	if got := next(t, asked); got != keyOf(seedOf(200)) {
		t.Fatalf("asked about %x", got)
	}
	eventually(t, "the connection is gone", func() bool { return len(stranger.Conns()) == 0 })
}

func TestAllowList_OneProtocolEach(t *testing.T) { overEach(t, allowListOneProtocolEach) }

func allowListOneProtocolEach(t *testing.T) {
	client := seedOf(100)
	members := freeMembers(t, 2)
	cfg := configOf(members, 0)
	cfg.AllowClient = func([32]byte) bool { return true }
	host := startHost(t, cfg, newRecorder())

	asReplica := newRawPeer(t, client, members)
	stream, err := asReplica.reach(within(t), asReplica.members[0], replicaProtocol)
	if err == nil {
		ends(t, stream)
	}
	asClient := newRawPeer(t, seedOf(1), members)
	if stream, err = asClient.reach(within(t), asClient.members[0], clientProtocol); err == nil {
		ends(t, stream)
	}
	if host.Peers()[1].Inbound || host.Clients().Links != 0 {
		t.Fatalf("served all the same: %+v, %+v", host.Peers()[1], host.Clients())
	}
}

func TestAllowList_UnregisteredClientIsToldWhereToLook(t *testing.T) {
	overEach(t, allowListUnregisteredClientIsToldWhereToLook)
}

func allowListUnregisteredClientIsToldWhereToLook(t *testing.T) {
	c := startCluster(t, 1, admit(keyOf(seedOf(100))))
	client, _ := c.dial(t, seedOf(101), nil)
	eventually(t, "the refusal is noticed", func() bool { return client.Peers()[0].LastError != "" })

	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	err := client.WaitConnected(ctx, 1)
	if err == nil || !strings.Contains(err.Error(), "connected to 0 of 1 replicas, 1 needed") ||
		!strings.Contains(err.Error(), "does it list this key?") || strings.Contains(err.Error(), "\n") {
		t.Fatalf("got %v", err)
	}
	if client.Send(0, []byte("x")) {
		t.Fatal("a refused client can send")
	}
}

func TestClient_SeveralConnectionsUnderOneKeyAreSeparateLinks(t *testing.T) {
	overEach(t, clientSeveralConnectionsUnderOneKeyAreSeparateLinks)
}

func clientSeveralConnectionsUnderOneKeyAreSeparateLinks(t *testing.T) {
	seed := seedOf(100)
	c := startCluster(t, 1, func(cfg *Config) {
		admit(keyOf(seed))(cfg)
		cfg.MaxLinksPerClient = 3
	})
	links := make(map[*ClientLink]int)
	var answers []*recorder
	for i := range 3 {
		client, heard := c.dial(t, seed, nil)
		if err := client.WaitConnected(within(t), 1); err != nil {
			t.Fatal(err)
		}
		client.Send(0, []byte{byte(i)})
		asked := next(t, c.heard[0].clients)
		links[asked.link] = int(asked.frame[0])
		answers = append(answers, heard)
	}
	if len(links) != 3 || c.hosts[0].Clients().Links != 3 {
		t.Fatalf("%d links, %+v", len(links), c.hosts[0].Clients())
	}
	for link, i := range links {
		link.Send([]byte{byte(i)})
		if got := next(t, answers[i].replicas); got.frame[0] != byte(i) {
			t.Fatalf("connection %d got the answer of %d", i, got.frame[0])
		}
	}
	fourth, _ := c.dial(t, seed, nil)
	eventually(t, "one too many is told why", func() bool {
		return strings.Contains(fourth.Peers()[0].LastError, "too many connections under this client key, 3")
	})
	asker, _ := c.dial(t, seed, func(cfg *ClientConfig) { cfg.AskOnly = true })
	if err := asker.WaitConnected(within(t), 1); err != nil {
		t.Fatal("there is room to ask:", err)
	}
	asker.Send(0, []byte("?"))
	if asked := next(t, c.heard[0].clients); !asked.link.AsksOnly() || c.hosts[0].Clients().Links != 3 {
		t.Fatalf("asks only %v, %+v", asked.link.AsksOnly(), c.hosts[0].Clients())
	}
	for link := range links {
		link.Close()
		next(t, c.heard[0].gone)
		break
	}
}

// A handler that is busy with a frame does not read further frames. So it would not see that the connection has ended.
func TestClient_ALinksContextEndsWithItWhileTheHandlerIsBusy(t *testing.T) {
	overEach(t, clientALinksContextEndsWithItWhileTheHandlerIsBusy)
}

func clientALinksContextEndsWithItWhileTheHandlerIsBusy(t *testing.T) {
	seed := seedOf(100)
	c := startCluster(t, 1, admit(keyOf(seed)))
	client, _ := c.dial(t, seed, nil)
	if err := client.WaitConnected(within(t), 1); err != nil {
		t.Fatal(err)
	}
	room := cap(c.heard[0].clients)
	for range room + 1 {
		client.Send(0, []byte("x"))
	}
	eventually(t, "the handler blocks", func() bool { return c.hosts[0].Clients().Received == uint64(room+1) })
	link := next(t, c.heard[0].clients).link
	client.Send(0, []byte("x"))
	eventually(t, "the handler blocks again", func() bool { return c.hosts[0].Clients().Received == uint64(room+2) })
	if link.Context().Err() != nil {
		t.Fatal("the context ended before the link")
	}
	if err := client.Close(); err != nil {
		t.Fatal(err)
	}
	select {
	case <-link.Context().Done():
	case <-within(t).Done():
		t.Fatal("the context outlives the link")
	}
	if len(c.heard[0].gone) > 0 {
		t.Fatal("the handler had returned")
	}
}
