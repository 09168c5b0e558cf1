// Package reach connects programs of this module to a cluster whose file and key they have in memory, by converting
// both for package client. It owns nothing else.
package reach

import (
	"context"
	"crypto/ed25519"
	"fmt"

	"tagma/client"
	"tagma/client/status"
	"tagma/crypto"
	"tagma/internal/cluster"
)

// Parts converts a file and a key to the types of package client.
func Parts(file *cluster.File, key *crypto.PrivateKey) (*client.Cluster, *client.Key, error) {
	c, err := Cluster(file)
	if err != nil {
		return nil, nil, err
	}
	seed := key.Seed()
	k, err := client.NewKey(ed25519.NewKeyFromSeed(seed[:]))
	return c, k, err
}

// Cluster converts a file to the type of package client.
func Cluster(file *cluster.File) (*client.Cluster, error) {
	content, err := file.Encode()
	if err != nil {
		return nil, fmt.Errorf("encode the cluster file: %w", err)
	}
	return client.ParseCluster(content)
}

// Dial opens a session.
func Dial(ctx context.Context, file *cluster.File, key *crypto.PrivateKey, opts ...client.Option) (*client.Client, error) {
	c, k, err := Parts(file, key)
	if err != nil {
		return nil, err
	}
	return client.DialCluster(ctx, c, k, opts...)
}

// Inquire asks every replica for a report on itself, and judges the reports.
func Inquire(ctx context.Context, file *cluster.File, key *crypto.PrivateKey) (*status.Status, error) {
	c, k, err := Parts(file, key)
	if err != nil {
		return nil, err
	}
	return client.Inquire(ctx, c, k)
}
