// Package client talks to a Tagma cluster. Dial opens a session; the session's operations are executed exactly once and
// in one total order, and a result is believed when f+1 distinct replicas gave it, so that no f liars can forge one.
//
//	c, err := client.Dial(ctx, "cluster.toml", "client.key")
//	if err != nil {
//		return err
//	}
//	defer c.Close()
//	_, err = kv.NewClient(c).Put(ctx, "greeting", []byte("hello"))
//
// A Client is safe for concurrent use and meant to be shared: one of them keeps many requests under way. Requests that
// overlap have no order among themselves; one that must follow another is sent when the other was answered.
//
// The package owns numbering, signing, retransmission and the judgement of replies. It does not interpret operations: the
// calls of a machine, such as those of kv.NewClient, lie beside the machine. It never trusts a single replica.
package client
