package page

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"tagma/internal/page"
	"tagma/internal/trace"
)

// ShowTrace shows a trace on a page at a port until the context ends. Its errors have one line, for the user who gave
// the file and the port.
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

// Replay returns a page that shows a trace. If the file does not begin with the header of a trace, the error is a
// trace.BadFileError.
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
		Stream: func(ctx context.Context, out *page.Lines) error { return playFile(ctx, file, out) },
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

// How many bytes of a trace are read at a time; and how long a line may be, which is far longer than any event.
const (
	portion     = 64 << 10
	longestLine = 16 << 20
)

// playFile sends a trace as it is in the file. Its header is sent as a frame.
func playFile(ctx context.Context, name string, out *page.Lines) error {
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
	text.Write(page.Kept)
	return errors.Join(ctx.Err(), out.Write(text.Bytes()))
}
