package admin

import (
	"net/http"
	"time"
)

const (
	// heartbeatEvery is the longest silence on a stream, so that proxies do not close it as idle.
	heartbeatEvery = 15 * time.Second
	// writeTime is the time limit for one write to a listener.
	writeTime = 10 * time.Second
)

// serveStream answers with server-sent events (WHATWG HTML standard, section 9.2).
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
	_ = s.control.SetReadDeadline(time.Time{}) // the request has been read; its deadline would end the stream
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
			return // the listener is gone or does not read
		}
		heartbeat.Reset(heartbeatEvery)
	}
}

// stream is one response of server-sent events.
type stream struct {
	w       http.ResponseWriter
	control *http.ResponseController
}

// write sends b and flushes.
func (s stream) write(b []byte) error {
	if err := s.control.SetWriteDeadline(time.Now().Add(writeTime)); err != nil {
		return err
	}
	if _, err := s.w.Write(b); err != nil {
		return err
	}
	return s.control.Flush()
}
