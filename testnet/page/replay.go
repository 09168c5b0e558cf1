package page

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"syscall"
	"time"

	"golang.org/x/net/netutil"

	"tagma/internal/page"
	"tagma/internal/trace"
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

// ShowTrace shows a trace on a page at a port until the context ends. The error is one line for whoever named them.
func ShowTrace(ctx context.Context, w io.Writer, port int, file string) error {
	p, err := Replay(file)
	if err != nil {
		return fmt.Errorf("%s: %w", file, err)
	}
	s, err := Listen(port)
	if err != nil {
		return err
	}
	s.Say(w)
	s.Serve(ctx, p)
	return nil
}

// Replay is a page that shows a trace. The error is a trace.BadFileError if the file has no head of a trace.
func Replay(file string) (*page.Page, error) {
	head, err := headOf(file)
	if err != nil {
		return nil, err
	}
	title := filepath.Base(file)
	if head.Name != "" {
		title = head.Name + " (" + title + ")"
	}
	about := page.About{Mode: page.Trace, Title: title, Engine: head.Engine}.Sized(head.Replicas)
	return &page.Page{
		About:  func() page.About { return about },
		Stream: func(ctx context.Context, out *page.Lines) error { return play(ctx, file, out) },
	}, nil
}

func headOf(name string) (trace.Header, error) {
	file, err := os.Open(name)
	if err != nil {
		return trace.Header{}, err
	}
	defer file.Close() //nolint:errcheck // nothing was written
	r, err := trace.NewReader(file)
	if err != nil {
		return trace.Header{}, &trace.BadFileError{Err: err}
	}
	return r.Header, nil
}

// What is read of a trace at a time, and how long a line may be: far longer than any event.
const (
	portion     = 64 << 10
	longestLine = 16 << 20
)

// play sends a trace as it is in the file, its head as a frame.
func play(ctx context.Context, name string, out *page.Lines) error {
	head, err := headOf(name)
	if err != nil {
		return err
	}
	file, err := os.Open(name)
	if err != nil {
		return err
	}
	defer file.Close() //nolint:errcheck // nothing was written
	lines := bufio.NewScanner(file)
	lines.Buffer(nil, longestLine)
	lines.Scan() // the head
	text := bytes.NewBuffer(page.Header(head))
	for lines.Scan() && ctx.Err() == nil {
		if len(lines.Bytes()) > 0 {
			text.Write(lines.Bytes())
			text.WriteByte('\n')
		}
		if text.Len() >= portion {
			if err := out.Write(text.Bytes()); err != nil {
				return err
			}
			text.Reset()
		}
	}
	if err := lines.Err(); err != nil {
		text.Write(page.Frame{Frame: "note", Text: fmt.Sprintf("the rest of %s cannot be read: %v", filepath.Base(name), err)}.Line())
	}
	text.Write(page.Frame{Frame: "kept"}.Line())
	return errors.Join(ctx.Err(), out.Write(text.Bytes()))
}
