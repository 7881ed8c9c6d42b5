package policies

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/regionwatch/regionwatch/internal/display"
	"github.com/regionwatch/regionwatch/processor/policy/policyfile"
	"github.com/regionwatch/regionwatch/processor/policy/scp"
)

// ImportSCP makes a policy of service control policies in files; - is stdin. An invalid policy is an error, because it
// cannot be used.
func ImportSCP(stdin io.Reader, names []string, target scp.Target) (*scp.Imported, error) {
	if err := checkTarget(target); err != nil {
		return nil, err
	}
	var files []scp.Source
	var faults []error
	for _, name := range names {
		text, err := ReadInput(stdin, name)
		files, faults = append(files, scp.Source{Name: name, Text: text}), append(faults, err)
	}
	if err := errors.Join(faults...); err != nil {
		return nil, err
	}
	imported, err := scp.Import(files, target)
	if err == nil {
		_, err = policyfile.Parse("imported policy", imported.Policy)
	}
	return imported, err
}

// WriteSCPs writes service control policies to new files of a folder: scp-1.json and so on.
func WriteSCPs(folder string, texts [][]byte) error {
	if err := os.MkdirAll(folder, 0o755); err != nil {
		return err
	}
	for i, text := range texts {
		file, err := os.OpenFile(filepath.Join(folder, fmt.Sprintf("scp-%d.json", i+1)), os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644)
		if err != nil {
			return err
		}
		_, err = file.Write(text)
		if err = errors.Join(err, file.Close()); err != nil {
			return err
		}
	}
	return nil
}

// ExportSCP makes service control policies of the policy in a file.
func ExportSCP(name string, target scp.Target) (*scp.Exported, error) {
	file, err := policyfile.Load(name, nil)
	if err = errors.Join(checkTarget(target), err); err != nil {
		return nil, err
	}
	exported, err := scp.Export(&file.Options, target)
	if err != nil {
		err = fmt.Errorf("%s: %w", name, err)
	}
	return exported, err
}

func checkTarget(target scp.Target) error {
	if target.Group != "" && target.Account != "" {
		return errors.New("flag --group, flag --account: give one of them")
	}
	return nil
}

// ReadInput reads a file, or stdin for -, up to a size limit.
func ReadInput(stdin io.Reader, name string) ([]byte, error) {
	if name != "-" {
		file, err := os.Open(name)
		if err != nil {
			return nil, err
		}
		defer file.Close()
		stdin = file
	}
	text, err := io.ReadAll(io.LimitReader(stdin, policyfile.MaxBytes+1))
	if err == nil && len(text) > policyfile.MaxBytes {
		err = fmt.Errorf("%s: larger than %s", name, display.Size(policyfile.MaxBytes))
	}
	return text, err
}
