package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"go/types"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
)

// expression adds a change within an expression: (changed) if its number is chosen, else (unchanged). Within a constant the
// whole constant is chosen, since only that has a type.
func (c *collector) expression(n ast.Expr, begin, end token.Pos, text string) {
	outer, needed := c.constant(n)
	of, ok := c.typeName(c.info.Types[outer].Type)
	if needed || !ok {
		c.add(begin, end, text, n, "", "")
		return
	}
	changed := c.between(outer.Pos(), begin) + text + c.between(end, outer.End())
	if c.info.Types[outer].Value != nil {
		c.add(begin, end, text, outer, "mutantOr["+of+"]($, "+changed+", ", ")")
	} else {
		c.add(begin, end, text, outer, "func() "+of+" { if mutant($) { return "+changed+" }; return ", " }()")
	}
}

// constant returns the outermost constant that an expression is part of, or the expression itself, and whether the language
// wants a constant there.
func (c *collector) constant(n ast.Expr) (outer ast.Expr, needed bool) {
	outer = n
	within := ast.Node(n)
	for i := len(c.parents) - 1; i >= 0; i-- {
		switch p := c.parents[i].(type) {
		case *ast.ArrayType:
			return outer, p.Len == within
		case *ast.GenDecl:
			return outer, p.Tok == token.CONST
		case *ast.KeyValueExpr:
			needed = needed || p.Key == within
		case *ast.CompositeLit:
			_, isMap := c.info.Types[p].Type.Underlying().(*types.Map)
			return outer, needed && !isMap
		case ast.Stmt, *ast.FuncLit:
			return outer, needed
		case ast.Expr:
			if c.info.Types[p].Value != nil && outer == within {
				outer = p
			}
		}
		within = c.parents[i]
	}
	return outer, needed
}

// typeName returns how the file writes a type, or false if it does not import its package.
func (c *collector) typeName(t types.Type) (name string, ok bool) {
	ok = true
	name = types.TypeString(types.Default(t), func(p *types.Package) string {
		called, imported := c.imported[p.Path()]
		ok = ok && imported
		return strings.TrimSuffix(called, ".")
	})
	return name, ok
}

// drop adds the change that drops a statement.
func (c *collector) drop(n ast.Stmt) {
	prefix, suffix := "if !mutant($) { ", " }"
	switch p := c.parents[len(c.parents)-1].(type) {
	case *ast.BlockStmt, *ast.CaseClause:
	case *ast.CommClause:
		if p.Comm == n { // a send or receive, without which there is no case
			return
		}
	default: // the head of an if or for
		prefix, suffix = "func() { "+prefix, suffix+" }()"
	}
	if e, ok := n.(*ast.ExprStmt); ok && strings.HasPrefix(c.textOf(e), "panic(") {
		prefix = "" // a function may have to end in it
	}
	c.add(n.Pos(), n.End(), "{}", n, prefix, suffix)
}

// chooser is compiled into the package. MUTANT is the number of the change that is made; MUTANT_REACHED is a file with a
// byte for each change, set when the tests get to it.
const chooser = `
import (
	"os"
	"strconv"
	"syscall"
)

var (
	mutantChosen, _ = strconv.Atoi(os.Getenv("MUTANT"))
	mutantReached   = mutantFile(os.Getenv("MUTANT_REACHED"))
)

func mutantFile(name string) []byte {
	f, err := os.OpenFile(name, os.O_RDWR, 0)
	if err != nil {
		return nil
	}
	info, err := f.Stat()
	if err != nil {
		panic(err)
	}
	bytes, err := syscall.Mmap(int(f.Fd()), 0, int(info.Size()), syscall.PROT_READ|syscall.PROT_WRITE, syscall.MAP_SHARED)
	if err != nil {
		panic(err)
	}
	return bytes
}

func mutant(id int) bool {
	if mutantReached != nil {
		mutantReached[id] = 1
	}
	return mutantChosen == id
}

func mutantOr[T any](id int, changed, unchanged T) T {
	if mutant(id) {
		return changed
	}
	return unchanged
}

func mutantError(id int, err error) error {
	if mutant(id) {
		return nil
	}
	return err
}
`

