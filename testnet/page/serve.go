package page

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strconv"
	"sync"
	"syscall"
	"time"

	"golang.org/x/net/netutil"

	"tagma/internal/page"
	"tagma/testnet/local"
)

// Bounds of a server: a browser opens a handful of connections, one of which is the stream.
const (
	connections = 64
	streams     = 8
	askPatience = 5 * time.Second
	endPatience = 500 * time.Millisecond
)

// Server serves a page to this machine alone.
type Server struct {
	listener net.Listener
	token    string
}

// None is in place of a port where no page is asked for.
const None = -1

// Listen takes a port of the loopback; 0: a free one. The error is one line for whoever chose the port.
func Listen(port int) (*Server, error) {
	if port < 0 || port > 65535 {
		return nil, fmt.Errorf("--ui=%d is no port; give one from 1 to 65535, or --ui alone to have a free one found", port)
	}
	l, err := net.Listen("tcp4", net.JoinHostPort("127.0.0.1", strconv.Itoa(port)))
	if errors.Is(err, syscall.EADDRINUSE) {
		return nil, fmt.Errorf("the page's port %d is taken; name another one with --ui=PORT, or none to have a free one found", port)
	}
	if err != nil {
		return nil, fmt.Errorf("listen for the page: %w", err)
	}
	return &Server{netutil.LimitListener(l, connections), page.NewToken()}, nil
}

// Say prints where the page is.
func (s *Server) Say(w io.Writer) {
	_, _ = fmt.Fprintf(w, "the page is at\n  %s\nwhoever has this address can do there what you can; Ctrl-C ends it\n", s.Address())
}

// Address is what a browser is given. The token in it is behind a #, so that no server or log sees it.
func (s *Server) Address() string {
	return fmt.Sprintf("http://%s/#token=%s", s.listener.Addr(), s.token)
}

// Serve serves a page until the context ends.
func (s *Server) Serve(ctx context.Context, p *page.Page) {
	p.Token, p.Looking = s.token, streams
	server := &http.Server{
		Handler: p.Handler(), ReadHeaderTimeout: askPatience, MaxHeaderBytes: 16 << 10,
		BaseContext: func(net.Listener) context.Context { return ctx }, // streams end with it
	}
	served := make(chan struct{})
	go func() {
		defer close(served)
		_ = server.Serve(s.listener) // it ends below
	}()
	<-ctx.Done()
	patience, cancel := context.WithTimeout(context.WithoutCancel(ctx), endPatience)
	defer cancel()
	if server.Shutdown(patience) != nil {
		_ = server.Close() // cuts off what is still being answered
	}
	<-served
}

// Close releases the port if Serve was never called.
func (s *Server) Close() { _ = s.listener.Close() }

// UI is the page of a command that runs a cluster. A nil one does nothing: nobody asked for a page.
type UI struct {
	server *Server
	end    func() // ends what is served
	live   *Live
	run    *run
}

// Open takes a port for a page, as Listen does; None: no page.
func Open(port int) (*UI, error) {
	if port == None {
		return nil, nil
	}
	s, err := Listen(port)
	if err != nil {
		return nil, err
	}
	return &UI{server: s, end: s.Close}, nil
}

// Options prepares a cluster for being shown.
func (u *UI) Options(o local.Options) local.Options {
	if u == nil {
		return o
	}
	return Options(o)
}

// Show shows a cluster until Close, and prints where.
func (u *UI) Show(w io.Writer, c *local.Cluster) {
	if u == nil {
		return
	}
	u.live = NewLive(c, fmt.Sprintf("%d replicas on this machine", len(c.File.Replicas)))
	u.serve(u.live.Page())
	u.server.Say(w)
}

// serve serves a page until the end.
func (u *UI) serve(p *page.Page) {
	ctx, cancel := context.WithCancel(context.Background())
	served := make(chan struct{})
	go func() { defer close(served); u.server.Serve(ctx, p) }()
	u.end = sync.OnceFunc(func() { cancel(); <-served })
}

// Died tells of a process that ended unasked.
func (u *UI) Died(d local.Death) {
	if u != nil && u.live != nil {
		u.live.Died(d)
	}
}

// Close ends the page. It may be called more than once.
func (u *UI) Close() {
	if u == nil {
		return
	}
	u.end()
	if u.live != nil {
		u.live.Close()
		u.live = nil
	}
}
