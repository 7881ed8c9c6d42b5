package regions

import (
	"strings"
	"unicode"
)

// byName returns the code of the one region whose name has the given words, such as Frankfurt, or "" if there is none
// or more than one. The first partition with such a region decides: Ohio is us-east-2.
func byName(name string) string {
	wanted := nameWords(name)
	var found Region
	for _, r := range catalogue {
		switch {
		case !strings.Contains(nameWords(r.Name), wanted):
		case found.Code == "":
			found = r
		case found.Partition == r.Partition:
			return ""
		}
	}
	return found.Code
}

// plainLetters are the accented letters in place names that AWS writes without accents.
var plainLetters = strings.NewReplacer("ã", "a", "ü", "u", "é", "e")

// nameWords returns the words of a name in lower case, with a space around each.
func nameWords(name string) string {
	words := strings.FieldsFunc(plainLetters.Replace(strings.ToLower(name)), func(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsDigit(r) })
	return " " + strings.Join(words, " ") + " "
}
