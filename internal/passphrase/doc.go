// Package passphrase finds the passphrase of an encrypted key file, for programs with and without a terminal: in the
// environment variable TAGMA_PASSPHRASE, in the file that TAGMA_PASSPHRASE_FILE names, or by asking on the terminal
// without echo, in this order.
//
// It knows nothing about keys except how to have package crypto read one. It keeps no passphrase, and never prints one.
package passphrase
