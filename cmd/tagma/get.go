package main

import (
	"context"
	"encoding/base64"
	"fmt"
	"unicode/utf8"

	"github.com/spf13/cobra"

	"tagma/client"
	"tagma/internal/command"
	"tagma/internal/terminal"
	"tagma/statemachine/kv"
)

// getOptions are the flags of get.
type getOptions struct {
	to     target
	prefix bool
	limit  uint   // most pairs; 0: all
	past   bool   // read the state
	at     uint64 // after this sequence number
	raw    bool   // nothing but the value's bytes
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
older state is an error.`,
		Example: `  tagma get greeting
  tagma get user/ --prefix --limit 100
  tagma get picture --raw > picture.png
  tagma get greeting --at 42`,
		Args: command.Takes("KEY"),
		RunE: func(cmd *cobra.Command, args []string) error {
			o.past = cmd.Flags().Changed("at")
			if o.raw && (o.prefix || o.to.JSON) {
				return command.Unusablef("get: --raw prints one value and nothing else; leave --prefix and --json out")
			}
			if o.limit > 0 && !o.prefix {
				return command.Unusablef("get: --limit is for many keys; add --prefix, or leave it out")
			}
			return o.to.do(cmd.Context(), func(ctx context.Context, c *client.Client) error {
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
	if o.to.JSON {
		return command.PrintJSON(cmd.OutOrStdout(), pairOf(got.Pair))
	}
	if o.raw {
		_, err := cmd.OutOrStdout().Write(got.Pair.Value)
		return err
	}
	return terminal.Say(cmd.OutOrStdout(), "%s\n", got.Pair.Value)
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

// when says which state an error is about.
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
	all, more := []pair{}, false
	for p, err := range scan {
		if err != nil {
			return err
		}
		if more = o.limit > 0 && uint(len(all)) == o.limit; more {
			break
		}
		all = append(all, pairOf(&p))
	}
	if o.to.JSON {
		return command.PrintJSON(cmd.OutOrStdout(), map[string]any{"prefix": prefix, "pairs": all, "more": more})
	}
	for _, p := range all {
		if err := terminal.Say(cmd.OutOrStdout(), "%s\t%s\n", p.key, p.value); err != nil {
			return err
		}
	}
	return nil
}

// pair is a key as get prints it in JSON. Keys and values that are not UTF-8 stand in the fields in base64 instead.
type pair struct {
	Key            *string `json:"key,omitempty"`
	KeyBase64      *string `json:"key_base64,omitempty"`
	Value          *string `json:"value,omitempty"`
	ValueBase64    *string `json:"value_base64,omitempty"`
	CreateRevision uint64  `json:"create_revision"`
	ModRevision    uint64  `json:"mod_revision"`
	Version        uint64  `json:"version"`

	key, value []byte
}

func pairOf(p *kv.KeyValue) pair {
	out := pair{
		CreateRevision: p.CreateRevision, ModRevision: p.ModRevision, Version: p.Version, key: p.Key, value: p.Value,
	}
	out.Key, out.KeyBase64 = textOrBase64(p.Key)
	out.Value, out.ValueBase64 = textOrBase64(p.Value)
	return out
}

func textOrBase64(b []byte) (text, encoded *string) {
	s := string(b)
	if utf8.ValidString(s) {
		return &s, nil
	}
	s = base64.StdEncoding.EncodeToString(b)
	return nil, &s
}
