package disk

import (
	"io/fs"
	"maps"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
)

// nameChange gives node the name in add and removes the name in drop; either may be empty. The content of a directory
// moves with it.
type nameChange struct {
	node      *inode
	add, drop string
}

func (c nameChange) apply(names map[string]*inode) {
	if c.node.dir && c.add != "" {
		for path, n := range maps.Clone(names) {
			if rest, ok := strings.CutPrefix(path, c.drop+"/"); ok {
				delete(names, path)
				names[c.add+"/"+rest] = n
			}
		}
	}
	if c.drop != "" {
		delete(names, c.drop)
	}
	if c.add != "" {
		names[c.add] = c.node
	}
}

func (d *Disk) change(c nameChange) error {
	if err := d.step(); err != nil {
		return err
	}
	d.pending = append(d.pending, c)
	c.apply(d.names)
	return nil
}

// land makes changes durable.
func (d *Disk) land(changes []nameChange) {
	for _, c := range changes {
		c.apply(d.durable)
	}
}

// in lists the paths below a directory.
func (d *Disk) in(dir string) []string {
	var paths []string
	for _, path := range slices.Sorted(maps.Keys(d.names)) {
		if strings.HasPrefix(path, dir+"/") {
			paths = append(paths, path)
		}
	}
	return paths
}

// MkdirAll implements journal.FS. It makes dir itself and no parent, and all names durable at once, since it syncs the
// directory around dir.
func (d *Disk) MkdirAll(dir string) error {
	if err := d.step(); err != nil {
		return err
	}
	if !d.lying {
		d.Settle()
		d.land(d.pending)
		d.pending = nil
	}
	if d.names[dir] == nil {
		d.names[dir] = &inode{dir: true}
		d.durable[dir] = d.names[dir]
	}
	return nil
}

// ReadDir implements journal.FS.
func (d *Disk) ReadDir(dir string) ([]string, error) {
	var names []string
	for _, path := range d.in(dir) {
		if filepath.Dir(path) == dir {
			names = append(names, filepath.Base(path))
		}
	}
	if len(names) == 0 && d.names[dir] == nil {
		return nil, fs.ErrNotExist
	}
	return names, nil
}

// Remove implements journal.FS.
func (d *Disk) Remove(path string) error {
	if d.names[path] == nil {
		return fs.ErrNotExist
	}
	return d.change(nameChange{node: d.names[path], drop: path})
}

// RemoveAll implements journal.FS. It removes file by file: a crash can leave some of them.
func (d *Disk) RemoveAll(path string) error {
	for _, name := range append(d.in(path), path) {
		if d.names[name] == nil {
			continue
		}
		if err := d.change(nameChange{node: d.names[name], drop: name}); err != nil {
			return err
		}
	}
	return nil
}

// Rename implements journal.FS.
func (d *Disk) Rename(from, to string) error {
	if d.names[from] == nil {
		return fs.ErrNotExist
	}
	if d.names[from].dir && len(d.in(to)) > 0 {
		return syscall.ENOTEMPTY
	}
	return d.change(nameChange{node: d.names[from], add: to, drop: from})
}

// SyncDir implements journal.FS: it makes all names durable.
func (d *Disk) SyncDir(string) error {
	if d.lying {
		d.lied++
		return nil
	}
	d.Settle()
	if err := d.step(); err != nil {
		return err
	}
	d.nameFlight, d.pending = d.pending, nil
	return nil
}
