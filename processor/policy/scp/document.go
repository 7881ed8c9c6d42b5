package scp

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"unicode"
)

// Source is a file with a service control policy.
type Source struct {
	Name string
	Text []byte
}

// statement holds the parts of a service control policy's statement that are used.
type statement struct {
	Sid         string
	Effect      string
	Action      texts
	NotAction   texts
	Resource    texts
	NotResource texts
	Condition   map[string]map[string]texts

	place string // FILE: statement N (SID)
}

// texts is a string or a list of strings.
type texts []string

// UnmarshalJSON implements json.Unmarshaler.
func (t *texts) UnmarshalJSON(b []byte) error {
	var one any
	if err := json.Unmarshal(b, &one); err != nil {
		return err
	}
	list, isList := one.([]any)
	if !isList {
		list = []any{one}
	}
	for _, v := range list {
		switch v := v.(type) {
		case string:
			*t = append(*t, v)
		case bool:
			*t = append(*t, fmt.Sprint(v))
		default:
			return fmt.Errorf("want a string or a list of strings, not %s", b)
		}
	}
	return nil
}

// statements is one statement or a list of them.
type statements []statement

// UnmarshalJSON implements json.Unmarshaler.
func (s *statements) UnmarshalJSON(b []byte) error {
	if b[0] == '[' {
		return json.Unmarshal(b, (*[]statement)(s))
	}
	*s = make(statements, 1)
	return json.Unmarshal(b, &(*s)[0])
}

// readStatements returns the statements of a file: the policy itself, or the output of the AWS CLI's describe-policy.
func readStatements(f Source) (statements, error) {
	var file struct {
		Statement statements
		Policy    *struct{ Content string }
	}
	text := bytes.TrimPrefix(f.Text, []byte("\xef\xbb\xbf"))
	if err := decode(text, &file); err != nil {
		return nil, fmt.Errorf("%s: %w", f.Name, err)
	}
	if file.Policy != nil {
		if err := decode([]byte(file.Policy.Content), &file); err != nil {
			return nil, fmt.Errorf("%s: Policy.Content: %w", f.Name, err)
		}
	}
	if len(file.Statement) == 0 {
		return nil, fmt.Errorf("%s: no Statement found", f.Name)
	}
	for i := range file.Statement {
		s := &file.Statement[i]
		s.place = fmt.Sprintf("%s: statement %d", f.Name, i+1)
		if s.Sid != "" {
			s.place += " (" + oneLine(s.Sid) + ")"
		}
	}
	return file.Statement, nil
}

func decode(text []byte, v any) error {
	err := json.Unmarshal(text, v)
	var syntax *json.SyntaxError
	if errors.As(err, &syntax) {
		before := text[:min(int(syntax.Offset), len(text))]
		return fmt.Errorf("invalid JSON, line %d: %w; render a Terraform or CloudFormation template first",
			1+bytes.Count(before, []byte("\n")), err)
	}
	return err
}

// printable makes a text fit for a comment: on one line, without characters that YAML does not allow.
func printable(text string) string {
	text = strings.ToValidUTF8(text, "\uFFFD")
	return strings.Join(strings.FieldsFunc(text, func(r rune) bool { return r == ' ' || !unicode.IsPrint(r) }), " ")
}

// oneLine shortens a text to one line.
func oneLine(text string) string {
	const most = 100
	text = printable(text)
	if runes := []rune(text); len(runes) > most {
		text = string(runes[:most]) + "…"
	}
	return text
}
