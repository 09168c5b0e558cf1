package inspect

import (
	"bytes"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"

	"tagma/client"
	"tagma/internal/cluster"
	"tagma/internal/command"
	"tagma/internal/proof"
	"tagma/internal/reach"
	"tagma/internal/terminal"
	"tagma/statemachine/attest"
	"tagma/statemachine/commit"
	"tagma/statemachine/kv"
)

// mostDocument is more bytes than a receipt, a proof or an attestation has.
const mostDocument = 64 << 20

// Document is what a verified receipt, proven read or attestation shows. Its JSON is what `tagma verify --json` prints.
type Document struct {
	Kind string `json:"kind"` // receipt, proven-read or attestation
	File string `json:"file"`

	Signers []int   `json:"signers,omitempty"` // of a receipt or an attestation
	Seq     *uint64 `json:"seq,omitempty"`     // of the batch, or of the checkpoint

	// Of a receipt.
	Request    string   `json:"request,omitempty"`
	Client     string   `json:"client,omitempty"` // its key, in hex
	Executed   *bool    `json:"executed,omitempty"`
	Operations []string `json:"operations_base64,omitempty"` // none if the receipt has only the request's digest
	Outputs    []string `json:"outputs_base64,omitempty"`
	Digest     string   `json:"request_digest,omitempty"` // in hex

	// Of a proven read. The key is kv's, or else the application's as it is stored.
	Key   *string `json:"key,omitempty"`
	Found *bool   `json:"found,omitempty"`
	Value *string `json:"value_base64,omitempty"`

	// Of an attestation.
	Machine     string `json:"machine,omitempty"`
	Said        string `json:"said_base64,omitempty"`
	Transaction string `json:"tid,omitempty"`     // over several clusters, in hex
	Outcome     string `json:"outcome,omitempty"` // prepared, refused, committed or aborted

	words string // for people
}

// Print writes what the file shows, for people.
func (d *Document) Print(w io.Writer) error {
	if d.Transaction != "" {
		return terminal.Say(w, "%s %s, signed by replicas %s\n", d.Outcome, d.Transaction, terminal.Numbers(d.Signers))
	}
	return terminal.Say(w, "%s holds: %s\n", terminal.Printable(d.File), d.words)
}

// ReadDocument verifies a receipt, a proven read or an attestation with the keys of a cluster. It returns nil without an
// error if the file is none of them.
func ReadDocument(path string, file *cluster.File) (*Document, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, nil //nolint:nilerr // whoever looks for another kind of file says what is wrong
	}
	head := make([]byte, len(attest.Magic))
	_, err = io.ReadFull(f, head)
	is := err == nil && (proof.IsReceipt(head) || proof.IsRead(head) || bytes.Equal(head, []byte(attest.Magic)))
	if err := f.Close(); err != nil || !is {
		return nil, err
	}
	data, err := readAtMost(path, mostDocument)
	if err != nil {
		return nil, err
	}
	if len(data) > mostDocument {
		return nil, fmt.Errorf("%s does not hold: it has more than %d bytes", terminal.Printable(path), mostDocument)
	}
	of, err := reach.Cluster(file)
	if err != nil {
		return nil, command.NotUsable(err)
	}
	d := &Document{File: path}
	switch {
	case proof.IsReceipt(head):
		err = d.receipt(of, data)
	case proof.IsRead(head):
		err = d.read(of, data)
	default:
		err = d.attestation(of, file.Machine, data)
	}
	if errors.Is(err, attest.ErrForeign) {
		err = fmt.Errorf("%w; give the cluster file of the cluster that made it", err)
	}
	if err != nil {
		return nil, fmt.Errorf("%s does not hold: %s", terminal.Printable(path), terminal.Printable(command.OneLine(err.Error())))
	}
	return d, nil
}

