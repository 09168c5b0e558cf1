// Package passphrase finds the passphrase of an encrypted key file, for programs that run where nobody types and for
// those in a terminal: in the environment variable TAGMA_PASSPHRASE, in the file that TAGMA_PASSPHRASE_FILE names, or by
// asking on the terminal without echo, in this order.
//
// It knows nothing about keys but how to have crypto read one, keeps no passphrase, and never prints one.
package passphrase
