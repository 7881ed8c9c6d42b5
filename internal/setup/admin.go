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
	"github.com/regionwatch/regionwatch/processor"
)

// AdminSource returns what the admin page shows of a processor, and adds the hooks for it to the processor's options.
// The policy is the caller's to add.
func AdminSource(s *config.Settings, b cli.Build, o *processor.Options) *admin.Source {
	if s.AdminAddress == config.None {
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

// errDraining is why an instance that is stopping is not ready.
var errDraining = errors.New("draining after a signal to stop")

// Admin starts the admin server unless the settings have none, and returns its address.
func Admin(ctx context.Context, s *config.Settings, registry *prometheus.Registry, p *processor.Processor, source *admin.Source, log *slog.Logger) (closeAdmin func(), address string, err error) {
	if s.AdminAddress == config.None {
		return func() {}, config.None, nil
	}
	source.Status = p.Status
	o := admin.Options{Address: s.AdminAddress, Registry: registry, Logger: log, Source: source, Ready: func() error {
		if ctx.Err() != nil {
			return errDraining
		}
		return p.Ready()
	}}
	a, err := admin.Start(ctx, o)
	if errors.Is(err, syscall.EADDRINUSE) && s.Origin("admin-address").Source == config.FromDefault {
		// A second instance on the host must not fail because of a default.
		log.Warn("the default admin address is taken, choosing a free port; set --admin-address to choose one", "address", s.AdminAddress)
		o.Address = anyPort(s.AdminAddress)
		a, err = admin.Start(ctx, o)
	}
	if err != nil {
		return nil, "", err
	}
	return func() { _ = a.Close() }, a.Address(), nil // the process ends; nobody could act on the error
}

// anyPort returns the address with a port that the system chooses.
func anyPort(address string) string {
	host, _, _ := net.SplitHostPort(address) // checked with the settings
	return net.JoinHostPort(host, "0")
}
