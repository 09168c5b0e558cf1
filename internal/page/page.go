package page

import (
	"context"
	"crypto/rand"
	"crypto/subtle"
	"embed"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"net/http"
	"net/netip"
	"os"
	"strings"
)

//go:embed all:dist
var built embed.FS

// Page is one page and what it asks for.
type Page struct {
	About  func() About
	Stream func(context.Context, *Lines) error // writes lines until the context ends or all is written
	Why    func(context.Context) (any, error)  // nil: it cannot be told
	// Act does what the page asks for. The page shows the text of its error, so the text must say what to do. If Act is
	// nil, the page offers no acts.
	Act func(context.Context, *Act) (*Done, error)
	// Returns the file with the trace of a card that was shown; nil: there are no cards.
	Card func(name string) (file string, err error)

	Token   string // every call must contain it; "": none is needed
	Abroad  bool   // the page is also served under addresses that are no loopback, if they are numbers and not names
	Looking int    // how many streams there may be at a time
}

// NewToken makes a token that nobody can guess.
func NewToken() string {
	var b [16]byte
	_, _ = rand.Read(b[:]) // it never fails
	return hex.EncodeToString(b[:])
}

// policy is the content security policy: the page may load only what this server sends.
const policy = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:; font-src 'self'; connect-src 'self'; " +
	"base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

// Handler serves the page. Its paths are relative to where it is mounted.
func (p *Page) Handler() http.Handler {
	assets, err := fs.Sub(built, "dist")
	if err != nil {
		panic(err) // it is embedded
	}
	mux := http.NewServeMux()
	mux.Handle("/", http.FileServerFS(assets))
	mux.HandleFunc("GET /api/about", p.guarded(func(w http.ResponseWriter, _ *http.Request) error {
		return give(w, p.About())
	}))
	places := make(chan struct{}, max(p.Looking, 1))
	mux.HandleFunc("GET /api/stream", p.guarded(func(w http.ResponseWriter, r *http.Request) error {
		select {
		case places <- struct{}{}:
			defer func() { <-places }()
		default:
			return Refusef(http.StatusServiceUnavailable, "busy", "%d pages look already, and no more may; close one of them", cap(places))
		}
		_ = p.Stream(r.Context(), newLines(w)) // an error says that the page does not read any more
		return nil
	}))
	mux.HandleFunc("GET /api/why", p.guarded(func(w http.ResponseWriter, r *http.Request) error {
		if p.Why == nil {
			return Refusef(http.StatusNotFound, "none", "there is no running cluster here to ask why")
		}
		why, err := p.Why(r.Context())
		if err != nil {
			return err
		}
		return give(w, why)
	}))
	mux.HandleFunc("POST /api/act", p.guarded(p.act))
	mux.HandleFunc("GET /api/card/{name}", p.guarded(p.card))
	mux.HandleFunc("/api/", p.guarded(func(_ http.ResponseWriter, r *http.Request) error {
		return Refusef(http.StatusNotFound, "none", "there is no %s %s", r.Method, r.URL.Path)
	}))
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("Content-Security-Policy", policy)
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("Referrer-Policy", "no-referrer")
		h.Set("Cross-Origin-Opener-Policy", "same-origin")
		h.Set("Cross-Origin-Resource-Policy", "same-origin")
		h.Set("Cache-Control", "no-cache")
		if !p.hosted(r.Host) {
			told(w, Refusef(http.StatusForbidden, "host", "this page is not served as %q; open it by the address that was printed", r.Host))
			return
		}
		mux.ServeHTTP(w, r)
	})
}

// hosted reports whether the page is served under a Host. Names other than localhost are refused: an attacker's page
// could use a name that resolves to this machine in order to read this page.
func (p *Page) hosted(host string) bool {
	if name, _, err := net.SplitHostPort(host); err == nil {
		host = name
	}
	if strings.EqualFold(host, "localhost") {
		return true
	}
	ip, err := netip.ParseAddr(strings.Trim(host, "[]"))
	return err == nil && (p.Abroad || ip.IsLoopback())
}

// guarded lets only calls with the token through, and sends errors in the form that the page reads.
func (p *Page) guarded(do func(http.ResponseWriter, *http.Request) error) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Cache-Control", "no-store")
		given, whole := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
		if p.Token != "" && (!whole || subtle.ConstantTimeCompare([]byte(given), []byte(p.Token)) != 1) {
			told(w, Refusef(http.StatusUnauthorized, "token", "the token is missing or wrong: open the page by the whole address that was printed"))
			return
		}
		if err := do(w, r); err != nil {
			told(w, err)
		}
	}
}

// mostAct bounds the body of an act. It is larger than the JSON of the longest value of the key-value machine.
const mostAct = 512 << 10

func (p *Page) act(w http.ResponseWriter, r *http.Request) error {
	if p.Act == nil {
		return Refusef(http.StatusForbidden, "read-only", "this page only shows; nothing can be done on it")
	}
	body := json.NewDecoder(http.MaxBytesReader(w, r.Body, mostAct))
	body.DisallowUnknownFields()
	var a Act
	if err := body.Decode(&a); err != nil {
		return Refusef(http.StatusBadRequest, "bad", "this is no act: %v", err)
	}
	done, err := p.Act(r.Context(), &a)
	if err != nil {
		return err
	}
	return give(w, done)
}

func (p *Page) card(w http.ResponseWriter, r *http.Request) error {
	if p.Card == nil {
		return Refusef(http.StatusNotFound, "none", "there are no cards here")
	}
	name, err := p.Card(r.PathValue("name"))
	if err != nil {
		return err
	}
	file, err := os.Open(name)
	if err != nil {
		return fmt.Errorf("read the trace of a card: %w", err)
	}
	defer file.Close() //nolint:errcheck // nothing was written
	w.Header().Set("Content-Type", ndjson)
	_, _ = io.Copy(w, file) // fails only if the page has gone
	return nil
}

// Refusal is an error with its status and a word that a program can decide on.
type Refusal struct {
	Status int
	Code   string
	Err    error
}

func (e *Refusal) Error() string { return e.Err.Error() }

// Unwrap implements errors.
func (e *Refusal) Unwrap() error { return e.Err }

// Refusef makes a Refusal. The sentence says what to do.
func Refusef(status int, code, format string, args ...any) *Refusal {
	return &Refusal{status, code, fmt.Errorf(format, args...)}
}

func give(w http.ResponseWriter, document any) error {
	text, err := json.Marshal(document)
	if err != nil {
		return err
	}
	w.Header().Set("Content-Type", "application/json")
	_, _ = w.Write(append(text, '\n')) // fails only if the page has gone
	return nil
}

func told(w http.ResponseWriter, err error) {
	why := &Refusal{http.StatusInternalServerError, "failed", err}
	errors.As(err, &why)
	text, _ := json.Marshal(map[string]string{"error": err.Error(), "code": why.Code}) // two texts can be written
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(why.Status)
	_, _ = w.Write(append(text, '\n')) // as in give
}
