package config

import "strings"

// The lines around the table of settings in docs/settings.md.
const (
	MarkdownBegin = "<!-- settings:begin -->"
	MarkdownEnd   = "<!-- settings:end -->"
)

// Markdown returns the table of settings in docs/settings.md.
func Markdown() string {
	var b strings.Builder
	section := ""
	for i := range all {
		row := &all[i]
		if row.Section != section {
			section = row.Section
			b.WriteString("\n**" + section + "**\n\n| Flag | Variable | Default | Meaning (what is allowed) |\n| --- | --- | --- | --- |\n")
		}
		b.WriteString(markdownRow(row))
	}
	return strings.TrimPrefix(b.String(), "\n")
}

func markdownRow(row *Setting) string {
	flag, meaning := "none: file or environment only", row.Help
	if !row.Secret {
		flag = "`" + row.Flag() + "`"
	}
	if !row.toggle {
		meaning += " (" + row.Allowed + ")"
	}
	if row.notInFile {
		meaning += "; not allowed in the file"
	}
	cells := []string{flag, "`" + row.Variable() + "`", markdownDefault(row), meaning}
	for i := range cells {
		cells[i] = strings.ReplaceAll(cells[i], "|", "\\|")
	}
	return "| " + strings.Join(cells, " | ") + " |\n"
}

func markdownDefault(row *Setting) string {
	if row.Default == "" {
		return ""
	}
	return "`" + strings.ReplaceAll(row.Default, ",", ", ") + "`"
}
