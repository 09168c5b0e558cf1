// Command tagma-testnet shows what Tagma withstands: it makes replicas malicious, crashes them and cuts them off, on real
// processes of this machine and in a simulator, and judges what comes of it. It owns flags, output and exit codes; what
// happens is in the packages below testnet. It calls itself again for each replica. Nothing of it is in the production
// binary.
package main

import (
	"context"
	"os"
	"os/signal"
	"syscall"

	"tagma/testnet/local"
)

func main() {
	local.RunIfReplica()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, stop) // a second signal ends the program at once, and its replicas with it
	os.Exit(execute(ctx, os.Args[1:], os.Stdout, os.Stderr))
}
