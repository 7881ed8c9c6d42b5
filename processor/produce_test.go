package processor

import (
	"bytes"
	"testing"
	"time"

	"github.com/regionwatch/regionwatch/processor/output"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/regionwatch/regionwatch/processor/processortest"
	"github.com/regionwatch/regionwatch/schema/alert"
)

// An alert that cannot be produced ends Run with the reason, and nothing past it is committed.
//
// Guard: n = 0 in process where flush returned an error.
func TestProduceFailureEndsRun(t *testing.T) {
	t.Parallel()
	for _, delivery := range []Delivery{AtLeastOnce, ExactlyOnce} {
		t.Run(delivery.String(), func(t *testing.T) {
			t.Parallel()
			c := newCluster(t, 1)
			refused := c.Fault(kfake.Fault{Keys: []kmsg.Key{kmsg.Produce}, Topic: alertTopic, Err: kerr.TopicAuthorizationFailed, Count: -1})
			o := testOptions(c)
			var log lines
			o.Delivery, o.InstanceID, o.Logger = delivery, "one", log.logger()
			r := start(t, o)
			c.ProduceValues(inputTopic, 1, "pass", "alert 1", "pass")
			mustMention(t, r.wait(), "TOPIC_AUTHORIZATION_FAILED", alertTopic)
			if log.count("trying again") > 0 {
				t.Error("the log promises another try, where there is none")
			}
			if got := c.Committed(testGroup, inputTopic, 0); got > 1 {
				t.Errorf("committed %d, past an alert that was never written", got)
			}
			checkConservation(t, r.o.Registry)

			refused.Remove()
			again := testOptions(c)
			again.Delivery, again.InstanceID = delivery, "one"
			start(t, again)
			c.Read(alertTopic, 1)
		})
	}
}

// An alert that is not acknowledged in time is retried as long as we own the partition: an outage of any length loses
// nothing and does not end Run.
//
// Guard: failure.passes.
func TestDeliveryTimeoutIsTriedAgain(t *testing.T) {
	t.Parallel()
	c := newCluster(t, 1)
	outage := c.Fault(kfake.Fault{Keys: []kmsg.Key{kmsg.Produce}, Topic: alertTopic, Err: kerr.NotEnoughReplicas, Count: -1})
	o := testOptions(c)
	var log lines
	o.DeliveryTimeout, o.Logger = time.Second, log.logger()
	r := start(t, o)
	c.ProduceValues(inputTopic, 1, "alert 1")
	c.Eventually("tried again", func() bool { return r.tally.Snapshot().Redelivered > 0 })
	if log.count("not acknowledged, trying again") == 0 {
		t.Error("the log says nothing of it")
	}
	outage.Remove()
	c.Eventually("committed", func() bool { return c.Committed(testGroup, inputTopic, 0) == 1 })
	r.mustStop()
	if got := alertIDs(c.ReadAll(alertTopic)); got["1"] == 0 {
		t.Error("the alert is missing")
	}
}

// topicLimit limits a topic's batches to n bytes.
func topicLimit(t *testing.T, c *processortest.Cluster, topic, n string) {
	t.Helper()
	req := kmsg.NewPtrIncrementalAlterConfigsRequest()
	resource := kmsg.NewIncrementalAlterConfigsRequestResource()
	resource.ResourceType, resource.ResourceName = kmsg.ConfigResourceTypeTopic, topic
	config := kmsg.NewIncrementalAlterConfigsRequestResourceConfig()
	config.Name, config.Value = "max.message.bytes", &n
	resource.Configs = append(resource.Configs, config)
	req.Resources = append(req.Resources, resource)
	resp, err := req.RequestWith(t.Context(), c.Client())
	if err == nil {
		err = kerr.ErrorForCode(resp.Resources[0].ErrorCode)
	}
	if err != nil {
		t.Fatal(err)
	}
}

