package network

import (
	"bytes"
	"fmt"
	"testing"
)

func TestExchange_EveryReplicaHearsEveryOther(t *testing.T) {
	overEach(t, exchangeEveryReplicaHearsEveryOther)
}

func exchangeEveryReplicaHearsEveryOther(t *testing.T) {
	const n = 4
	c := startCluster(t, n, nil)
	for i, h := range c.hosts {
		for to := range n {
			h.Send(to, fmt.Appendf(nil, "%d to %d", i, to))
		}
	}
	for i, heard := range c.heard {
		froms := make(map[int]bool)
		for range n - 1 {
			got := next(t, heard.replicas)
			if want := fmt.Sprintf("%d to %d", got.from, i); string(got.frame) != want {
				t.Fatalf("replica %d got %q from %d, want %q", i, got.frame, got.from, want)
			}
			froms[got.from] = true
		}
		if len(froms) != n-1 || froms[i] {
			t.Fatalf("replica %d heard %v", i, froms)
		}
		if state := c.hosts[i].Peers()[i]; state.Connected || state.Dropped != 1 {
			t.Fatalf("own entry: %+v; a frame to oneself is dropped and counted", state)
		}
	}
}

func TestExchange_LargeFramesPassWhole(t *testing.T) { overEach(t, exchangeLargeFramesPassWhole) }

func exchangeLargeFramesPassWhole(t *testing.T) {
	c := startCluster(t, 2, nil)
	frame := make([]byte, 3<<20)
	for i := range frame {
		frame[i] = byte(i * 7 / 5)
	}
	c.hosts[0].Send(1, frame)
	if got := next(t, c.heard[1].replicas); !bytes.Equal(got.frame, frame) {
		t.Fatal("the frame was changed on its way")
	}
	c.hosts[0].Send(1, nil)
	if got := next(t, c.heard[1].replicas); len(got.frame) != 0 {
		t.Fatalf("an empty frame arrived with %d bytes", len(got.frame))
	}
}

func TestExchange_OrderIsKept(t *testing.T) { overEach(t, exchangeOrderIsKept) }

func exchangeOrderIsKept(t *testing.T) {
	c := startCluster(t, 2, nil)
	const frames = 5000
	for i := range frames {
		c.hosts[0].Send(1, fmt.Appendf(nil, "%d", i))
	}
	for i := range frames {
		if got := next(t, c.heard[1].replicas); string(got.frame) != fmt.Sprint(i) {
			t.Fatalf("frame %q arrived as number %d", got.frame, i)
		}
	}
	eventually(t, "all are counted as sent", func() bool { return c.hosts[0].Peers()[1].Sent == frames })
	if got := c.hosts[1].Peers()[0].Received; got != frames {
		t.Fatalf("received %d, want %d", got, frames)
	}
}

func TestClient_AsksEveryReplicaAndEachAnswers(t *testing.T) {
	overEach(t, clientAsksEveryReplicaAndEachAnswers)
}

func clientAsksEveryReplicaAndEachAnswers(t *testing.T) {
	seed := seedOf(100)
	c := startCluster(t, 4, admit(keyOf(seed)))
	client, answers := c.dial(t, seed, nil)
	if err := client.WaitConnected(within(t), 4); err != nil {
		t.Fatal(err)
	}
	for i := range c.hosts {
		if !client.Send(i, []byte("question")) {
			t.Fatalf("replica %d is connected and takes nothing", i)
		}
		asked := next(t, c.heard[i].clients)
		if asked.link.Key() != keyOf(seed) || string(asked.frame) != "question" {
			t.Fatalf("replica %d got %q from %x", i, asked.frame, asked.link.Key())
		}
		if !asked.link.Send([]byte("answer")) {
			t.Fatal("the client is connected and takes nothing")
		}
		if got := next(t, answers.replicas); got.from != i || string(got.frame) != "answer" {
			t.Fatalf("client got %q from %d", got.frame, got.from)
		}
	}
}
