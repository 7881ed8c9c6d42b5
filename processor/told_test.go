package processor

import (
	"fmt"
	"log/slog"
	"strings"
	"testing"

	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// Neither metrics nor the log, at its finest, repeat text of an event: not of one that alerts, nor of one that is damaged.
func TestEventsAreNotTold(t *testing.T) {
	t.Parallel()
	const text = "CANARY"
	c := newCluster(t, 1)
	o := testOptions(c)
	log := new(lines)
	o.Logger = slog.New(slog.NewTextHandler(log, &slog.HandlerOptions{Level: slog.LevelDebug}))
	decide := production(t, &o)
	r := start(t, o, decide)
	const event = `{"eventVersion":"1.08","eventID":"%[1]s","eventName":"%[1]s","eventSource":"%[1]s","awsRegion":"eu-central-1","readOnly":false,` +
		`"userAgent":"%[1]s","sourceIPAddress":"%[1]s","recipientAccountId":"%[1]s","userIdentity":{"type":"%[1]s","userName":"%[1]s"}`
	whole := fmt.Sprintf(event, text)
	c.ProduceValues(inputTopic, 1, whole+"}", whole+`,"x":`, `{"awsRegion":"`+text, strings.ReplaceAll(whole, "eu-central-1", text)+"}")
	c.Eventually("committed", func() bool { return committedToEnd(c, 1) })
	r.mustStop()
	if c.EndOfAll(alertTopic) < 2 || c.EndOfAll(deadLetterTopic) < 2 {
		t.Errorf("%d alerts, %d dead letters, want two each", c.EndOfAll(alertTopic), c.EndOfAll(deadLetterTopic))
	}
	families, err := o.Registry.Gather()
	if err != nil {
		t.Fatal(err)
	}
	if strings.Contains(fmt.Sprint(families), text) {
		t.Errorf("metrics repeat text of an event: %v", families)
	}
	if log.count(text) > 0 {
		t.Errorf("the log repeats text of an event:\n%s", log.text.String())
	}
}

// Alerts and dead letters count as written once all in-sync replicas have them, in both modes.
//
// Guard: RequiredAcks in the client's options.
func TestAllReplicasAcknowledge(t *testing.T) {
	t.Parallel()
	for _, delivery := range []Delivery{AtLeastOnce, ExactlyOnce} {
		t.Run(delivery.String(), func(t *testing.T) {
			t.Parallel()
			c := newCluster(t, 1)
			o := exactlyOnce(c)
			o.Delivery = delivery
			c.ProduceValues(inputTopic, 1, "alert 1", "bad")
			all := func(req kmsg.Request) bool { return req.(*kmsg.ProduceRequest).Acks == -1 }
			some := func(req kmsg.Request) bool { return !all(req) }
			weak := c.Fault(kfake.Fault{Keys: []kmsg.Key{kmsg.Produce}, Observe: true, Count: -1, When: some})
			full := c.Fault(kfake.Fault{Keys: []kmsg.Key{kmsg.Produce}, Observe: true, Count: -1, When: all})
			r := start(t, o)
			c.Eventually("committed", func() bool { return committedToEnd(c, 1) })
			r.mustStop()
			if weak.Hits() > 0 || full.Hits() == 0 {
				t.Errorf("%d produce requests wait for all replicas, %d for fewer", full.Hits(), weak.Hits())
			}
		})
	}
}
