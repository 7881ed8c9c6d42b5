package policyfile

import (
	"strings"

	"go.yaml.in/yaml/v4"

	"github.com/regionwatch/regionwatch/internal/nearest"
)

// field is one key of a mapping: how it is read into a T, and its schema.
type field[T any] struct {
	key    string
	help   string
	schema schema
	read   func(r *reader, n *yaml.Node, t *T)
}

// readMapping reads a mapping by its fields. what names the mapping in faults.
func readMapping[T any](r *reader, n *yaml.Node, what string, fields []field[T], t *T) {
	if n.Kind != yaml.MappingNode {
		r.fault(n, "want %s: one `key: value` a line%s", what, isNot(n))
		return
	}
	place := r.place
	seen := make(map[string]int, len(n.Content)/2)
	for i := 0; i+1 < len(n.Content); i += 2 {
		key, value := n.Content[i], n.Content[i+1]
		f := find(fields, strings.ReplaceAll(key.Value, "-", "_"))
		switch {
		case f == nil:
			r.fault(key, "%s has no key %q%s", what, cut(key.Value), didYouMean(key.Value, keysOf(fields)))
		case seen[f.key] > 0:
			r.fault(key, "%s is already set in line %d", key.Value, seen[f.key])
		default:
			if key.Value != f.key {
				r.spelled = append(r.spelled, &Fault{r.file, key.Line, key.Column, key.Value + " is spelled " + f.key})
			}
			seen[f.key] = key.Line
			r.note(f.key, -1, value)
			f.read(r, value, t)
			r.place = place // reading may have moved into its parts
		}
	}
}

func find[T any](fields []field[T], key string) *field[T] {
	for i := range fields {
		if fields[i].key == key {
			return &fields[i]
		}
	}
	return nil
}

func keysOf[T any](fields []field[T]) []string {
	keys := make([]string, len(fields))
	for i := range fields {
		keys[i] = fields[i].key
	}
	return keys
}

// didYouMean returns ", did you mean …?" with its leading comma, or "" if nothing is near.
func didYouMean(word string, words []string) string {
	if near := nearest.Of(word, words); near != "" {
		return ", did you mean " + near + "?"
	}
	return ""
}

func join(words []string) string { return strings.Join(words, ", ") }

// cut limits how much of a value a fault quotes.
func cut(text string) string {
	const most = 100
	if len(text) > most {
		return text[:most] + "…"
	}
	return text
}
