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

// Bounds of the server. A browser opens a few connections, and one of them is the stream.
const (
	connections = 64
	streams     = 8
	askPatience = 5 * time.Second
	endPatience = 500 * time.Millisecond
)

// Server serves a page to browsers on this machine only.
type Server struct {
	listener net.Listener
	token    string
}

// None is used instead of a port if no page is wanted.
const None = -1

// Listen opens a port of the loopback; with 0 it takes a free one. The error has one line, for the user who chose the
// port.
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

// Say prints the address of the page.
func (s *Server) Say(w io.Writer) {
	_, _ = fmt.Fprintf(w, "the page is at\n  %s\nwhoever has this address can do there what you can; Ctrl-C ends it\n", s.Address())
}

// Address returns the address for a browser. The token in it follows a #, so that no server and no log gets it.
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
		_ = server.Close() // this cuts off requests that are still being answered
	}
	<-served
}

// Close releases the port if Serve was never called.
func (s *Server) Close() { _ = s.listener.Close() }

// UI is the page of a command that runs a cluster. A nil UI does nothing; it means that no page is wanted.
type UI struct {
	server *Server
	end    func() // ends what is served
	live   *Live
	run    *run
}

// Open opens a port for a page, as Listen does. With None there is no page.
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

// Options completes the options of a cluster so that it can be shown.
func (u *UI) Options(o local.Options) local.Options {
	if u == nil {
		return o
	}
	return Options(o)
}

// Show shows a cluster until Close is called, and prints the page's address.
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

// Died must be called when a process has ended that was not told to.
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
