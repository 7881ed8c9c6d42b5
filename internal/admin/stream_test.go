package admin

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/regionwatch/regionwatch/processor"
)

// listen opens a live view over the network and returns its lines.
func listen(ctx context.Context, t *testing.T, s *Server) *bufio.Scanner {
	t.Helper()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+s.Address()+"/live", nil)
	if err != nil {
		t.Fatal(err)
	}
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	response, err := client.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = response.Body.Close() })
	if got := response.Header.Get("Content-Type"); got != "text/event-stream" || response.StatusCode != http.StatusOK {
		t.Fatalf("a live view is answered with %d, content type %q", response.StatusCode, got)
	}
	lines := bufio.NewScanner(response.Body)
	lines.Buffer(nil, 1<<20)
	return lines
}

// next returns the parts of the next event, or nil at the end of the stream.
func next(t *testing.T, lines *bufio.Scanner) map[string]json.RawMessage {
	t.Helper()
	for lines.Scan() {
		line := lines.Text()
		data, isData := strings.CutPrefix(line, "data: ")
		if !isData {
			if line != "" && !strings.HasPrefix(line, "retry: ") && !strings.HasPrefix(line, ":") {
				t.Fatalf("a line that is no server-sent event: %q", line)
			}
			continue
		}
		var parts map[string]json.RawMessage
		if err := json.Unmarshal([]byte(data), &parts); err != nil {
			t.Fatalf("%v in %q", err, data)
		}
		return parts
	}
	return nil
}

// A live view starts with everything and continues with changes.
func TestLiveView(t *testing.T) {
	i := newInstance(t)
	s := i.start(t.Context(), t, "127.0.0.1:0")
	lines := listen(t.Context(), t, s)
	first := next(t, lines)
	for _, part := range []string{"state", "figures", "policy", "regions", "alerts", "partitions", "letters"} {
		if first[part] == nil {
			t.Errorf("the first event lacks %s", part)
		}
	}
	i.source.Recent.Alert([]byte(`{"awsRegion":"eu-west-3","eventName":"RunInstances\n\ndata: x","principal":{"name":"</script>"}}`))
	for {
		changed := next(t, lines)
		if changed == nil {
			t.Fatal("the stream has ended")
		}
		if changed["letters"] != nil {
			t.Error("what has not changed is sent again")
		}
		if text := string(changed["alerts"]); text != "" {
			if !strings.Contains(text, `RunInstances\\n\\ndata: x`) || strings.Contains(text, "<") {
				t.Errorf("alerts %s", text)
			}
			return
		}
	}
}

// On a stop signal, live views get a last update and end, so that they do not delay the shutdown.
func TestLiveViewEndsWithDrain(t *testing.T) {
	i := newInstance(t)
	ctx, signal := context.WithCancel(t.Context())
	s := i.start(ctx, t, "127.0.0.1:0")
	lines := listen(t.Context(), t, s)
	next(t, lines)
	draining := errors.New("draining")
	i.missing.Store(&draining)
	signal()
	var last string
	for parts := next(t, lines); parts != nil; parts = next(t, lines) {
		last = string(parts["state"])
	}
	if !strings.Contains(last, `"word":"draining"`) {
		t.Errorf("the last word is %s", last)
	}
	if got := get(t, "GET", "http://"+s.Address()+"/live"); got.status != http.StatusServiceUnavailable {
		t.Errorf("a live view of an instance that drains: %d", got.status)
	}
	if got := get(t, "GET", "http://"+s.Address()+"/"); got.status != http.StatusOK || !strings.Contains(got.body, `data-state="draining"`) {
		t.Errorf("the page while it drains: %d", got.status)
	}
}

// Close also ends open live views.
func TestCloseWithListeners(t *testing.T) {
	s := newInstance(t).start(t.Context(), t, "127.0.0.1:0")
	for range 3 {
		lines := listen(t.Context(), t, s)
		next(t, lines)
	}
	if err := s.Close(); err != nil {
		t.Error(err)
	}
	if len(s.live.listeners) > 0 {
		t.Errorf("%d listeners are left", len(s.live.listeners))
	}
}

