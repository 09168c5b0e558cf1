package main

import (
	"bufio"
	"bytes"
	"cmp"
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"iter"
	"os"
	"path/filepath"
	"time"

	"github.com/spf13/cobra"

	"tagma/client"
	"tagma/internal/command"
	"tagma/internal/machines"
	"tagma/internal/rescue"
	"tagma/internal/terminal"
	"tagma/statemachine"
	"tagma/statemachine/kv"
)

// line is a key with its value as export writes it and import reads it. Of each pair of fields exactly one is there: the
// second one for bytes that are not UTF-8.
type line struct {
	Key         *string `json:"key,omitempty"`
	KeyBase64   *string `json:"key_base64,omitempty"`
	Value       *string `json:"value,omitempty"`
	ValueBase64 *string `json:"value_base64,omitempty"`
}

func newExport() *cobra.Command {
	var (
		t       target
		out, in string
		since   []string
		at      uint64
	)
	cmd := &cobra.Command{
		Use:   "export",
		Short: "Write all keys of the key-value machine as JSON lines",
		Long: `Write every key with its value, ascending, one JSON document a line: {"key":"…","value":"…"}. Bytes that are not UTF-8
stand in key_base64 and value_base64 instead. Pages are read one after the other, and others may write between two; with
--at they are all of the state after one sequence number, as long as the replicas retain it.

With --in they are those of a backup, and no replica is asked. The backup is verified first, as tagma verify does, against
the cluster file. With --at they are of an earlier state, if the cluster kept a history that reaches back to it.

Nothing certifies what is written, and sessions and revisions are not in it: for that take a backup.`,
		Example: `  tagma export --out keys.jsonl
  tagma export | grep '"key":"user/'
  tagma export --in monday.bak --cluster demo/cluster.toml`,
		Args: command.Takes(),
		RunE: func(cmd *cobra.Command, _ []string) error {
			var chain *rescue.Chain
			var err error
			switch {
			case in != "":
				if chain, err = findBackup(in, since); err != nil {
					return err
				}
			case len(since) > 0:
				return command.Unusablef("export: --since is of a backup; name the one that adds to it with --in FILE")
			}
			var to io.Writer = cmd.OutOrStdout()
			if out != "" {
				file, err := os.OpenFile(out, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
				if errors.Is(err, os.ErrExist) {
					return command.Unusablef("%s exists, and nothing is overwritten: name another file", out)
				} else if err != nil {
					return err
				}
				defer func() { _ = file.Close() }() // synced by then, or given up
				to = file
			}
			written := 0
			if chain != nil {
				written, err = exportBackup(chain, &t, out, to, at, newBar(cmd.ErrOrStderr(), t.JSON))
			} else {
				err = t.do(cmd.Context(), func(ctx context.Context, c *client.Client) error {
					scan := kv.NewClient(c).ScanPrefix(ctx, "")
					if at > 0 {
						scan = kv.NewClient(c).ScanPrefixAt(ctx, "", at)
					}
					written, err = export(scan, to)
					return err
				})
			}
			if file, is := to.(*os.File); is && out != "" && err == nil {
				err = file.Sync()
			}
			if err != nil {
				err = fmt.Errorf("export, after %s: %w", terminal.Count(written, "key"), err)
				if out != "" && written == 0 { // for the next try
					err = errors.Join(err, os.Remove(out))
				}
				return err
			}
			if out == "" {
				return nil
			}
			if t.JSON {
				return command.PrintJSON(cmd.OutOrStdout(), map[string]any{"file": out, "keys": written})
			}
			return terminal.Say(cmd.OutOrStdout(), "%s: %s\n", out, terminal.Count(written, "key"))
		},
	}
	t.flags(cmd, 30*time.Minute)
	t.readSemanticsFlag(cmd)
	cmd.Flags().StringVar(&out, "out", "", "`file` to write; it must not exist (default: standard output)")
	cmd.Flags().StringVar(&in, "in", "", "`file` of a backup: write its keys, and ask no replica")
	cmd.Flags().StringArrayVar(&since, "since", nil, "with --in the backup `file` that it adds to, if it is not beside it (again: that before it)")
	cmd.Flags().Uint64Var(&at, "at", 0, "the state after this `sequence` number")
	return cmd
}

// exportPage is how many keys are read of a backup at once.
const exportPage = 1000

// exportBackup writes the keys of a backup, as the machine reads them. Nothing is written before all of it was verified. Its
// state is unpacked in a directory beside the file out, or where temporary files lie.
func exportBackup(chain *rescue.Chain, t *target, out string, to io.Writer, at uint64, progress *bar) (written int, err error) {
	defer progress.clear()
	file, err := loadCluster(t.Cluster)
	if err != nil {
		return 0, err
	}
	if file.Machine != machines.KV {
		return 0, command.Unusablef("the cluster runs the machine %s, and only the states of %s have keys", file.Machine, machines.KV)
	}
	judge, err := rescue.OfCluster(file)
	if err != nil {
		return 0, err
	}
	beside := ""
	if out != "" {
		beside = filepath.Dir(out)
	}
	dir, err := os.MkdirTemp(beside, ".tagma-export-*")
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	st, err := rescue.Unpack(chain, dir, judge, progress.sharing("verifying"))
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, st.Close()) }()
	service, err := statemachine.New(kv.Machine{History: uint64(file.Protocol.History)}, st, file.Limits())
	if err != nil {
		return 0, err
	}
	defer service.Close()
	seq := chain.Last().Seq
	if err := service.Load(seq); err != nil {
		return 0, err
	}
	progress.clear() // it may be the same terminal
	return export(pagesOf(service, cmp.Or(at, seq)), to)
}

