package main

import (
	"context"
	"encoding/base64"
	"fmt"
	"unicode/utf8"

	"github.com/spf13/cobra"

	"tagma/client"
	"tagma/statemachine/kv"
)

func newGet() *cobra.Command {
	var (
		to     target
		prefix bool
	)
	cmd := &cobra.Command{
		Use:   "get KEY",
		Short: "Read a key, or all keys with a prefix",
		Long: `Print the value of KEY as it is, with a newline behind it. A key that does not exist is an error: exit code 1. What is
read is at least as new as everything that was acknowledged, to any client, before the command was started.

With --prefix print KEY<TAB>VALUE for every key that begins with KEY, in ascending order. An empty KEY stands for all.
More than 10,000 keys or 512 KiB are read in parts, between which others may write. Use --json for binary data.`,
		Example: `  tagma get greeting
  tagma get user/ --prefix`,
		Args: takes("KEY"),
		RunE: func(cmd *cobra.Command, args []string) error {
			return to.do(cmd.Context(), func(ctx context.Context, c *client.Client) error {
				if prefix {
					return getPrefix(ctx, cmd, c, args[0], to.json)
				}
				return getKey(ctx, cmd, c, args[0], to.json)
			})
		},
	}
	to.flags(cmd, defaultTimeout)
	cmd.Flags().BoolVar(&prefix, "prefix", false, "print all keys that begin with KEY")
	return cmd
}

func getKey(ctx context.Context, cmd *cobra.Command, c *client.Client, key string, asJSON bool) error {
	result, err := c.Do(ctx, kv.Get([]byte(key)), client.ReadOnly())
	if err != nil {
		return fmt.Errorf("get %q: %w", key, err)
	}
	got, err := kv.DecodeGet(result.Output())
	if err != nil {
		return fmt.Errorf("get %q: %w", key, err)
	}
	if got.Pair == nil {
		return fmt.Errorf("get %q: there is no such key; `tagma get --prefix \"\"` lists all", key)
	}
	if asJSON {
		return printJSON(cmd.OutOrStdout(), pairOf(got.Pair))
	}
	return say(cmd.OutOrStdout(), "%s\n", got.Pair.Value)
}

func getPrefix(ctx context.Context, cmd *cobra.Command, c *client.Client, prefix string, asJSON bool) error {
	all := []pair{}
	end := string(kv.PrefixEnd([]byte(prefix)))
	for start := prefix; ; {
		part, err := c.Range(ctx, start, end, 0)
		if err != nil {
			return err
		}
		for i := range part.Pairs {
			all = append(all, pairOf(&part.Pairs[i]))
		}
		if !part.More || len(part.Pairs) == 0 {
			break
		}
		start = string(part.Pairs[len(part.Pairs)-1].Key) + "\x00"
	}
	if asJSON {
		return printJSON(cmd.OutOrStdout(), map[string]any{"prefix": prefix, "pairs": all})
	}
	for _, p := range all {
		if err := say(cmd.OutOrStdout(), "%s\t%s\n", p.key, p.value); err != nil {
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