// The number of live views is bounded, and closing one makes room.
func TestTooManyListeners(t *testing.T) {
	s := newInstance(t).start(t.Context(), t, "127.0.0.1:0")
	first, leave := context.WithCancel(t.Context())
	lines := listen(first, t, s)
	next(t, lines)
	for range maxListeners - 1 {
		lines := listen(t.Context(), t, s)
		next(t, lines)
	}
	got := get(t, "GET", "http://"+s.Address()+"/live")
	if got.status != http.StatusServiceUnavailable || got.header.Get("Retry-After") == "" {
		t.Errorf("one too many: %d %q", got.status, got.body)
	}
	leave()
	s.live.mu.Lock()
	for len(s.live.listeners) == maxListeners {
		s.live.mu.Unlock()
		time.Sleep(time.Millisecond)
		s.live.mu.Lock()
	}
	s.live.mu.Unlock()
	if next(t, listen(t.Context(), t, s)) == nil {
		t.Error("after one has left there is no room")
	}
}

// A listener that does not read is dropped without affecting the others.
func TestSlowListener(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		i := newInstance(t)
		l := newLive(i.source, i.ready)
		l.start(t.Context())
		slow, quick := l.join(), l.join()
		read := 0
		done := make(chan struct{})
		go func() {
			defer close(done)
			for range quick {
				read++
			}
		}()
		time.Sleep(20 * sampleEvery)
		l.mu.Lock()
		if _, ok := l.listeners[slow]; ok {
			t.Error("a listener that reads nothing is still there")
		}
		if _, ok := l.listeners[quick]; !ok {
			t.Error("a listener that reads is gone")
		}
		l.mu.Unlock()
		l.leave(slow)
		l.leave(quick)
		l.stop()
		<-done
		if read < 20 {
			t.Errorf("the listener that reads got %d events in 20 samples", read)
		}
	})
}

// A stream without updates sends heartbeats.
func TestHeartbeat(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		i := newInstance(t)
		l := newLive(i.source, i.ready) // not started: nothing changes
		ctx, leave := context.WithCancel(t.Context())
		recorder := &deadlineRecorder{ResponseRecorder: httptest.NewRecorder()}
		done := make(chan struct{})
		go func() {
			defer close(done)
			l.serveStream(recorder, httptest.NewRequestWithContext(ctx, http.MethodGet, "/live", nil))
		}()
		time.Sleep(4*heartbeatEvery + time.Second)
		leave()
		<-done
		if n := strings.Count(recorder.Body.String(), ": heartbeat\n\n"); n != 4 {
			t.Errorf("%d heartbeats, want 4", n)
		}
		if len(l.listeners) > 0 {
			t.Error("the listener has gone, but is still there")
		}
	})
}

// deadlineRecorder is a recorder that accepts deadlines, like a connection.
type deadlineRecorder struct{ *httptest.ResponseRecorder }

func (deadlineRecorder) SetReadDeadline(time.Time) error  { return nil }
func (deadlineRecorder) SetWriteDeadline(time.Time) error { return nil }

// Rates follow the progress, and do not jump when a partition returns.
func TestHistory(t *testing.T) {
	var h history
	at := time.Date(2026, 11, 1, 0, 0, 0, 0, time.UTC)
	status := func(events uint64, next int64) processor.Status {
		s := processor.Status{Partitions: []processor.PartitionStatus{{Topic: "t", Partition: 1, Next: next}}}
		s.Counts.Events = events
		return s
	}
	h.add(at, status(1_000_000, -1))
	if h.rate != 0 || len(h.curve) != 0 {
		t.Errorf("rate %v from one sample", h.rate)
	}
	for i := range 200 {
		h.add(at.Add(time.Duration(i+1)*time.Second), status(1_000_000+uint64(i+1)*500, 70+int64(i)*100))
	}
	key := partitionKey{"t", 1}
	if rateText(h.rate) != "500" || rateText(h.partitions[key].perSecond) != "100" || len(h.curve) != historyLength {
		t.Errorf("rate %v, of the partition %v, %d points", h.rate, h.partitions[key].perSecond, len(h.curve))
	}
	if points, top := h.points(); top != 500 || strings.Count(points, " ") != historyLength-1 || !strings.HasPrefix(points, "0,1.0 ") {
		t.Errorf("points %.40q up to %v", points, top)
	}
	h.add(at.Add(201*time.Second), processor.Status{})
	h.add(at.Add(202*time.Second), status(0, 5))
	if got := h.partitions[key].perSecond; got != 0 {
		t.Errorf("a partition that comes back has rate %v", got)
	}
}
