// Command doccheck runs the commands of a page of documentation and compares what they print with what the page shows:
//
//	go run ./testnet/doccheck docs/recovery.md
//
// It owns how such a page is read: in a block that begins with ```console, a line that begins with "$ " is a command, and
// the lines behind it, up to the next command, are what it prints. "…" stands for any text within a line, and a line that
// is "…" for any lines. A block that begins with ```go and a name of a file is written to that file, in the folder in which
// the session is then. All blocks of a page are one session of bash in an empty folder, with the programs of this module
// on the path and its folder in TAGMA. It must not leave processes behind: those that the session started in the background
// end with it.
package main
