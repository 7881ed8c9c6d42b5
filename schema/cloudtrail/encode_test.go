package cloudtrail

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"io"
	"strings"

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

// deep returns levels of nesting in the pattern of open and close, around inside.
func deep(levels int, opening, inside, closing string) []byte {
	return []byte(strings.Repeat(opening, levels) + inside + strings.Repeat(closing, levels))
}

// tooDeep reports whether encoding/json may refuse the text for its depth alone.
func tooDeep(text []byte) bool {
	return bytes.Count(text, []byte("["))+bytes.Count(text, []byte("{")) > 10_000
}

// fuzzSeeds holds texts near what the scanner has rules for.
var fuzzSeeds = []string{
	`{}`, `[]`, `null`, `-0.1e+5`, `01`, `"\ud83d\ude00\ud800"`, "\"\xff\xc0\x80\"", "{\"a\x00\":1}", `{"\u0061wsRegion":"eu\u002dcentral-1"}`,
	`{"awsRegion":"a","awsRegion":"b","readOnly":true,"readOnly":false}`, `{ "readOnly" : "False" , "awsRegion" : null }`,
	`{"a":[[[{"b":{"c":[1,2,{}]}}]]],"d":"e"}`, strings.Repeat(`[{"a":`, 70), `[1,2.5,"x",true,false,null,{"y":[]}]`,
	"{\n  \"Records\": [\n    {\"eventVersion\": \"1.08\"}\n  ]\n}", `{"detail-type":"AWS API Call via CloudTrail","detail":{}}`,
	`{"messageType":"DATA_MESSAGE","logEvents":[{"id":"1","timestamp":1,"message":"{\"eventVersion\":\"1.08\"}"}]}`,
	`{"Type":"Notification","Message":"{\"Records\":[]}"}`, `{"body":"{}"}`, `{"payload":{"eventName":"x"}}`, `{"event.original":"{}"}`,
}
