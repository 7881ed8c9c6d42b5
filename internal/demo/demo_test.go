package demo

import (
	"context"
	"net"
	"strconv"
	"strings"
	"testing"

	"github.com/regionwatch/regionwatch/internal/display"
	"github.com/regionwatch/regionwatch/processor"
	"github.com/regionwatch/regionwatch/processor/policy"
	"github.com/regionwatch/regionwatch/schema/cloudtrail/sample"
)

func TestPort(t *testing.T) {
	busy, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer busy.Close()
	port := busy.Addr().(*net.TCPAddr).Port
	if _, err := startBroker(context.Background(), port); err == nil || !strings.Contains(err.Error(), strconv.Itoa(port)) {
		t.Errorf("a port that is taken: %v", err)
	}
	// Two demos that choose their ports must not collide.
	for range 2 {
		broker, err := startBroker(t.Context(), 0)
		if err != nil {
			t.Fatal(err)
		}
		defer broker.close()
	}
}

// TestSummary checks that every wrong figure is reported.
func TestSummary(t *testing.T) {
	base := func() *summary {
		a := &summary{unused: []string{"eu-west-3"}, produced: 10, alertsBack: 3, lettersBack: 2}
		a.truth = sample.Truth{Events: 8, DeadLettered: 2, Regions: map[string]sample.Tally{"eu-west-3": {Writes: 2, PartialWrites: 1}}}
		c := &a.status.Counts
		c.Records, c.Done, c.DeadLettered, c.Events, c.Partial = 10, 8, 2, 9, 1
		c.Outcomes[policy.OutcomeAlerted], c.Outcomes[policy.OutcomeUsedRegion] = 3, 6
		c.Faults[1] = 2
		a.status.Acked, a.status.DeadLetter = 3, 2
		a.grouped.Read, a.grouped.Counted = 3, 3
		return a
	}
	if err := base().check(); err != nil {
		t.Fatal(err)
	}
	for want, spoil := range map[string]func(*summary){
		"records read: 10, want 11":         func(a *summary) { a.produced++ },
		"records done and dead-lettered: 9": func(a *summary) { a.status.Counts.Done-- },
		"records with dead letters: 2":      func(a *summary) { a.truth.DeadLettered++ },
		"events read: 9, want 10":           func(a *summary) { a.truth.Events++ },
		"events alerted: 4, want 3":         func(a *summary) { a.status.Counts.Outcomes[policy.OutcomeAlerted]++ },
		"partial alerts: 0, want 1":         func(a *summary) { a.status.Counts.Partial = 0 },
		"alerts acknowledged: 2, want 3":    func(a *summary) { a.status.Acked-- },
		"alerts read back: 4, want 3":       func(a *summary) { a.alertsBack++ },
		"alerts grouped: 2, want 3":         func(a *summary) { a.grouped.Counted-- },
		"dead letters acknowledged: 1":      func(a *summary) { a.status.DeadLetter-- },
		"dead letters read back: 1, want 2": func(a *summary) { a.lettersBack-- },
	} {
		a := base()
		spoil(a)
		var out strings.Builder
		a.print(&out)
		if err := a.check(); err == nil || !strings.Contains(err.Error(), want) || !strings.Contains(out.String(), "NO: ") {
			t.Errorf("%q is not in: %v\n%s", want, err, out.String())
		}
	}
}

// TestView checks that event text cannot control the terminal, and that the picture has as many rows as it says.
func TestView(t *testing.T) {
	var out strings.Builder
	v := &view{out: &out, live: true, head: []string{"head"}}
	for range shownAlerts + 3 {
		v.alert([]byte(`{"eventTime":"2026-11-01T00:00:00Z","awsRegion":"eu-west-3\u001b]0;x\u0007","recipientAccountId":"\u202e1","principal":{"name":"a\nb"}}`))
	}
	if _, err := (warningWriter{v}).Write([]byte("level=WARN msg=\"\x1b[31m\"\n")); err != nil {
		t.Fatal(err)
	}
	v.show(processor.Status{})
	picture := out.String()
	for _, own := range []string{hideCursor, clearLine, clearBelow, "\r", "\n"} {
		picture = strings.ReplaceAll(picture, own, "")
	}
	if display.Text(picture) != picture {
		t.Errorf("not printable: %q", picture)
	}
	if rows := strings.Count(out.String(), "\n"); rows != v.lines || rows > 23 {
		t.Errorf("%d rows, %d told", rows, v.lines)
	}
	out.Reset()
	v.show(processor.Status{})
	if !strings.HasPrefix(out.String(), "\x1b["+strconv.Itoa(v.lines)+"A") {
		t.Errorf("not painted over the last picture: %q", out.String()[:20])
	}
}
