// Command doccheck runs the commands of a page of documentation and compares what they print with what the page shows:
//
//	go run ./testnet/doccheck docs/recovery.md
//
// It owns how such a page is read: in a block that begins with ```console, a line that begins with "$ " is a command, and
// the lines behind it, up to the next command, are what it prints. "…" stands for any text within a line, and a line that
// is "…" for any lines. All console blocks of a page run in one session of bash, which begins in an empty folder, has this
// module's programs on its path, and has the module's folder in the variable TAGMA. A block that begins with ```go and the
// name of a file is written to that file, in the session's current folder. Doccheck leaves no processes behind: it ends
// those that the session started in the background.
package main
