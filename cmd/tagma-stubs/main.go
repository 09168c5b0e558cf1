// Command tagma-stubs writes the code between an application's methods and its operations as bytes: typed calls for
// clients, and for replicas the dispatch of operations to methods. It reads one interface of a package:
//
//	//go:generate go run tagma/cmd/tagma-stubs --type House --out house_stubs.go
//
// A method has as first parameter a statemachine.Txn, or a statemachine.Reader if it changes nothing; its last result
// may be an error. Its other parameters and results are bools, strings, numbers of a fixed size, byte slices and
// arrays, slices and structs of these. The position of a method in the interface is its number in operations, so new
// methods must be added at the end.
package main

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"

	"tagma/internal/stubs"
)

func main() {
	dir := flag.String("dir", ".", "`folder` of the package")
	name := flag.String("type", "", "`interface` whose methods are the operations")
	out := flag.String("out", "", "`file` in that folder that is written")
	flag.Parse()
	if *name == "" || *out == "" || flag.NArg() > 0 {
		fail(2, "give an interface with --type and a file with --out, and nothing else")
	}
	code, err := stubs.Generate(*dir, *name)
	if err != nil {
		fail(1, "%v", err)
	}
	if err := os.WriteFile(filepath.Join(*dir, *out), code, 0o644); err != nil {
		fail(1, "%v", err)
	}
}

func fail(code int, format string, args ...any) {
	fmt.Fprintf(os.Stderr, "tagma-stubs: "+format+"\n", args...)
	os.Exit(code)
}
