package node

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"path/filepath"
	"strconv"
	"sync/atomic"
	"syscall"
	"time"

	"golang.org/x/net/netutil"
)

// admin serves what can be read from a running node over HTTP: metrics, health, report and profiles. It does not
// authenticate anybody, so its address should be on the loopback. It only reads, and its failure never stops a replica
// that votes.
type admin struct {
	node     *Node
	listener net.Listener // accepts at most adminConnections at once; further ones wait
	open     atomic.Int64 // number of connections
}

// openAdmin listens on the admin address of the settings. If the settings have no admin address it returns nil, and all
// methods may be called on nil.
func openAdmin(n *Node) (*admin, error) {
	address := n.home.Settings.Admin
	if address == "" {
		return nil, nil
	}
	l, err := net.Listen("tcp", address)
	if err != nil {
		why := err.Error()
		if errors.Is(err, syscall.EADDRINUSE) {
			why = "the port is taken"
		}
		return nil, fmt.Errorf("listen on the admin address %s: %s; stop what uses it or change admin in %s",
			address, why, filepath.Join(n.home.Dir, ConfigFile))
	}
	a := &admin{node: n, listener: netutil.LimitListener(l, adminConnections)}
	if tcp, ok := l.Addr().(*net.TCPAddr); !ok || !tcp.IP.IsLoopback() {
		n.log.Warn("the admin address can be reached from other machines and asks for no password: let a firewall guard it",
			"address", a.address())
	}
	return a, nil
}

// checkAdmin refuses an address that is not host:port.
func checkAdmin(address string) error {
	if address == "" {
		return nil
	}
	_, port, err := net.SplitHostPort(address)
	if err == nil {
		_, err = strconv.ParseUint(port, 10, 16)
	}
	if err != nil {
		return fmt.Errorf("%q is no host:port; give one such as 127.0.0.1:7100, or leave it empty to serve none", address)
	}
	return nil
}

func (a *admin) address() string {
	if a == nil {
		return ""
	}
	return a.listener.Addr().String()
}

// count keeps the number of connections.
func (a *admin) count(_ net.Conn, state http.ConnState) {
	switch state {
	case http.StateNew:
		a.open.Add(1)
	case http.StateClosed, http.StateHijacked:
		a.open.Add(-1)
	case http.StateActive, http.StateIdle:
	}
}

// close releases the address if serve was never called.
func (a *admin) close() error {
	if a == nil {
		return nil
	}
	return a.listener.Close()
}

// How long a peer may take to ask and to read its answer, and how long an answer may take to end when the replica stops.
const (
	askPatience  = 5 * time.Second
	readPatience = 2 * time.Minute  // a profile may take this long in addition to the time that it covers
	idlePatience = 30 * time.Second // keeping few idle connections matters more than the cost of a new one per scrape
	stopPatience = 500 * time.Millisecond
)

// serve answers requests until the context ends.
func (a *admin) serve(ctx context.Context) {
	if a == nil {
		return
	}
	log := a.node.log
	server := a.server(ctx, a.routes())
	stopped := make(chan struct{})
	go func() {
		defer close(stopped)
		if err := server.Serve(a.listener); !errors.Is(err, http.ErrServerClosed) {
			log.Error("the admin address no longer serves; the replica goes on", "error", err)
		}
	}()
	log.Info("admin address serves", "address", a.address())
	<-ctx.Done()
	patience, cancel := context.WithTimeout(context.WithoutCancel(ctx), stopPatience)
	defer cancel()
	if server.Shutdown(patience) != nil {
		_ = server.Close() // cuts off the requests that are still being answered
	}
	<-stopped
}

// server returns an HTTP server that closes a connection whose peer neither sends requests nor reads answers, because
// only few connections are allowed.
func (a *admin) server(ctx context.Context, routes http.Handler) *http.Server {
	return &http.Server{
		Handler: routes, ReadHeaderTimeout: askPatience, MaxHeaderBytes: 16 << 10,
		IdleTimeout: idlePatience, WriteTimeout: readPatience, ConnState: a.count,
		BaseContext: func(net.Listener) context.Context { return ctx }, // a running profile is ended when the replica stops
		ErrorLog:    slog.NewLogLogger(a.node.log.Handler(), slog.LevelDebug),
	}
}