func (d *Document) receipt(of *client.Cluster, data []byte) error {
	r, err := of.VerifyReceipt(data)
	if err != nil {
		return err
	}
	d.Kind, d.Signers, d.Seq, d.Executed = "receipt", r.Signers, &r.Seq, &r.Executed
	d.Request, d.Client, d.Digest = r.Request.Name(), hex.EncodeToString(r.Request.Client[:]), hex.EncodeToString(r.Digest[:])
	d.Operations, d.Outputs = texts(r.Operations), texts(r.Outputs)
	did := "executed"
	if !r.Executed {
		did = "refused for good"
	}
	d.words = fmt.Sprintf("request %s of client %.16s was %s by batch %d, replicas %s say", d.Request, d.Client, did, r.Seq, terminal.Numbers(r.Signers))
	if r.Operations == nil {
		d.words += "; it shows no operations, only the digest of the request"
	}
	for i, op := range r.Operations {
		d.words += fmt.Sprintf("; operation %d was %.80q", i+1, op)
		if i < len(r.Outputs) {
			d.words += fmt.Sprintf(" and gave %.80q", r.Outputs[i])
		}
	}
	return nil
}

func (d *Document) read(of *client.Cluster, data []byte) error {
	p, err := of.VerifyRead(data)
	if err != nil {
		return err
	}
	key, value := string(p.Key), p.Value
	if of.Machine() == kv.MachineName {
		if name, ok := kv.KeyIn(p.Key); ok {
			key = string(name)
			if pair, ok := kv.PairIn(p.Key, p.Value); ok && p.Found {
				value = pair.Value
			}
		}
	}
	d.Kind, d.Key, d.Found, d.Seq = "proven-read", &key, &p.Found, &p.Seq
	if p.Found {
		text := base64.StdEncoding.EncodeToString(value)
		d.Value = &text
		d.words = fmt.Sprintf("after %d, %.80q was %.80q", p.Seq, key, value)
		return nil
	}
	d.words = fmt.Sprintf("after %d there was no %.80q", p.Seq, key)
	return nil
}

func (d *Document) attestation(of *client.Cluster, machine string, data []byte) error {
	c, err := attest.Decode(data)
	if err != nil {
		return err
	}
	members := of.Members()
	if err := c.Verify(members, members.Weak()); err != nil {
		return err
	}
	d.Kind = "attestation"
	for _, s := range c.Signatures {
		d.Signers = append(d.Signers, s.Replica)
	}
	switch attest.KindOf(c.Statement) {
	case attest.KindReply:
		reply, is := proof.ReplyIn(c.Statement)
		if !is {
			return errors.New("its statement about a reply cannot be read")
		}
		request := client.RequestID{Client: reply.ID.Client, Session: uint64(reply.ID.Session), Number: reply.ID.T}
		seq := uint64(reply.Seq)
		d.Request, d.Client, d.Seq = request.Name(), hex.EncodeToString(request.Client[:]), &seq
		d.words = fmt.Sprintf("replicas %s vouch for the reply to request %s of client %.16s in batch %d", terminal.Numbers(d.Signers), d.Request, d.Client, seq)
		return nil
	case attest.KindMachine:
	default:
		return errors.New("its statement is of a kind that this release does not know")
	}
	said, is := attest.SaidBy(machine, c.Statement)
	if !is {
		return fmt.Errorf("its statement is not the machine %s's", machine)
	}
	d.Machine, d.Said = machine, base64.StdEncoding.EncodeToString(said)
	d.words = fmt.Sprintf("replicas %s vouch for %s of the machine %s", terminal.Numbers(d.Signers), terminal.Count(len(said), "byte"), machine)
	if tid, fact, ok := commit.FactOf(&commit.Group{Machine: machine}, c); ok {
		d.Transaction, d.Outcome = hex.EncodeToString(tid[:]), fact.String()
	}
	return nil
}

// texts are byte strings in base64; nil for none.
func texts(all [][]byte) (out []string) {
	for _, b := range all {
		out = append(out, base64.StdEncoding.EncodeToString(b))
	}
	return out
}
