package cluster

import (
	"reflect"

	"github.com/pelletier/go-toml/v2"
)

// unquoted finds the first key that must be text in quotes and is something else. The decoder hands a bare number to
// UnmarshalText as if it were text, and loses the place where the refusal happened.
func unquoted(data []byte, t reflect.Type) (key string, want reflect.Type) {
	var document map[string]any
	if toml.Unmarshal(data, &document) != nil {
		return "", nil
	}
	return unquotedIn("", document, t)
}

func unquotedIn(path string, value any, t reflect.Type) (string, reflect.Type) {
	if isText(t) {
		if _, ok := value.(string); !ok {
			return path, t
		}
		return "", nil
	}
	switch value := value.(type) {
	case []any:
		for _, element := range value {
			if t.Kind() != reflect.Slice {
				break
			}
			if at, want := unquotedIn(path, element, t.Elem()); at != "" {
				return at, want
			}
		}
	case map[string]any:
		if t.Kind() != reflect.Struct {
			break
		}
		for _, field := range reflect.VisibleFields(t) {
			below, given := value[tomlName(field)]
			if !given {
				continue
			}
			if at, want := unquotedIn(join(path, tomlName(field)), below, field.Type); at != "" {
				return at, want
			}
		}
	}
	return "", nil
}

func join(path, name string) string {
	if path == "" {
		return name
	}
	return path + "." + name
}
