package admin

import (
	"net/http"
	"time"
)

const (
	// heartbeatEvery is how long a stream is silent at most, so that nothing on the way takes it for dead.
	heartbeatEvery = 15 * time.Second
	// writeTime is how long one write to a listener may take.
	writeTime = 10 * time.Second
)

// serveStream answers with server-sent events, as the WHATWG HTML standard has them in section 9.2.
func (l *live) serveStream(w http.ResponseWriter, r *http.Request) {
	if r.Method == http.MethodHead {
		w.Header().Set("Content-Type", "text/event-stream")
		return
	}
	listener := l.join()
	if listener == nil {
		w.Header().Set("Retry-After", "5")
		answer(w, http.StatusServiceUnavailable, "no more live views; the page itself is served")
		return
	}
	defer l.leave(listener)
	w.Header().Set("Content-Type", "text/event-stream")
	s := stream{w, http.NewResponseController(w)}
	_ = s.control.SetReadDeadline(time.Time{}) // the request is read; its deadline would end the stream
	if s.write([]byte("retry: 2000\n\n")) != nil {
		return
	}
	heartbeat := time.NewTimer(heartbeatEvery)
	defer heartbeat.Stop()
	for {
		next := []byte(": heartbeat\n\n")
		select {
		case <-r.Context().Done():
			return
		case <-heartbeat.C:
		case f, open := <-listener:
			if !open {
				return
			}
			next = f
		}
		if s.write(next) != nil {
			return // the listener has gone, or does not read
		}
		heartbeat.Reset(heartbeatEvery)
	}
}

// stream is one answer of server-sent events.
type stream struct {
	w       http.ResponseWriter
	control *http.ResponseController
}

// write sends b at once.
func (s stream) write(b []byte) error {
	if err := s.control.SetWriteDeadline(time.Now().Add(writeTime)); err != nil {
		return err
	}
	if _, err := s.w.Write(b); err != nil {
		return err
	}
	return s.control.Flush()
}
