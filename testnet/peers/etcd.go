package main

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"time"

	"go.etcd.io/etcd/api/v3/version"
	clientv3 "go.etcd.io/etcd/client/v3"
	"go.etcd.io/etcd/server/v3/embed"

	"tagma/internal/bench"
)

var etcdVersion = version.Version

const (
	memberCommand = "member" // the argument that makes this program one member of etcd
	members       = 3
)

// runMember runs one member of etcd until the context ends. The arguments: name, directory, client URL, peer URL, cluster.
func runMember(ctx context.Context, args []string) error {
	if len(args) != 5 {
		return errors.New("member takes NAME DIR CLIENT-URL PEER-URL CLUSTER")
	}
	cfg := embed.NewConfig()
	cfg.Name, cfg.Dir, cfg.InitialCluster = args[0], args[1], args[4]
	client, err := url.Parse(args[2])
	if err != nil {
		return err
	}
	peer, err := url.Parse(args[3])
	if err != nil {
		return err
	}
	cfg.ListenClientUrls, cfg.AdvertiseClientUrls = []url.URL{*client}, []url.URL{*client}
	cfg.ListenPeerUrls, cfg.AdvertisePeerUrls = []url.URL{*peer}, []url.URL{*peer}
	cfg.LogLevel = "error"
	server, err := embed.StartEtcd(cfg)
	if err != nil {
		return err
	}
	defer server.Close()
	select {
	case <-ctx.Done():
		return nil
	case err := <-server.Err():
		return err
	}
}

type etcd struct {
	processes
	endpoints []string
}

func startEtcd(ctx context.Context, dir string) (*etcd, error) {
	if err := os.Mkdir(dir, 0o755); err != nil {
		return nil, err
	}
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	ports, err := freePorts(2 * members)
	if err != nil {
		return nil, err
	}
	e := &etcd{}
	var peers, cluster []string
	for i := range members {
		e.endpoints = append(e.endpoints, fmt.Sprintf("http://127.0.0.1:%d", ports[2*i]))
		peers = append(peers, fmt.Sprintf("http://127.0.0.1:%d", ports[2*i+1]))
		cluster = append(cluster, fmt.Sprintf("m%d=%s", i, peers[i]))
	}
	for i := range members {
		name := fmt.Sprintf("m%d", i)
		err := e.launch(filepath.Join(dir, name+".log"), self, memberCommand, name, filepath.Join(dir, name), e.endpoints[i],
			peers[i], strings.Join(cluster, ","))
		if err != nil {
			e.stop()
			return nil, err
		}
	}
	err = until(ctx, "start etcd, whose logs are in "+dir, func(ctx context.Context) error {
		callers, hangUp, err := e.dial(ctx, 1)
		if err != nil {
			return err
		}
		defer hangUp()
		ctx, cancel := context.WithTimeout(ctx, 2*time.Second)
		defer cancel()
		return callers[0].Call(ctx, &bench.Request{Keys: [][]byte{[]byte("up")}, Values: [][]byte{{}}})
	})
	if err != nil {
		e.stop()
		return nil, err
	}
	return e, nil
}

func (e *etcd) dial(ctx context.Context, connections int) (callers []bench.Caller, hangUp func(), err error) {
	hangUp = func() {
		for _, c := range callers {
			_ = c.(etcdCaller).Close() // nothing is under way
		}
	}
	for i := range connections {
		// Each connection goes to one member; connections are spread evenly over the members.
		c, err := clientv3.New(clientv3.Config{
			Endpoints: []string{e.endpoints[i%members]}, DialTimeout: 10 * time.Second, Context: ctx,
		})
		if err != nil {
			hangUp()
			return nil, nil, err
		}
		callers = append(callers, etcdCaller{c})
	}
	return callers, hangUp, nil
}

// etcdCaller sends etcd the operations that Tagma gets: linearizable reads and puts. Operations of one request are sent one
// after the other.
type etcdCaller struct{ *clientv3.Client }

func (c etcdCaller) Call(ctx context.Context, r *bench.Request) error {
	for i, key := range r.Keys {
		var err error
		if r.Read {
			_, err = c.Get(ctx, string(key))
		} else {
			_, err = c.Put(ctx, string(key), string(r.Values[i]))
		}
		if err != nil {
			return err
		}
	}
	return nil
}
