// Package client talks to a Tagma cluster. Dial opens a session. The session's operations are executed exactly once
// and in one total order. A result is believed when f+1 distinct replicas gave it, so that f lying replicas cannot
// forge one.
//
//	c, err := client.Dial(ctx, "cluster.toml", "client.key")
//	if err != nil {
//		return err
//	}
//	defer c.Close()
//	_, err = kv.NewClient(c).Put(ctx, "greeting", []byte("hello"))
//
// A Client is safe for concurrent use and should be shared, because one client can have many requests open at a time.
// Requests that overlap are executed in any order; send a request that must follow another one only when the other
// was answered.
//
// The package owns numbering, signing, retransmission and the judgement of replies. It does not interpret operations:
// typed clients, such as kv.NewClient returns, are beside their machines. It never trusts a single replica.
package client
