package main

import (
	"errors"
	"os"
	"path/filepath"

	"tagma/internal/command"
	"tagma/internal/node"
)

// dataPath finds a directory of a replica's data, such as its journal, under a home. The home's settings may have moved
// the data elsewhere. A copy of the data without key and settings will do too.
func dataPath(home, name string) (string, error) {
	info, err := os.Stat(home)
	switch {
	case errors.Is(err, os.ErrNotExist):
		return "", command.Unusablef("there is no %s; name a replica's home, such as demo/replica0", home)
	case err != nil:
		return "", command.NotUsable(err)
	case !info.IsDir():
		return "", command.Unusablef("%s is no directory; name a replica's home, such as demo/replica0", home)
	}
	at := filepath.Join(home, name)
	if _, err := os.Stat(at); err == nil {
		return at, nil
	}
	h, err := node.ReadHome(home)
	if err != nil {
		return "", command.NotUsable(err)
	}
	return filepath.Join(h.Data, name), nil
}
