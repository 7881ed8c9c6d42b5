package admin

import (
	"bytes"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"html/template"
	"net/http"
	"time"

	"github.com/regionwatch/regionwatch/internal/display"
)

//go:embed assets
var files embed.FS

var page = template.Must(template.ParseFS(files, "assets/page.html"))

// assets are the files the page loads.
var assets = []asset{
	newAsset("page.css", "text/css; charset=utf-8"),
	newAsset("page.js", "text/javascript; charset=utf-8"),
	newAsset("icon.svg", "image/svg+xml"),
}

// asset is a file of the page.
type asset struct {
	name, kind, tag string
	content         []byte
}

func newAsset(name, kind string) asset {
	content, err := files.ReadFile("assets/" + name)
	if err != nil {
		panic("BUG: " + err.Error())
	}
	sum := sha256.Sum256(content)
	return asset{name, kind, `"` + hex.EncodeToString(sum[:8]) + `"`, content}
}

// ServeHTTP serves the file. Browsers revalidate it each time, because a new version may be deployed at any time.
func (a asset) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Content-Type", a.kind)
	w.Header().Set("Cache-Control", "no-cache")
	w.Header().Set("ETag", a.tag)
	http.ServeContent(w, r, a.name, time.Time{}, bytes.NewReader(a.content))
}

func (l *live) addRoutes(mux *http.ServeMux) {
	mux.HandleFunc("GET /{$}", l.servePage)
	mux.HandleFunc("GET /live", l.serveStream)
	for _, a := range assets {
		mux.Handle("GET /"+a.name, a)
	}
}

// servePage answers with the current page. The page is complete without its script, which only updates it.
func (l *live) servePage(w http.ResponseWriter, _ *http.Request) {
	var b bytes.Buffer
	if err := page.Execute(&b, l.now()); err != nil {
		answer(w, http.StatusInternalServerError, "the page cannot be made: "+display.Text(err.Error()))
		return
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	_, _ = w.Write(b.Bytes()) // the client may be gone
}

// state returns the state of the instance. l must be locked.
func (l *live) state(now time.Time) stateView {
	s := stateView{
		Word: "ready", Text: "ready", Uptime: ageText(now.Sub(l.began)), Now: timeText(now),
		Version: display.Cut(l.source.Version, nameLength), Metrics: l.metrics,
	}
	if err := l.ready(); err != nil {
		s.Word, s.Text = "waiting", display.Cut(err.Error(), textLength)
	}
	if l.draining {
		s.Word = "draining"
	}
	for _, f := range l.source.Facts {
		s.Facts = append(s.Facts, Fact{f.Name, display.Cut(f.Value, textLength)})
	}
	return s
}
