package config

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/parser"
	"github.com/goccy/go-yaml/token"
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

// fromYAML reads one mapping of keys to scalars and lists of scalars. Anchors, tags and nested mappings
// have no use here and are mistakes.
func (t table) fromYAML(name string, source []byte) ([]candidate, Faults) {
	r := yamlReader{table: t, file: quoteFile(name), seen: map[string]int{}}
	root, err := parseYAML(source)
	if err != nil {
		var at yaml.Error
		if errors.As(err, &at) && at.GetToken() != nil {
			r.fault(at.GetToken(), "no YAML: "+oneLine(at.GetMessage()))
		} else {
			r.faults = append(r.faults, Fault{"file " + r.file, "no YAML: " + oneLine(err.Error())})
		}
		return nil, r.faults
	}
	for _, doc := range root.Docs {
		r.document(doc)
	}
	return r.found, r.faults
}

// maxBrackets is far more than settings need. The parser takes memory with the square of the depth.
const maxBrackets = 1000

// parseYAML parses, and takes a panic of the parser for a syntax error.
func parseYAML(source []byte) (root *ast.File, err error) {
	if n := bytes.Count(source, []byte("[")) + bytes.Count(source, []byte("{")); n > maxBrackets {
		return nil, fmt.Errorf("it has %d opening brackets; settings need no more than one each", n)
	}
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("parser stopped: %v", p)
		}
	}()
	return parser.ParseBytes(source, 0, parser.AllowDuplicateMapKey())
}

// yamlReader gathers what one file gives.
type yamlReader struct {
	table  table
	file   string
	read   bool           // a document with settings was seen
	seen   map[string]int // key -> line of its first use
	found  []candidate
	faults Faults
}

func (r *yamlReader) document(doc *ast.DocumentNode) {
	switch body := doc.Body.(type) {
	case nil, *ast.CommentGroupNode, *ast.NullNode:
		return
	case ast.MapNode:
		if r.read {
			r.fault(doc.Body.GetToken(), "a second document; want all settings in one")
			return
		}
		for entry := body.MapRange(); entry.Next(); {
			r.entry(entry.Key(), entry.Value())
		}
	default:
		r.fault(body.GetToken(), "want settings, one `name: value` a line")
	}
	r.read = true
}

func (r *yamlReader) entry(key ast.MapKeyNode, value ast.Node) {
	at := key.GetToken()
	name, _, plain := scalar(key)
	if !plain {
		name = at.Value
	}
	row := r.table.lookup(name)
	switch {
	case row == nil:
		r.fault(at, "no such setting: "+quoteName(name)+didYouMean(name, r.keys()))
	case row.notInFile:
		r.fault(at, name+" cannot stand in a file; it is a flag or a variable")
	case r.seen[name] > 0:
		r.fault(at, fmt.Sprintf("%s stands in line %d already", name, r.seen[name]))
	default:
		r.seen[name] = at.Position.Line
		r.value(row, at, value)
	}
}

// value reads what stands after the key: a scalar, or a list of them.
func (r *yamlReader) value(row *Setting, key *token.Token, value ast.Node) {
	items, isList := value.(*ast.SequenceNode)
	if isList && row.many {
		r.list(row, key, items)
		return
	}
	word, at, plain := scalar(value)
	switch {
	case !plain:
		r.shapeFault(row, key)
	case at == nil:
		r.fault(key, row.Name+": has no value; allowed: "+row.Allowed)
	default:
		r.found = append(r.found, candidate{setting: row, words: row.split(word), origin: r.origin(at)})
	}
}

func (r *yamlReader) list(row *Setting, key *token.Token, items *ast.SequenceNode) {
	c := candidate{setting: row, origin: r.origin(items.GetToken())}
	for _, item := range items.Values {
		word, at, plain := scalar(item)
		if !plain || at == nil {
			r.shapeFault(row, key)
			return
		}
		c.words = append(c.words, word)
		c.each = append(c.each, r.origin(at))
	}
	r.found = append(r.found, c)
}

func (r *yamlReader) shapeFault(row *Setting, key *token.Token) {
	want := "one value"
	if row.many {
		want = "one value or a list of them"
	}
	r.fault(key, row.Name+": want "+want+"; allowed: "+row.Allowed)
}

// scalar returns the text of a scalar as it is written, without quotes. Null has no token.
func scalar(node ast.Node) (word string, at *token.Token, plain bool) {
	switch n := node.(type) {
	case nil, *ast.NullNode:
		return "", nil, true
	case *ast.StringNode:
		return n.Value, n.GetToken(), true
	case *ast.LiteralNode:
		return n.Value.Value, n.GetToken(), true
	case *ast.BoolNode, *ast.IntegerNode, *ast.FloatNode, *ast.InfinityNode, *ast.NanNode:
		return n.GetToken().Value, n.GetToken(), true
	default:
		return "", nil, false
	}
}

func (r *yamlReader) fault(at *token.Token, text string) {
	r.faults = append(r.faults, Fault{r.origin(at).String(), text})
}

func (r *yamlReader) origin(at *token.Token) Origin {
	o := Origin{Source: FromFile, Name: r.file, Line: 1, Column: 1}
	if at != nil && at.Position != nil {
		o.Line, o.Column = at.Position.Line, at.Position.Column
	}
	return o
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
