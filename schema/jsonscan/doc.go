// Package jsonscan checks and splits JSON: strictly by RFC 8259, in one pass, at any depth, without recursion,
// reflection or copies. It does not interpret the JSON.
//
// It accepts exactly what encoding/json (v1) accepts, and beyond its limit of 10,000 levels any depth:
//
//   - White space is space, tab, line feed and carriage return. There are no comments, trailing commas or byte order
//     marks.
//   - Numbers have any size and exponent. They are never converted: 1e999999 is a value like any other. A leading zero
//     or plus is an error.
//   - In strings, control characters below 0x20 are errors, and so is any escape but \" \\ \/ \b \f \n \r \t and \u
//     with four hexadecimal digits. 0x7f and \u0000 are text.
//   - Bytes that are not UTF-8 and lone surrogates (\ud800) are accepted, as encoding/json does, and
//     [Scanner.Invalid] is set. [Value.AppendText] writes U+FFFD for each.
//   - Keys compare decoded and in exact case: "\u0061" is a, "A" is not.
//
// Everything else is a [SyntaxError] with its place. A [Value] is a sub-slice of the input and valid as long as the
// input is. The package starts no goroutines; a [Scanner] belongs to one goroutine at a time.
package jsonscan