// pagesOf yields all keys of a state, one page after the other.
func pagesOf(service *statemachine.Service, at uint64) iter.Seq2[kv.KeyValue, error] {
	return func(yield func(kv.KeyValue, error) bool) {
		for from := []byte{}; from != nil; {
			result, err := service.Query(kv.Range(from, nil, exportPage), at)
			var page kv.RangeResult
			if err == nil {
				page, err = kv.DecodeRange(result)
			}
			for _, pair := range page.Pairs {
				if !yield(pair, nil) {
					return
				}
			}
			if from = page.Next(); err != nil {
				yield(kv.KeyValue{}, err)
			}
		}
	}
}

func export(scan iter.Seq2[kv.KeyValue, error], to io.Writer) (written int, err error) {
	buffered := bufio.NewWriter(to)
	encoder := json.NewEncoder(buffered)
	encoder.SetEscapeHTML(false)
	for p, err := range scan {
		if err != nil {
			return written, errors.Join(err, buffered.Flush())
		}
		var l line
		l.Key, l.KeyBase64 = textOrBase64(p.Key)
		l.Value, l.ValueBase64 = textOrBase64(p.Value)
		if err := encoder.Encode(l); err != nil {
			return written, err
		}
		written++
	}
	return written, buffered.Flush()
}

func newImport() *cobra.Command {
	var (
		t    target
		skip int
	)
	cmd := &cobra.Command{
		Use:   "import [FILE]",
		Short: "Put all keys of JSON lines, as export writes them",
		Long: `Put every key of FILE, or of standard input, in its order: a later line wins. Lines go in batches, one request each, which
is executed whole and once. Keys that are not named stay as they are.

If it ends early it says how many lines are in for certain. Go on with --skip that many, or import all again: the same keys
get the same values once more, and only their revisions and versions rise.`,
		Example: `  tagma import keys.jsonl
  tagma export --cluster old/cluster.toml | tagma import --cluster new/cluster.toml`,
		Args: func(cmd *cobra.Command, args []string) error {
			if len(args) == 0 {
				return nil
			}
			return command.Takes("FILE")(cmd, args)
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			from, name := cmd.InOrStdin(), "standard input"
			if len(args) > 0 && args[0] != "-" {
				file, err := os.Open(args[0])
				if err != nil {
					return command.NotUsable(err)
				}
				defer func() { _ = file.Close() }() // it was only read
				from, name = file, args[0]
			}
			file, _, err := t.Read()
			if err != nil {
				return err
			}
			limits := file.Protocol.WithDefaults()
			im := &importing{lines: newLines(from), name: name, mostOps: limits.MaxOps, mostBytes: limits.MaxBatchBytes / 2}
			for im.done < skip {
				if _, err := im.lines.next(); err != nil {
					return command.Unusablef("--skip %d: %s has only %d lines", skip, name, im.done)
				}
				im.done++
			}
			if err := t.do(cmd.Context(), im.run); err != nil {
				if im.done > 0 {
					return fmt.Errorf("%w; the first %s are in: go on with --skip %d", err, terminal.Count(im.done, "line"), im.done)
				}
				return err
			}
			if t.JSON {
				return command.PrintJSON(cmd.OutOrStdout(), map[string]int{"lines": im.done - skip})
			}
			return terminal.Say(cmd.OutOrStdout(), "imported %s\n", terminal.Count(im.done-skip, "line"))
		},
	}
	t.flags(cmd, 30*time.Minute)
	cmd.Flags().IntVar(&skip, "skip", 0, "leave out this `number` of lines in front")
	return cmd
}

