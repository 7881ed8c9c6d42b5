package main

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
	"github.com/regionwatch/regionwatch/processor"
)

// newAdminView returns what the page of the admin server shows of a processor with these options, and makes the
// processor show it. The policy is the caller's to fill in.
func newAdminView(s *config.Settings, o *processor.Options) *admin.Source {
	if s.AdminAddress == config.None {
		return &admin.Source{}
	}
	recent := admin.NewRecent(o.AlertFormat)
	seesAlready := o.OnAlert
	o.OnAlert = func(encoded []byte) {
		recent.Alert(encoded)
		if seesAlready != nil {
			seesAlready(encoded)
		}
	}
	o.OnDeadLetter = recent.DeadLetter
	return &admin.Source{
		Version: thisBuild().String(),
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

// openAdmin starts the admin server where the settings want one.
func openAdmin(ctx context.Context, s *config.Settings, registry *prometheus.Registry, p *processor.Processor, view *admin.Source, log *slog.Logger) (closeAdmin func(), address string, err error) {
	if s.AdminAddress == config.None {
		return func() {}, config.None, nil
	}
	view.Status = p.Status
	o := admin.Options{Address: s.AdminAddress, Registry: registry, Logger: log, Source: view, Ready: func() error {
		if ctx.Err() != nil {
			return errDraining
		}
		return p.Ready()
	}}
	a, err := admin.Start(ctx, o)
	if errors.Is(err, syscall.EADDRINUSE) && s.Origin("admin-address").Source == config.FromDefault {
		// A second instance on the host must not fail for an address that nobody asked for.
		log.Warn("admin address is taken, choosing a free port; --admin-address sets one", "address", s.AdminAddress)
		o.Address = anyPort(s.AdminAddress)
		a, err = admin.Start(ctx, o)
	}
	if err != nil {
		return nil, "", err
	}
	return func() { _ = a.Close() }, a.Address(), nil // the process ends; there is nobody left to tell
}

// anyPort returns the address with a port that the system chooses.
func anyPort(address string) string {
	host, _, _ := net.SplitHostPort(address) // the settings have checked it
	return net.JoinHostPort(host, "0")
}
