package journal

import (
	"maps"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
)

// nameChange gives a file another name. An empty old name means that the file is created, and an empty new name that
// it is deleted. Without a node both names are directories, and all files of the one move to the other.
type nameChange struct {
	node      *inode
	add, drop string
}

func (c nameChange) apply(names map[string]*inode) {
	if c.node == nil && c.add != "" {
		for path, n := range maps.Clone(names) {
			if rest, ok := strings.CutPrefix(path, c.drop+"/"); ok {
				delete(names, path)
				names[c.add+"/"+rest] = n
			}
		}
		return
	}
	if c.drop != "" {
		delete(names, c.drop)
	}
	if c.add != "" {
		names[c.add] = c.node
	}
}

func (d *disk) change(c nameChange) error {
	if err := d.step(); err != nil {
		return err
	}
	d.pending = append(d.pending, c)
	c.apply(d.names)
	return nil
}

// MkdirAll makes the new names durable, because the real one syncs the parent of dir.
func (d *disk) MkdirAll(string) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if err := d.step(); err != nil {
		return err
	}
	d.pending, d.durable = nil, maps.Clone(d.names)
	return nil
}

func (d *disk) ReadDir(dir string) ([]string, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	var names []string
	for path := range d.names {
		if filepath.Dir(path) == dir {
			names = append(names, filepath.Base(path))
		}
	}
	slices.Sort(names)
	return names, nil
}

func (d *disk) Remove(path string) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.change(nameChange{drop: path})
}

// RemoveAll removes one file after the other, as the operating system does, so a crash can leave some of them.
func (d *disk) RemoveAll(path string) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, name := range slices.Sorted(maps.Keys(d.names)) {
		if name != path && !strings.HasPrefix(name, path+"/") {
			continue
		}
		if err := d.change(nameChange{drop: name}); err != nil {
			return err
		}
	}
	return nil
}

func (d *disk) anyIn(dir string) bool {
	for path := range d.names {
		if strings.HasPrefix(path, dir+"/") {
			return true
		}
	}
	return false
}

func (d *disk) Rename(from, to string) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.names[from] == nil && d.anyIn(to) {
		return syscall.ENOTEMPTY
	}
	return d.change(nameChange{node: d.names[from], add: to, drop: from})
}

func (d *disk) SyncDir(string) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if err := d.step(); err != nil {
		return err
	}
	d.pending, d.durable = nil, maps.Clone(d.names)
	return nil
}
