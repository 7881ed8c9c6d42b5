// Package browsertest tests the admin server's page in a real browser. It is a separate module, so that building or
// embedding the program does not pull in the browser driver. The tests need Chromium and are run by .ci/run browser.
package browsertest
