// Package browsertest looks at the admin server's page with a real browser. It is a module of its own, so that nobody who
// builds or embeds the program needs what drives a browser. The tests need Chromium, and are run by .ci/run browser.
package browsertest
