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

// Quote shows what somebody gave, shortened if it is long.
func Quote(s string) string { return quote.Short(s) }

// message is an error as a user reads it: one line in our own words, with the mend where Go or the system told the error
// last, and without the thousands of bytes that somebody gave.
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

// long matches a quoted string or a word that is longer than a message can carry.
var long = regexp.MustCompile(`"(?:[^"\\]|\\.){160,}"|[^\s"]{240,}`)

// cut leaves the beginning of something long.
func cut(s string) string {
	const kept = 60
	begin := strings.ToValidUTF8(strings.TrimRight(s[:kept], `\`), "")
	if s[0] == '"' {
		begin += `"`
	}
	return begin + fmt.Sprintf("… (%d bytes)", len(s))
}

// foreign are the errors of Go and of the system that a message may end with, as they are told there and by us.
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

// inWords tells what contexts say, wherever it stands.
var inWords = strings.NewReplacer(
	context.DeadlineExceeded.Error(), "time ran out",
	": interrupt signal received", " by a signal",
	": terminated signal received", " by a signal",
	": hangup signal received", " by a signal",
	context.Canceled.Error(), "interrupted",
)
