package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"runtime"
	"syscall"
	"time"
)

// options say how much is measured.
type options struct {
	pairs  int
	each   time.Duration
	warmup time.Duration // once for each row and system
	only   string
	dir    string
	json   bool
}

// quick takes less than three minutes.
var quick = options{pairs: 3, each: 1500 * time.Millisecond, warmup: 300 * time.Millisecond}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM, syscall.SIGHUP)
	context.AfterFunc(ctx, stop) // a second signal ends the process at once
	if len(os.Args) > 1 && os.Args[1] == memberCommand {
		exit(runMember(ctx, os.Args[2:]))
	}
	o := options{}
	fast := false
	flag.IntVar(&o.pairs, "pairs", 7, "runs on each system for each row")
	flag.DurationVar(&o.each, "each", 3*time.Second, "how long a run lasts")
	flag.DurationVar(&o.warmup, "warmup", time.Second, "load before a row's first run on each system, not measured")
	flag.StringVar(&o.only, "only", "", "rows whose names contain this text")
	flag.StringVar(&o.dir, "dir", "", "keep the clusters' data in this new directory")
	flag.BoolVar(&o.json, "json", false, "print one JSON document")
	flag.BoolVar(&fast, "quick", false, "3 pairs of 1.5 s: less than three minutes")
	flag.Parse()
	if fast {
		o.pairs, o.each, o.warmup = quick.pairs, quick.each, quick.warmup
	}
	if flag.NArg() > 0 || o.pairs < 1 || o.each <= 0 || o.warmup < 0 {
		fmt.Fprintln(os.Stderr, "peers: give --pairs and --each above 0, and no arguments")
		os.Exit(2)
	}
	exit(compare(ctx, &o))
}

func exit(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, "peers:", err)
		os.Exit(1)
	}
	os.Exit(0)
}

// compare starts both systems and measures row after row.
func compare(ctx context.Context, o *options) (err error) {
	dir := o.dir
	if dir == "" {
		if dir, err = os.MkdirTemp("", "tagma-peers-"); err != nil {
			return err
		}
		defer func() { _ = os.RemoveAll(dir) }() // a temporary directory
	} else if err := os.Mkdir(dir, 0o755); err != nil {
		return fmt.Errorf("make the directory for the data: %w; name a new one with --dir", err)
	}
	tagma, err := startTagma(ctx, filepath.Join(dir, "tagma"))
	if err != nil {
		return err
	}
	defer tagma.stop()
	etcd, err := startEtcd(ctx, filepath.Join(dir, "etcd"))
	if err != nil {
		return err
	}
	defer etcd.stop()

	fmt.Fprintf(os.Stderr, "%d processors, %s, %d pairs of %s each, 4 replicas of Tagma, 3 members of etcd %s\n",
		runtime.NumCPU(), runtime.Version(), o.pairs, o.each, etcdVersion)
	var all []*rowResult
	for _, row := range chosen(o.only) {
		result, err := measureRow(ctx, o, row, tagma, etcd)
		if err != nil {
			return fmt.Errorf("%s: %w", row.name, err)
		}
		all = append(all, result)
		if !o.json {
			printRow(os.Stdout, result, len(all) == 1)
		}
	}
	if o.json {
		return printJSON(os.Stdout, all)
	}
	return nil
}
