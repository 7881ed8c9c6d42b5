package admin

import (
	"bytes"
	"context"
	"encoding/json"
	"sync"
	"time"

	"github.com/regionwatch/regionwatch/processor"
	"github.com/regionwatch/regionwatch/processor/policy"
	"github.com/regionwatch/regionwatch/schema/incident"
)

const (
	// sampleEvery is how often the source is sampled.
	sampleEvery = time.Second
	// maxListeners bounds the concurrent live views.
	maxListeners = 16
	// maxUnread is how many updates may wait for a listener before it is dropped. It then reconnects and gets the whole
	// view.
	maxUnread = 8
)

// live samples the source and sends changes to the open pages. It owns one goroutine.
type live struct {
	source  *Source
	ready   func() error
	began   time.Time
	metrics bool // the page's server also serves /metrics and the probes
	cancel  context.CancelFunc
	done    chan struct{}  // closed when the goroutine has ended
	served  sync.WaitGroup // streams

	mu        sync.Mutex
	history   history
	levels    levels
	listeners map[chan []byte]struct{}
	told      map[string]json.RawMessage // the parts of the view last sent to listeners
	draining  bool
}

func newLive(source *Source, ready func() error) *live {
	return &live{
		source: source, ready: ready, began: time.Now(), done: make(chan struct{}),
		history: history{byRecord: source.Incidents != nil}, listeners: make(map[chan []byte]struct{}),
	}
}

// start samples the source until ctx ends or stop is called.
func (l *live) start(ctx context.Context) {
	ctx, l.cancel = context.WithCancel(ctx)
	l.sample()
	go l.follow(ctx)
}

// stop ends the goroutine and all streams, and waits for them.
func (l *live) stop() {
	l.cancel()
	<-l.done
	l.served.Wait()
}

func (l *live) follow(ctx context.Context) {
	defer close(l.done)
	tick := time.NewTicker(sampleEvery)
	defer tick.Stop()
	for {
		select {
		case <-tick.C:
			l.sample()
		case <-ctx.Done():
			l.end()
			return
		}
	}
}

// sample samples the source and sends what has changed.
func (l *live) sample() {
	status := l.source.Status()
	l.mu.Lock()
	defer l.mu.Unlock()
	l.history.add(time.Now(), status)
	if len(l.listeners) > 0 {
		l.tell()
	}
}

// end tells the listeners that the instance is draining and closes their streams, so that they do not delay the
// shutdown.
func (l *live) end() {
	l.mu.Lock()
	l.draining = true
	l.mu.Unlock()
	l.sample()
	l.mu.Lock()
	defer l.mu.Unlock()
	for listener := range l.listeners {
		l.drop(listener)
	}
}

// tell sends the parts of the view that changed since the last call. A listener that does not keep up is dropped.
func (l *live) tell() {
	changed := make(map[string]json.RawMessage)
	for name, part := range parts(l.view(time.Now())) {
		if !bytes.Equal(l.told[name], part) {
			changed[name] = part
			l.told[name] = part
		}
	}
	if len(changed) == 0 {
		return
	}
	f := frame(changed)
	for listener := range l.listeners {
		select {
		case listener <- f:
		default:
			l.drop(listener)
		}
	}
}

// drop ends a stream.
func (l *live) drop(listener chan []byte) {
	if _, ok := l.listeners[listener]; ok {
		delete(l.listeners, listener)
		close(listener)
	}
}

// join returns a stream whose first frame is the whole view, or nil if there are too many or the instance is draining.
// The caller must call leave.
func (l *live) join() chan []byte {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.draining || len(l.listeners) >= maxListeners {
		return nil
	}
	if len(l.listeners) == 0 {
		l.told = parts(l.view(time.Now()))
	}
	listener := make(chan []byte, maxUnread)
	listener <- frame(l.told)
	l.listeners[listener] = struct{}{}
	l.served.Add(1)
	return listener
}

func (l *live) leave(listener chan []byte) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.drop(listener)
	l.served.Done()
}

// now returns the current view.
func (l *live) now() *view {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.view(time.Now())
}

// view builds the view. l must be locked.
func (l *live) view(now time.Time) *view {
	policy := l.source.Policy()
	alerts, letters, total := l.source.Recent.latest()
	v := &view{
		State:      l.state(now),
		Figures:    newFigures(&l.history),
		Policy:     newPolicyView(&policy, now),
		Regions:    newRegionsView(&l.history, policy.Policy, l.levels.of(policy.Policy, now), now),
		Alerts:     newAlertsView(alerts, total),
		Partitions: newPartitionsView(&l.history),
		Letters:    newLettersView(&l.history.last.Counts, letters),
	}
	if l.source.Incidents != nil {
		v.Incidents = newIncidentsView(l.source.Incidents(shownIncidents + 1))
		v.Figures.ofIncidents(v.Incidents, l.history.last.Counts.Records)
	}
	return v
}

// parts encodes each part of a view separately, by name.
func parts(v *view) map[string]json.RawMessage {
	encoded, err := json.Marshal(v)
	if err != nil {
		panic("BUG: encoding the view: " + err.Error()) // it has only strings
	}
	var parts map[string]json.RawMessage
	if err := json.Unmarshal(encoded, &parts); err != nil {
		panic("BUG: decoding the view: " + err.Error())
	}
	return parts
}

// frame encodes parts as one server-sent event. Encoded JSON has no line breaks, so the event is one line.
func frame(parts map[string]json.RawMessage) []byte {
	encoded, err := json.Marshal(parts)
	if err != nil {
		panic("BUG: encoding parts of the view: " + err.Error())
	}
	return append(append([]byte("data: "), encoded...), "\n\n"...)
}

// Source provides what the page shows. Its functions are called once a second and must be safe for concurrent use.
type Source struct {
	Version string // of the program
	// Facts are settings that distinguish this instance from others.
	Facts  []Fact
	Status func() processor.Status
	Policy func() PolicyState
	Recent *Recent
	// Incidents returns up to n open incidents, the most important first. It is nil if the instance makes alerts.
	Incidents func(n int) []*incident.Incident
}

// Fact is a setting with its value.
type Fact struct{ Name, Value string }

// PolicyState describes the current policy and the last attempt to replace it.
type PolicyState struct {
	Policy *policy.Policy
	Origin string    // its source, such as "file policy.yaml"
	Since  time.Time // when it took effect
	// Fault is why the last attempt to replace it failed, at FaultAt. It is empty if that succeeded.
	Fault   string
	FaultAt time.Time
}
