package setup

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"strings"
	"syscall"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/regionwatch/regionwatch/config"
	"github.com/regionwatch/regionwatch/internal/admin"
	"github.com/regionwatch/regionwatch/internal/cli"
	"github.com/regionwatch/regionwatch/internal/telemetry"
	"github.com/regionwatch/regionwatch/processor"
	"github.com/regionwatch/regionwatch/schema/incident"
)

// AdminSource returns what the admin page shows about a processor, and adds the necessary hooks to the processor's
// options. The caller adds the policy.
func AdminSource(s *config.Settings, b cli.Build, o *processor.Options) *admin.Source {
	if !servesPage(s) {
		return &admin.Source{}
	}
	recent := admin.NewRecent(o.AlertFormat)
	hooked := o.OnAlert
	o.OnAlert = func(encoded []byte) {
		recent.Alert(encoded)
		if hooked != nil {
			hooked(encoded)
		}
	}
	o.OnDeadLetter = recent.DeadLetter
	return &admin.Source{
		Version: b.String(),
		Facts: []admin.Fact{
			{Name: "Group", Value: o.Group},
			{Name: "Instance id", Value: o.InstanceID},
			{Name: "Delivery", Value: o.Delivery.String()},
			{Name: "Input", Value: strings.Join(o.InputTopics, ", ")},
			{Name: "Alerts to", Value: o.AlertTopic},
			{Name: "Dead letters to", Value: o.DeadLetterTopic},
		},
		Recent: recent,
	}
}

// ShowIncidents has the page of a processor that groups alerts show the open incidents.
func ShowIncidents(o *processor.Options, source *admin.Source, open func(n int) []*incident.Incident) {
	o.OnAlert = nil // what it writes are no alerts
	source.Incidents = open
	for i, f := range source.Facts {
		if f.Name == "Alerts to" {
			source.Facts[i].Name = "Incidents to"
		}
	}
}

// errDraining is why an instance that is stopping is not ready.
var errDraining = errors.New("draining after a signal to stop")

// Admin starts the admin server, or returns nil if the settings disable it.
func Admin(ctx context.Context, s *config.Settings, registry *prometheus.Registry, p *processor.Processor, source *admin.Source, log *slog.Logger) (*admin.Server, error) {
	if s.AdminAddress == config.None && !servesPage(s) {
		return nil, nil
	}
	o := admin.Options{
		PageAddress: s.PageAddress, Hosts: s.AdminHosts, TLSCertificate: s.AdminTLSCertificate, TLSKey: s.AdminTLSKey,
		TokenFile: s.AdminTokenFile, Pprof: s.Pprof, Registry: registry, Logger: log,
		Ready: func() error {
			if ctx.Err() != nil {
				return errDraining
			}
			return p.Ready()
		},
	}
	if s.AdminAddress != config.None {
		o.Address = s.AdminAddress
	}
	if servesPage(s) {
		source.Status = p.Status
		o.Source = source
	} else {
		o.PageAddress = ""
	}
	a, err := admin.Start(ctx, o)
	if errors.Is(err, syscall.EADDRINUSE) && s.Origin("admin-address").Source == config.FromDefault {
		// A second instance on the host must not fail because of a default.
		log.Warn("the default admin address is taken, choosing a free port; set --admin-address to choose one", "address", s.AdminAddress)
		o.Address = anyPort(s.AdminAddress)
		a, err = admin.Start(ctx, o)
	}
	return a, err
}

// servesPage reports whether the settings enable the page.
func servesPage(s *config.Settings) bool {
	return s.PageAddress != config.None && (s.PageAddress != "" || s.AdminAddress != config.None)
}

// anyPort returns the address with a port that the system chooses.
func anyPort(address string) string {
	host, _, _ := net.SplitHostPort(address) // the address was checked with the settings
	return net.JoinHostPort(host, "0")
}

// Telemetry starts to send the registry's metrics, and has the processor's clients trace their records, if the
// environment names a collector. The caller closes it when the processor has ended.
func Telemetry(ctx context.Context, registry *prometheus.Registry, b cli.Build, o *processor.Options) (*telemetry.Telemetry, error) {
	t, err := telemetry.Start(ctx, telemetry.Options{
		Gatherer: registry, Version: b.Version, Instance: o.InstanceID, Group: o.Group, Logger: o.Logger,
	})
	if err != nil {
		return nil, cli.Mistake(err)
	}
	o.ClientOpts = append(o.ClientOpts, t.ClientOpts()...)
	return t, nil
}
