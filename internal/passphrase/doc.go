// Package passphrase finds the passphrase of an encrypted key file, for programs with and without a terminal. It looks
// first at the environment variable TAGMA_PASSPHRASE, then at the file that TAGMA_PASSPHRASE_FILE names, and then asks
// on the terminal without echo.
//
// It knows nothing about keys except how to make package crypto read one. It keeps no passphrase, and never prints one.
package passphrase
