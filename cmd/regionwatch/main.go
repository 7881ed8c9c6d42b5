// Command regionwatch watches AWS CloudTrail on Kafka for activity in regions that a company does not use.
//
// Each command has one file: its flags, the options built from them, and its exit status. The packages under internal do
// the work.
package main

import (
	"os"

	"github.com/spf13/cobra"
	_ "golang.org/x/crypto/x509roots/fallback" // see below

	"github.com/regionwatch/regionwatch/internal/cli"
)

// The fallback roots are Mozilla's, for systems that have none, such as an image built from scratch. The system's own
// roots take precedence, so installing others replaces these. A module is better than a copied file: go.sum and the SBOM
// list the version, govulncheck reports a newer one, and it keeps roots that are trusted only up to a date, which a PEM
// file cannot express. The roots add about 2 ms to startup.

func main() { os.Exit(execute(os.Args[1:])) }

// execute runs the command line and returns the exit status.
func execute(args []string) int {
	program := cli.Program{New: newRootCommand, CheckSettings: func(cmd *cobra.Command) error {
		_, _, err := loadPolicy(cmd)
		return err
	}}
	return program.Execute(args, os.Stderr)
}

func newRootCommand() *cobra.Command {
	root := &cobra.Command{
		Use:   "regionwatch",
		Short: "Watch AWS CloudTrail on Kafka for activity in unused regions",
		Long: "Watch AWS CloudTrail on Kafka for activity in regions that a company does not use.\n\n" +
			"Exit status: 0 done, 1 a fault while running, 2 a mistake in flags, settings or policy.",
		Version:       thisBuild().Text(),
		SilenceUsage:  true,
		SilenceErrors: true,
	}
	root.SetVersionTemplate("{{.Version}}\n")
	cli.UseHelp(root)
	for _, group := range []struct {
		title    string
		commands []*cobra.Command
	}{
		{"Start here:", []*cobra.Command{newDemoCommand(), newScanCommand(), newExplainCommand()}},
		{"Run it:", []*cobra.Command{newValidateCommand(), newCheckCommand(), newRunCommand(), newIncidentsCommand(), newHealthCommand()}},
		{"Policy:", []*cobra.Command{newPolicyCommand(), newRegionsCommand()}},
		{"Look after it:", []*cobra.Command{newDeadLetterCommand(), newGenerateCommand(), newBenchCommand()}},
	} {
		root.AddGroup(&cobra.Group{ID: group.title, Title: group.title})
		for _, cmd := range group.commands {
			cmd.GroupID = group.title
			root.AddCommand(cmd)
		}
	}
	root.AddCommand(newVersionCommand(), newBenchBrokerCommand())
	completeRegions(root)
	return root
}
