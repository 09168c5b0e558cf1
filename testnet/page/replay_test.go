package page

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"tagma/internal/page"
	"tagma/internal/trace"
)

// browser does in a test what a browser would do.
type browser struct {
	t      *testing.T
	at     string
	token  string
	client http.Client
}

// browse serves a page, and opens it.
func browse(t *testing.T, p *page.Page) *browser {
	t.Helper()
	s, err := Listen(0)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	served := make(chan struct{})
	go func() { defer close(served); s.Serve(ctx, p) }()
	t.Cleanup(func() { cancel(); <-served })
	at, token, _ := strings.Cut(s.Address(), "#token=")
	b := &browser{t: t, at: at, token: token}
	t.Cleanup(b.client.CloseIdleConnections)
	return b
}

// ask requests a path below api, with a body if that is not nil.
func (b *browser) ask(path string, body any) (int, io.ReadCloser) {
	b.t.Helper()
	method, text := http.MethodGet, []byte(nil)
	if body != nil {
		method = http.MethodPost
		text, _ = json.Marshal(body)
	}
	ctx, cancel := context.WithTimeout(b.t.Context(), time.Minute)
	b.t.Cleanup(cancel)
	r, err := http.NewRequestWithContext(ctx, method, b.at+"api/"+path, bytes.NewReader(text))
	if err != nil {
		b.t.Fatal(err)
	}
	r.Header.Set("Authorization", "Bearer "+b.token)
	answer, err := b.client.Do(r)
	if err != nil {
		b.t.Fatal(err)
	}
	b.t.Cleanup(func() { _ = answer.Body.Close() })
	return answer.StatusCode, answer.Body
}

// get reads a document.
func (b *browser) get(path string, into any) {
	b.t.Helper()
	status, body := b.ask(path, nil)
	if err := json.NewDecoder(body).Decode(into); err != nil || status != http.StatusOK {
		b.t.Fatal(path, status, err)
	}
}

const sample = "../../cmd/tagma-testnet/testdata/replay.jsonl"

// The page receives a trace as it is in the file, and is told at which event to begin.
func TestReplay_StreamsTheFile(t *testing.T) {
	text, err := os.ReadFile(sample)
	if err != nil {
		t.Fatal(err)
	}
	head, events, _ := strings.Cut(string(text), "\n")
	moment := filepath.Join(t.TempDir(), "moment.jsonl")
	head = strings.Replace(head, `"seed":5`, `"seed":5,"moment_us":77`, 1)
	if err := os.WriteFile(moment, []byte(head+"\n"+events), 0o600); err != nil {
		t.Fatal(err)
	}
	p, err := Replay(moment)
	if err != nil {
		t.Fatal(err)
	}
	b := browse(t, p)
	for range 2 { // the file can be requested several times
		_, body := b.ask("stream", nil)
		got, err := io.ReadAll(body)
		if err != nil {
			t.Fatal(err)
		}
		first, rest, _ := strings.Cut(string(got), "\n")
		if !strings.HasPrefix(first, `{"frame":"header",`) || !strings.Contains(first, `"moment_us":77`) || rest != events+"{\"frame\":\"kept\"}\n" {
			t.Fatalf("the stream begins with %s and has %d bytes more, the file %d", first, len(rest), len(events))
		}
	}
	var about page.About
	if b.get("about", &about); about.Mode != page.Trace || about.Replicas != 4 || about.Quorum != 3 || len(about.Acts) != 0 {
		t.Errorf("%+v", about)
	}
	if status, _ := b.ask("act", page.Act{Act: "kill", Replicas: []int{1}}); status != http.StatusForbidden {
		t.Errorf("an act is answered %d", status)
	}
}

func TestReplay_SaysWhatIsWrongWithAFile(t *testing.T) {
	dir := t.TempDir()
	if _, err := Replay(filepath.Join(dir, "none")); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("%v", err)
	}
	bad := filepath.Join(dir, "bad")
	if err := os.WriteFile(bad, []byte("hello\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := Replay(bad); !errors.As(err, new(*trace.BadFileError)) {
		t.Errorf("%v", err)
	}
	long := filepath.Join(dir, "long")
	if err := os.WriteFile(long, []byte(`{"tagma_trace":1,"engine":"sim","replicas":4}`+"\n"+strings.Repeat("x", longestLine+1)), 0o600); err != nil {
		t.Fatal(err)
	}
	p, err := Replay(long)
	if err != nil {
		t.Fatal(err)
	}
	_, body := browse(t, p).ask("stream", nil)
	lines := bufio.NewScanner(body)
	var got []string
	for lines.Scan() {
		got = append(got, lines.Text())
	}
	if len(got) != 3 || !strings.Contains(got[1], `"frame":"note"`) || !strings.Contains(got[1], "cannot be read") {
		t.Errorf("%q", got)
	}
}

func TestListen_SaysWhatIsWrongWithAPort(t *testing.T) {
	s, err := Listen(0)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	at, token, _ := strings.Cut(strings.TrimPrefix(s.Address(), "http://127.0.0.1:"), "/#token=")
	port := 0
	for _, digit := range at {
		port = 10*port + int(digit-'0')
	}
	if _, err := Listen(port); err == nil || !strings.Contains(err.Error(), "is taken") || len(token) != 32 {
		t.Errorf("%v, %s", err, token)
	}
	for _, port := range []int{-2, 65536} {
		if _, err := Listen(port); err == nil || !strings.Contains(err.Error(), "is no port") {
			t.Errorf("%v", err)
		}
	}
}