// An alert that is too large for its topic loses its copy of the event but is still written, whether the topic's limit is
// known or only shows when the broker rejects the batch.
//
// Guards: AlertRecord for the former, Output.smaller for the latter.
func TestAlertTooLarge(t *testing.T) {
	t.Parallel()
	for _, delivery := range []Delivery{AtLeastOnce, ExactlyOnce} {
		for name, told := range map[string]bool{"limit is known": true, "limit is refused": false} {
			t.Run(delivery.String()+", "+name, func(t *testing.T) {
				t.Parallel()
				c := newCluster(t, 1)
				topicLimit(t, c, alertTopic, "40000")
				if !told {
					c.Fault(kfake.Fault{Keys: []kmsg.Key{kmsg.DescribeConfigs}, Err: kerr.TopicAuthorizationFailed, Count: -1})
				}
				o := testOptions(c)
				o.Delivery, o.InstanceID = delivery, "one"
				r := start(t, o)
				c.ProduceValues(inputTopic, 1, "alert small", "large big 200000", "large middle 20000", "alert last")
				records := c.Read(alertTopic, 4)
				r.mustStop()
				for _, record := range records {
					id, _ := processortest.Header(record, output.HeaderAlertID)
					if id == "big" && !hasText(record, `"eventOmitted":"`+alert.OmittedSize+`"`) {
						t.Errorf("the large alert does not say that its event is left out: %.200s", record.Value)
					}
					if id == "middle" && told && !hasText(record, `"event":{`) {
						t.Error("the alert that fits has lost its event")
					}
				}
				if ids := alertIDs(records); len(ids) != 4 {
					t.Errorf("alerts %v, want 4", ids)
				}
				if r.tally.Snapshot().AlertsShrunk == 0 {
					t.Error("no shrunk alert was counted")
				}
			})
		}
	}
}

func hasText(r *kgo.Record, text string) bool { return bytes.Contains(r.Value, []byte(text)) }

// An OCSF alert has the same key and headers, and shrinks like a native one.
//
// Guards: the format in AlertRecord and in Output.shrink.
func TestAlertFormat(t *testing.T) {
	t.Parallel()
	c := newCluster(t, 1)
	topicLimit(t, c, alertTopic, "40000")
	o := testOptions(c)
	o.AlertFormat = alert.OCSF
	start(t, o)
	c.ProduceValues(inputTopic, 1, "alert small", "large big 200000")
	for _, r := range c.Read(alertTopic, 2) {
		id, _ := processortest.Header(r, output.HeaderAlertID)
		if !hasText(r, `"class_uid":2004`) || !hasText(r, `"finding_info":{"uid":"`+id+`"`) {
			t.Errorf("alert %q is no finding: %.300s", id, r.Value)
		}
		if contentType, _ := processortest.Header(r, output.HeaderContentType); contentType != alert.ContentType || string(r.Key) != "123456789012" {
			t.Errorf("content type %q, key %q", contentType, r.Key)
		}
		if hasText(r, `"eventOmitted":"`+alert.OmittedSize+`"`) != (id == "big") {
			t.Errorf("alert %q: %.300s", id, r.Value)
		}
	}
}

// An alert has the documented key, headers and acknowledgement.
func TestAlertRecord(t *testing.T) {
	t.Parallel()
	c := newCluster(t, 1)
	seen := make(chan string, 1)
	o := testOptions(c)
	o.OnAlert = func(encoded []byte) { seen <- string(encoded) }
	start(t, o)
	c.ProduceValues(inputTopic, 1, "alert 42")
	r := c.Read(alertTopic, 1)[0]
	if string(r.Key) != "123456789012" {
		t.Errorf("key %q, want the account", r.Key)
	}
	for key, want := range map[string]string{
		output.HeaderAlertID: "42", output.HeaderRuleID: "rule", output.HeaderSeverity: "High",
		output.HeaderContentType: "application/json", output.HeaderPolicyVersion: "v1",
	} {
		if got, _ := processortest.Header(r, key); got != want {
			t.Errorf("header %s is %q, want %q", key, got, want)
		}
	}
	if got := <-seen; got != string(r.Value) {
		t.Errorf("OnAlert saw %s, the topic holds %s", got, r.Value)
	}
}
