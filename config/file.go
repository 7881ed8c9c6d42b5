package config

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"go.yaml.in/yaml/v4"
)

// maxFileBytes bounds a settings file. A real one has a few hundred bytes.
const maxFileBytes = 1 << 20

// readBounded returns the content of a file. Its errors do not repeat the name.
func readBounded(name string) ([]byte, error) {
	file, err := os.Open(name)
	if err != nil {
		return nil, cause(err)
	}
	defer file.Close()
	source, err := io.ReadAll(io.LimitReader(file, maxFileBytes+1))
	switch {
	case err != nil:
		return nil, cause(err)
	case len(source) > maxFileBytes:
		return nil, errors.New("it is larger than " + formatSize(maxFileBytes))
	}
	return source, nil
}

// cause returns an error of the file system without operation and name.
func cause(err error) error {
	var path *os.PathError
	if errors.As(err, &path) {
		return path.Err
	}
	return err
}

// fromYAML reads one mapping of keys to scalars and lists of scalars. Anchors, tags and nested mappings are mistakes
// here.
func (t table) fromYAML(name string, source []byte) *yamlReader {
	r := &yamlReader{table: t, file: quoteFile(name), seen: map[string]int{}}
	for d := yaml.NewDecoder(bytes.NewReader(source)); ; {
		var doc yaml.Node
		err := d.Decode(&doc)
		if errors.Is(err, io.EOF) {
			return r
		}
		if err != nil {
			r.syntax(source, err)
			r.found = nil
			return r
		}
		r.document(&doc)
	}
}

// syntax reports bytes that are not YAML.
func (r *yamlReader) syntax(source []byte, err error) {
	var load *yaml.LoadError
	if !errors.As(err, &load) {
		r.faults = append(r.faults, Fault{"file " + r.file, "invalid YAML: " + oneLine(strings.TrimPrefix(err.Error(), "yaml: "))})
		return
	}
	message := oneLine(load.Message)
	if beginsWithTab(source, load.Mark.Line) {
		message = "the line begins with a tab; indent it with spaces"
	}
	r.fault(&yaml.Node{Line: load.Mark.Line, Column: load.Mark.Column}, "invalid YAML: "+message)
}

// beginsWithTab reports whether the indentation of a line, counted from 1, has a tab. The parser's own error does not
// say so.
func beginsWithTab(source []byte, line int) bool {
	lines := bytes.Split(source, []byte("\n"))
	if line < 1 || line > len(lines) {
		return false
	}
	indentation := lines[line-1][:len(lines[line-1])-len(bytes.TrimLeft(lines[line-1], " \t"))]
	return bytes.ContainsRune(indentation, '\t')
}

// yamlReader collects what one file sets.
type yamlReader struct {
	table  table
	file   string
	read   bool           // a document with settings was seen
	seen   map[string]int // setting -> line of its first use
	found  []candidate
	faults Faults
	// spelled holds a warning for each key with hyphens.
	spelled []string
}

func (r *yamlReader) document(doc *yaml.Node) {
	body := doc.Content[0]
	switch {
	case isNull(body):
		return
	case body.Kind == yaml.MappingNode && r.read:
		r.fault(body, "a second document; want all settings in one")
		return
	case body.Kind == yaml.MappingNode:
		for i := 0; i < len(body.Content); i += 2 {
			r.entry(body.Content[i], body.Content[i+1])
		}
	default:
		r.fault(body, "want settings, one `name: value` a line")
	}
	r.read = true
}

func (r *yamlReader) entry(key, value *yaml.Node) {
	name := key.Value
	row := r.table.lookup(strings.ReplaceAll(name, "_", "-"))
	switch {
	case row == nil:
		r.fault(key, "no such setting: "+quoteName(name)+didYouMean(name, r.keys()))
	case row.notInFile:
		r.fault(key, name+" cannot be set in a file; use the flag or the variable")
	case r.seen[row.Name] > 0:
		r.fault(key, fmt.Sprintf("%s is already set in line %d", name, r.seen[row.Name]))
	default:
		if name != row.Key() {
			r.spelled = append(r.spelled, r.origin(key).String()+": "+name+" is spelled "+row.Key()+" in files, as the policy's keys are")
		}
		r.seen[row.Name] = key.Line
		r.value(row, key, value)
	}
}

// value reads the value of a key: a scalar, or a list of them.
func (r *yamlReader) value(row *Setting, key, value *yaml.Node) {
	switch {
	case value.Kind == yaml.SequenceNode && row.many:
		r.list(row, key, value)
	case !isScalar(value):
		r.shapeFault(row, key)
	case isNull(value):
		r.fault(key, row.Name+": has no value; allowed: "+row.Allowed)
	default:
		r.found = append(r.found, candidate{setting: row, words: row.split(value.Value), origin: r.origin(value)})
	}
}

func (r *yamlReader) list(row *Setting, key, items *yaml.Node) {
	c := candidate{setting: row, origin: r.origin(items)}
	for _, item := range items.Content {
		if !isScalar(item) || isNull(item) {
			r.shapeFault(row, key)
			return
		}
		c.words = append(c.words, item.Value)
		c.each = append(c.each, r.origin(item))
	}
	r.found = append(r.found, c)
}

func (r *yamlReader) shapeFault(row *Setting, key *yaml.Node) {
	want := "one value"
	if row.many {
		want = "one value or a list of them"
	}
	r.fault(key, row.Name+": want "+want+"; allowed: "+row.Allowed)
}

// isScalar reports whether the node is a value without an anchor or a tag.
func isScalar(n *yaml.Node) bool {
	return n.Kind == yaml.ScalarNode && n.Anchor == "" && n.Style&yaml.TaggedStyle == 0
}

func isNull(n *yaml.Node) bool { return n.Kind == yaml.ScalarNode && n.Tag == "!!null" }

func (r *yamlReader) fault(at *yaml.Node, text string) {
	r.faults = append(r.faults, Fault{r.origin(at).String(), text})
}

func (r *yamlReader) origin(at *yaml.Node) Origin {
	return Origin{Source: FromFile, Name: r.file, Line: max(1, at.Line), Column: max(1, at.Column)}
}

func (r *yamlReader) keys() []string {
	var keys []string
	for i := range r.table {
		if key := r.table[i].Key(); key != "" {
			keys = append(keys, key)
		}
	}
	return keys
}
