package processes

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"

	"tagma/crypto"
	"tagma/internal/rescue"
	"tagma/testnet/play"
)

// backUp takes a backup of the running cluster with the first client's key, and verifies the file. Replicas may lie to it.
func (c *Cluster) backUp(ctx context.Context) (err error) {
	key, err := crypto.ReadKey(c.local.ClientKey(0))
	if err != nil {
		return err
	}
	dir, err := os.MkdirTemp(c.local.Dir, "backup-*")
	if err != nil {
		return err
	}
	st, err := rescue.Unpack(nil, filepath.Join(dir, "state"), nil, nil)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, st.Close()) }()
	var liars []int
	cert, err := rescue.Take(ctx, rescue.Taking{
		File: c.local.File, Key: key, Store: st, Least: 1, Liar: func(id int, _ error) { liars = append(liars, id) },
	})
	if err != nil {
		return err
	}
	view, err := st.View(uint64(cert.Seq))
	if err != nil {
		return err
	}
	defer view.Close()
	path := filepath.Join(dir, "taken.bak")
	if _, err := rescue.Save(path, c.local.File, cert, nil, nil, view); err != nil {
		return err
	}
	chain, err := rescue.Find(path)
	if err != nil {
		return err
	}
	report, err := rescue.Verify(chain, c.local.File, nil)
	if err != nil {
		return err
	}
	slices.Sort(liars)
	c.say(play.Note, "a backup of the state after %d with %d keys holds; %s", report.Seq, report.Keys, said(liars))
	return c.strangers(liars)
}

func said(liars []int) string {
	if len(liars) == 0 {
		return "nobody lied to it"
	}
	return fmt.Sprintf("replicas %v lied to it, and were left out", liars)
}

// strangers returns an error if a replica counts as a liar that is correct in the scenario.
func (c *Cluster) strangers(liars []int) error {
	for _, id := range liars {
		if !slices.Contains(numbers(c.s.Faulty()), id) {
			return fmt.Errorf("replica %d is correct, and was taken for a liar", id)
		}
	}
	return nil
}
