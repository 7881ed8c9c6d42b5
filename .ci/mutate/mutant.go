package main

import (
	"fmt"
	"go/ast"
	"go/build"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

// mutant is one change of one file: it replaces the bytes from begin to end.
type mutant struct {
	file, function string
	line           int
	source         []byte
	begin, end     int
	text           string
}

func (m mutant) apply() []byte {
	return append(append(append([]byte(nil), m.source[:m.begin]...), m.text...), m.source[m.end:]...)
}

// key names the change in the list of accepted ones. It does not change when lines move.
func (m mutant) key() string {
	oneLine := func(s string) string { return strings.Join(strings.Fields(s), " ") }
	return fmt.Sprintf("%s: %s: %s => %s", filepath.ToSlash(m.file), m.function, oneLine(string(m.source[m.begin:m.end])), oneLine(m.text))
}

func (m mutant) String() string { return fmt.Sprintf("%s (line %d)", m.key(), m.line) }

// find returns every change of a package's own files: conditions negated, comparisons and arithmetic swapped, numbers off
// by one, statements dropped, returned errors replaced by nil.
func find(folder string) (all []mutant, err error) {
	names, err := filepath.Glob(filepath.Join(folder, "*.go"))
	if err != nil {
		return nil, err
	}
	for _, name := range names {
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		if built, err := build.Default.MatchFile(folder, filepath.Base(name)); err != nil || !built { // no test runs a generator
			continue
		}
		source, err := os.ReadFile(name)
		if err != nil {
			return nil, err
		}
		files := token.NewFileSet()
		parsed, err := parser.ParseFile(files, name, source, parser.ParseComments)
		if err != nil {
			return nil, err
		}
		if ast.IsGenerated(parsed) {
			continue
		}
		for _, d := range parsed.Decls {
			f, ok := d.(*ast.FuncDecl)
			if !ok || f.Body == nil {
				continue
			}
			c := &collector{files: files, name: name, source: source, function: f.Name.Name}
			ast.Inspect(f.Body, c.visit)
			all = append(all, c.found...)
		}
	}
	if len(all) == 0 {
		return nil, fmt.Errorf("%s: nothing to change", folder)
	}
	return all, nil
}

// collector collects the changes of one function.
type collector struct {
	files          *token.FileSet
	name, function string
	source         []byte
	found          []mutant
}

func (c *collector) add(begin, end token.Pos, text string) {
	at := c.files.Position(begin)
	c.found = append(c.found, mutant{c.name, c.function, at.Line, c.source, at.Offset, c.files.Position(end).Offset, text})
}

func (c *collector) textOf(n ast.Node) string {
	return string(c.source[c.files.Position(n.Pos()).Offset:c.files.Position(n.End()).Offset])
}

// swaps maps each operator to its replacements.
var swaps = map[token.Token]string{
	token.EQL: "!=", token.NEQ: "==", token.LSS: "<=", token.LEQ: "<", token.GTR: ">=", token.GEQ: ">",
	token.LAND: "||", token.LOR: "&&", token.ADD: "-", token.SUB: "+",
}

func (c *collector) visit(n ast.Node) bool {
	switch n := n.(type) {
	case *ast.IfStmt:
		c.add(n.Cond.Pos(), n.Cond.End(), "!("+c.textOf(n.Cond)+")")
	case *ast.BinaryExpr:
		if swap, ok := swaps[n.Op]; ok && !isText(n) {
			c.add(n.OpPos, n.OpPos+token.Pos(len(n.Op.String())), swap)
		}
	case *ast.BasicLit:
		if value, err := strconv.ParseInt(n.Value, 0, 64); n.Kind == token.INT && err == nil {
			c.add(n.Pos(), n.End(), strconv.FormatInt(value+1, 10))
		}
	case *ast.ExprStmt, *ast.IncDecStmt, *ast.DeferStmt:
		c.add(n.Pos(), n.End(), "{}")
	case *ast.AssignStmt:
		if n.Tok != token.DEFINE { // dropping a declaration would not compile
			c.add(n.Pos(), n.End(), "{}")
		}
	case *ast.ReturnStmt:
		for _, result := range n.Results {
			if isError(result) {
				c.add(result.Pos(), result.End(), "nil")
			}
		}
	}
	return true
}

// isText reports whether an operand is a string: subtracting strings would not compile.
func isText(n *ast.BinaryExpr) bool {
	for _, e := range []ast.Expr{n.X, n.Y} {
		if lit, ok := e.(*ast.BasicLit); ok && lit.Kind == token.STRING && n.Op == token.ADD {
			return true
		}
	}
	return false
}

// isError reports whether a returned expression looks like an error.
func isError(e ast.Expr) bool {
	switch e := e.(type) {
	case *ast.Ident:
		return e.Name == "err" || strings.HasPrefix(e.Name, "err") && len(e.Name) > 3 && e.Name[3] >= 'A' && e.Name[3] <= 'Z'
	case *ast.CallExpr:
		s, ok := e.Fun.(*ast.SelectorExpr)
		if !ok {
			return false
		}
		pkg, _ := s.X.(*ast.Ident)
		return pkg != nil && (pkg.Name == "fmt" && s.Sel.Name == "Errorf" || pkg.Name == "errors" && (s.Sel.Name == "New" || s.Sel.Name == "Join"))
	}
	return false
}
