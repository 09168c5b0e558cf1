package scenario

import (
	"reflect"
	"strings"
	"time"

	"tagma/internal/cluster"
	"tagma/testnet/links"
)

// protocol reads every parameter that cluster.toml has, under the same names.
func (t *table) protocol() (p cluster.Protocol) {
	fields := reflect.ValueOf(&p).Elem()
	for i := range fields.NumField() {
		name, _, _ := strings.Cut(fields.Type().Field(i).Tag.Get("toml"), ",")
		switch f := fields.Field(i).Addr().Interface().(type) {
		case *cluster.Duration:
			f.Duration = t.duration(name)
		case *int:
			*f = int(typed(t, name, "a whole number", int64(0)))
		case *bool:
			*f = t.yes(name)
		default:
			panic("scenario: no way to read settings." + name)
		}
	}
	return p
}

// duration reads a duration that is no multiple of anything.
func (t *table) duration(key string) time.Duration {
	v, has := t.get(key)
	if !has {
		return 0
	}
	text, _ := v.(string)
	d, err := time.ParseDuration(text)
	if err != nil {
		t.mistyped(key, `a duration in quotes, such as "1s"`)
	}
	return d
}

// link reads the properties of a link. What is missing is as in base.
func (t *table) link(base links.Link) links.Link {
	return links.Link{
		Delay:     t.since("delay", base.Delay),
		Jitter:    t.since("jitter", base.Jitter),
		Loss:      t.number("loss", base.Loss, 1),
		Duplicate: t.number("duplicate", base.Duplicate, 1),
		Reorder:   t.number("reorder", base.Reorder, 1),
		Bandwidth: int64(t.count("bandwidth", int(base.Bandwidth), 0, 1<<40)),
	}
}
