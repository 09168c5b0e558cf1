package main

import (
	"errors"
	"fmt"
	"os"

	"github.com/spf13/cobra"

	"tagma/crypto"
	"tagma/internal/command"
	"tagma/internal/passphrase"
)

func newKeysEncrypt() *cobra.Command {
	asJSON := false
	cmd := &cobra.Command{
		Use:   "encrypt FILE",
		Short: "Encrypt a key file that is not",
		Long: `Encrypt the key in FILE under a passphrase, such as a replica's key that tagma init made. FILE is replaced as a whole or
not at all. The disk may still hold the old content in blocks that are free now, and so may backups; where that matters,
make the key on an encrypted disk.`,
		Example: `  tagma keys encrypt prod/replica0/key`,
		Args:    command.Takes("FILE"),
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := encryptKey(args[0]); err != nil {
				return fmt.Errorf("encrypt a key: %w", err)
			}
			if !asJSON {
				return say(cmd.OutOrStdout(), "%s is encrypted\n", args[0])
			}
			shown, err := showKey(args[0], "")
			if err != nil {
				return err
			}
			return command.PrintJSON(cmd.OutOrStdout(), shown)
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print one JSON document")
	return cmd
}

// encryptKey writes the key encrypted beside the file, proves that it opens, and puts it in the file's place.
func encryptKey(path string) (err error) {
	key, err := crypto.ReadKey(path)
	switch {
	case errors.Is(err, crypto.ErrKeyEncrypted):
		return command.Unusablef("%s is encrypted already", path)
	case err != nil:
		return command.NotUsable(err)
	}
	secret, err := passphrase.New(path)
	if err != nil {
		return command.NotUsable(err)
	}
	defer clear(secret)
	fresh := path + ".encrypted"
	if err := crypto.WriteKeyEncrypted(fresh, key, secret); err != nil {
		return err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, os.Remove(fresh))
		}
	}()
	again, err := crypto.ReadKeyWith(fresh, func() ([]byte, error) { return append([]byte(nil), secret...), nil })
	if err != nil {
		return err
	}
	if again.Public() != key.Public() {
		return fmt.Errorf("%s was not written as it should be; nothing was replaced", fresh)
	}
	return os.Rename(fresh, path)
}
