package cloudtrail

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"io"

	"github.com/klauspost/compress/gzip"
)

// quote returns text as a JSON string.
func quote(text string) string {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(text); err != nil {
		panic(err)
	}
	return string(bytes.TrimSuffix(b.Bytes(), []byte("\n")))
}

// quoteAll quotes each of the texts.
func quoteAll(texts []string) (quoted []string) {
	for _, text := range texts {
		quoted = append(quoted, quote(text))
	}
	return quoted
}

func toBase64(text string) string { return base64.StdEncoding.EncodeToString([]byte(text)) }

// compress returns text as a gzip file of one member.
func compress(text string) string {
	return compressWith(text, func(w io.Writer) (io.WriteCloser, error) { return gzip.NewWriter(w), nil })
}

// compressWith returns what the writer makes of text.
func compressWith(text string, open func(io.Writer) (io.WriteCloser, error)) string {
	var b bytes.Buffer
	w, err := open(&b)
	if err == nil {
		_, err = io.WriteString(w, text)
	}
	if err == nil {
		err = w.Close()
	}
	if err != nil {
		panic(err)
	}
	return b.String()
}

// isStillJSON reports whether all that text holds is JSON, one value or several.
func isStillJSON(text string) bool {
	d := json.NewDecoder(bytes.NewReader([]byte(text)))
	for {
		var v json.RawMessage
		if err := d.Decode(&v); err != nil {
			return err == io.EOF
		}
	}
}
