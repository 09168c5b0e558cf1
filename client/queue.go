package client

import "container/heap"

// deadlines is a heap of the requests under way, the next one to be sent again first.
type deadlines []*request

func (d deadlines) Len() int           { return len(d) }
func (d deadlines) Less(i, j int) bool { return d[i].again.Before(d[j].again) }
func (d deadlines) Swap(i, j int) {
	d[i], d[j] = d[j], d[i]
	d[i].place, d[j].place = i, j
}

// Push implements heap.Interface.
func (d *deadlines) Push(x any) {
	c := x.(*request)
	c.place = len(*d)
	*d = append(*d, c)
}

// Pop implements heap.Interface.
func (d *deadlines) Pop() any {
	last := len(*d) - 1
	c := (*d)[last]
	(*d)[last] = nil
	*d = (*d)[:last]
	c.place = -1
	return c
}

func (d *deadlines) add(c *request)   { heap.Push(d, c) }
func (d *deadlines) moved(c *request) { heap.Fix(d, c.place) }

func (d *deadlines) remove(c *request) {
	if c.place >= 0 {
		heap.Remove(d, c.place)
	}
}
