package broker

// Secret is a text that printing never shows, not even inside another value. The zero value is none.
type Secret struct {
	text func() string // fmt and slog print the address of a function, not its result
}

// NewSecret returns the text as a secret; the empty text is none.
func NewSecret(text string) Secret {
	if text == "" {
		return Secret{}
	}
	return Secret{func() string { return text }}
}

// String returns "(secret)", or "" for none.
func (s Secret) String() string {
	if s.text == nil {
		return ""
	}
	return "(secret)"
}

// reveal returns the text.
func (s Secret) reveal() string {
	if s.text == nil {
		return ""
	}
	return s.text()
}
