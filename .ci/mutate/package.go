package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"go/ast"
	"go/importer"
	"go/parser"
	"go/token"
	"go/types"
	"io"
	"os"
	"os/exec"
	"path/filepath"
)

// source is a package's own files, parsed and with their types. The tests of other packages do not count for it.
type source struct {
	folder, path, name string
	files              []string // folder/file.go
	text               map[string][]byte
	positions          *token.FileSet
	imports            types.Importer
}

// listed is what the go command says of a package.
type listed struct {
	Dir, ImportPath, Name, Export string
	GoFiles                       []string
}

// find reads a package and returns it with every change of it: conditions negated, conditions that
// leave a function or loop never true, comparisons and arithmetic swapped, numbers off by one, statements dropped, returned
// errors replaced by nil. Generated files are left alone.
func find(folder string) (*source, []*mutant, error) {
	p, err := list(folder)
	if err != nil {
		return nil, nil, err
	}
	var parsed []*ast.File
	for _, name := range p.files {
		if p.text[name], err = os.ReadFile(name); err != nil {
			return nil, nil, err
		}
		file, err := parser.ParseFile(p.positions, name, p.text[name], parser.ParseComments)
		if err != nil {
			return nil, nil, err
		}
		parsed = append(parsed, file)
	}
	info := &types.Info{Types: map[ast.Expr]types.TypeAndValue{}}
	checked, err := (&types.Config{Importer: p.imports}).Check(p.path, p.positions, parsed, info)
	if err != nil {
		return nil, nil, err
	}
	var all []*mutant
	for i, file := range parsed {
		if ast.IsGenerated(file) {
			continue
		}
		c := &collector{source: p, info: info, checked: checked, name: p.files[i], imported: importNames(file, checked)}
		c.collect(file)
		all = append(all, c.found...)
	}
	if len(all) == 0 {
		return nil, nil, fmt.Errorf("%s: nothing to change", folder)
	}
	number(all)
	return p, all, nil
}

// list asks the go command for the package's files and for the compiled form of all that it and the chooser import.
func list(folder string) (*source, error) {
	absolute, err := filepath.Abs(folder)
	if err != nil {
		return nil, err
	}
	cmd := exec.Command("go", "list", "-export", "-deps", "-json=Dir,ImportPath,Name,Export,GoFiles", "os", "strconv", "syscall", "./"+filepath.ToSlash(folder))
	cmd.Stderr = os.Stderr
	out, err := cmd.Output()
	if err != nil {
		return nil, fmt.Errorf("go list %s: %w", folder, err)
	}
	exports := map[string]string{}
	var own listed
	for d := json.NewDecoder(bytes.NewReader(out)); ; {
		var next listed
		if err := d.Decode(&next); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			return nil, err
		}
		exports[next.ImportPath] = next.Export
		if next.Dir == absolute {
			own = next
		}
	}
	p := &source{folder: folder, path: own.ImportPath, name: own.Name, text: map[string][]byte{}, positions: token.NewFileSet()}
	p.imports = importer.ForCompiler(p.positions, "gc", func(path string) (io.ReadCloser, error) { return os.Open(exports[path]) })
	for _, name := range own.GoFiles {
		p.files = append(p.files, filepath.Join(folder, name))
	}
	return p, nil
}
