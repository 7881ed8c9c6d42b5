package sample

import (
	"bytes"
	"fmt"
	"slices"
	"strings"

	"github.com/klauspost/compress/gzip"

	"github.com/regionwatch/regionwatch/schema/cloudtrail"
)

// container is an innermost layer: how events stand side by side.
type container struct {
	open, separator, close string
	several                bool // holds EventsPerRecord events, else one
}

var containers = map[cloudtrail.Shape]container{
	cloudtrail.ShapeEvent:   {},
	cloudtrail.ShapeRecords: {open: `{"Records":[`, separator: ",", close: "]}", several: true},
	cloudtrail.ShapeArray:   {open: "[", separator: ",", close: "]", several: true},
	cloudtrail.ShapeNDJSON:  {separator: "\n", close: "\n", several: true},
}

// wrapper is a layer around others: it returns the text in that layer. The result is valid until the
// next call.
type wrapper func(w *wrappers, text []byte) []byte

var wrapperOf = map[cloudtrail.Shape]wrapper{
	cloudtrail.ShapeGzip: (*wrappers).gzip,
}

// wrappers keeps what the wrappers use again and again.
type wrappers struct {
	gzipWriter *gzip.Writer
	buffer     bytes.Buffer
	spare      bytes.Buffer // the text of a wrapper may stand in the other one
}

func (w *wrappers) wrap(shape cloudtrail.Shape, text []byte) []byte {
	w.buffer, w.spare = w.spare, w.buffer
	w.buffer.Reset()
	return wrapperOf[shape](w, text)
}

func (w *wrappers) gzip(text []byte) []byte {
	if w.gzipWriter == nil {
		w.gzipWriter, _ = gzip.NewWriterLevel(nil, gzip.BestSpeed) // the level is a valid one
	}
	w.gzipWriter.Reset(&w.buffer)
	// A bytes.Buffer does not fail.
	_, _ = w.gzipWriter.Write(text)
	_ = w.gzipWriter.Close()
	return w.buffer.Bytes()
}

// checkShape says what is wrong with a chain: it needs one container, as its innermost layer.
func checkShape(chain cloudtrail.Chain) error {
	if chain.Len() == 0 {
		return fmt.Errorf("shape: none given")
	}
	for i := range chain.Len() - 1 {
		if wrapperOf[chain.At(i)] == nil {
			return fmt.Errorf("shape %s: %s cannot stand around others; that can: %s", FormatShape(chain), chain.At(i), names(wrapperOf))
		}
	}
	if last := chain.At(chain.Len() - 1); !isContainer(last) {
		return fmt.Errorf("shape %s: %s cannot be the innermost; that can: %s", FormatShape(chain), last, names(containers))
	}
	return nil
}

func isContainer(s cloudtrail.Shape) bool {
	_, ok := containers[s]
	return ok
}

// ParseShape reads a chain of layers, the outermost first, with + between them: "records",
// "gzip+records".
func ParseShape(text string) (cloudtrail.Chain, error) {
	var chain cloudtrail.Chain
	layers := strings.Split(text, "+")
	if len(layers) > cloudtrail.MaxNesting {
		return chain, fmt.Errorf("shape %q: more than %d layers", text, cloudtrail.MaxNesting)
	}
	for _, name := range layers {
		s, ok := shapeNamed(name)
		if !ok {
			return chain, fmt.Errorf("shape %q: %q is none of %s", text, name, strings.Join(ShapeNames(), ", "))
		}
		chain = chain.Push(s)
	}
	return chain, checkShape(chain)
}

// FormatShape writes a chain as ParseShape reads it.
func FormatShape(chain cloudtrail.Chain) string {
	return strings.ReplaceAll(chain.String(), " > ", "+")
}

// ShapeNames returns the names of all layers that can be made, sorted.
func ShapeNames() []string {
	var all []string
	for s := range cloudtrail.Shape(cloudtrail.ShapeCount) {
		if isContainer(s) || wrapperOf[s] != nil {
			all = append(all, s.String())
		}
	}
	slices.Sort(all)
	return all
}

func shapeNamed(name string) (cloudtrail.Shape, bool) {
	for s := range cloudtrail.Shape(cloudtrail.ShapeCount) {
		if s.String() == name && (isContainer(s) || wrapperOf[s] != nil) {
			return s, true
		}
	}
	return cloudtrail.ShapeNone, false
}

// names lists the shapes of a table, for error texts.
func names[V any](table map[cloudtrail.Shape]V) string {
	var all []string
	for s := range table {
		all = append(all, s.String())
	}
	slices.Sort(all)
	return strings.Join(all, ", ")
}
