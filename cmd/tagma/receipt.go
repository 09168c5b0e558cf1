package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"

	"github.com/spf13/cobra"

	"tagma/client"
	"tagma/internal/command"
	"tagma/internal/inspect"
	"tagma/internal/kvtext"
	"tagma/statemachine/kv"
)

// perform has an operation executed, and writes its receipt if the flags ask for one.
func (t *target) perform(ctx context.Context, c *client.Client, op []byte, opts ...client.CallOption) (client.Result, error) {
	if t.receipt == "" {
		return c.Do(ctx, op, opts...)
	}
	if err := mayWrite(t.receipt); err != nil {
		return client.Result{}, err
	}
	result, err := c.Do(ctx, op, append(opts, client.WithReceipt())...)
	if without := new(client.NoReceiptError); errors.As(err, &without) {
		return client.Result{}, fmt.Errorf("%w; `tagma receipt %s` may still get it", err, without.Request.Name())
	}
	if err == nil {
		err = write("the receipt", t.receipt, result.Receipt)
	}
	return result, err
}

// mayWrite refuses to replace a file, before anything is done.
func mayWrite(path string) error {
	if _, err := os.Lstat(path); err == nil {
		return command.Unusablef("%s exists, and nothing is overwritten: name another file", path)
	}
	return nil
}

func write(what, path string, document []byte) error {
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err == nil {
		_, err = f.Write(document)
		err = errors.Join(err, f.Close())
	}
	if err != nil {
		return fmt.Errorf("write %s, which the cluster gave: %w", what, err)
	}
	return nil
}

// named adds the request's name to a document.
func named(document any, id client.RequestID) any {
	var b bytes.Buffer
	encoder := json.NewEncoder(&b)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(document); err != nil {
		return document // printing it gives the same error
	}
	object := bytes.TrimSpace(b.Bytes())
	if id.Number == 0 || len(object) < 3 || object[len(object)-1] != '}' {
		return document
	}
	return json.RawMessage(fmt.Sprintf(`%s,"request":%q}`, object[:len(object)-1], id.Name()))
}

func newReceipt() *cobra.Command {
	var to target
	var out string
	var quorum bool
	cmd := &cobra.Command{
		Use:   "receipt REQUEST --out FILE",
		Short: "Get a receipt of an earlier request, which others verify with the cluster file alone",
		Long: `Have the replicas sign what became of REQUEST, and write the receipt to FILE. A request is named by its session and its
number with a dot between them, as put, delete, txn, revert and bank print it with --json. Only the key that sent a request
gets a receipt of it.

The receipt shows the request's results, its sequence number and the digest of what was asked for. f+1 replicas sign it, or a
quorum with --quorum. The replicas keep a reply until the session's next request acknowledges it, or many newer sessions of
the key push it out; then there is no receipt any more. --receipt FILE of the command that sends the request gets one at once,
which also shows the operations.`,
		Example: `  tagma put greeting hello --json
  tagma receipt 1790000000000000000.1 --out greeting.receipt
  tagma verify greeting.receipt`,
		Args: command.Takes("REQUEST"),
		RunE: func(cmd *cobra.Command, args []string) error {
			id, err := client.ParseRequest(args[0])
			switch {
			case err != nil:
				return command.NotUsable(err)
			case out == "":
				return command.Unusablef("receipt: no file given; say where the receipt goes with --out FILE")
			}
			if err := mayWrite(out); err != nil {
				return err
			}
			file, err := to.Program.ReadCluster(to.Cluster)
			if err != nil {
				return err
			}
			return to.do(cmd.Context(), func(ctx context.Context, c *client.Client) error {
				of := client.WeakReceipt
				if quorum {
					of = client.QuorumReceipt
				}
				receipt, err := c.Receipt(ctx, id, of)
				if errors.Is(err, client.ErrNothingAttested) {
					err = fmt.Errorf("%w: no such request of this key was executed; is it the key that sent it, and its cluster?", err)
				}
				if err != nil {
					return err
				}
				if err := write("the receipt", out, receipt); err != nil {
					return err
				}
				found, err := inspect.ReadDocument(out, file)
				if err != nil {
					return err
				}
				return command.Print(cmd, to.JSON, found, found.Print)
			})
		},
	}
	to.flags(cmd, defaultTimeout)
	to.machine = ""
	cmd.Flags().StringVar(&out, "out", "", "`file` of the receipt; it must not exist")
	cmd.Flags().BoolVar(&quorum, "quorum", false, "have a quorum sign it, not just f+1 replicas")
	return cmd
}

// proven reads a key from a stable checkpoint and writes the proof.
func (o *getOptions) proven(ctx context.Context, cmd *cobra.Command, c *client.Client, key string) error {
	if err := mayWrite(o.proof); err != nil {
		return err
	}
	p, err := kv.NewClient(c).ProvenGet(ctx, key, o.since)
	if errors.Is(err, client.ErrNotStable) {
		return fmt.Errorf("%w; the next one comes as others write, so try again later", err)
	}
	if err != nil {
		return err
	}
	if err := write("the proof", o.proof, p.Document); err != nil {
		return err
	}
	if p.Pair == nil {
		return command.Missingf("get %s: there was no such key after %d, which %s proves", command.Quote(key), p.Seq, o.proof)
	}
	if o.raw {
		_, err := cmd.OutOrStdout().Write(p.Pair.Value)
		return err
	}
	return o.to.print(cmd, struct {
		kvtext.Pair
		Seq uint64 `json:"seq"` // of the checkpoint
	}{kvtext.PairOf(p.Pair), p.Seq}, string(p.Pair.Value)+"\n")
}
