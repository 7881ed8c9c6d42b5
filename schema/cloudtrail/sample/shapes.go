package sample

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/regionwatch/regionwatch/schema/cloudtrail"
)

// aliases are names for chains that AWS makes: those that Lambda gets from its event sources
// (https://docs.aws.amazon.com/lambda/latest/dg/lambda-services.html).
var aliases = map[string]string{
	"lambda-sqs":     "records+sqs",
	"lambda-sns":     "records+sns",
	"lambda-kinesis": "records+kinesis",
	"lambda-logs":    "cloudwatch-logs+base64+gzip+cloudwatch-logs",
}

// ParseShape reads a chain of layers, the outermost first, with + between them: "records", "gzip+records",
// "sqs+sns+records". The innermost is always "event", which may be left out. Base64 is added where it is needed: in
// Kinesis and Firehose, and around binary layers within text.
func ParseShape(text string) (cloudtrail.Chain, error) {
	var layers []cloudtrail.Shape
	for _, name := range strings.Split(expand(text), "+") {
		s, ok := shapeNamed(name)
		if !ok {
			return cloudtrail.Chain{}, fmt.Errorf("shape %q: %q is not one of %s", text, name, strings.Join(ShapeNames(), ", "))
		}
		if n := len(layers); n > 0 && needsBase64(layers[n-1], s) {
			layers = append(layers, cloudtrail.ShapeBase64)
		}
		layers = append(layers, s)
	}
	if last := layers[len(layers)-1]; isAlwaysBase64(last) {
		layers = append(layers, cloudtrail.ShapeBase64)
	}
	if tooMany(layers) {
		return cloudtrail.Chain{}, fmt.Errorf("shape %q: more than %d layers", text, cloudtrail.MaxNesting)
	}
	var chain cloudtrail.Chain
	for _, s := range layers {
		chain = chain.Push(s)
	}
	return chain, checkShape(chain)
}

// expand replaces aliases by their chains.
func expand(text string) string {
	names := strings.Split(text, "+")
	for i, name := range names {
		if chain, ok := aliases[name]; ok {
			names[i] = chain
		}
	}
	return strings.Join(names, "+")
}

// tooMany reports whether there are more layers than the decoder opens; the event itself does not count.
func tooMany(layers []cloudtrail.Shape) bool {
	n := len(layers)
	if layers[n-1] == cloudtrail.ShapeEvent {
		n--
	}
	return n > cloudtrail.MaxNesting
}

// FormatShape writes a chain as ParseShape reads it.
func FormatShape(chain cloudtrail.Chain) string {
	return strings.ReplaceAll(chain.String(), " > ", "+")
}

// IsBinary reports whether records of this chain are binary.
func IsBinary(chain cloudtrail.Chain) bool { return isBinary(chain.At(0)) }

// ShapeNames returns the names of all layers that can be made, and of chains of them, sorted.
func ShapeNames() []string {
	var all []string
	for s := range cloudtrail.Shape(cloudtrail.ShapeCount) {
		if isMade(s) {
			all = append(all, s.String())
		}
	}
	for name := range aliases {
		all = append(all, name)
	}
	slices.Sort(all)
	return all
}

func shapeNamed(name string) (cloudtrail.Shape, bool) {
	for s := range cloudtrail.Shape(cloudtrail.ShapeCount) {
		if s.String() == name && isMade(s) {
			return s, true
		}
	}
	return cloudtrail.ShapeNone, false
}

func isMade(s cloudtrail.Shape) bool {
	return s == cloudtrail.ShapeEvent || s == cloudtrail.ShapeString || forms[s] != nil || encoders[s] != nil
}

// checkShape says what is wrong with a chain.
func checkShape(chain cloudtrail.Chain) error {
	if chain.Len() == 0 {
		return errors.New("shape: none given")
	}
	for i := range chain.Len() {
		outer, inner := chain.At(i), cloudtrail.ShapeEvent
		if i+1 < chain.Len() {
			inner = chain.At(i + 1)
		}
		switch {
		case !isMade(outer):
			return fmt.Errorf("shape %s: %s cannot be generated", FormatShape(chain), outer)
		case outer == cloudtrail.ShapeEvent && i+1 < chain.Len():
			return fmt.Errorf("shape %s: event must be the innermost", FormatShape(chain))
		case needsBase64(outer, inner):
			return fmt.Errorf("shape %s: %s within %s needs base64 between them", FormatShape(chain), inner, outer)
		case !canHold(outer, inner):
			return fmt.Errorf("shape %s: %s cannot be directly in %s", FormatShape(chain), inner, outer)
		}
	}
	return nil
}

// canHold reports whether the decoder finds inner in outer.
func canHold(outer, inner cloudtrail.Shape) bool {
	switch outer {
	case cloudtrail.ShapeRecords, cloudtrail.ShapeArray, cloudtrail.ShapeNDJSON:
		return isRaw(outer, inner)
	case cloudtrail.ShapePrefixed:
		return isValue(inner) && inner != cloudtrail.ShapeArray
	case cloudtrail.ShapeWrapped: // an object in an object is one envelope
		return inner != cloudtrail.ShapeWrapped
	case cloudtrail.ShapeConfluent, cloudtrail.ShapeGlue, cloudtrail.ShapeField:
		isHeader := outer != cloudtrail.ShapeField && (inner == cloudtrail.ShapeField || inner == cloudtrail.ShapeZlib)
		return isValue(inner) || inner == cloudtrail.ShapeNDJSON || inner == cloudtrail.ShapeString || isHeader
	case cloudtrail.ShapeString: // a quoted string in a quoted string is a text for people
		return inner != cloudtrail.ShapeString
	}
	return true
}

// needsBase64 reports whether outer can hold inner only in base64.
func needsBase64(outer, inner cloudtrail.Shape) bool {
	if isAlwaysBase64(outer) {
		return inner != cloudtrail.ShapeBase64
	}
	return isBinary(inner) && (outer == cloudtrail.ShapeString || forms[outer] != nil && canHold(outer, inner))
}

// isAlwaysBase64 reports whether AWS encodes the content of a layer in base64 even if it is text.
func isAlwaysBase64(s cloudtrail.Shape) bool {
	return s == cloudtrail.ShapeKinesis || s == cloudtrail.ShapeFirehose
}

// isBinary reports whether a layer is binary.
func isBinary(s cloudtrail.Shape) bool { return encoders[s] != nil && s != cloudtrail.ShapeBase64 }

// isRaw reports whether outer holds inner without quotes.
func isRaw(outer, inner cloudtrail.Shape) bool {
	return isValue(inner) || outer == cloudtrail.ShapeNDJSON && inner == cloudtrail.ShapePrefixed
}

// isValue reports whether a layer is a JSON object or array.
func isValue(s cloudtrail.Shape) bool {
	return s == cloudtrail.ShapeEvent || forms[s] != nil && s != cloudtrail.ShapeNDJSON && s != cloudtrail.ShapePrefixed
}
