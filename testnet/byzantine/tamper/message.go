package tamper

import (
	"reflect"
	"slices"

	"tagma/pbft/wire"
)

// Copy returns a copy of a message with its own lists. Cached encodings and digests are not copied.
func Copy(m wire.Message) wire.Message {
	from := reflect.ValueOf(m).Elem()
	to := reflect.New(from.Type())
	for i := range from.NumField() {
		if !from.Type().Field(i).IsExported() {
			continue
		}
		f := from.Field(i)
		if f.Kind() == reflect.Slice && !f.IsNil() {
			own := reflect.MakeSlice(f.Type(), f.Len(), f.Len())
			reflect.Copy(own, f)
			f = own
		}
		to.Elem().Field(i).Set(f)
	}
	return to.Interface().(wire.Message)
}

// Field returns a pointer to a message's field with this name and type, or nil if there is none.
func Field[T any](m wire.Message, name string) *T {
	v := reflect.ValueOf(m)
	if v.Kind() != reflect.Pointer {
		return nil
	}
	f := v.Elem().FieldByName(name)
	if !f.IsValid() {
		return nil
	}
	at, _ := f.Addr().Interface().(*T)
	return at
}

// Altered returns a copy of a message in which a field has another value, or nil if there is no such field. The
// signature is not changed.
func Altered[T any](m wire.Message, name string, change func(T) T) wire.Message {
	if Field[T](m, name) == nil {
		return nil
	}
	c := Copy(m)
	at := Field[T](c, name)
	*at = change(*at)
	return c
}

// AlteredEntry returns a copy of a message in which one entry of one list is removed, doubled, or changed by alter. It
// returns nil for a message without entries. The function pick draws a number below n.
func AlteredEntry(m wire.Message, pick func(n int) int, alter func(entry any)) wire.Message {
	c := Copy(m)
	v := reflect.ValueOf(c).Elem()
	var lists []reflect.Value
	for i := range v.NumField() {
		if f := v.Field(i); f.Kind() == reflect.Slice && f.Type().Elem().Kind() == reflect.Struct && f.Len() > 0 {
			lists = append(lists, f)
		}
	}
	if len(lists) == 0 {
		return nil
	}
	list := lists[pick(len(lists))]
	at := pick(list.Len())
	switch pick(3) {
	case 0:
		list.Set(reflect.AppendSlice(list.Slice(0, at), list.Slice(at+1, list.Len())))
	case 1:
		alter(list.Index(at).Addr().Interface())
	default:
		list.Set(reflect.AppendSlice(list.Slice3(0, at+1, at+1), list.Slice(at, list.Len())))
	}
	return c
}

// SeqOf returns the sequence number that a message is about, or 0 if there is none.
func SeqOf(m wire.Message) wire.Seq {
	switch m := m.(type) {
	case *wire.StableNotice:
		return m.Cert.Seq
	default:
		if at := Field[wire.Seq](m, "Seq"); at != nil {
			return *at
		}
		return 0
	}
}

// ViewOf returns the view that a message names.
func ViewOf(m wire.Message) (v wire.View, has bool) {
	if body, is := m.(*wire.CertifiedBody); is && body.Cert != nil {
		return body.Cert.View, true
	}
	if at := Field[wire.View](m, "View"); at != nil {
		return *at, true
	}
	return 0, false
}

// About reports whether a message is about a sequence number in a range. A view-change is about every sequence number
// that it shows as prepared. A new-view is about every one that it proposes.
func About(m wire.Message, first, last wire.Seq) bool {
	switch m := m.(type) {
	case *wire.ViewChange:
		return slices.ContainsFunc(m.Prepared, func(c wire.PreparedCert) bool { return c.Seq >= first && c.Seq <= last })
	case *wire.NewView:
		low := Lowest(m)
		return len(m.Proposals) > 0 && low <= last && low+wire.Seq(len(m.Proposals)) > first
	default:
		n := SeqOf(m)
		return n > 0 && n >= first && n <= last
	}
}

// Lowest returns the first sequence number that a new view proposes, which follows its highest stable checkpoint.
func Lowest(m *wire.NewView) (n wire.Seq) {
	for i := range m.ViewChanges {
		n = max(n, m.ViewChanges[i].Stable.Seq)
	}
	return n + 1
}
