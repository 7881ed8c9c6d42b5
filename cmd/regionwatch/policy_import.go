package main

import (
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/spf13/cobra"

	"github.com/regionwatch/regionwatch/internal/cli"
	"github.com/regionwatch/regionwatch/processor/policy/policyfile"
	"github.com/regionwatch/regionwatch/processor/policy/scp"
)

func newPolicyImportCommand() *cobra.Command {
	target := scp.Target{}
	cmd := &cobra.Command{
		Use:   "import-scp FILE...",
		Short: "Make a policy of service control policies that deny by region",
		Long: "Make a policy with the meaning of service control policies of AWS Organizations that deny by\n" +
			"aws:RequestedRegion, and write it to standard output, with comments that tell where each part comes\n" +
			"from. A file is the policy itself or what aws organizations describe-policy prints. Several are taken\n" +
			"to be attached to one target: --group, --account, or else every account. What cannot be said by a\n" +
			"policy is listed on standard error; there the import leans to alerting.",
		Example: "  aws organizations describe-policy --policy-id p-example | regionwatch policy import-scp - > policy.yaml",
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) == 0 {
				return errors.New("no files given; name files of service control policies, or - for standard input")
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, args []string) error { return importSCP(cmd, args, target) },
	}
	cmd.Flags().StringVar(&target.Group, "group", "", "name of the group that they are for, as an organizational unit")
	cmd.Flags().StringVar(&target.Account, "account", "", "id of the account that they are for")
	return cmd
}

func importSCP(cmd *cobra.Command, names []string, target scp.Target) error {
	if target.Group != "" && target.Account != "" {
		return cli.Mistake(errors.New("flag --group, flag --account: give one of them"))
	}
	var files []scp.Source
	var faults []error
	for _, name := range names {
		text, err := readInput(cmd, name)
		files, faults = append(files, scp.Source{Name: name, Text: text}), append(faults, err)
	}
	if err := errors.Join(faults...); err != nil {
		return cli.Mistake(err)
	}
	imported, err := scp.Import(files, target)
	if err != nil {
		return cli.Mistake(err)
	}
	// What is written is valid, or there is no use in it.
	if _, err := policyfile.Parse("imported policy", imported.Policy); err != nil {
		return cli.Mistake(err)
	}
	for _, note := range imported.Notes {
		cli.Report(cmd.ErrOrStderr(), errors.New("not carried over: "+note))
	}
	_, err = cmd.OutOrStdout().Write(imported.Policy)
	return err
}

// readInput reads a file of bounded size, or standard input.
func readInput(cmd *cobra.Command, name string) ([]byte, error) {
	in := cmd.InOrStdin()
	if name != "-" {
		file, err := os.Open(name)
		if err != nil {
			return nil, err
		}
		defer file.Close()
		in = file
	}
	text, err := io.ReadAll(io.LimitReader(in, policyfile.MaxBytes+1))
	if err == nil && len(text) > policyfile.MaxBytes {
		err = fmt.Errorf("%s: it has more than %d bytes", name, policyfile.MaxBytes)
	}
	return text, err
}
