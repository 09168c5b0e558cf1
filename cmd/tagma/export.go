package main

import (
	"cmp"
	"context"
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
	"tagma/internal/kvtext"
	"tagma/internal/machines"
	"tagma/internal/operate"
	"tagma/internal/rescue"
	"tagma/internal/terminal"
	"tagma/statemachine"
	"tagma/statemachine/kv"
)

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
			if in == "" && len(since) > 0 {
				return command.Unusablef("export: --since is of a backup; name the one that adds to it with --in FILE")
			}
			from := func(write func(iter.Seq2[kv.KeyValue, error]) error) error {
				return t.do(cmd.Context(), func(ctx context.Context, c *client.Client) error { return write(keysOf(ctx, c, at)) })
			}
			if in != "" {
				chain, err := operate.FindBackup(in, since)
				if err != nil {
					return err
				}
				from = func(write func(iter.Seq2[kv.KeyValue, error]) error) error {
					return t.ofBackup(cmd, chain, out, func(s *rescue.Served) error { return write(keysOf(cmd.Context(), s, cmp.Or(at, s.Seq))) })
				}
			}
			written, err := exportTo(out, cmd.OutOrStdout(), from)
			if err != nil || out == "" {
				return err
			}
			return t.print(cmd, map[string]any{"file": out, "keys": written}, fmt.Sprintf("%s: %s\n", out, terminal.Count(written, "key")))
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

// keysOf scans all keys, either of the state after sequence number at, or of the newest state if at is 0.
func keysOf(ctx context.Context, from statemachine.Caller, at uint64) iter.Seq2[kv.KeyValue, error] {
	if at > 0 {
		return kv.NewClient(from).ScanPrefixAt(ctx, "", at)
	}
	return kv.NewClient(from).ScanPrefix(ctx, "")
}

// exportTo writes keys to a file, which must not exist yet, or to standard output if the name is empty. If it fails
// before the first key, it removes the file, so that the command can be repeated.
func exportTo(out string, stdout io.Writer, from func(write func(iter.Seq2[kv.KeyValue, error]) error) error) (written int, err error) {
	to, end := stdout, func() error { return nil }
	if out != "" {
		file, err := os.OpenFile(out, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
		if errors.Is(err, os.ErrExist) {
			return 0, command.Unusablef("%s exists, and nothing is overwritten: name another file", out)
		} else if err != nil {
			return 0, err
		}
		defer func() { _ = file.Close() }() // already synced, or given up
		to, end = file, file.Sync
	}
	err = from(func(scan iter.Seq2[kv.KeyValue, error]) (err error) {
		written, err = kvtext.Write(to, scan)
		return err
	})
	if err == nil {
		err = end()
	}
	if err == nil {
		return written, nil
	}
	err = fmt.Errorf("export, after %s: %w", terminal.Count(written, "key"), err)
	if out != "" && written == 0 {
		err = errors.Join(err, os.Remove(out))
	}
	return written, err
}

// ofBackup lets the machine read the state of a backup, which it unpacks beside out, or where temporary files are.
func (t *target) ofBackup(cmd *cobra.Command, chain *rescue.Chain, out string, use func(*rescue.Served) error) (err error) {
	file, err := program.ReadCluster(t.Cluster)
	if err != nil {
		return err
	}
	if file.Machine != machines.KV {
		return command.Unusablef("the cluster runs the machine %s, and only the states of %s have keys", file.Machine, machines.KV)
	}
	beside := ""
	if out != "" {
		beside = filepath.Dir(out)
	}
	progress := terminal.NewBar(cmd.ErrOrStderr(), t.JSON)
	served, err := rescue.Serve(chain, file, machines.KeyValue(file.Protocol.Kept()), beside, progress.Sharing("verifying"))
	progress.Clear() // progress and output may be on the same terminal
	if err != nil {
		return err
	}
	return errors.Join(use(served), served.Close())
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
			from, err := command.OpenInput(append(args, "-")[0], cmd.InOrStdin())
			if err != nil {
				return command.NotUsable(err)
			}
			defer from.Close()
			file, _, err := t.Read()
			if err != nil {
				return err
			}
			limits := file.Protocol.WithDefaults()
			lines := kvtext.NewLoading(from, from.Name, limits.MaxOps, limits.MaxBatchBytes/2)
			if lines.Skip(skip) != nil {
				return command.Unusablef("--skip %d: %s has only %d lines", skip, from.Name, lines.Done)
			}
			err = t.do(cmd.Context(), func(ctx context.Context, c *client.Client) error {
				return lines.Run(func(ops [][]byte) ([][]byte, error) {
					result, err := c.DoMany(ctx, ops)
					if err != nil {
						return nil, fmt.Errorf("import: %w", err)
					}
					return result.Outputs, nil
				})
			})
			if errors.As(err, new(*kvtext.LineError)) {
				err = command.NotUsable(err)
			}
			if err != nil && lines.Done > 0 {
				err = fmt.Errorf("%w; the first %s are in: go on with --skip %d", err, terminal.Count(lines.Done, "line"), lines.Done)
			}
			if err != nil {
				return err
			}
			imported := lines.Done - skip
			return t.print(cmd, map[string]int{"lines": imported}, fmt.Sprintf("imported %s\n", terminal.Count(imported, "line")))
		},
	}
	t.flags(cmd, 30*time.Minute)
	cmd.Flags().IntVar(&skip, "skip", 0, "leave out this `number` of lines in front")
	return cmd
}
