package command

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"regexp"
	"strings"
	"syscall"

	"tagma/internal/quote"
)

// Quote quotes a user's input, shortened if it is long.
func Quote(s string) string { return quote.Short(s) }

// message is an error in the form in which a user reads it: one line, with an explanation instead of the errors of Go
// or of the system, and without thousands of bytes of input.
func message(err error) string {
	text := long.ReplaceAllStringFunc(OneLine(err.Error()), cut)
	for _, w := range foreign {
		if errors.Is(err, w.is) && strings.HasSuffix(text, w.says) {
			text = strings.TrimSuffix(text, w.says) + w.ours
			break
		}
	}
	return inWords.Replace(text)
}

// long matches a quoted string or a word that is too long for a message.
var long = regexp.MustCompile(`"(?:[^"\\]|\\.){160,}"|[^\s"]{240,}`)

// cut keeps the beginning of a long text.
func cut(s string) string {
	const kept = 60
	begin := strings.ToValidUTF8(strings.TrimRight(s[:kept], `\`), "")
	if s[0] == '"' {
		begin += `"`
	}
	return begin + fmt.Sprintf("… (%d bytes)", len(s))
}

// foreign lists the errors of Go and of the system that may end a message, and the text that replaces each of them.
var foreign = []struct {
	is   error
	says string
	ours string
}{
	{fs.ErrNotExist, fs.ErrNotExist.Error(), "there is no such file; check the path"},
	{fs.ErrNotExist, syscall.ENOENT.Error(), "there is no such file; check the path"},
	{syscall.ENOTDIR, syscall.ENOTDIR.Error(), "a part of this path is no directory; check the path"},
	{syscall.EISDIR, syscall.EISDIR.Error(), "it is a directory; name a file"},
	{fs.ErrExist, syscall.EEXIST.Error(), "it exists already; choose another name"},
	{fs.ErrPermission, syscall.EACCES.Error(), "this user may not do that; change the owner or the mode"},
	{fs.ErrPermission, syscall.EPERM.Error(), "this user may not do that; change the owner or the mode"},
	{syscall.EROFS, syscall.EROFS.Error(), "the file system is read-only; choose another place"},
	{syscall.ENOSPC, syscall.ENOSPC.Error(), "the disk is full; make room on it"},
	{syscall.EMFILE, syscall.EMFILE.Error(), "too many files are open; raise the limit (ulimit -n)"},
	{syscall.EADDRINUSE, syscall.EADDRINUSE.Error(), "another process has this port; stop it or choose another port"},
	{syscall.EADDRNOTAVAIL, syscall.EADDRNOTAVAIL.Error(), "this machine has no such address; choose one that it has"},
	{context.DeadlineExceeded, context.DeadlineExceeded.Error(), "time ran out; give it more, or see what is slow"},
}

// inWords replaces the errors of contexts, wherever they are in a message.
var inWords = strings.NewReplacer(
	context.DeadlineExceeded.Error(), "time ran out",
	": interrupt signal received", " by a signal",
	": terminated signal received", " by a signal",
	": hangup signal received", " by a signal",
	context.Canceled.Error(), "interrupted",
)
