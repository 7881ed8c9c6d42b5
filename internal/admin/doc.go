// Package admin serves what operators and their machines ask an instance for: /metrics, /livez, /readyz, and a page at /
// that shows at a glance what the instance does, live.
//
// It only shows. It takes GET and HEAD, holds no secret, keeps no more than the latest alerts and dead letters in
// bounded memory, and costs the pipeline a pointer for each alert: all else is done when somebody looks.
//
// What it shows was written in part by whoever is to be caught. Such text goes through [plain.Cut], then through
// html/template or as textContent into the page, which has a Content-Security-Policy that allows nothing but its own
// files. A server that listens on a loopback address answers only to names of the loopback, and no server answers to
// scripts of other sites: a page that somebody has open in the same browser must not read along.
package admin
