package main

import (
	"fmt"
	"go/ast"
	"go/token"
	"go/types"
	"path/filepath"
	"strconv"
	"strings"
)

// mutant is one change of one file: it replaces the bytes from begin to end. Its switched form puts prefix and suffix around
// the bytes from outerBegin to outerEnd, so that one build of the package holds all changes and a number chooses one.
type mutant struct {
	id, nth              int // nth of those in its function with the same text; 0 if it is the only one
	file, function       string
	line                 int
	source               []byte
	begin, end           int
	text                 string
	outerBegin, outerEnd int
	prefix, suffix       string
	alone                bool // it cannot be switched: it needs a build of its own
}

func (m *mutant) apply() []byte {
	return append(append(append([]byte(nil), m.source[:m.begin]...), m.text...), m.source[m.end:]...)
}

// key says what the change is. It does not change when lines move.
func (m *mutant) key() string {
	return fmt.Sprintf("%s: %s: %s => %s", filepath.ToSlash(m.file), m.function, oneLine(m.source[m.begin:m.end]), oneLine([]byte(m.text)))
}

// exactKey names the change in the list of accepted ones: it also says which of several places it is.
func (m *mutant) exactKey() string {
	if m.nth == 0 {
		return m.key()
	}
	return fmt.Sprintf("%s [%d]", m.key(), m.nth)
}

func (m *mutant) String() string { return fmt.Sprintf("%s (line %d)", m.exactKey(), m.line) }

func oneLine(text []byte) string { return strings.Join(strings.Fields(string(text)), " ") }

// number gives each change its number, and those with the same key their order.
func number(all []*mutant) {
	same := map[string][]*mutant{}
	for i, m := range all {
		m.id = i + 1
		same[m.key()] = append(same[m.key()], m)
		id := strconv.Itoa(m.id)
		m.prefix, m.suffix = strings.ReplaceAll(m.prefix, "$", id), strings.ReplaceAll(m.suffix, "$", id)
	}
	for _, twins := range same {
		for i, m := range twins {
			if len(twins) > 1 {
				m.nth = i + 1
			}
		}
	}
}

// collector collects the changes of one file.
type collector struct {
	*source
	info           *types.Info
	checked        *types.Package
	imported       map[string]string // what the file calls each package
	name, function string
	parents        []ast.Node // of the node that is visited, outermost first
	found          []*mutant
}

func importNames(file *ast.File, checked *types.Package) map[string]string {
	names := map[string]string{checked.Path(): ""}
	paths := map[string]*types.Package{}
	for _, p := range checked.Imports() {
		paths[p.Path()] = p
	}
	for _, spec := range file.Imports {
		path, err := strconv.Unquote(spec.Path.Value)
		if p := paths[path]; err == nil && p != nil {
			names[path] = p.Name() + "."
			if spec.Name != nil {
				names[path] = spec.Name.Name + "."
			}
		}
	}
	return names
}

func (c *collector) collect(file *ast.File) {
	for _, d := range file.Decls {
		switch d := d.(type) {
		case *ast.FuncDecl:
			if d.Body != nil {
				c.inspect(d.Name.Name, d.Body)
			}
		case *ast.GenDecl:
			for _, spec := range d.Specs {
				if v, ok := spec.(*ast.ValueSpec); ok {
					c.inspectFunctions(v)
				}
			}
		}
	}
}

// inspectFunctions collects the changes of the functions in a variable of the package, such as a table. Its numbers, and
// constants, are left alone: how large a limit is is a choice, not a behaviour.
func (c *collector) inspectFunctions(v *ast.ValueSpec) {
	ast.Inspect(v, func(n ast.Node) bool {
		f, ok := n.(*ast.FuncLit)
		if ok {
			c.inspect(v.Names[0].Name, f.Body)
		}
		return !ok
	})
}

// inspect collects the changes of a function's body, under a name.
func (c *collector) inspect(name string, body *ast.BlockStmt) {
	c.function, c.parents = name, nil
	ast.Inspect(body, func(n ast.Node) bool {
		if n == nil {
			c.parents = c.parents[:len(c.parents)-1]
			return true
		}
		c.visit(n)
		c.parents = append(c.parents, n)
		return true
	})
}

// add adds a change of the bytes from begin to end. In the switched form, $ stands for its number; without a prefix there is
// none.
func (c *collector) add(begin, end token.Pos, text string, outer ast.Node, prefix, suffix string) {
	c.found = append(c.found, &mutant{
		file: c.name, function: c.function, line: c.positions.Position(begin).Line, source: c.text[c.name], begin: c.offset(begin), end: c.offset(end), text: text,
		outerBegin: c.offset(outer.Pos()), outerEnd: c.offset(outer.End()), prefix: prefix, suffix: suffix, alone: prefix == "",
	})
}

func (c *collector) offset(p token.Pos) int { return c.positions.Position(p).Offset }

func (c *collector) between(begin, end token.Pos) string {
	return string(c.text[c.name][c.offset(begin):c.offset(end)])
}

func (c *collector) textOf(n ast.Node) string { return c.between(n.Pos(), n.End()) }

// swaps maps each operator to its replacement.
var swaps = map[token.Token]string{
	token.EQL: "!=", token.NEQ: "==", token.LSS: "<=", token.LEQ: "<", token.GTR: ">=", token.GEQ: ">",
	token.LAND: "||", token.LOR: "&&", token.ADD: "-", token.SUB: "+",
}

func (c *collector) visit(n ast.Node) {
	switch n := n.(type) {
	case *ast.IfStmt:
		c.add(n.Cond.Pos(), n.Cond.End(), "!("+c.textOf(n.Cond)+")", n.Cond, "(mutant($) != (", "))")
		if n.Else == nil && leaves(n.Body) {
			c.add(n.Cond.Pos(), n.Cond.End(), "false", n.Cond, "(!mutant($) && (", "))")
		}
	case *ast.BinaryExpr:
		if swap, ok := swaps[n.Op]; ok && !c.isText(n) {
			c.expression(n, n.OpPos, n.OpPos+token.Pos(len(n.Op.String())), swap)
		}
	case *ast.BasicLit:
		if value, err := strconv.ParseInt(n.Value, 0, 64); n.Kind == token.INT && err == nil {
			c.expression(n, n.Pos(), n.End(), strconv.FormatInt(value+1, 10))
		}
	case *ast.AssignStmt:
		if n.Tok != token.DEFINE { // dropping a declaration would not compile
			c.drop(n)
		}
	case *ast.ExprStmt, *ast.IncDecStmt, *ast.DeferStmt:
		c.drop(n.(ast.Stmt))
	case *ast.SendStmt, *ast.GoStmt:
		c.drop(n.(ast.Stmt))
	case *ast.ReturnStmt:
		for _, result := range n.Results {
			if isError(result) {
				c.add(result.Pos(), result.End(), "nil", result, "mutantError($, ", ")")
			}
		}
	}
}

// leaves reports whether a block ends by leaving its function, loop or switch: without its condition that would not happen.
func leaves(b *ast.BlockStmt) bool {
	if len(b.List) == 0 {
		return false
	}
	switch b.List[len(b.List)-1].(type) {
	case *ast.ReturnStmt, *ast.BranchStmt:
		return true
	}
	return false
}

// isText reports whether an expression is a string: subtracting strings would not compile.
func (c *collector) isText(n *ast.BinaryExpr) bool {
	basic, ok := c.info.Types[n].Type.Underlying().(*types.Basic)
	return ok && basic.Info()&types.IsString != 0
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
