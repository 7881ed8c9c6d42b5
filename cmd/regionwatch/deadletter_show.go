package main

import (
	"context"
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/regionwatch/regionwatch/config"
	"github.com/regionwatch/regionwatch/internal/broker/check"
	"github.com/regionwatch/regionwatch/internal/cli"
	"github.com/regionwatch/regionwatch/internal/deadletters"
	"github.com/regionwatch/regionwatch/internal/deadletters/view"
	"github.com/regionwatch/regionwatch/internal/display"
	"github.com/regionwatch/regionwatch/internal/explain"
	"github.com/regionwatch/regionwatch/processor/deadletter"
)

// showFlags are deadletter show's own flags, apart from settings.
type showFlags struct {
	format *cli.Choice
	raw    bool
	acls   aclFlags
}

func newDeadLetterShowCommand() *cobra.Command {
	f := showFlags{format: cli.NewChoice("text", "json")}
	cmd := &cobra.Command{
		Use:   "show PARTITION:OFFSET|origin TOPIC:PARTITION:OFFSET",
		Short: "Show one dead letter, and where decoding stopped",
		Long: "Show the dead letter at PARTITION:OFFSET of the dead-letter topic, or the first one of the record that was read\n" +
			"at TOPIC:PARTITION:OFFSET: its headers, whether it can be read now, where decoding stops, and the bytes around\n" +
			"that place. A letter in parts is put together; any part names it.",
		Example: "  regionwatch deadletter show 0:17 --brokers kafka-1:9092\n" +
			"  regionwatch deadletter show origin cloudtrail:3:42 --brokers kafka-1:9092 --raw > record.json",
		Args: func(_ *cobra.Command, args []string) error {
			if f.acls.wanted && len(args) == 0 {
				return nil // ACLs are the same for every letter
			}
			_, err := parseLetterPlace(args)
			return err
		},
		RunE: func(cmd *cobra.Command, args []string) error { return f.run(cmd, args) },
	}
	f.format.AddTo(cmd, "format", "format of the letter; json is one object, with key, value and headers in base64")
	cmd.Flags().BoolVar(&f.raw, "raw", false, "write only the record's value, as it came")
	f.acls.addTo(cmd, "the command")
	cli.AddSettings(cmd, append(config.Reach(), "config", "dead-letter-topic", "max-batch-bytes", "max-event-bytes")...)
	return cmd
}

// letterPlace is the place of a letter or, if Topic is set, the place of its original record.
type letterPlace explain.Place

func parseLetterPlace(args []string) (letterPlace, error) {
	wrong := errors.New("name one dead letter, as PARTITION:OFFSET, or its record, as origin TOPIC:PARTITION:OFFSET")
	if len(args) == 2 && args[0] == "origin" {
		args = args[1:]
	}
	if len(args) != 1 {
		return letterPlace{}, wrong
	}
	if place, ok := explain.ParsePlace(args[0]); ok {
		return letterPlace(place), nil
	}
	place, ok := explain.ParsePlace("x:" + args[0])
	if !ok {
		return letterPlace{}, fmt.Errorf("%q: %w", args[0], wrong)
	}
	return letterPlace{Partition: place.Partition, Offset: place.Offset}, nil
}

func (f *showFlags) run(cmd *cobra.Command, args []string) error {
	s, err := cli.ReadSomeSettings(cmd, "brokers")
	if err != nil {
		return cli.Mistake(err)
	}
	if f.acls.wanted {
		return f.acls.printLetters(cmd, f.format.String(), s, check.Letters{})
	}
	stdout := cmd.OutOrStdout()
	if f.raw && display.IsTerminal(stdout) {
		return cli.Mistake(errors.New("flag --raw: the value may contain terminal control sequences; redirect it to a file or a command"))
	}
	place, err := parseLetterPlace(args)
	if err != nil {
		return cli.Mistake(err)
	}
	ctx, stop := cli.StopOnSignal(cmd.Context(), letterDrain, nil)
	defer stop()
	topic, closeBar, err := letterTopic(ctx, s, cmd.ErrOrStderr())
	if err != nil {
		return err
	}
	found, err := findLetter(ctx, &topic, place)
	closeBar()
	switch {
	case err != nil:
		return letterError(ctx, err)
	case f.raw && found.Letter.Holds != "":
		return fmt.Errorf("%s holds %s", found.Letter.Place, view.HoldsText(found.Letter))
	case f.raw:
		_, err = stdout.Write(found.Letter.Value)
		return err
	}
	return view.Letter(stdout, f.format.String(), found, s.MaxEventBytes)
}

func findLetter(ctx context.Context, topic *deadletters.Topic, p letterPlace) (*deadletters.Found, error) {
	var found *deadletters.Found
	var err error
	name := fmt.Sprintf("%d:%d of %s", p.Partition, p.Offset, topic.Name)
	if p.Topic == "" {
		found, err = topic.Letter(ctx, p.Partition, p.Offset)
	} else {
		name = "the record " + explain.Place(p).String()
		found, err = topic.OfRecord(ctx, deadletter.Place{Topic: p.Topic, Partition: p.Partition, Offset: p.Offset})
	}
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	return found, nil
}
