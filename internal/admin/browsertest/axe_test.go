package browsertest

import (
	"context"
	_ "embed"
	"fmt"
	"testing"

	"github.com/chromedp/chromedp"
)

// axe is axe-core, which finds faults of accessibility: contrast, names, roles, landmarks, order of headings. It is
// Deque's, under the MPL 2.0, and only these tests have it.
//
//go:embed testdata/axe-4.14.1.min.js
var axe string

// wantAccessible wants axe to find nothing, in light and dark, on a phone and on a wide screen.
func wantAccessible(ctx context.Context, t *testing.T) {
	eval[string](ctx, t, axe+"; axe.version")
	for _, value := range []string{"light", "dark"} {
		scheme(ctx, t, value)
		for _, width := range []int64{390, 1920} {
			do(ctx, t, chromedp.EmulateViewport(width, 900))
			eval[bool](ctx, t, `(window.__axe = null, axe.run(document, {resultTypes: ['violations']}).then((r) => { window.__axe = r }), true)`)
			eventually(ctx, t, "axe is done", `window.__axe !== null`)
			found := eval[[]string](ctx, t, `window.__axe.violations.map((v) => v.id + ': ' + v.help + ': ' + v.nodes.slice(0, 3).map((n) => n.html.slice(0, 150)).join(' | '))`)
			for _, f := range found {
				t.Errorf("%s, %d pixels: %s", value, width, f)
			}
			if rules := eval[int](ctx, t, `window.__axe.passes.length`); rules < 20 {
				t.Errorf("%s, %d pixels: only %s", value, width, fmt.Sprintf("%d rules were applied", rules))
			}
		}
	}
	do(ctx, t, chromedp.EmulateViewport(1280, 900))
}
