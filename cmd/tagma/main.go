// Command tagma is what an operator and a user run: it makes clusters, runs one replica, reads and writes keys, and shows
// what replicas, journals and evidence say. It owns flags, output and exit codes, decides nothing about the protocol, and
// never links an attacker.
package main

import (
	"context"
	"os"
	"os/signal"
	"syscall"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, stop) // a second signal ends the process at once
	os.Exit(execute(ctx, os.Args[1:], os.Stdout, os.Stderr))
}