// importing puts lines in batches.
type importing struct {
	lines              *lineReader
	name               string
	mostOps, mostBytes int
	done               int // lines that are in
}

func (im *importing) run(ctx context.Context, c *client.Client) error {
	var ops [][]byte
	size, ended := 0, false
	for !ended {
		l, err := im.lines.next()
		switch {
		case errors.Is(err, io.EOF):
			ended = true
		case err != nil:
			return command.NotUsable(fmt.Errorf("%s, line %d: %w", im.name, im.done+len(ops)+1, err))
		}
		var op []byte
		if !ended {
			op = kv.Put(l.Key, l.Value)
		}
		if len(ops) > 0 && (ended || len(ops) == im.mostOps || size+len(op) > im.mostBytes) {
			if err := im.put(ctx, c, ops); err != nil {
				return err
			}
			ops, size = nil, 0
		}
		if !ended {
			ops, size = append(ops, op), size+len(op)
		}
	}
	return nil
}

func (im *importing) put(ctx context.Context, c *client.Client, ops [][]byte) error {
	result, err := c.DoMany(ctx, ops)
	if err != nil {
		return fmt.Errorf("import: %w", err)
	}
	for _, output := range result.Outputs {
		if _, err := kv.DecodePut(output); err != nil {
			return fmt.Errorf("%s, line %d: %w", im.name, im.done+1, err)
		}
		im.done++
	}
	return nil
}

// mostLineBytes is above what the longest key and value take up in JSON.
const mostLineBytes = 6*(kv.MaxKeyBytes+kv.MaxValueBytes) + 1024

// lineReader reads JSON lines.
type lineReader struct{ scanner *bufio.Scanner }

func newLines(from io.Reader) *lineReader {
	s := bufio.NewScanner(from)
	s.Buffer(nil, mostLineBytes)
	return &lineReader{s}
}

// next returns the key and value of the next line, or io.EOF.
func (r *lineReader) next() (p kv.KeyValue, err error) {
	if !r.scanner.Scan() {
		if err := r.scanner.Err(); err != nil {
			return p, err
		}
		return p, io.EOF
	}
	decoder := json.NewDecoder(bytes.NewReader(r.scanner.Bytes()))
	decoder.DisallowUnknownFields()
	var l line
	if err := decoder.Decode(&l); err != nil {
		return p, fmt.Errorf("is not {\"key\":…,\"value\":…}: %w", err)
	}
	if _, err := decoder.Token(); err != io.EOF {
		return p, errors.New("has something behind its JSON document")
	}
	if p.Key, err = bytesOf("key", l.Key, l.KeyBase64); err == nil {
		p.Value, err = bytesOf("value", l.Value, l.ValueBase64)
	}
	return p, err
}

// bytesOf is what one of two fields holds.
func bytesOf(name string, text, encoded *string) ([]byte, error) {
	switch {
	case (text == nil) == (encoded == nil):
		return nil, fmt.Errorf("must have either %s or %s_base64", name, name)
	case text != nil:
		return []byte(*text), nil
	}
	b, err := base64.StdEncoding.DecodeString(*encoded)
	if err != nil {
		return nil, fmt.Errorf("%s_base64: %w", name, err)
	}
	return b, nil
}