// build compiles the package's tests once with all changes that can be switched. Changes that do not compile in this form
// are left to builds of their own.
func (p *source) build(mutants []*mutant, scratch string) (binary string, err error) {
	for {
		files := map[string][]byte{filepath.Join(p.folder, "mutant_chooser.go"): []byte("package " + p.name + "\n" + chooser)}
		for _, name := range p.files {
			files[name] = switched(p.text[name], mutants, name, nil)
		}
		faults, err := p.check(files)
		if err != nil {
			return "", err
		}
		if len(faults) == 0 {
			return compile(p.folder, files, filepath.Join(scratch, "switched"))
		}
		before := count(mutants, func(m *mutant) bool { return m.alone })
		for _, at := range faults {
			switched(p.text[at.Filename], mutants, at.Filename, &at)
		}
		if count(mutants, func(m *mutant) bool { return m.alone }) == before {
			return "", fmt.Errorf("%s: the switched form does not compile", faults[0])
		}
	}
}

// insertion is one end of a change's switched form.
type insertion struct {
	at, order int
	text      string
	mutant    *mutant
}

// switched returns a file with the switched form of its changes. With a fault, those that touch the fault's line are put
// aside.
func switched(text []byte, mutants []*mutant, name string, fault *token.Position) []byte {
	var all []insertion
	for _, m := range mutants {
		if m.file == name && !m.alone {
			all = append(all, insertion{m.outerBegin, m.id, m.prefix, m}, insertion{m.outerEnd, -m.id, m.suffix, m})
		}
	}
	slices.SortFunc(all, func(a, b insertion) int { // what ends at a place, innermost first, then what begins, outermost first
		if a.at != b.at {
			return a.at - b.at
		}
		return a.order - b.order
	})
	var out bytes.Buffer
	from, line := 0, 1
	for _, in := range all {
		out.Write(text[from:in.at])
		line += bytes.Count(text[from:in.at], []byte("\n"))
		begin := line
		line += strings.Count(in.text, "\n")
		if fault != nil && begin <= fault.Line && fault.Line <= line {
			in.mutant.alone = true
		}
		out.WriteString(in.text)
		from = in.at
	}
	out.Write(text[from:])
	return out.Bytes()
}

// check returns where the files do not compile.
func (p *source) check(files map[string][]byte) (faults []token.Position, err error) {
	positions := token.NewFileSet()
	var parsed []*ast.File
	for name, text := range files {
		file, err := parser.ParseFile(positions, name, text, 0)
		if err != nil {
			return nil, err
		}
		parsed = append(parsed, file)
	}
	config := types.Config{Importer: p.imports, Error: func(err error) {
		if fault, ok := errors.AsType[types.Error](err); ok {
			faults = append(faults, positions.Position(fault.Pos))
		}
	}}
	_, _ = config.Check(p.path, positions, parsed, nil)
	return faults, nil
}

// compile builds a package's tests with some files replaced.
func compile(folder string, files map[string][]byte, scratch string) (binary string, err error) {
	if err := os.MkdirAll(scratch, 0o700); err != nil {
		return "", err
	}
	replace := map[string]string{}
	for name, text := range files {
		original, err := filepath.Abs(name)
		if err != nil {
			return "", err
		}
		replace[original] = filepath.Join(scratch, filepath.Base(name))
		if err := os.WriteFile(replace[original], text, 0o600); err != nil {
			return "", err
		}
	}
	description, err := json.Marshal(map[string]any{"Replace": replace})
	if err != nil {
		return "", err
	}
	overlay := filepath.Join(scratch, "overlay.json")
	if err := os.WriteFile(overlay, description, 0o600); err != nil {
		return "", err
	}
	binary = filepath.Join(scratch, "tests")
	out, err := exec.Command("go", "test", "-c", "-vet=off", "-overlay", overlay, "-o", binary, "./"+filepath.ToSlash(folder)).CombinedOutput()
	if err != nil {
		return "", fmt.Errorf("building %s: %w\n%s", folder, err, out)
	}
	return binary, nil
}

func count(mutants []*mutant, is func(*mutant) bool) (n int) {
	for _, m := range mutants {
		if is(m) {
			n++
		}
	}
	return n
}
