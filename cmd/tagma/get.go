package main

import (
	"context"
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"tagma/client"
	"tagma/internal/command"
	"tagma/internal/kvtext"
	"tagma/statemachine/kv"
)

// getOptions are the flags of get.
type getOptions struct {
	to     target
	prefix bool
	limit  uint   // most pairs; 0: all
	past   bool   // read the state after at, not the newest one
	at     uint64 // sequence number
	raw    bool   // print only the value's bytes
	proof  string // file of the proof; "": no proof is wanted
	since  uint64 // the proof must be of this sequence number or above
}

func newGet() *cobra.Command {
	var o getOptions
	cmd := &cobra.Command{
		Use:   "get KEY",
		Short: "Read a key, or all keys with a prefix",
		Long: `Print the value of KEY as it is, with a newline behind it, and with --raw without one. A key that does not exist is an
error: exit code 3. What is read is at least as new as everything that was acknowledged, to any client, before the command was
started.

With --prefix print KEY<TAB>VALUE for every key that begins with KEY, in ascending order. An empty KEY stands for all.
More than 1,000 keys or 512 KiB are read in parts, between which others may write. Use --json for binary data.

With --at read the state as it was after a sequence number, which put, delete and txn print with --json; 0 is the empty
store. Replicas keep the states since their last checkpoint but one, and those of the history that cluster.toml asks for; an
older state is an error.

With --proof read the state of the newest stable checkpoint from one replica, and write to FILE what proves the value, or that
there is none: tagma verify FILE checks it with the cluster file alone. A checkpoint may be older than the newest value; with
--since it is at that sequence number or above, or the command fails.`,
		Example: `  tagma get greeting
  tagma get user/ --prefix --limit 100
  tagma get picture --raw > picture.png
  tagma get greeting --at 42
  tagma get greeting --proof greeting.proof --since 42`,
		Args: command.Takes("KEY"),
		RunE: func(cmd *cobra.Command, args []string) error {
			o.past = cmd.Flags().Changed("at")
			if o.raw && (o.prefix || o.to.JSON) {
				return command.Unusablef("get: --raw prints one value and nothing else; leave --prefix and --json out")
			}
			if o.limit > 0 && !o.prefix {
				return command.Unusablef("get: --limit is for many keys; add --prefix, or leave it out")
			}
			if o.proof == "" && cmd.Flags().Changed("since") || o.proof != "" && (o.prefix || o.past) {
				return command.Unusablef("get: --proof FILE is for one key of a checkpoint, with or without --since; leave the other flags out")
			}
			return o.to.do(cmd.Context(), func(ctx context.Context, c *client.Client) error {
				if o.proof != "" {
					return o.proven(ctx, cmd, c, args[0])
				}
				if o.prefix {
					return o.pairs(ctx, cmd, c, args[0])
				}
				return o.key(ctx, cmd, c, args[0])
			})
		},
	}
	o.to.flags(cmd, defaultTimeout)
	o.to.readSemanticsFlag(cmd)
	cmd.Flags().BoolVar(&o.prefix, "prefix", false, "print all keys that begin with KEY")
	cmd.Flags().BoolVar(&o.raw, "raw", false, "print the value without a newline behind it")
	cmd.Flags().UintVar(&o.limit, "limit", 0, "with --prefix: most `keys` to print; 0 for all")
	cmd.Flags().Uint64Var(&o.at, "at", 0, "read the state after this `sequence` number")
	cmd.Flags().StringVar(&o.proof, "proof", "", "read a checkpoint, and write the proof to this `file`, which must not exist")
	cmd.Flags().Uint64Var(&o.since, "since", 0, "with --proof: the lowest `sequence` number of the checkpoint")
	return cmd
}

func (o *getOptions) key(ctx context.Context, cmd *cobra.Command, c *client.Client, key string) error {
	got, err := o.read(ctx, c, key)
	if err != nil {
		return fmt.Errorf("get %s%s: %w", command.Quote(key), o.when(), err)
	}
	if got.Pair == nil {
		return command.Missingf("get %s%s: there is no such key; `tagma get --prefix \"\"` lists all", command.Quote(key), o.when())
	}
	if o.raw {
		_, err := cmd.OutOrStdout().Write(got.Pair.Value)
		return err
	}
	return o.to.print(cmd, kvtext.PairOf(got.Pair), string(got.Pair.Value)+"\n")
}

func (o *getOptions) read(ctx context.Context, c *client.Client, key string) (kv.GetResult, error) {
	op := kv.Get([]byte(key))
	if o.past {
		result, err := c.QueryAt(ctx, op, o.at)
		if err != nil {
			return kv.GetResult{}, err
		}
		return kv.DecodeGet(result)
	}
	result, err := c.Do(ctx, op, client.ReadOnly())
	if err != nil {
		return kv.GetResult{}, err
	}
	return kv.DecodeGet(result.Output())
}

// when returns the text by which errors say which state was read.
func (o *getOptions) when() string {
	if o.past {
		return fmt.Sprintf(" at sequence number %d", o.at)
	}
	return ""
}

func (o *getOptions) pairs(ctx context.Context, cmd *cobra.Command, c *client.Client, prefix string) error {
	scan := kv.NewClient(c).ScanPrefix(ctx, prefix)
	if o.past {
		scan = kv.NewClient(c).ScanPrefixAt(ctx, prefix, o.at)
	}
	all, more := []kvtext.Pair{}, false
	for p, err := range scan {
		if err != nil {
			return err
		}
		if more = o.limit > 0 && uint(len(all)) == o.limit; more {
			break
		}
		all = append(all, kvtext.PairOf(&p))
	}
	document := map[string]any{"prefix": prefix, "pairs": all, "more": more}
	return command.Print(cmd, o.to.JSON, document, func(w io.Writer) error {
		for i := range all {
			if err := all[i].Print(w); err != nil {
				return err
			}
		}
		return nil
	})
}
